package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fieldgate/test/host/harness"
)

const (
	samplesPerSecond = 10_000
	talkingDevices   = 100
	loopTurns        = 5
	loopTurn         = 4 * time.Second
	// loopLook is how often prom-client's watch looks at the loop; what it reports is the whole time between two looks.
	loopLook = 10.0
)

// loopDelay lets a broker send 10,000 samples a second through the MQTT driver into history on disk, in turns with nothing, and asks the
// plugin for its own metric of how late its main loop is. What it is beside is itself when idle: the same process on the same busy machine.
func loopDelay(folder string) error {
	topics := make([]string, talkingDevices)
	devices := make([]any, talkingDevices)
	for i := range topics {
		topics[i] = fmt.Sprintf("plant/d%d/climate", i)
		devices[i] = map[string]any{"id": fmt.Sprintf("d%d", i), "connection": "broker", "address": map[string]any{}, "points": []any{
			map[string]any{"id": "value", "address": map[string]any{"topic": topics[i], "path": "$.value"}},
		}}
	}
	broker, err := startTalker(topics)
	if err != nil {
		return err
	}
	defer broker.close()
	plugin, err := harness.Start(harness.Options{Dir: folder, Env: []string{"GF_PLUGIN_DATA_PATH=" + folder + "/loop"}})
	if err != nil {
		return err
	}
	defer plugin.Stop()
	source := harness.Source{
		Plugin: plugin, OrgID: 1, ID: 1, UID: "loop", Updated: time.Now(), User: harness.Person("Viewer"),
		Settings: map[string]any{
			"version":     1,
			"connections": []any{map[string]any{"id": "broker", "kind": "mqtt", "url": broker.url(), "protocolVersion": 4}},
			"devices":     devices,
		},
	}
	if health, err := source.CheckHealth(context.Background()); err != nil {
		return err
	} else if !strings.Contains(string(health.JSONDetails), `"disk"`) {
		return fmt.Errorf("history is not on disk: %s", health.JSONDetails)
	}

	var busy, idle, busyMost, idleMost, processor []float64
	// The first turn only warms up.
	for turn := range loopTurns + 1 {
		for _, rate := range []int{samplesPerSecond, 0} {
			broker.speak(rate)
			// What is on its way from the turn before does not count.
			time.Sleep(loopTurn / 8)
			before, err := metrics(plugin)
			if err != nil {
				return err
			}
			sent := broker.count()
			time.Sleep(loopTurn)
			after, err := metrics(plugin)
			if err != nil {
				return err
			}
			sent = broker.count() - sent
			kept := after["fieldgate_store_committed_samples_total"] - before["fieldgate_store_committed_samples_total"]
			if rate > 0 && (kept < 0.7*samplesPerSecond*loopTurn.Seconds() || after["fieldgate_dropped_samples_total"] > 0) {
				return fmt.Errorf("of %d samples sent %.0f were kept, %.0f dropped", sent, kept, after["fieldgate_dropped_samples_total"])
			}
			if turn == 0 {
				continue
			}
			p99, most := late(after["nodejs_eventloop_lag_p99_seconds"]), late(after["nodejs_eventloop_lag_max_seconds"])
			if rate > 0 {
				busy, busyMost = append(busy, p99), append(busyMost, most)
				processor = append(processor, 100*(after["process_cpu_seconds_total"]-before["process_cpu_seconds_total"])/loopTurn.Seconds())
			} else {
				idle, idleMost = append(idle, p99), append(idleMost, most)
			}
		}
	}
	heading("10,000 samples/s of MQTT into history on disk", "fieldgate", "itself idle")
	row("main loop delay p99, ms", busy, idle, 0.5)
	row("main loop delay, longest of 4 s, ms", busyMost, idleMost, 0.5)
	fmt.Printf("%-44s %12.0f\n", "processor, % of one core", median(processor))
	return nil
}

// late is what of a look's time is delay, in milliseconds.
func late(seconds float64) float64 { return max(0, seconds*1000-loopLook) }

// metrics are the plugin's, without labels; asking sets its watch of the loop back.
func metrics(plugin *harness.Plugin) (map[string]float64, error) {
	text, err := plugin.CollectMetrics(context.Background())
	if err != nil {
		return nil, err
	}
	found := map[string]float64{}
	for line := range strings.SplitSeq(string(text), "\n") {
		name, number, _ := strings.Cut(line, " ")
		if value, err := strconv.ParseFloat(number, 64); err == nil {
			found[name] = value
		}
	}
	return found, nil
}
