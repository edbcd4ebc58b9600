package host

import (
	"fmt"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"

	"fieldgate/test/host/harness"
)

var liveQuery = object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"flow_temp"}, "live": true}

// livePath asks a live query and returns the path of its channel.
func livePath(t *testing.T, source harness.Source, model object) string {
	t.Helper()
	from, to := lately()
	responses, err := source.QueryData(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
	must(t, err)
	must(t, responses["A"].Error)
	for _, frame := range responses["A"].Frames {
		if frame.Meta != nil && frame.Meta.Channel != "" {
			path, err := harness.ChannelPath(frame.Meta.Channel, source.UID)
			must(t, err)
			return path
		}
	}
	t.Fatal("no frame of a live query names a channel")
	return ""
}

func runLive(t *testing.T, source harness.Source, model object) *harness.Stream {
	t.Helper()
	path := livePath(t, source, model)
	answer, err := source.Subscribe(within(t), path)
	must(t, err)
	if answer.Status != pluginv2.SubscribeStreamResponse_OK {
		t.Fatalf("subscribing to %s: %s", path, answer.Status)
	}
	stream, err := source.RunStream(t.Context(), path)
	must(t, err)
	return stream
}

func TestHistoryThenLiveOnOneChannel(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(flowTemperature, 311))
	reads(t, p.source, "boiler", "flow_temp", 31.1)
	from, to := lately()
	responses, err := p.source.QueryData(within(t), harness.Query{RefID: "A", JSON: liveQuery, From: from, To: to})
	must(t, err)
	if rows := responses["A"].Frames[0].Rows(); rows == 0 {
		t.Error("the history is missing")
	}
	stream := runLive(t, p.source, liveQuery)
	defer stream.Cancel()
	must(t, p.modbus.Set(flowTemperature, 777))
	var live harness.LiveFrame
	lastMs := int64(0)
	eventually(t, patience, func() error {
		packet, err := stream.Next(2 * time.Second)
		if err != nil {
			return err
		}
		must(t, live.Take(packet))
		times, values := columns(t, live.Frame)
		for row := range times.Len() {
			at, ok := times.ConcreteAt(row)
			if !ok {
				t.Fatal("a row without a time")
			}
			if ms := at.(time.Time).UnixMilli(); ms < lastMs {
				t.Fatalf("time went back from %d to %d: a packet must hold only what is new", lastMs, ms)
			} else {
				lastMs = ms
			}
		}
		if value, ok := values.ConcreteAt(values.Len() - 1); !ok || value != 77.7 {
			return fmt.Errorf("the last live value is %v", value)
		}
		return nil
	})
}

// columns finds the time and the first value field of a frame.
func columns(t *testing.T, frame *data.Frame) (times, values *data.Field) {
	t.Helper()
	for _, field := range frame.Fields {
		switch {
		case field.Type().Time() && times == nil:
			times = field
		case !field.Type().Time() && values == nil:
			values = field
		}
	}
	if times == nil || values == nil || values.Len() == 0 {
		t.Fatalf("no time and value in the frame: %v", frame.Fields)
	}
	return times, values
}

func TestTheSameQueryHasTheSameChannelAndAnotherHasAnother(t *testing.T) {
	p := shared(t)
	first := livePath(t, p.source, liveQuery)
	// Spelt otherwise, with defaults written out: the same question.
	same := livePath(t, p.source, object{"live": true, "points": list{"flow_temp"}, "aggregate": "none", "devices": list{"boiler"}, "queryType": "telemetry"})
	other := livePath(t, p.source, object{"queryType": "telemetry", "devices": list{"boiler"}, "points": list{"power"}, "live": true})
	if first != same {
		t.Errorf("one query, two channels: %s and %s", first, same)
	}
	if first == other {
		t.Errorf("two queries, one channel: %s", first)
	}
}

func TestACancelledStreamEndsWithin100ms(t *testing.T) {
	p := shared(t)
	quiet(t, p.plugin)
	before := gauge(t, p.plugin, "fieldgate_live_streams")
	stream := runLive(t, p.source, liveQuery)
	_, err := stream.Next(patience)
	must(t, err)
	if running := gauge(t, p.plugin, "fieldgate_live_streams"); running != before+1 {
		t.Fatalf("the metrics count %v streams, not %v", running, before+1)
	}
	stream.Cancel()
	began := time.Now()
	for gauge(t, p.plugin, "fieldgate_live_streams") != before {
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Fatalf("it still runs %s after its cancel", took)
		}
	}
}

