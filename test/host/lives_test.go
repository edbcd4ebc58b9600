package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"fieldgate/test/host/harness"
)

// Who lives when: what runs without a request, what stops without one, and who may see and end it.

const (
	brokerPassword = "open-sesame-4711"
	aStateKey      = "a state key of more than sixteen characters"
)

// withKey is the section of grafana.ini with a data folder and a state_key.
func withKey(folder, key string, more ...string) harness.Options {
	return harness.Options{Env: append(append(dataIn(folder), "GF_PLUGIN_STATE_KEY="+key), more...)}
}

// guarded starts a broker that lets in only who knows the password, and a data source of it and a Modbus device.
func guarded(t *testing.T, plugin *harness.Plugin) (harness.Source, *harness.Modbus, *harness.Mosquitto) {
	t.Helper()
	modbus, err := harness.StartModbus(0)
	must(t, err)
	t.Cleanup(modbus.Kill)
	must(t, modbus.Set(flowTemperature, 421))
	lines, err := harness.OnlyFor(t.TempDir(), "gateway", brokerPassword)
	must(t, err)
	mosquitto, err := harness.StartMosquitto(0, lines...)
	must(t, err)
	t.Cleanup(mosquitto.Close)
	link := mqttBroker(mosquitto.Port)
	link["username"] = "gateway"
	made := source(plugin, settings(list{plc(modbus.Port), link}, list{boiler("plc"), room("broker")}))
	made.Secrets = map[string]string{"broker.password": brokerPassword}
	return made, modbus, mosquitto
}

// linksUp waits until that many connections are up, seen from outside: metrics name no data source and so start none.
func linksUp(t *testing.T, plugin *harness.Plugin, want float64) {
	t.Helper()
	eventually(t, patience, func() error {
		if up := connectionsIn(t, plugin, "up"); up != want {
			return fmt.Errorf("%v connections are up, not %v", up, want)
		}
		return nil
	})
}

func connectionsIn(t *testing.T, plugin *harness.Plugin, state string) float64 {
	t.Helper()
	parsed, _ := families(t, plugin)
	count := 0.0
	for _, metric := range parsed["fieldgate_connections"].GetMetric() {
		for _, label := range metric.GetLabel() {
			if label.GetName() == "state" && label.GetValue() == state {
				count += metric.GetGauge().GetValue()
			}
		}
	}
	return count
}

// polled waits until the device is asked again.
func polled(t *testing.T, modbus *harness.Modbus) {
	t.Helper()
	_, err := modbus.Requests()
	must(t, err)
	eventually(t, patience, func() error {
		count, err := modbus.Requests()
		if err == nil && count == 0 {
			err = fmt.Errorf("the device is not polled")
		}
		return err
	})
}

// silent fails if the device is asked within the time given.
func silent(t *testing.T, modbus *harness.Modbus, during time.Duration) {
	t.Helper()
	_, err := modbus.Requests()
	must(t, err)
	time.Sleep(during)
	count, err := modbus.Requests()
	must(t, err)
	if count > 0 {
		t.Errorf("%d requests reached the device", count)
	}
}

// remembered waits until a start without a request would find the data source with its secrets.
func isRemembered(t *testing.T, folder string) {
	t.Helper()
	eventually(t, patience, func() error {
		found := false
		must(t, eachFile(folder, func(_ string, text []byte) { found = found || bytes.Contains(text, []byte(`"sealed":"fg1.`)) }))
		if !found {
			return fmt.Errorf("nothing sealed is in the data folder")
		}
		return nil
	})
}

func eachFile(folder string, look func(path string, text []byte)) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			look(path, text)
		}
		return err
	})
}

// wantNoSecret looks everywhere the password could have been left.
func wantNoSecret(t *testing.T, folder string, secret string, said ...*harness.Plugin) {
	t.Helper()
	must(t, eachFile(folder, func(path string, text []byte) {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("a secret is in %s", path)
		}
	}))
	for _, plugin := range said {
		if strings.Contains(plugin.Said(), secret) {
			t.Error("a secret is in the log")
		}
	}
}

