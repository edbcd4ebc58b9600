package host

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"fieldgate/test/host/harness"
)

func TestRawTelemetryIsATypedLabelledSeries(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(flowTemperature, 555))
	reads(t, p.source, "boiler", "flow_temp", 55.5)
	from, to := aWhile(t)
	frame := one(t, ask(t, p.source, raw("flow_temp"), from, to))
	times, values := isSeries(t, frame, data.Labels{"device": "boiler", "point": "flow_temp", "site": "north"})
	if kind := values.Type().NonNullableType(); kind != data.FieldTypeFloat64 {
		t.Errorf("the values are %s", kind)
	}
	if values.Config == nil || values.Config.Unit != "celsius" {
		t.Errorf("the unit is missing: %+v", values.Config)
	}
	// Polled every 100 ms for a second; a busy machine may lose some.
	if values.Len() < 5 || values.Len() > 11 {
		t.Errorf("%d samples in a second of a point polled every 100 ms", values.Len())
	}
	for row, value := range numbers(t, values) {
		if value != 55.5 {
			t.Errorf("row %d is %v", row, value)
		}
		if at := times.At(row).(time.Time); at.Before(from) || !at.Before(to) {
			t.Errorf("row %d at %s is outside the range", row, at)
		}
	}
}

func TestEveryTypeKeepsItsOwn(t *testing.T) {
	p := shared(t)
	from, to := lately()
	last := func(point string) (*data.Field, any) {
		_, values := isSeries(t, one(t, ask(t, p.source, raw(point), from, to)), data.Labels{"point": point})
		value, ok := values.ConcreteAt(values.Len() - 1)
		if !ok {
			t.Fatalf("the last value of %s is null", point)
		}
		return values, value
	}
	if field, value := last("energy"); value != exactEnergy {
		t.Errorf("a 64-bit integer arrives as %s %v, not %d", field.Type(), value, exactEnergy)
	}
	if field, value := last("power"); value != 12.5 {
		t.Errorf("a float32 arrives as %s %v", field.Type(), value)
	}
	if field, value := last("pump"); field.Type().NonNullableType() != data.FieldTypeBool {
		t.Errorf("a coil arrives as %s %v", field.Type(), value)
	}
	// The data plane contract knows no text as a value, so a series of texts is an untyped frame.
	text := one(t, ask(t, p.source, raw("serial_no"), from, to)).Fields[1]
	if value, ok := text.ConcreteAt(text.Len() - 1); !ok || value != "FG-2026-0001" {
		t.Errorf("a string arrives as %s %v", text.Type(), value)
	}
}

func TestAnEnumShowsItsNamesAsValueMappings(t *testing.T) {
	p := shared(t)
	from, to := lately()
	_, values := isSeries(t, one(t, ask(t, p.source, raw("pump"), from, to)), nil)
	if values.Config == nil || len(values.Config.Mappings) == 0 {
		t.Errorf("no mappings: %+v", values.Config)
	}
}

// sawtooth makes the boiler's power go up and down while a range is recorded.
func sawtooth(t *testing.T, p *plant) (from, to time.Time) {
	t.Helper()
	from = time.Now().Truncate(time.Second).Add(time.Second)
	to = from.Add(2 * time.Second)
	for step := 0; time.Now().Before(to.Add(300 * time.Millisecond)); step++ {
		must(t, p.modbus.Set(power, float64(step%8)*1.5))
		time.Sleep(60 * time.Millisecond)
	}
	must(t, p.modbus.Set(power, 12.5))
	return from, to
}

func TestAggregatesAreWhatTheRawSamplesSay(t *testing.T) {
	p := shared(t)
	const width = 500 * time.Millisecond
	from, to := sawtooth(t, p)
	times, values := isSeries(t, one(t, ask(t, p.source, raw("power"), from, to)), nil)
	buckets := map[time.Time][]float64{}
	for row, value := range numbers(t, values) {
		start := times.At(row).(time.Time).Truncate(width)
		buckets[start] = append(buckets[start], value)
	}
	sum := func(values []float64) (total float64) {
		for _, value := range values {
			total += value
		}
		return total
	}
	expected := map[string]func([]float64) float64{
		"avg":   func(values []float64) float64 { return sum(values) / float64(len(values)) },
		"min":   slices.Min[[]float64],
		"max":   slices.Max[[]float64],
		"sum":   sum,
		"count": func(values []float64) float64 { return float64(len(values)) },
		"first": func(values []float64) float64 { return values[0] },
		"last":  func(values []float64) float64 { return values[len(values)-1] },
	}
	for aggregate, compute := range expected {
		t.Run(aggregate, func(t *testing.T) {
			model := raw("power")
			model["aggregate"], model["interval"] = aggregate, width.String()
			times, values := isSeries(t, one(t, ask(t, p.source, model, from, to)), data.Labels{"device": "boiler", "point": "power"})
			if values.Len() != len(buckets) {
				t.Errorf("%d buckets, not %d", values.Len(), len(buckets))
			}
			for row, value := range numbers(t, values) {
				start := times.At(row).(time.Time)
				samples, ok := find(buckets, start)
				if !ok {
					t.Fatalf("a bucket at %s, where no sample is", start)
				}
				if wanted := compute(samples); math.Abs(value-wanted) > 1e-9 {
					t.Errorf("at %s it is %v, not %v of %v", start, value, wanted, samples)
				}
			}
		})
	}
}

