package host

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

// scraps are what random input is put together from: half of it is nearly right.
var scraps = []string{
	`{`, `}`, `[`, `]`, `:`, `,`, `"`, `null`, `true`, `-1`, `1e999`, `9007199254740993`, `""`, `"devices"`, `"points"`, `"connections"`, `"id"`,
	`"boiler"`, `"plc"`, `"kind"`, `"modbus"`, `"queryType"`, `"telemetry"`, `"latest"`, `"status"`, `"commands"`, `"aggregate"`, `"avg"`, `"interval"`,
	`"0s"`, `"1ms"`, `"*"`, `"/(a+)+$/"`, `"/[/"`, `"__proto__"`, `"constructor"`, `"\u0000"`, `"\ud800"`, "\x00", "\xff\xfe", `"address"`, `"version"`, `1`,
}

func scrapHeap(random *rand.Rand) string {
	var text bytes.Buffer
	for range random.IntN(40) {
		text.WriteString(scraps[random.IntN(len(scraps))])
	}
	return text.String()
}

// maimed is valid JSON with some bytes changed, doubled or taken out.
func maimed(random *rand.Rand, model any) string {
	text, _ := json.Marshal(model)
	for range 1 + random.IntN(4) {
		at := random.IntN(len(text))
		switch random.IntN(3) {
		case 0:
			text[at] = byte(random.IntN(256))
		case 1:
			text = append(text[:at:at], text[min(len(text), at+random.IntN(20)):]...)
		default:
			text = append(text[:at:at], append([]byte(scraps[random.IntN(len(scraps))]), text[at:]...)...)
		}
		if len(text) == 0 {
			return ""
		}
	}
	return string(text)
}

func TestRandomInputIsAnsweredAndNeverEndsTheProcess(t *testing.T) {
	p := shared(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	// Points at a port nobody listens on: whatever the settings become, no device is harmed.
	whole := settings(list{plc(1)}, list{boiler("plc")})
	fuzzed := source(p.plugin, whole)
	for range rounds(150, 10_000) {
		some := func(model any) string {
			if random.IntN(2) == 0 {
				return scrapHeap(random)
			}
			return maimed(random, model)
		}
		if random.IntN(5) == 0 {
			fuzzed = fuzzed.Changed(some(whole))
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		query := some(object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"*"}, "aggregate": "avg", "interval": "1s"})
		if _, err := fuzzed.QueryData(ctx, harness.Query{RefID: "A", JSON: query}); err != nil {
			t.Errorf("seed %d: the query %q fails the call: %v", seed, query, err)
		}
		body := some(object{"value": 50, "expect": 40, "wait": "1ms"})
		for _, request := range []harness.Request{
			{Method: "POST", Path: "devices/boiler/points/setpoint", Body: body},
			{Method: "POST", Path: "config/check", Body: body},
			// Runes make it UTF-8, else gRPC itself would refuse to send it.
			{Method: "GET", Path: "devices/" + string([]rune(scrapHeap(random)))},
		} {
			answer, err := fuzzed.As(harness.Person("Admin")).CallResource(ctx, request)
			if err != nil || answer.Status >= 500 && answer.Status != 503 {
				t.Errorf("seed %d: %s %s %q answers %d %s: %v", seed, request.Method, request.Path, request.Body, answer.Status, answer.Body, err)
			}
		}
		cancel()
		if t.Failed() {
			break
		}
	}
	alive(t, p)
}
