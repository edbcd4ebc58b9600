package host

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"fieldgate/test/host/harness"
)

// ask sends one query over a fixed range and returns its frames.
func ask(t *testing.T, source harness.Source, model object, from, to time.Time) data.Frames {
	t.Helper()
	responses, err := source.QueryData(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
	must(t, err)
	if answer := responses["A"]; answer.Error != nil || answer.Status != backend.StatusOK {
		t.Fatalf("%v answers %d: %v", model, answer.Status, answer.Error)
	}
	return responses["A"].Frames
}

// aWhile is a range that has ended, so that its answer does not change while the test looks at it.
func aWhile(t *testing.T) (from, to time.Time) {
	t.Helper()
	from = time.Now().Truncate(time.Millisecond)
	time.Sleep(1500 * time.Millisecond)
	return from, from.Add(time.Second)
}

// one is the only frame of an answer.
func one(t *testing.T, frames data.Frames) *data.Frame {
	t.Helper()
	if len(frames) != 1 {
		t.Fatalf("%d frames, not 1", len(frames))
	}
	return frames[0]
}

// isSeries checks a frame against Grafana's data plane contract for timeseries-multi and returns its two fields.
func isSeries(t *testing.T, frame *data.Frame, labels data.Labels) (times, values *data.Field) {
	t.Helper()
	if frame.Meta == nil || frame.Meta.Type != data.FrameTypeTimeSeriesMulti || frame.Meta.TypeVersion != (data.FrameTypeVersion{0, 1}) {
		t.Fatalf("the frame is no timeseries-multi 0.1: %+v", frame.Meta)
	}
	if len(frame.Fields) < 2 {
		t.Fatalf("%d fields", len(frame.Fields))
	}
	times, values = frame.Fields[0], frame.Fields[1]
	if times.Type() != data.FieldTypeTime {
		t.Errorf("the time field is %s; it must be a time without nulls", times.Type())
	}
	for name, value := range labels {
		if values.Labels[name] != value {
			t.Errorf("label %s is %q, not %q", name, values.Labels[name], value)
		}
	}
	for row := 1; row < times.Len(); row++ {
		if times.At(row).(time.Time).Before(times.At(row - 1).(time.Time)) {
			t.Fatalf("row %d is older than the one before", row)
		}
	}
	return times, values
}

func numbers(t *testing.T, field *data.Field) []float64 {
	t.Helper()
	values := make([]float64, field.Len())
	for row := range values {
		value, err := field.FloatAt(row)
		must(t, err)
		values[row] = value
	}
	return values
}

func raw(points ...any) object {
	return object{"queryType": "telemetry", "devices": list{"boiler"}, "points": points}
}
