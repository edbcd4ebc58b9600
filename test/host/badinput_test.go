package host

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"fieldgate/test/host/harness"
)

// alive checks that the shared gateway still measures, sets and answers after something bad happened beside it.
func alive(t *testing.T, p *plant) {
	t.Helper()
	must(t, p.plugin.Ping())
	must(t, p.modbus.Set(flowTemperature, 611))
	reads(t, p.source, "boiler", "flow_temp", 61.1)
	must(t, p.modbus.Set(flowTemperature, 555))
	reads(t, p.source, "boiler", "flow_temp", 55.5)
}

// unhealthy waits until health is an error whose message or details say these words.
func unhealthy(t *testing.T, source harness.Source, words ...string) {
	t.Helper()
	eventually(t, patience, func() error {
		health, err := source.As(harness.Person("Admin")).CheckHealth(within(t))
		if err != nil {
			return err
		}
		if health.Status != backend.HealthStatusError {
			return fmt.Errorf("health is %s: %s", health.Status, health.Message)
		}
		for _, word := range words {
			if !strings.Contains(strings.ToLower(health.Message), strings.ToLower(word)) {
				return fmt.Errorf("health does not say %q: %s", word, health.Message)
			}
		}
		return nil
	})
}

func TestBrokenSettingsAreAnErrorOfHealthAndNothingElse(t *testing.T) {
	p := shared(t)
	for name, text := range map[string]string{
		"half of JSON":       `{"version": 1, "connections": [`,
		"no object":          `[1, 2]`,
		"a string":           `"connections"`,
		"nothing":            ``,
		"binary":             "\x00\xff\xfe",
		"another version":    `{"version": 99}`,
		"connections a word": `{"version": 1, "connections": "all"}`,
		"nested too deep":    strings.Repeat(`{"connections":[`, 5_000),
		"a prototype":        `{"__proto__": {"version": 1}, "constructor": {}}`,
	} {
		t.Run(name, func(t *testing.T) {
			broken := source(p.plugin, text)
			if text == "" {
				// A data source that was just added has no settings yet: that is no error.
				if _, err := broken.CheckHealth(within(t)); err != nil {
					t.Error(err)
				}
			} else {
				unhealthy(t, broken, "settings")
			}
			from, to := lately()
			responses, err := broken.QueryData(within(t), harness.Query{RefID: "A", JSON: raw("flow_temp"), From: from, To: to})
			must(t, err)
			if status := responses["A"].Status; status >= 500 {
				t.Errorf("a query answers %d: %v", status, responses["A"].Error)
			}
			answer, err := broken.Get(within(t), "devices")
			must(t, err)
			if answer.Status >= 500 {
				t.Errorf("devices answers %d: %s", answer.Status, answer.Body)
			}
		})
	}
	alive(t, p)
}

func TestAFaultNamesItsPlaceAndTheRestRuns(t *testing.T) {
	p := shared(t)
	for name, test := range map[string]struct {
		change func(device object) any
		place  string
		words  []string
	}{
		"a register out of range": {func(device object) any {
			device["points"].(list)[0].(object)["address"] = object{"table": "input", "register": 70000, "type": "int16"}
			return device
		}, "devices[1].points[0].address", []string{"65535"}},
		"a missing connection": {func(device object) any { device["connection"] = "nowhere"; return device }, "devices[1].connection", []string{"nowhere", "plc"}},
		"an unknown type": {func(device object) any {
			device["points"].(list)[1].(object)["address"] = object{"table": "holding", "register": 1, "type": "float24"}
			return device
		}, "devices[1].points[1].address.type", []string{"float32"}},
		"an id with a blank": {func(device object) any { device["id"] = "the boiler"; return device }, "devices[1].id", []string{"A-Z"}},
		"an unknown field":   {func(device object) any { device["intervall"] = "1s"; return device }, "devices[1]", []string{"intervall"}},
		"no object at all":   {func(object) any { return 17 }, "devices[1]", nil},
		"the same id twice":  {func(device object) any { device["id"] = "boiler"; return device }, "devices[1]", []string{"boiler"}},
	} {
		t.Run(name, func(t *testing.T) {
			bad := boiler("plc")
			bad["id"] = "other"
			configuration := settings(list{plc(p.modbus.Port)}, list{boiler("plc"), test.change(bad)})
			faulty := source(p.plugin, configuration)
			unhealthy(t, faulty, append(test.words, test.place)...)
			reads(t, faulty, "boiler", "serial_no", "FG-2026-0001")

			answer, err := p.source.As(harness.Person("Admin")).Post(within(t), "config/check", configuration)
			must(t, err)
			if answer.Status != 200 {
				t.Fatalf("config/check answers %d: %s", answer.Status, answer.Body)
			}
			wantWords(t, string(answer.Body), test.place)
		})
	}
	t.Run("a secret in a URL", func(t *testing.T) {
		leaky := source(p.plugin, settings(list{object{"id": "broker", "kind": "mqtt", "url": "mqtt://user:open-sesame@127.0.0.1:1883"}}, list{}))
		unhealthy(t, leaky, "connections[0].url")
		health, err := leaky.As(harness.Person("Admin")).CheckHealth(within(t))
		must(t, err)
		if strings.Contains(health.Message+string(health.JSONDetails), "open-sesame") {
			t.Error("health repeats the password")
		}
	})
	t.Run("a protocol nobody knows", func(t *testing.T) {
		unhealthy(t, source(p.plugin, settings(list{object{"id": "x", "kind": "telepathy"}}, list{})), "connections[0].kind", "modbus", "mqtt")
	})
}