// find looks a time up whatever its zone.
func find(buckets map[time.Time][]float64, at time.Time) ([]float64, bool) {
	for start, samples := range buckets {
		if start.Equal(at) {
			return samples, true
		}
	}
	return nil, false
}

func TestSelectorsTakeNamesGlobsExpressionsAndLabels(t *testing.T) {
	p := shared(t)
	from, to := lately()
	for name, test := range map[string]struct {
		model  object
		points []string
	}{
		"names":       {object{"devices": list{"boiler"}, "points": list{"power", "flow_temp"}}, []string{"flow_temp", "power"}},
		"a glob":      {object{"devices": list{"boi*"}, "points": list{"flow*"}}, []string{"flow_temp"}},
		"expressions": {object{"devices": list{"/^(boiler|room-1)$/"}, "points": list{"/temp/"}}, []string{"flow_temp", "temperature"}},
		"labels":      {object{"devices": list{"*"}, "points": list{"/temp/"}, "labels": object{"site": "south"}}, []string{"temperature"}},
		"nothing":     {object{"devices": list{"cellar"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			test.model["queryType"] = "telemetry"
			var points []string
			for _, frame := range ask(t, p.source, test.model, from, to) {
				if len(frame.Fields) > 1 {
					points = append(points, frame.Fields[1].Labels["point"])
				}
			}
			slices.Sort(points)
			if !slices.Equal(points, test.points) {
				t.Errorf("it answers %v, not %v", points, test.points)
			}
		})
	}
}

func TestWideAndLongAreOtherShapesOfTheSame(t *testing.T) {
	p := shared(t)
	from, to := lately()
	for format, kind := range map[string]data.FrameType{"wide": data.FrameTypeTimeSeriesWide, "long": data.FrameTypeTimeSeriesLong} {
		t.Run(format, func(t *testing.T) {
			model := raw("power", "flow_temp")
			model["format"], model["aggregate"], model["interval"] = format, "avg", "1s"
			frame := one(t, ask(t, p.source, model, from, to))
			if frame.Meta == nil || frame.Meta.Type != kind {
				t.Errorf("the frame is %+v", frame.Meta)
			}
			if rows, err := frame.RowLen(); err != nil || rows == 0 {
				t.Errorf("%d rows, %v", rows, err)
			}
		})
	}
}

func TestBadSamplesAreShownAsNullsOnlyWhenAskedFor(t *testing.T) {
	p := shared(t)
	from, to := lately()
	usable := raw("nowhere")
	for _, frame := range ask(t, p.source, usable, from, to) {
		if rows, err := frame.RowLen(); err != nil || rows != 0 {
			t.Errorf("%d rows of a register that does not exist, %v", rows, err)
		}
	}
	all := raw("nowhere")
	all["quality"] = "all"
	frame := one(t, ask(t, p.source, all, from, to))
	_, values := isSeries(t, frame, data.Labels{"point": "nowhere"})
	if values.Len() == 0 || !values.NilAt(0) {
		t.Errorf("the bad samples are no nulls: %d rows", values.Len())
	}
	quality, _ := frame.FieldByName("quality")
	if quality == nil {
		t.Fatalf("no quality field among %v", frame.Fields)
	}
	if value, ok := quality.ConcreteAt(0); !ok || fmt.Sprint(value) != "2" {
		t.Errorf("the quality is %v of type %s; bad is 2", value, quality.Type())
	}
}

func TestLatestIsATableOfTheLastValues(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(flowTemperature, 222))
	reads(t, p.source, "boiler", "flow_temp", 22.2)
	from, to := lately()
	frames := ask(t, p.source, object{"queryType": "latest", "devices": list{"boiler"}, "points": list{"flow_temp", "power"}}, from, to)
	rows := 0
	found := false
	for _, frame := range frames {
		count, err := frame.RowLen()
		must(t, err)
		rows += count
		for row := range count {
			for _, field := range frame.Fields {
				if value, ok := field.ConcreteAt(row); ok && value == 22.2 {
					found = true
				}
			}
		}
	}
	if rows != 2 || !found {
		t.Errorf("%d rows, 22.2 among them: %t", rows, found)
	}
}