func TestCollectionResumesAfterKill9WithoutARequest(t *testing.T) {
	for name, env := range map[string][]string{"state_key": {"GF_PLUGIN_STATE_KEY=" + aStateKey}, "key file": {}} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			options := harness.Options{Env: append(dataIn(folder), env...)}
			first, modbus, mosquitto := guarded(t, start(t, options))
			reads(t, first, "boiler", "flow_temp", 42.1)
			linksUp(t, first.Plugin, 2)
			isRemembered(t, folder)
			must(t, first.Plugin.Kill(within(t)))
			silent(t, modbus, 300*time.Millisecond)

			// Nobody asks it anything but its metrics, which name no data source.
			must(t, modbus.Set(flowTemperature, 777))
			next := start(t, options)
			polled(t, modbus)
			linksUp(t, next, 2)
			must(t, mosquitto.Publish(t.Context(), "home/room-1/climate", `{"temperature": 12, "humidity": 50}`, "-u", "gateway", "-P", brokerPassword))
			time.Sleep(500 * time.Millisecond) // Five polls and flushes.
			must(t, modbus.Set(flowTemperature, 100))

			again := first
			again.Plugin = next
			reads(t, again, "boiler", "flow_temp", 10.0)
			if !everRead(t, again, "boiler", "flow_temp", 77.7) {
				t.Error("what was polled before the first request is not in the history")
			}
			wantNoSecret(t, folder, brokerPassword, first.Plugin, next)
			keyFile := filepath.Join(folder, "fieldgate.key")
			health, err := again.CheckHealth(within(t))
			must(t, err)
			if health.Status != backend.HealthStatusOk {
				t.Errorf("health is %s: %s", health.Status, health.Message)
			}
			if name == "state_key" {
				if _, err := os.Stat(keyFile); !os.IsNotExist(err) {
					t.Errorf("there is a key file beside a state_key: %v", err)
				}
				if strings.Contains(health.Message, "key file") {
					t.Errorf("health speaks of a key file: %s", health.Message)
				}
				return
			}
			wantMode(t, keyFile, 0o600)
			wantWords(t, health.Message, "key file", "state_key")
		})
	}
}

