package host

import (
	"bytes"
	"errors"
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
		var text []byte
		if err == nil && !entry.IsDir() {
			text, err = os.ReadFile(path)
		}
		// A plugin that is running writes beside a file and renames: what was listed may be gone.
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !entry.IsDir() {
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

// installed puts the executable where Grafana would have it and returns its path and that of the folder beside the plugins.
