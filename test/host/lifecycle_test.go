package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"fieldgate/test/host/harness"
)

func TestAHostThatIsKilledTakesThePluginWithIt(t *testing.T) {
	folder := t.TempDir()
	host, plugin := startOwner(t, folder)
	must(t, host.Process.Kill())
	_ = host.Wait()
	began := time.Now()
	eventually(t, 2*time.Second, func() error {
		if !gone(plugin.Pid) {
			return fmt.Errorf("the plugin (%d) lives on without its host", plugin.Pid)
		}
		return nil
	})
	t.Logf("ended %s after its host", time.Since(began).Round(time.Millisecond))
	if _, err := os.Stat(filepath.Dir(plugin.Address)); !os.IsNotExist(err) {
		t.Errorf("it left the folder of its socket behind: %v", err)
	}
	// The folder is free for the next one.
	next := start(t, harness.Options{Env: dataIn(folder)})
	eventually(t, patience, func() error { return storesOnDisk(t, source(next, object{"version": 1})) })
}

func storesOnDisk(t *testing.T, source harness.Source) error {
	t.Helper()
	health, err := source.CheckHealth(within(t))
	if err != nil {
		return err
	}
	if health.Status != backend.HealthStatusOk {
		return fmt.Errorf("health is %s: %s", health.Status, health.Message)
	}
	return nil
}

func TestShutdownTakesLessThanASecondWithEverythingRunning(t *testing.T) {
	modbus, err := harness.StartModbus(0)
	must(t, err)
	t.Cleanup(modbus.Kill)
	must(t, modbus.Set(flowTemperature, 421))
	folder := t.TempDir()
	options := harness.Options{Env: dataIn(folder)}
	plugin := start(t, options)
	// Nothing would be flushed by itself during this test: the end has to do it.
	slow := settings(list{plc(modbus.Port)}, list{boiler("plc")})
	slow["history"] = object{"flushInterval": "60s"}
	first := source(plugin, slow)
	reads(t, first, "boiler", "flow_temp", 42.1)
	stream := runLive(t, first, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}, "live": true})

	if took := plugin.Stop(); took > time.Second {
		t.Errorf("it took %s", took)
	}
	for range stream.Packets { // Ends when the stream has.
	}
	if stream.Err == nil {
		t.Error("the stream ended as if all were said; Grafana would not open it again")
	}

	next := first
	next.Plugin = start(t, options)
	next.Settings = settings(list{}, list{boilerWithoutDevice()})
	rows := telemetry(t, next, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}})
	if rows == 0 {
		t.Error("what was heard before the shutdown is lost")
	}
}

// boilerWithoutDevice names the boiler behind a connection that does not exist: its history can be asked, nothing new comes.
func boilerWithoutDevice() object { return boiler("gone") }

// telemetry counts the rows of one query.
func telemetry(t *testing.T, source harness.Source, model object) int {
	t.Helper()
	from, to := lately()
	responses, err := source.QueryData(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
	must(t, err)
	must(t, responses["A"].Error)
	rows := 0
	for _, frame := range responses["A"].Frames {
		count, err := frame.RowLen()
		must(t, err)
		rows += count
	}
	return rows
}

func TestWhatWasFlushedSurvivesKill9(t *testing.T) {
	broker, err := harness.StartMosquitto(0)
	must(t, err)
	t.Cleanup(broker.Close)
	options := harness.Options{Env: dataIn(t.TempDir())}
	room := source(start(t, options), settings(list{mqttBroker(broker.Port)}, list{room("broker")}))
	query := object{"queryType": "telemetry", "devices": list{"room-1"}, "points": list{"temperature"}}
	for round := range rounds(2, 50) {
		connected(t, room, "broker")
		last := float64(1000 * (round + 1))
		// A link that is up may not have subscribed yet, so the first message is said until it is heard.
		eventually(t, patience, func() error {
			must(t, broker.Publish(t.Context(), "home/room-1/climate", fmt.Sprintf(`{"temperature": %g, "humidity": 50}`, last)))
			said, err := lastValue(t.Context(), room, "room-1", "temperature")
			if err == nil && said.Value != last {
				err = fmt.Errorf("it reads %v", said.Value)
			}
			return err
		})
		for range 20 {
			last++
			must(t, broker.Publish(t.Context(), "home/room-1/climate", fmt.Sprintf(`{"temperature": %g, "humidity": 50}`, last)))
		}
		reads(t, room, "room-1", "temperature", last)
		time.Sleep(400 * time.Millisecond) // Four flush intervals.
		count := telemetry(t, room, query)
		must(t, room.Plugin.Kill(within(t)))

		room.Plugin = start(t, options)
		eventually(t, patience, func() error {
			if rows := telemetry(t, room, query); rows != count || count < 20*(round+1) {
				return fmt.Errorf("round %d: %d of %d samples are left", round, rows, count)
			}
			return nil
		})
	}
}

// connected waits until a connection is up.
func connected(t *testing.T, source harness.Source, id string) {
	t.Helper()
	eventually(t, patience, func() error {
		answer, err := source.Get(within(t), "connections")
		if err != nil {
			return err
		}
		if !strings.Contains(strings.ReplaceAll(string(answer.Body), " ", ""), `"state":"up"`) {
			return fmt.Errorf("%s is not up: %s", id, answer.Body)
		}
		return nil
	})
}

func TestASecondProcessLeavesTheFolderAloneAndTakesOverWhenItIsFree(t *testing.T) {
	folder := t.TempDir()
	options := harness.Options{Env: dataIn(folder)}
	owner := source(start(t, options), object{"version": 1})
	eventually(t, patience, func() error { return storesOnDisk(t, owner) })
	second := source(start(t, options), object{"version": 1})
	eventually(t, patience, func() error {
		health, err := second.CheckHealth(within(t))
		if err != nil {
			return err
		}
		if health.Status != backend.HealthStatusError {
			return fmt.Errorf("health does not say that the folder is taken: %s %s", health.Status, health.Message)
		}
		text := health.Message + string(health.JSONDetails)
		if !strings.Contains(text, fmt.Sprint(owner.Plugin.Pid())) {
			return errors.New("health does not say which process holds the folder: " + text)
		}
		return nil
	})
	owner.Plugin.Stop()
	eventually(t, patience, func() error { return storesOnDisk(t, second) })
}

func TestWithoutADataFolderItRunsFromMemoryAndHealthSaysSo(t *testing.T) {
	health, err := source(start(t, harness.Options{}), object{"version": 1}).CheckHealth(within(t))
	must(t, err)
	wantWords(t, health.Message+string(health.JSONDetails), "memory")
}