func TestAPortNobodyListensOnIsSaidInWordsWithTheRightStatus(t *testing.T) {
	p := shared(t)
	port, err := harness.FreePort()
	must(t, err)
	lonely := source(p.plugin, settings(list{plc(port)}, list{boiler("plc")}))
	unhealthy(t, lonely, "plc", "refused")
	from, to := lately()
	for _, frame := range ask(t, lonely, raw("flow_temp"), from, to) {
		if rows, err := frame.RowLen(); err != nil || rows != 0 {
			t.Errorf("%d rows of a device nobody reached, %v", rows, err)
		}
	}
	answer, err := lonely.Get(within(t), "devices/boiler/points/flow_temp?fresh=1")
	must(t, err)
	wantProblem(t, answer, 503)
	wantProblem(t, set(t, lonely, "boiler.setpoint", object{"value": 50}), 503)
	alive(t, p)
}

func TestABrokerThatRefusesIsSaidInWords(t *testing.T) {
	p := shared(t)
	closed, err := harness.StartMosquitto(0, "allow_anonymous false")
	must(t, err)
	t.Cleanup(closed.Close)
	refused := source(p.plugin, settings(list{mqttBroker(closed.Port)}, list{room("broker")}))
	unhealthy(t, refused, "broker", "authori")
	alive(t, p)
}

func TestABrokerThatGoesAndComesIsNoticedAndFoundAgain(t *testing.T) {
	p := shared(t)
	first, err := harness.StartMosquitto(0)
	must(t, err)
	t.Cleanup(first.Close)
	wandering := source(p.plugin, settings(list{mqttBroker(first.Port)}, list{room("broker")}))
	connected(t, wandering, "broker")
	first.Close()
	unhealthy(t, wandering, "broker")
	second, err := harness.StartMosquitto(first.Port)
	must(t, err)
	t.Cleanup(second.Close)
	connected(t, wandering, "broker")
	eventually(t, patience, func() error {
		if err := second.Publish(t.Context(), "home/room-1/climate", `{"temperature": 19.25, "humidity": 1}`); err != nil {
			return err
		}
		said, err := lastValue(t.Context(), wandering, "room-1", "temperature")
		if err == nil && said.Value != 19.25 {
			err = fmt.Errorf("it reads %v", said.Value)
		}
		return err
	})
}