func TestStatusIsConnectivityOverTime(t *testing.T) {
	p := shared(t)
	from, to := lately()
	_, online := isSeries(t, one(t, ask(t, p.source, object{"queryType": "status", "devices": list{"boiler"}}, from, to)), data.Labels{"device": "boiler", "site": "north"})
	if value, ok := online.ConcreteAt(online.Len() - 1); !ok || value != 1.0 {
		t.Errorf("the boiler is online, but the last row says %v", value)
	}
	if online.Config == nil || len(online.Config.Mappings) == 0 {
		t.Error("no mapping says what 1 and 0 mean")
	}
}

func TestABadQueryGets400AndDoesNotSpoilItsNeighbours(t *testing.T) {
	p := shared(t)
	bad := map[string]any{
		"broken JSON":        `{"queryType": "telemetry", "devices": [`,
		"no object":          `[]`,
		"nothing":            ``,
		"unknown type":       object{"queryType": "guess", "devices": list{"boiler"}},
		"no devices":         object{"queryType": "telemetry", "devices": list{}},
		"a wrong expression": object{"queryType": "telemetry", "devices": list{"/(/"}},
		"a wrong interval":   object{"queryType": "telemetry", "devices": list{"boiler"}, "aggregate": "avg", "interval": "soon"},
		"an evil expression": object{"queryType": "telemetry", "devices": list{"/(a+)+\\1$/"}},
	}
	from, to := lately()
	for name, model := range bad {
		t.Run(name, func(t *testing.T) {
			responses, err := p.source.QueryData(within(t),
				harness.Query{RefID: "bad", JSON: model, From: from, To: to},
				harness.Query{RefID: "good", JSON: raw("flow_temp"), From: from, To: to})
			must(t, err)
			if answer := responses["bad"]; answer.Status != backend.StatusBadRequest || answer.Error == nil || len(answer.Error.Error()) < 10 {
				t.Errorf("the bad one gets %d: %v", answer.Status, answer.Error)
			}
			if answer := responses["good"]; answer.Status != backend.StatusOK || answer.Error != nil || len(answer.Frames) != 1 {
				t.Errorf("the good one gets %d: %v, %d frames", answer.Status, answer.Error, len(answer.Frames))
			}
		})
	}
}

func TestTwoQueriesOfOnePanelAreAnsweredByTheirOwnNames(t *testing.T) {
	p := shared(t)
	from, to := lately()
	responses, err := p.source.QueryData(within(t),
		harness.Query{RefID: "A", JSON: raw("flow_temp"), From: from, To: to},
		harness.Query{RefID: "B", JSON: raw("power"), From: from, To: to})
	must(t, err)
	for refID, point := range map[string]string{"A": "flow_temp", "B": "power"} {
		frame := one(t, responses[refID].Frames)
		isSeries(t, frame, data.Labels{"point": point})
		if frame.RefID != "" && frame.RefID != refID {
			t.Errorf("the frame of %s says %s", refID, frame.RefID)
		}
	}
}

func TestARequestOf12MiBIsTaken(t *testing.T) {
	p := shared(t)
	model := raw("flow_temp")
	model["comment"] = string(make([]byte, 12*1024*1024/6)) // Each NUL is six characters in JSON.
	from, to := lately()
	responses, err := p.source.QueryData(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
	must(t, err)
	if status := responses["A"].Status; status != backend.StatusOK && status != backend.StatusBadRequest {
		t.Errorf("status %d: %v", status, responses["A"].Error)
	}
}

func TestABurstOfMessagesIsKeptWhole(t *testing.T) {
	p := shared(t)
	const count = 300
	var lines strings.Builder
	for number := range count {
		fmt.Fprintf(&lines, "{\"temperature\": %d.5, \"humidity\": 1}\n", number)
	}
	from := time.Now()
	// One process and one connection: far more messages than milliseconds.
	must(t, p.broker.Publish(t.Context(), "home/room-1/climate", lines.String(), "-l"))
	reads(t, p.source, "room-1", "temperature", float64(count-1)+0.5)
	model := object{"queryType": "telemetry", "devices": list{"room-1"}, "points": list{"temperature"}}
	_, values := isSeries(t, one(t, ask(t, p.source, model, from, time.Now().Add(time.Second))), nil)
	var kept []float64
	for _, value := range numbers(t, values) {
		if value != math.Trunc(value) { // Not another test's.
			kept = append(kept, value)
		}
	}
	if len(kept) != count || !slices.IsSorted(kept) {
		t.Errorf("%d of %d messages are kept, in order: %t", len(kept), count, slices.IsSorted(kept))
	}
}

func TestACancelledQueryDoesNotStopTheOthers(t *testing.T) {
	p := shared(t)
	from, to := lately()
	for range 20 {
		ctx, cancel := contextThatEnds(t, time.Millisecond)
		_, _ = p.source.QueryData(ctx, harness.Query{RefID: "A", JSON: raw("*"), From: from, To: to})
		cancel()
	}
	one(t, ask(t, p.source, raw("flow_temp"), from, to))
}
