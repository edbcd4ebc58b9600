package host

import (
	"encoding/json"
	"strings"
	"testing"

	"fieldgate/test/host/harness"
)

func TestDevicesAndTheirPointsAreListed(t *testing.T) {
	p := shared(t)
	for path, words := range map[string][]string{
		"devices":                         {"boiler", "room-1", "online", "north"},
		"devices/boiler":                  {"boiler", "flow_temp", "celsius"},
		"devices/boiler/points":           {"flow_temp", "setpoint", "good"},
		"devices/boiler/points/flow_temp": {"flow_temp", "good"},
		"connections":                     {"plc", "broker", "up", "modbus", "mqtt"},
		"drivers":                         {"modbus", "mqtt"},
		"schema":                          {"connections", "devices"},
		"access/me":                       {"viewer"},
	} {
		t.Run(path, func(t *testing.T) {
			answer, err := p.source.As(harness.Person("Viewer")).Get(within(t), path)
			must(t, err)
			if answer.Status != 200 || !json.Valid(answer.Body) {
				t.Fatalf("status %d: %.500s", answer.Status, answer.Body)
			}
			if kind := answer.Header("Content-Type"); !strings.HasPrefix(kind, "application/json") && !strings.HasPrefix(kind, "application/schema+json") {
				t.Errorf("content type is %q", kind)
			}
			wantWords(t, string(answer.Body), words...)
		})
	}
}

func TestViewersSeeNoHostTopicOrSecret(t *testing.T) {
	p := shared(t)
	viewer := p.source.As(harness.Person("Viewer"))
	viewer.Secrets = map[string]string{"broker.password": "open-sesame"}
	texts := map[string]string{}
	for _, path := range []string{"devices", "devices/boiler", "devices/room-1", "devices/room-1/points", "connections", "access/me"} {
		answer, err := viewer.Get(within(t), path)
		must(t, err)
		texts[path] = string(answer.Body)
	}
	health, err := viewer.CheckHealth(within(t))
	must(t, err)
	texts["health"] = health.Message + string(health.JSONDetails)
	for path, text := range texts {
		for _, word := range []string{"127.0.0.1", "home/room-1", "open-sesame"} {
			if strings.Contains(text, word) {
				t.Errorf("%q is in the answer to %s", word, path)
			}
		}
	}
}

func TestAFreshValueIsAskedFromTheDeviceNow(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(serialNumber, "FG-2026-0002"))
	answer, err := p.source.Get(within(t), "devices/boiler/points/serial_no?fresh=1")
	must(t, err)
	wantWords(t, string(answer.Body), "FG-2026-0002")
	must(t, p.modbus.Set(serialNumber, "FG-2026-0001"))
	answer, err = p.source.As(harness.Person("Viewer")).Get(within(t), "devices/boiler/points/serial_no?fresh=1")
	must(t, err)
	wantProblem(t, answer, 403)
	reads(t, p.source, "boiler", "serial_no", "FG-2026-0001")
}

func TestAChangeOfSettingsRestartsOnlyWhatChanged(t *testing.T) {
	p := shared(t)
	connections := list{plc(p.modbus.Port), mqttBroker(p.broker.Port)}
	before := source(p.plugin, settings(connections, list{boiler("plc"), room("broker")}))
	reads(t, before, "boiler", "serial_no", "FG-2026-0001")
	opens := func(source harness.Source) map[string]float64 {
		answer, err := source.As(harness.Person("Admin")).CheckHealth(within(t))
		must(t, err)
		var details struct {
			Connections map[string]struct{ Opens float64 }
		}
		must(t, json.Unmarshal(answer.JSONDetails, &details))
		counts := map[string]float64{}
		for id, one := range details.Connections {
			counts[id] = one.Opens
		}
		return counts
	}
	connected(t, before, "broker")
	first := opens(before)
	slower := mqttBroker(p.broker.Port)
	slower["keepalive"] = "17s"
	after := before.Changed(settings(list{plc(p.modbus.Port), slower}, list{boiler("plc"), room("broker")}))
	eventually(t, patience, func() error { return hasValue(t.Context(), after, "boiler", "serial_no") })
	eventually(t, patience, func() error {
		if second := opens(after); second["plc"] != first["plc"] {
			t.Fatalf("the PLC was opened again: %v, then %v", first, second)
		}
		return nil
	})
	connected(t, after, "broker")
}

func TestOrganisationsWithTheSameUIDAreStrangers(t *testing.T) {
	p := shared(t)
	stranger := p.source
	stranger.OrgID = 2
	stranger.Settings = object{"version": 1}
	answer, err := stranger.Get(within(t), "devices")
	must(t, err)
	if strings.Contains(string(answer.Body), "boiler") {
		t.Errorf("organisation 2 sees the devices of organisation 1: %s", answer.Body)
	}
	if rows := telemetry(t, stranger, raw("*")); rows != 0 {
		t.Errorf("organisation 2 reads %d samples of organisation 1", rows)
	}
	// And the first is not disturbed by the second's settings.
	reads(t, p.source, "boiler", "serial_no", "FG-2026-0001")
}
