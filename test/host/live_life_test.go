package host

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"

	"fieldgate/test/host/harness"
)

// row is one value of a live column and when it was.
type row struct {
	ms    int64
	value any
}

// viewer keeps what a browser would keep of the first value column of a channel.
type viewer struct {
	live    harness.LiveFrame
	rows    []row
	packets [][]byte
}

func (v *viewer) take(t *testing.T, packet []byte) {
	t.Helper()
	must(t, v.live.Take(packet))
	v.packets = append(v.packets, packet)
	for _, one := range rowsOf(t, v.live.Frame) {
		v.rows = append(v.rows, one)
	}
}

func rowsOf(t *testing.T, frame *data.Frame) (rows []row) {
	t.Helper()
	if len(frame.Fields) < 2 {
		return nil
	}
	for i := range frame.Rows() {
		at, timed := frame.Fields[0].ConcreteAt(i)
		value, valued := frame.Fields[1].ConcreteAt(i)
		if timed && valued {
			rows = append(rows, row{at.(time.Time).UnixMilli(), value})
		}
	}
	return rows
}

// listen takes packets until enough has come.
func (v *viewer) listen(t *testing.T, stream *harness.Stream, wait time.Duration, enough func() bool) {
	t.Helper()
	for deadline := time.Now().Add(wait); !enough(); {
		packet, err := stream.Next(time.Until(deadline))
		if err != nil {
			t.Fatalf("%v, with %d rows in %d packets", err, len(v.rows), len(v.packets))
		}
		v.take(t, packet)
	}
}

func (v *viewer) wantInOrder(t *testing.T) {
	t.Helper()
	for i := 1; i < len(v.rows); i++ {
		if v.rows[i].ms <= v.rows[i-1].ms {
			t.Fatalf("row %d is at %d, the one before it at %d", i, v.rows[i].ms, v.rows[i-1].ms)
		}
	}
}

func hasSchema(packet []byte) bool {
	var parts map[string]json.RawMessage
	return json.Unmarshal(packet, &parts) == nil && parts["schema"] != nil
}

func TestAChannelSurvivesAKillOfThePluginAndBringsWhatWasStoredSince(t *testing.T) {
	modbus, err := harness.StartModbus(0)
	must(t, err)
	defer modbus.Kill()
	folder := t.TempDir()
	config := settings(list{plc(modbus.Port)}, list{boiler("plc")})
	first, err := harness.Start(harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	must(t, err)
	asked := source(first, config)
	reads(t, asked, "boiler", "flow_temp", 0.0)
	path := livePath(t, asked, liveQuery)
	stream, err := asked.RunStream(t.Context(), path)
	must(t, err)
	var seen viewer
	seen.listen(t, stream, patience, func() bool { return len(seen.rows) > 5 })
	must(t, first.Kill(within(t)))
	for packet := range stream.Packets {
		seen.take(t, packet)
	}
	if stream.Err == nil {
		t.Error("a stream whose plugin was killed ended as if all were said")
	}
	before, packetsBefore := len(seen.rows), len(seen.packets)

	second := start(t, harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	asked.Plugin = second
	// Nobody asks anything: collection goes on by itself, and the viewers have their channel still.
	began := time.Now().UnixMilli()
	time.Sleep(1500 * time.Millisecond)
	stream, err = asked.RunStream(t.Context(), path)
	must(t, err)
	defer stream.Cancel()
	seen.listen(t, stream, patience, func() bool { return len(seen.rows) > before+25 })
	if !hasSchema(seen.packets[packetsBefore]) {
		t.Error("the first packet has no schema")
	}
	seen.wantInOrder(t)
	after := seen.rows[before:]
	if after[0].ms > began+1200 {
		t.Errorf("the first row after the restart is %d ms after the devices were there; what was stored meanwhile is missing", after[0].ms-began)
	}
	for i := 1; i < len(after); i++ {
		if gap := after[i].ms - after[i-1].ms; gap > 700 {
			t.Errorf("a gap of %d ms in what is polled every 100", gap)
		}
	}
}

// quiet waits until no stream of a test before runs any more.
func quiet(t *testing.T, plugin *harness.Plugin) {
	t.Helper()
	eventually(t, patience, func() error {
		if running := gauge(t, plugin, "fieldgate_live_streams"); running != 0 {
			return fmt.Errorf("%v streams run still", running)
		}
		return nil
	})
}

func TestManyViewersAreOneSubscription(t *testing.T) {
	p := shared(t)
	model := object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"setpoint", "flow_temp"}, "live": true}
	quiet(t, p.plugin)
	channels := gauge(t, p.plugin, "fieldgate_live_channels")
	path := livePath(t, p.source, model)
	for i := range 100 {
		role := []string{"Viewer", "Editor", "Admin"}[i%3]
		answer, err := p.source.As(harness.Person(role)).Subscribe(within(t), path)
		must(t, err)
		if answer.Status != pluginv2.SubscribeStreamResponse_OK {
			t.Fatalf("viewer %d gets %s", i, answer.Status)
		}
	}
	// Grafana opens one stream for all of them.
	stream, err := p.source.RunStream(t.Context(), path)
	must(t, err)
	defer stream.Cancel()
	_, err = stream.Next(patience)
	must(t, err)
	if now := gauge(t, p.plugin, "fieldgate_live_channels"); now != channels+1 {
		t.Errorf("%v channels are open, not %v", now, channels+1)
	}
	if now := gauge(t, p.plugin, "fieldgate_live_streams"); now != 1 {
		t.Errorf("%v streams run, not 1", now)
	}
}

