// Command bench measures our executable and a minimal data source on grafana-plugin-sdk-go in turn, as their host sees them.
// Every figure of ours stands beside the peer's of the same run, because absolute times on a shared machine mean little.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"fieldgate/test/host/harness"
)

const (
	samples      = 1_000_000
	smallSamples = 100
	stepMs       = 1
	starts       = 9
	bigQueries   = 9
	longQueries  = 5
	smallQueries = 2000
	// smallWarm are asked before and not counted: the peer is compiled, ours by and by.
	smallWarm = 300
)

// contestant is one of the two plugins: how it is launched, and how it is asked for a number of samples from one of them on.
type contestant struct {
	name    string
	options harness.Options
	source  harness.Source
	ask     func(first, count int, format string) harness.Query
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	folder, err := os.MkdirTemp("", "fieldgate-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	ours, peer, err := prepare(folder)
	if err != nil {
		return err
	}
	heading("median of each, taken in turn", "fieldgate", "Go SDK")
	for _, measure := range []func(ours, peer *contestant) error{handshake, memoryAndQueries} {
		if err := measure(ours, peer); err != nil {
			return err
		}
	}
	return loopDelay(folder)
}

// prepare builds the peer and records a million samples for ours.
func prepare(folder string) (ours, peer *contestant, err error) {
	here := filepath.Join(harness.Root(), "test/host")
	binary := filepath.Join(folder, "peer")
	build := exec.Command("go", "build", "-o", binary, "./peer")
	build.Dir = here
	if said, err := build.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("go build: %w\n%s", err, said)
	}
	history := filepath.Join(folder, "history")
	from := time.Now().Add(-time.Duration(2*samples*stepMs) * time.Millisecond).Truncate(time.Second)
	fill := exec.Command(filepath.Join(harness.Root(), "node_modules/.bin/node"), "bench/fill.ts", history, "1/bench", "bench", "value",
		strconv.Itoa(samples), strconv.FormatInt(from.UnixMilli(), 10), strconv.Itoa(stepMs))
	fill.Dir = harness.Root()
	if said, err := fill.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("bench/fill.ts: %w\n%s", err, said)
	}
	settings := map[string]any{
		"version":     1,
		"connections": []any{map[string]any{"id": "plc", "kind": "modbus", "transport": map[string]any{"type": "tcp", "host": "127.0.0.1", "port": 1}}},
		"devices": []any{map[string]any{"id": "bench", "connection": "plc", "address": map[string]any{"unitId": 1}, "interval": "1h", "points": []any{
			map[string]any{"id": "value", "address": map[string]any{"table": "holding", "register": 0, "type": "float64"}},
		}}},
	}
	ours = &contestant{
		name:    "fieldgate",
		options: harness.Options{Dir: folder, Env: []string{"GF_PLUGIN_DATA_PATH=" + history}},
		source:  harness.Source{OrgID: 1, ID: 1, UID: "bench", Settings: settings, Updated: time.Now(), User: harness.Person("Viewer")},
		ask: func(first, count int, format string) harness.Query {
			begin := from.Add(time.Duration(first*stepMs) * time.Millisecond)
			return harness.Query{
				RefID: "A", JSON: map[string]any{"queryType": "telemetry", "devices": []string{"bench"}, "points": []string{"value"}, "format": format},
				From: begin, To: begin.Add(time.Duration(count*stepMs) * time.Millisecond),
			}
		},
	}
	peer = &contestant{
		name:    "peer",
		options: harness.Options{Dir: folder, Path: binary},
		source:  harness.Source{OrgID: 1, ID: 2, UID: "peer", Settings: map[string]any{}, Updated: time.Now(), User: harness.Person("Viewer")},
		ask: func(_, count int, format string) harness.Query {
			return harness.Query{RefID: "A", JSON: map[string]any{"samples": count, "long": format == "long"}}
		},
	}
	return ours, peer, nil
}

func handshake(ours, peer *contestant) error {
	times := map[*contestant][]float64{}
	for range starts {
		for _, one := range []*contestant{ours, peer} {
			plugin, err := harness.Start(one.options)
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", one.name, err, plugin.Said())
			}
			times[one] = append(times[one], milliseconds(plugin.Handshake))
			plugin.Stop()
		}
	}
	row("launch to handshake, ms", times[ours], times[peer], 0.5)
	return nil
}

