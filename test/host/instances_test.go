package host

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

func TestAnInstanceNobodyNamesStopsAndIsStartedByItsName(t *testing.T) {
	modbus, err := harness.StartModbus(0)
	must(t, err)
	t.Cleanup(modbus.Kill)
	must(t, modbus.Set(flowTemperature, 421))
	folder := t.TempDir()
	options := harness.Options{Env: append(dataIn(folder), "GF_PLUGIN_RESUME_FOR=2s")}
	named := source(start(t, options), settings(list{plc(modbus.Port)}, list{boiler("plc")}))
	reads(t, named, "boiler", "flow_temp", 42.1)
	began := time.Now()
	eventually(t, patience, func() error {
		if running := gauge(t, named.Plugin, "fieldgate_gateways"); running != 0 {
			return fmt.Errorf("%v data sources run", running)
		}
		return nil
	})
	if after := time.Since(began); after < time.Second {
		t.Errorf("it stopped after %s already", after)
	}
	silent(t, modbus, 500*time.Millisecond)
	admin := harness.Source{Plugin: named.Plugin, OrgID: 1, NoSettings: true, User: harness.Person("Admin")}
	if state := instancesOf(t, admin)[named.UID].State; state != "stopped" {
		t.Errorf("the list says %q", state)
	}
	health, err := admin.CheckHealth(within(t))
	must(t, err)
	wantWords(t, health.Message, "stopped")

	// A start does not bring it back either; its name does, with its history.
	named.Plugin.Stop()
	time.Sleep(2 * time.Second)
	named.Plugin = start(t, options)
	admin.Plugin = named.Plugin
	eventually(t, patience, func() error {
		if state := instancesOf(t, admin)[named.UID].State; state != "stopped" {
			return fmt.Errorf("after a start the list says %q", state)
		}
		return nil
	})
	silent(t, modbus, 500*time.Millisecond)
	if telemetry(t, named, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}}) == 0 {
		t.Error("its history is gone")
	}
	polled(t, modbus)
}

func TestAStreamKeepsItsInstanceRunning(t *testing.T) {
	modbus, err := harness.StartModbus(0)
	must(t, err)
	t.Cleanup(modbus.Kill)
	must(t, modbus.Set(flowTemperature, 421))
	watched := source(start(t, harness.Options{Env: append(dataIn(t.TempDir()), "GF_PLUGIN_RESUME_FOR=1s")}), settings(list{plc(modbus.Port)}, list{boiler("plc")}))
	reads(t, watched, "boiler", "flow_temp", 42.1)
	stream := runLive(t, watched, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}, "live": true})
	for until := time.Now().Add(3 * time.Second); time.Now().Before(until); {
		_, err := stream.Next(patience)
		must(t, err)
	}
	polled(t, modbus)
}

type listed struct {
	UID         string `json:"uid"`
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	State       string `json:"state"`
	LastNamed   int64  `json:"lastNamed"`
	Connections struct{ Up, Of int }
}

func instancesOf(t *testing.T, admin harness.Source) map[string]listed {
	t.Helper()
	answer, err := admin.Get(within(t), "instances")
	must(t, err)
	if answer.Status != 200 {
		t.Fatalf("status %d: %s", answer.Status, answer.Body)
	}
	var said struct{ Instances []listed }
	must(t, answer.JSON(&said))
	found := map[string]listed{}
	for _, one := range said.Instances {
		found[one.UID] = one
	}
	return found
}

func remove(t *testing.T, admin harness.Source, path string) harness.Answer {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	request := harness.Request{Method: "DELETE", Path: path}
	if query != "" {
		request.Query = map[string][]string{"history": {strings.TrimPrefix(query, "history=")}}
	}
	answer, err := admin.CallResource(within(t), request)
	must(t, err)
	return answer
}