func TestASecondViewerOfAChannelMayCome(t *testing.T) {
	p := shared(t)
	path := livePath(t, p.source, liveQuery)
	answer, err := p.source.As(harness.Person("Viewer")).Subscribe(within(t), path)
	must(t, err)
	if answer.Status != pluginv2.SubscribeStreamResponse_OK {
		t.Errorf("a Viewer gets %s", answer.Status)
	}
}

func TestAChannelNobodyAskedForIsNotFound(t *testing.T) {
	p := shared(t)
	for _, path := range []string{"live/0000000000000000", "something/else", "live/", ""} {
		answer, err := p.source.Subscribe(within(t), path)
		must(t, err)
		if answer.Status != pluginv2.SubscribeStreamResponse_NOT_FOUND {
			t.Errorf("%q: %s", path, answer.Status)
		}
	}
}

func TestAChannelOfAnotherDataSourceIsNotFound(t *testing.T) {
	p := shared(t)
	path := livePath(t, p.source, liveQuery)
	other := source(p.plugin, object{"version": 1})
	answer, err := other.Subscribe(within(t), path)
	must(t, err)
	if answer.Status != pluginv2.SubscribeStreamResponse_NOT_FOUND {
		t.Errorf("it answers %s", answer.Status)
	}
}

func TestNobodyMayPublish(t *testing.T) {
	p := shared(t)
	path := livePath(t, p.source, liveQuery)
	for _, role := range []string{"Viewer", "Editor", "Admin"} {
		status, err := p.source.As(harness.Person(role)).Publish(within(t), path, `{"value": 1}`)
		must(t, err)
		if status != backend.PublishStreamStatusPermissionDenied {
			t.Errorf("%s gets %v", role, status)
		}
	}
}

// TestTheLiveTailOfRawTraffic: for those who may ask for it only, whoever knows the address.
func TestTheLiveTailOfRawTraffic(t *testing.T) {
	p := shared(t)
	quiet(t, p.plugin)
	before := gauge(t, p.plugin, "fieldgate_live_streams")
	tail := object{"queryType": "messages", "connections": list{"plc"}, "live": true}
	editor := p.source.As(harness.Person("Editor"))
	path := livePath(t, editor, tail)
	for role, wanted := range map[string]pluginv2.SubscribeStreamResponse_Status{
		"Viewer": pluginv2.SubscribeStreamResponse_PERMISSION_DENIED,
		"Editor": pluginv2.SubscribeStreamResponse_OK,
		"Admin":  pluginv2.SubscribeStreamResponse_OK,
	} {
		answer, err := p.source.As(harness.Person(role)).Subscribe(within(t), path)
		must(t, err)
		if answer.Status != wanted {
			t.Errorf("a %s gets %s", role, answer.Status)
		}
		if answer.Status != pluginv2.SubscribeStreamResponse_OK && len(answer.Data) > 0 {
			t.Errorf("a %s is refused and gets %s", role, answer.Data)
		}
	}
	stream, err := editor.RunStream(t.Context(), path)
	must(t, err)
	var live harness.LiveFrame
	seen := map[string]bool{}
	eventually(t, patience, func() error {
		packet, err := stream.Next(2 * time.Second)
		if err != nil {
			return err
		}
		must(t, live.Take(packet))
		if live.Frame.Meta == nil || live.Frame.Meta.Type != data.FrameTypeLogLines {
			t.Fatalf("it is no frame of log lines: %+v", live.Frame.Meta)
		}
		ids, _ := live.Frame.FieldByName("id")
		for row := range ids.Len() {
			id := ids.At(row).(string)
			if seen[id] {
				t.Fatalf("%s comes twice", id)
			}
			seen[id] = true
		}
		if len(seen) < 20 {
			return fmt.Errorf("only %d lines came", len(seen))
		}
		return nil
	})
	stream.Cancel()
	began := time.Now()
	for {
		// What the question itself takes on a loaded machine is not the stream's.
		asked := time.Now()
		if gauge(t, p.plugin, "fieldgate_live_streams") == before {
			break
		}
		if took := asked.Sub(began); took > 100*time.Millisecond {
			t.Fatalf("it still runs %s after its cancel", took)
		}
	}
}