// everRead says whether the history holds this value.
func everRead(t *testing.T, source harness.Source, device, point string, value float64) bool {
	t.Helper()
	from, to := lately()
	model := object{"queryType": "telemetry", "devices": list{device}, "points": list{point}}
	responses, err := source.QueryData(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
	must(t, err)
	must(t, responses["A"].Error)
	for _, frame := range responses["A"].Frames {
		for _, field := range frame.Fields {
			for row := range field.Len() {
				if number, err := field.FloatAt(row); err == nil && number == value {
					return true
				}
			}
		}
	}
	return false
}

func TestAnotherStateKeyCostsTheSecretsAndNothingElse(t *testing.T) {
	folder := t.TempDir()
	first, modbus, _ := guarded(t, start(t, withKey(folder, aStateKey)))
	reads(t, first, "boiler", "flow_temp", 42.1)
	linksUp(t, first.Plugin, 2)
	isRemembered(t, folder)
	first.Plugin.Stop()

	next := start(t, withKey(folder, "quite another key of the same length"))
	polled(t, modbus)
	linksUp(t, next, 1) // The broker is not even tried: without its password it would only lock the account.
	wantWords(t, next.Said(), "secrets", "state_key")
	about := harness.Source{Plugin: next, OrgID: 1, NoSettings: true, User: harness.Person("Admin")}
	health, err := about.CheckHealth(within(t))
	must(t, err)
	wantWords(t, health.Message, "secrets")

	// Being named brings the secrets again.
	again := first
	again.Plugin = next
	again.User = harness.Person("Admin")
	health, err = again.CheckHealth(within(t))
	must(t, err)
	linksUp(t, next, 2)
	if health.Status != backend.HealthStatusOk {
		t.Errorf("health is %s: %s", health.Status, health.Message)
	}
	wantWords(t, health.Message, "remembered secrets", "state_key")
	wantNoSecret(t, folder, brokerPassword, first.Plugin, next)
	wantNoSecret(t, folder, aStateKey, first.Plugin, next)
}

func TestAStateKeyTakesOverFromTheKeyFile(t *testing.T) {
	folder := t.TempDir()
	first, _, _ := guarded(t, start(t, harness.Options{Env: dataIn(folder)}))
	_, err := first.Get(within(t), "devices")
	must(t, err)
	isRemembered(t, folder)
	first.Plugin.Stop()
	keyFile := filepath.Join(folder, "fieldgate.key")
	wantMode(t, keyFile, 0o600)

	moved := start(t, withKey(folder, aStateKey))
	linksUp(t, moved, 2)
	eventually(t, patience, func() error {
		if _, err := os.Stat(keyFile); !os.IsNotExist(err) {
			return fmt.Errorf("the key file is still there: %v", err)
		}
		return nil
	})
	moved.Stop()
	linksUp(t, start(t, withKey(folder, aStateKey)), 2)
}

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

func TestTheSameUidWithAnotherIdKeepsTheHistoryAndDropsTheSecrets(t *testing.T) {
	folder := t.TempDir()
	options := withKey(folder, aStateKey)
	first, _, _ := guarded(t, start(t, options))
	reads(t, first, "boiler", "flow_temp", 42.1)
	linksUp(t, first.Plugin, 2)
	isRemembered(t, folder)
	// Grafana has deleted it and made another one with the same uid, without the password.
	second := first.Changed(first.Settings)
	second.ID, second.Secrets = first.ID+1_000, nil
	_, err := second.Get(within(t), "devices")
	must(t, err)
	linksUp(t, first.Plugin, 1)
	if telemetry(t, second, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}}) == 0 {
		t.Error("the history is gone")
	}
	eventually(t, patience, func() error {
		admin := harness.Source{Plugin: second.Plugin, OrgID: 1, NoSettings: true, User: harness.Person("Admin")}
		if id := instancesOf(t, admin)[second.UID].ID; id != second.ID {
			return fmt.Errorf("the id is %d", id)
		}
		return nil
	})
	second.Plugin.Stop()
	next := start(t, options)
	linksUp(t, next, 1)
	time.Sleep(500 * time.Millisecond)
	if up := connectionsIn(t, next, "up"); up != 1 {
		t.Errorf("%v connections are up: the old password is still in use", up)
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

func TestAReplicaAnswersFromItsHistoryAndTouchesNothing(t *testing.T) {
	modbus, err := harness.StartModbus(0)
	must(t, err)
	t.Cleanup(modbus.Kill)
	must(t, modbus.Set(flowTemperature, 421))
	folder := t.TempDir()
	active := source(start(t, harness.Options{Env: dataIn(folder)}), settings(list{plc(modbus.Port)}, list{boiler("plc")}))
	reads(t, active, "boiler", "flow_temp", 42.1)
	active.Plugin.Stop()

	replica := active
	replica.Plugin = start(t, harness.Options{Env: append(dataIn(folder), "GF_PLUGIN_ACTIVE=false")})
	replica.User = harness.Person("Admin")
	if telemetry(t, replica, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}}) == 0 {
		t.Error("it does not answer from its history")
	}
	reads(t, replica, "boiler", "flow_temp", 42.1)
	answer, err := replica.Post(within(t), "devices/boiler/points/setpoint", object{"value": 55})
	must(t, err)
	wantProblem(t, answer, 503, "not active")
	fresh, err := replica.Get(within(t), "devices/boiler/points/flow_temp?fresh=1")
	must(t, err)
	wantProblem(t, fresh, 503, "not active")
	health, err := replica.CheckHealth(within(t))
	must(t, err)
	if health.Status != backend.HealthStatusOk {
		t.Errorf("health is %s: %s", health.Status, health.Message)
	}
	wantWords(t, health.Message, "not active")
	silent(t, modbus, 500*time.Millisecond)
}

func TestAWrongSectionIsToldAndNothingIsOpenedOnAGuess(t *testing.T) {
	plugin := start(t, harness.Options{Env: append(dataIn(t.TempDir()), "GF_PLUGIN_ACTIVE=flase", "GF_PLUGIN_RESUME_FOR=a week", "GF_PLUGIN_STATE_KEY=short-key-1")})
	asked := source(plugin, object{"version": 1})
	asked.User = harness.Person("Admin")
	health, err := asked.CheckHealth(within(t))
	must(t, err)
	if health.Status != backend.HealthStatusError {
		t.Errorf("health is %s: %s", health.Status, health.Message)
	}
	wantWords(t, health.Message, "active", "flase", "resume_for", "a week", "state_key", "at least 16")
	wantNoSecret(t, t.TempDir(), "short-key-1", plugin)
	if strings.Contains(health.Message+string(health.JSONDetails), "short-key-1") {
		t.Error("health repeats the state_key")
	}
}