func memoryAndQueries(ours, peer *contestant) error {
	both := []*contestant{ours, peer}
	big, bigDecoded, long := map[*contestant][]float64{}, map[*contestant][]float64{}, map[*contestant][]float64{}
	for _, one := range both {
		plugin, err := harness.Start(one.options)
		if err != nil {
			return err
		}
		defer plugin.Stop()
		one.source.Plugin = plugin
		if _, err := one.source.CheckHealth(context.Background()); err != nil {
			return err
		}
		time.Sleep(2 * time.Second)
	}
	if err := memoryRows("idle", ours, peer); err != nil {
		return err
	}
	for range bigQueries {
		for _, one := range both {
			took, err := timed(one, 0, samples, "multi", false)
			if err != nil {
				return err
			}
			big[one] = append(big[one], took)
			if took, err = timed(one, 0, samples, "multi", true); err != nil {
				return err
			}
			bigDecoded[one] = append(bigDecoded[one], took)
		}
	}
	row(fmt.Sprintf("QueryData of %d samples, ms", samples), big[ours], big[peer], 0.5)
	row("the same, decoded by the host, ms", bigDecoded[ours], bigDecoded[peer], 0.5)
	for range longQueries {
		for _, one := range both {
			took, err := timed(one, 0, samples, "long", false)
			if err != nil {
				return err
			}
			long[one] = append(long[one], took)
		}
	}
	row("the same as a long frame with labels, ms", long[ours], long[peer], 0.5)
	// A dashboard asks the same again, or goes on a little: the second is another range each time, of which nothing is known from the one before.
	for _, kind := range []struct {
		name string
		step int
	}{{"asked again and again", 0}, {"another range each time", 2 * smallSamples}} {
		small := map[*contestant][]float64{}
		for query := range smallWarm + smallQueries {
			for _, one := range both {
				took, err := timed(one, query*kind.step, smallSamples, "multi", false)
				if err != nil {
					return err
				}
				if query >= smallWarm {
					small[one] = append(small[one], took)
				}
			}
		}
		row(fmt.Sprintf("%d samples, %s, ms", smallSamples, kind.name), small[ours], small[peer], 0.5)
		row("the same, 99th of 100, ms", small[ours], small[peer], 0.99)
	}
	return memoryRows("after all this", ours, peer)
}

// timed asks one query and checks that the answer has the samples asked for, from the first of them on.
func timed(one *contestant, first, count int, format string, decode bool) (float64, error) {
	query := one.ask(first, count, format)
	began := time.Now()
	if decode {
		answers, err := one.source.QueryData(context.Background(), query)
		took := milliseconds(time.Since(began))
		if err == nil {
			err = answers["A"].Error
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", one.name, err)
		}
		if frames := answers["A"].Frames; len(frames) != 1 || frames[0].Rows() != count {
			return 0, fmt.Errorf("%s answered %d frames, not one of %d rows", one.name, len(frames), count)
		}
		return took, nil
	}
	answer, err := one.source.QueryRaw(context.Background(), query)
	took := milliseconds(time.Since(began))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", one.name, err)
	}
	if response := answer.Responses["A"]; response.GetError() != "" || len(response.GetFrames()) != 1 || len(response.Frames[0]) < 16*count {
		return 0, fmt.Errorf("%s answered %q, %d frames", one.name, response.GetError(), len(response.GetFrames()))
	}
	return took, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// memoryRows prints what both hold now.
func memoryRows(when string, ours, peer *contestant) error {
	now := map[*contestant]memory{}
	for _, one := range []*contestant{ours, peer} {
		var err error
		if now[one], err = memoryOf(one.source.Plugin.Pid()); err != nil {
			return err
		}
	}
	row("resident memory "+when+", MiB", []float64{now[ours].resident}, []float64{now[peer].resident}, 0.5)
	row("private memory "+when+", MiB", []float64{now[ours].private}, []float64{now[peer].private}, 0.5)
	return nil
}

func heading(what, ours, peer string) {
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("\n%s; %d cores, load %.14s\n%-44s %12s %12s %8s\n", what, runtime.NumCPU(), load, "", ours, peer, "ratio")
}

func row(what string, ours, peer []float64, share float64) {
	a, b := at(ours, share), at(peer, share)
	ratio := "-"
	if b > 0 {
		ratio = fmt.Sprintf("%.2fx", a/b)
	}
	fmt.Printf("%-44s %12.2f %12.2f %8s\n", what, a, b, ratio)
}

// at is the value below which that share of all are.
func at(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(float64(len(sorted)-1)*share)]
}

func median(values []float64) float64 { return at(values, 0.5) }