func TestAdminsListAndRemoveTheInstancesOfTheirOrganisation(t *testing.T) {
	folder := t.TempDir()
	plugin := start(t, harness.Options{Env: dataIn(folder)})
	first, modbus, _ := guarded(t, plugin)
	reads(t, first, "boiler", "flow_temp", 42.1)
	linksUp(t, plugin, 2)
	isRemembered(t, folder)
	other := source(plugin, settings(list{}, list{}))
	other.OrgID = 2
	_, err := other.Get(within(t), "devices")
	must(t, err)
	admin := harness.Source{Plugin: plugin, OrgID: 1, NoSettings: true, User: harness.Person("Admin")}
	foreign := admin
	foreign.OrgID = 2

	one := instancesOf(t, admin)
	if len(one) != 1 || one[first.UID].State != "running" || one[first.UID].Connections.Up != 2 || one[first.UID].ID != first.ID ||
		one[first.UID].Name == "" || time.Since(time.UnixMilli(one[first.UID].LastNamed)) > time.Minute {
		t.Errorf("the list is %+v", one)
	}
	if two := instancesOf(t, foreign); len(two) != 1 || two[other.UID].State != "running" {
		t.Errorf("the list of the other organisation is %+v", two)
	}
	for _, role := range []string{"Viewer", "Editor", "None"} {
		answer, err := admin.As(harness.Person(role)).Get(within(t), "instances")
		must(t, err)
		wantProblem(t, answer, 403)
		wantProblem(t, remove(t, admin.As(harness.Person(role)), "instances/"+first.UID), 403)
	}
	wantProblem(t, remove(t, foreign, "instances/"+first.UID+"?history=1"), 404)
	wantProblem(t, remove(t, admin, "instances/"+first.UID+"?history=yes"), 400, "history")
	polled(t, modbus)

	// Removed: stopped and forgotten, with its history kept.
	if answer := remove(t, admin, "instances/"+first.UID); answer.Status != 200 {
		t.Fatalf("status %d: %s", answer.Status, answer.Body)
	}
	silent(t, modbus, 500*time.Millisecond)
	if state := instancesOf(t, admin)[first.UID].State; state != "removed" {
		t.Errorf("the list says %q", state)
	}
	must(t, plugin.Kill(within(t)))
	plugin = start(t, harness.Options{Env: dataIn(folder)})
	admin.Plugin, first.Plugin, other.Plugin = plugin, plugin, plugin
	silent(t, modbus, time.Second)
	if len(instancesOf(t, admin)) != 1 {
		t.Errorf("after a start the list is %+v", instancesOf(t, admin))
	}
	if telemetry(t, first, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}}) == 0 {
		t.Error("the history is gone")
	}

	// With its history: nothing is left, and being named it begins anew.
	settled := first.Changed(settings(list{}, list{boilerWithoutDevice()}))
	answer := remove(t, admin, "instances/"+first.UID+"?history=1")
	var said struct {
		History string
		Samples int
	}
	must(t, json.Unmarshal(answer.Body, &said))
	if answer.Status != 200 || said.History != "deleted" || said.Samples == 0 {
		t.Errorf("status %d: %s", answer.Status, answer.Body)
	}
	if left := instancesOf(t, admin); len(left) != 0 {
		t.Errorf("the list is %+v", left)
	}
	if rows := telemetry(t, settled, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}}); rows != 0 {
		t.Errorf("%d rows are left of the history", rows)
	}
	wantProblem(t, remove(t, admin, "instances/nobody"), 404)
	ofOne, err := first.As(harness.Person("Admin")).Get(within(t), "instances")
	must(t, err)
	wantProblem(t, ofOne, 400, "/api/plugins/")
}

func TestARemovedInstanceEndsItsStreams(t *testing.T) {
	modbus, err := harness.StartModbus(0)
	must(t, err)
	t.Cleanup(modbus.Kill)
	must(t, modbus.Set(flowTemperature, 421))
	watched := source(start(t, harness.Options{Env: dataIn(t.TempDir())}), settings(list{plc(modbus.Port)}, list{boiler("plc")}))
	reads(t, watched, "boiler", "flow_temp", 42.1)
	stream := runLive(t, watched, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}, "live": true})
	admin := harness.Source{Plugin: watched.Plugin, OrgID: 1, NoSettings: true, User: harness.Person("Admin")}
	if answer := remove(t, admin, "instances/"+watched.UID); answer.Status != 200 {
		t.Fatalf("status %d: %s", answer.Status, answer.Body)
	}
	deadline := time.After(patience)
	for open := true; open; {
		select {
		case _, open = <-stream.Packets:
		case <-deadline:
			t.Fatal("the stream hangs on an instance that is gone")
		}
	}
	if stream.Err == nil {
		t.Error("the stream ended as if all were said; Grafana would not open it again")
	}
}

func TestOlderSettingsDoNotReplaceNewerOnesAtOnce(t *testing.T) {
	older := source(start(t, harness.Options{Env: dataIn(t.TempDir())}), settings(list{}, list{boilerWithoutDevice()}))
	newer := older.Changed(settings(list{plc(1)}, list{boiler("plc")}))
	for range 3 {
		for _, asked := range []harness.Source{newer, older} {
			answer, err := asked.Get(within(t), "connections")
			must(t, err)
			wantWords(t, string(answer.Body), `"plc"`)
		}
	}
}
