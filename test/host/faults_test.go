package host

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

// faultSettings is simulators/gateway-faults.json with the ports of this run.
func faultSettings(t *testing.T, simulators *harness.Simulators) object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "simulators/gateway-faults.json"))
	must(t, err)
	var made object
	must(t, json.Unmarshal(text, &made))
	for _, one := range made["connections"].(list) {
		connection := one.(object)
		if connection["kind"] == "mqtt" {
			connection["url"] = fmt.Sprintf("mqtt://127.0.0.1:%d", simulators.MQTTPort)
		} else {
			connection["transport"].(object)["port"] = simulators.ModbusPort
		}
	}
	return made
}

// count is how many samples of a point are stored of a span of time, and how many of them are not good.
func count(t *testing.T, asked harness.Source, device, point string, from, to time.Time) (all, bad int) {
	t.Helper()
	model := object{"queryType": "telemetry", "devices": list{device}, "points": list{point}, "quality": "all"}
	responses, err := asked.QueryData(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
	must(t, err)
	must(t, responses["A"].Error)
	frame := responses["A"].Frames[0]
	if len(frame.Fields) < 2 {
		return 0, 0
	}
	for row := range frame.Rows() {
		if _, ok := frame.Fields[1].ConcreteAt(row); !ok {
			bad++
		}
	}
	return frame.Rows(), bad
}

// Every device of simulators/README.md that misbehaves, at once, behind the same gateway as the good ones.
func TestEveryFaultStaysWhereItIs(t *testing.T) {
	simulators, err := harness.StartSimulators()
	must(t, err)
	defer simulators.Close()
	folder := t.TempDir()
	plugin := start(t, harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	asked := source(plugin, faultSettings(t, simulators))
	reads(t, asked, "boiler", "serial_no", "FG-B2-000421")

	type end struct{ quality, reason string }
	ends := map[string][]end{
		"boiler.flow_temp":    {{"good", ""}},
		"silent.value":        {{"bad", "timeout"}},
		"slow.value":          {{"good", ""}},
		"late.value":          {{"bad", "timeout"}},
		"short.value":         {{"bad", "decode"}},
		"wrong-unit.value":    {{"bad", "decode"}},
		"half-frame.value":    {{"bad", "timeout"}, {"bad", "offline"}},
		"hung-up.value":       {{"bad", "offline"}, {"bad", "timeout"}},
		"flood.value":         {{"good", ""}},
		"no-function.value":   {{"bad", "exception-1"}},
		"no-address.value":    {{"bad", "exception-2"}},
		"failure.value":       {{"bad", "exception-4"}},
		"no-checksum.value":   {{"good", ""}},
		"busy.value":          {{"bad", "exception-6"}},
		"no-path.value":       {{"bad", "exception-10"}},
		"target-silent.value": {{"bad", "timeout"}, {"bad", "exception-11"}},
		"kitchen.temperature": {{"good", ""}},
		"kitchen.power":       {{"good", ""}},
		"mqtt-junk.value":     {{"bad", "decode"}},
		"mqtt-retained.value": {{"bad", "decode"}},
		"mqtt-silent.value":   {{"bad", "stale"}},
		"mqtt-late.value":     {{"good", ""}},
		"mqtt-clock.value":    {{"uncertain", "clock"}},
		"mqtt-flood.value":    {{"good", ""}},
	}
	look := func() error {
		for place, allowed := range ends {
			device, point := parts(place)
			said, err := lastValue(t.Context(), asked, device, point)
			if err != nil {
				return err
			}
			found := false
			for _, one := range allowed {
				found = found || said.Quality == one.quality && said.Reason == one.reason
			}
			if !found {
				return fmt.Errorf("%s is %v %s %s, not %v", place, said.Value, said.Quality, said.Reason, allowed)
			}
			if said.Quality == "bad" && said.Value != nil {
				return fmt.Errorf("%s is bad and has the value %v", place, said.Value)
			}
		}
		return nil
	}
	eventually(t, 2*patience, look)

	// A busy machine may cost a moment, a fault of somebody else's would cost every one.
	began := time.Now()
	for try := range 3 {
		troubles := rates(t, asked, 20*time.Second)
		if len(troubles) == 0 {
			break
		}
		t.Log(troubles)
		if try == 2 {
			t.Fatal("good devices suffer from bad ones, each time it was looked at")
		}
	}
	must(t, look())
	// A late answer is nobody's: the unit that gives only late ones never has a value.
	if all, bad := count(t, asked, "late", "value", began.Add(-time.Minute), time.Now()); all != bad {
		t.Errorf("late.value has %d values", all-bad)
	}
}

// rates says which good devices had less than 95 % of their samples in a span of time, or bad ones.
func rates(t *testing.T, asked harness.Source, window time.Duration) (troubles []string) {
	t.Helper()
	from := time.Now()
	time.Sleep(window)
	to := time.Now()
	// Samples are stored within the flush interval of these settings.
	time.Sleep(1500 * time.Millisecond)
	for place, every := range map[string]time.Duration{
		"boiler.flow_temp": time.Second, "boiler.energy": time.Second,
		"kitchen.power": 500 * time.Millisecond, "kitchen.temperature": time.Second,
		"slow.value": time.Second, "flood.value": time.Second, "mqtt-flood.value": time.Millisecond,
	} {
		device, point := parts(place)
		samples, bad := count(t, asked, device, point, from, to)
		due := float64(to.Sub(from)) / float64(every)
		share := float64(samples) / due
		t.Logf("%-20s %6d samples, %5.1f %% of its rate", place, samples, 100*share)
		// Where the window begins between two polls is chance: one more or less.
		if float64(samples) < 0.95*due-1 {
			troubles = append(troubles, fmt.Sprintf("%s has %d samples in %s, %.0f %% of its rate", place, samples, window, 100*share))
		}
		if bad > 0 {
			troubles = append(troubles, fmt.Sprintf("%s has %d bad samples", place, bad))
		}
	}
	return troubles
}

func parts(place string) (device, point string) {
	for i := len(place) - 1; i >= 0; i-- {
		if place[i] == '.' {
			return place[:i], place[i+1:]
		}
	}
	return place, ""
}
