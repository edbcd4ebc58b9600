package host

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"fieldgate/test/host/harness"
)

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
	if active := gauge(t, replica.Plugin, "fieldgate_active"); active != 0 {
		t.Errorf("fieldgate_active is %v", active)
	}
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

func TestAProcessThatTakesOverTheFolderGoesOnCollecting(t *testing.T) {
	modbus, err := harness.StartModbus(0)
	must(t, err)
	t.Cleanup(modbus.Kill)
	must(t, modbus.Set(flowTemperature, 421))
	options := harness.Options{Env: dataIn(t.TempDir())}
	first := source(start(t, options), settings(list{plc(modbus.Port)}, list{boiler("plc")}))
	reads(t, first, "boiler", "flow_temp", 42.1)
	waiting := start(t, options)
	about := harness.Source{Plugin: waiting, OrgID: 1, NoSettings: true, User: harness.Person("Admin")}
	eventually(t, patience, func() error {
		health, err := about.CheckHealth(within(t))
		if err == nil && !strings.Contains(health.Message, fmt.Sprint(first.Plugin.Pid())) {
			err = fmt.Errorf("health does not say who holds the folder: %s", health.Message)
		}
		return err
	})
	if running := gauge(t, waiting, "fieldgate_gateways"); running != 0 {
		t.Errorf("it runs %v data sources from a folder that is not its own", running)
	}
	wantProblem(t, remove(t, about, "instances/"+first.UID), 404)
	must(t, first.Plugin.Kill(within(t)))
	polled(t, modbus)
	linksUp(t, waiting, 1)
}

func installed(t *testing.T) (executable, beside string) {
	t.Helper()
	built, err := harness.Executable()
	must(t, err)
	beside = t.TempDir()
	executable = filepath.Join(beside, "plugins", harness.PluginID, filepath.Base(built))
	must(t, os.MkdirAll(filepath.Dir(executable), 0o755))
	text, err := os.ReadFile(built)
	must(t, err)
	must(t, os.WriteFile(executable, text, 0o755))
	return executable, beside
}

func TestDataIsBesideThePluginsAndNeverInTheirFolder(t *testing.T) {
	path, beside := installed(t)
	asked := source(start(t, harness.Options{Path: path}), object{"version": 1})
	eventually(t, patience, func() error { return storesOnDisk(t, asked) })
	asked.Plugin.Stop()
	wantMode(t, filepath.Join(beside, "fieldgate"), 0o700)
	if _, err := os.Stat(filepath.Join(beside, "fieldgate", "fieldgate.db")); err != nil {
		t.Error(err)
	}

	own := filepath.Dir(path)
	asked.Plugin = start(t, harness.Options{Path: path, Env: dataIn(filepath.Join(own, "data"))})
	asked.User = harness.Person("Admin")
	health, err := asked.CheckHealth(within(t))
	must(t, err)
	wantWords(t, health.Message, "memory", "own folder")
	entries, err := os.ReadDir(own)
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("it wrote into its own folder: %v", entries)
	}
}

func TestALargePlantIsInFilesAndTheirChangesAreNoticed(t *testing.T) {
	modbus, err := harness.StartModbus(0)
	must(t, err)
	t.Cleanup(modbus.Kill)
	must(t, modbus.Set(flowTemperature, 421))
	folder, data := t.TempDir(), t.TempDir()
	write := func(name string, value any) {
		text, err := json.Marshal(value)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	write("links.json", object{"connections": list{plc(modbus.Port)}})
	write("boilers.json", object{"devices": list{boiler("plc")}})
	options := harness.Options{Env: append(dataIn(data), "GF_PLUGIN_CONFIG_PATH="+folder)}
	configuration := settings(list{}, list{})
	configuration["include"] = list{"links.json", "boilers.json"}
	large := source(start(t, options), configuration)
	large.User = harness.Person("Admin")
	reads(t, large, "boiler", "flow_temp", 42.1)

	// The same settings, and another file behind them.
	second := boiler("plc")
	second["id"] = "boiler-2"
	write("boilers.json", object{"devices": list{boiler("plc"), second, object{"id": "lost", "connection": "none", "points": list{}}}})
	reads(t, large, "boiler", "flow_temp", 42.1)
	eventually(t, 2*patience, func() error { return hasValue(t.Context(), large, "boiler-2", "flow_temp") })
	health, err := large.CheckHealth(within(t))
	must(t, err)
	wantWords(t, health.Message, "boilers.json devices[2].connection")
	checked, err := large.Post(within(t), "config/check", configuration)
	must(t, err)
	wantWords(t, string(checked.Body), "boilers.json devices[2].connection")

	// Read again at a start without a request.
	must(t, large.Plugin.Kill(within(t)))
	start(t, options)
	polled(t, modbus)
}