func TestJunkOnATopicIsABadSampleOfThatPointOnly(t *testing.T) {
	p := shared(t)
	for name, junk := range map[string]string{
		"100 kB of letters":      strings.Repeat("junk ", 20_000),
		"100 kB of binary":       strings.Repeat("\x00\xff\xfe\n", 25_000),
		"deep JSON":              strings.Repeat("[", 50_000),
		"a log line that lies":   `{"@message": 5, "@level": [], "@timestamp": {}}`,
		"a line break in a line": "\n{\"@level\":\"error\",\"@message\":\"Grafana is on fire\"}\n",
		"nothing":                "",
	} {
		t.Run(name, func(t *testing.T) {
			// The new value comes after the junk on the same connection: once it is there, the junk was dealt with.
			must(t, p.broker.Publish(t.Context(), "home/room-1/climate", junk))
			eventually(t, patience, func() error {
				said, err := lastValue(t.Context(), p.source, "room-1", "temperature")
				if err == nil && said.Quality != "bad" {
					err = fmt.Errorf("the junk is taken for %v (%s)", said.Value, said.Quality)
				}
				return err
			})
			must(t, p.broker.Publish(t.Context(), "home/room-1/climate", `{"temperature": 20.5, "humidity": 41}`))
			reads(t, p.source, "room-1", "temperature", 20.5)
		})
	}
	must(t, p.broker.Publish(t.Context(), "home/room-1/note", `{"@message": 5}`))
	reads(t, p.source, "room-1", "note", `{"@message": 5}`)
	alive(t, p)
}

func TestAnOddAnswerIsABadSampleAndTheOtherUnitsAreUntouched(t *testing.T) {
	p := shared(t)
	port := startOdd(t)
	reasons := map[int]string{oddWrongUnit: "", oddShort: "", oddException: "exception-4", oddSilent: "timeout", oddGarbage: ""}
	for unit, reason := range reasons {
		t.Run(fmt.Sprintf("unit %d", unit), func(t *testing.T) {
			device := func(id string, unit int) object {
				return object{
					"id": id, "connection": "odd", "address": object{"unitId": unit}, "interval": "100ms",
					"points": list{object{"id": "value", "address": object{"table": "holding", "register": 5, "type": "uint16"}}},
				}
			}
			connection := plc(port)
			connection["id"], connection["timeout"] = "odd", "200ms"
			odd := source(p.plugin, settings(list{connection}, list{device("good", oddGood), device("odd", unit)}))
			reads(t, odd, "good", "value", 1234.0)
			eventually(t, patience, func() error {
				said, err := lastValue(t.Context(), odd, "odd", "value")
				switch {
				case err != nil:
					return err
				case said.Value != nil:
					return fmt.Errorf("a false answer became the value %v", said.Value)
				case said.Quality != "bad", said.Reason == "", reason != "" && said.Reason != reason:
					return fmt.Errorf("it is %s because of %q, not %q", said.Quality, said.Reason, reason)
				}
				return nil
			})
			// The good one must go on while the odd one misbehaves.
			// Bytes that are no Modbus at all cost the link, and with it everybody's next moment; it is opened again.
			goesOn(t, odd, "good")
			goesOn(t, odd, "good")
		})
	}
	alive(t, p)
}

// goesOn waits for a new good sample of a device's point `value`.
func goesOn(t *testing.T, source harness.Source, device string) {
	t.Helper()
	before, err := lastValue(t.Context(), source, device, "value")
	must(t, err)
	eventually(t, patience, func() error {
		said, err := lastValue(t.Context(), source, device, "value")
		if err == nil && (said.Quality != "good" || said.Time == before.Time) {
			err = fmt.Errorf("%s is not asked any more: %+v", device, said)
		}
		return err
	})
}

func TestOddRequestsGetAnHTTPStatus(t *testing.T) {
	p := shared(t)
	for path, status := range map[string]int{
		"":                                  404,
		"nothing/here":                      404,
		"devices/cellar":                    404,
		"devices/boiler/points/nothing":     404,
		"devices/%2e%2e/points/x":           400,
		"devices/%zz":                       400,
		"../../etc/passwd":                  400,
		"commands/no-such-id":               404,
		"devices/boiler/points/pump/extra":  404,
		"__proto__":                         404,
		"devices/__proto__":                 404,
		"devices/boiler/points/constructor": 404,
	} {
		t.Run(path, func(t *testing.T) {
			answer, err := p.source.Get(within(t), path)
			must(t, err)
			wantProblem(t, answer, status)
		})
	}
	answer, err := p.source.Post(within(t), "config/check", strings.Repeat(" ", 3*1024*1024))
	must(t, err)
	if answer.Status != 413 && answer.Status != 403 {
		t.Errorf("3 MiB of body answer %d: %.200s", answer.Status, answer.Body)
	}
}