func TestEveryKindOfStreamEndsWithin100msOfItsCancel(t *testing.T) {
	p := shared(t)
	for name, model := range map[string]object{
		"samples":         liveQuery,
		"short intervals": {"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}, "aggregate": "avg", "interval": "200ms", "live": true},
		"long intervals":  {"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}, "aggregate": "max", "interval": "5m", "live": true},
		"nothing to say":  {"queryType": "telemetry", "devices": list{"nobody"}, "live": true},
	} {
		t.Run(name, func(t *testing.T) {
			path := livePath(t, p.source, model)
			quiet(t, p.plugin)
			ctx, cancel := context.WithCancel(t.Context())
			_, err := p.source.RunStream(ctx, path)
			must(t, err)
			eventually(t, patience, func() error {
				if running := gauge(t, p.plugin, "fieldgate_live_streams"); running != 1 {
					return fmt.Errorf("%v streams run", running)
				}
				return nil
			})
			cancel()
			began := time.Now()
			for gauge(t, p.plugin, "fieldgate_live_streams") != 0 {
				if took := time.Since(began); took > 100*time.Millisecond {
					t.Fatalf("it still runs %s after its cancel", took)
				}
			}
		})
	}
}

func TestPacketsAreDeltas(t *testing.T) {
	p := shared(t)
	stream := runLive(t, p.source, liveQuery)
	defer stream.Cancel()
	var seen viewer
	seen.listen(t, stream, patience, func() bool { return len(seen.rows) >= 30 })
	if !hasSchema(seen.packets[0]) {
		t.Error("the first packet has no schema")
	}
	for i, packet := range seen.packets[1:] {
		if hasSchema(packet) {
			t.Errorf("packet %d has a schema again", i+1)
		}
	}
	seen.wantInOrder(t)
	from, to := time.UnixMilli(seen.rows[0].ms), time.UnixMilli(seen.rows[len(seen.rows)-1].ms+1)
	model := object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}}
	eventually(t, patience, func() error {
		responses, err := p.source.QueryData(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
		must(t, err)
		if stored := responses["A"].Frames[0].Rows(); stored != len(seen.rows) {
			return fmt.Errorf("%d rows were sent, %d samples are stored", len(seen.rows), stored)
		}
		return nil
	})
}

// A chart can draw a few values a frame; a spike must be among them.
func TestAPointAt1kHzSendsItsExtremesTenTimesASecond(t *testing.T) {
	busy, err := harness.StartMosquitto(0)
	must(t, err)
	defer busy.Close()
	folder := t.TempDir()
	plugin := start(t, harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	fast := source(plugin, settings(list{mqttBroker(busy.Port)}, list{object{
		"id": "fast", "connection": "broker", "points": list{object{"id": "wave", "address": object{"topic": "fast/wave"}}},
	}}))
	lines, err := busy.Feed(t.Context(), "fast/wave")
	must(t, err)
	defer lines.Close()
	eventually(t, patience, func() error {
		_, err := fmt.Fprintln(lines, "0")
		must(t, err)
		return hasValue(t.Context(), fast, "fast", "wave")
	})
	path := livePath(t, fast, object{"queryType": "telemetry", "devices": list{"fast"}, "live": true})
	stream, err := fast.RunStream(t.Context(), path)
	must(t, err)
	defer stream.Cancel()

	const seconds = 4
	said := 0
	began := time.Now()
	for tick := range 100 * seconds {
		// Ten lines every 10 ms, once a second with a spike up and one down.
		for line := range 10 {
			value := float64(line)
			if tick%100 == 50 && line == 3 {
				value = 1000 + float64(tick)
			} else if tick%100 == 50 && line == 6 {
				value = -1000 - float64(tick)
			}
			_, err := fmt.Fprintln(lines, value)
			must(t, err)
			said++
		}
		time.Sleep(time.Until(began.Add(time.Duration(tick+1) * 10 * time.Millisecond)))
	}
	_, err = fmt.Fprintln(lines, 4242)
	must(t, err)
	var seen viewer
	seen.listen(t, stream, patience, func() bool { return len(seen.rows) > 0 && seen.rows[len(seen.rows)-1].value == 4242.0 })
	took := time.Since(began).Seconds()
	t.Logf("%d samples in %.1f s became %d rows in %d packets", said, took, len(seen.rows), len(seen.packets))
	if most := int(took*10) + 3; len(seen.packets) > most {
		t.Errorf("%d packets in %.1f s; at most ten a second are allowed", len(seen.packets), took)
	}
	// Of every tenth of a second the first, the least, the greatest and the last.
	if most := int(took*10+2) * 4; len(seen.rows) > most {
		t.Errorf("%d rows in %.1f s, more than four a tenth of a second", len(seen.rows), took)
	}
	if len(seen.rows) > said/10 {
		t.Errorf("%d samples were only reduced to %d rows", said, len(seen.rows))
	}
	for second := range seconds {
		tick := float64(second*100 + 50)
		for _, spike := range []float64{1000 + tick, -1000 - tick} {
			if !slices.ContainsFunc(seen.rows, func(one row) bool { return one.value == spike }) {
				t.Errorf("the spike %v is missing", spike)
			}
		}
	}
}
