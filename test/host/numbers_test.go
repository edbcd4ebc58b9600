package host

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"fieldgate/test/host/harness"
)

// wide is a device of 64 bits and of floats, nothing of it scaled.
func wide(connection string) object {
	point := func(id, kind string, register int, more object) object {
		made := object{"id": id, "address": object{"table": "holding", "register": register, "type": kind}, "access": "read-write"}
		for key, value := range more {
			made[key] = value
		}
		return made
	}
	return object{"id": "wide", "connection": connection, "interval": "50ms", "points": list{
		point("u64", "uint64", 0, nil),
		point("i64", "int64", 4, nil),
		point("f32", "float32", 8, object{"max": 21.4}),
		point("f64", "float64", 10, nil),
		point("guarded", "uint64", 14, object{"invalid": list{"18446744073709551615"}}),
		point("word", "uint16", 18, object{"bits": object{"0": "running", "3": "alarm"}}),
		point("gauge", "int16", 19, object{"enum": object{"0x8000": "no sensor", "-1": "off", "0": "idle"}}),
	}}
}

func wideAt(register int, kind string) harness.Register {
	order := map[string]string{"uint64": "ABCDEFGH", "int64": "ABCDEFGH", "float64": "ABCDEFGH", "float32": "ABCD"}[kind]
	if order == "" {
		order = "AB"
	}
	return harness.Register{"table": "holding", "register": register, "type": kind, "order": order}
}

func wideSource(t *testing.T) (harness.Source, *harness.Modbus) {
	t.Helper()
	modbus, err := harness.StartModbus(0)
	must(t, err)
	t.Cleanup(modbus.Kill)
	folder := t.TempDir()
	plugin := start(t, harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	asked := source(plugin, settings(list{plc(modbus.Port)}, list{wide("plc")}))
	reads(t, asked, "wide", "u64", "0")
	return asked, modbus
}

// stored asks until the newest stored value of a point is this, and returns its column.
func stored(t *testing.T, asked harness.Source, point string, value any) *data.Field {
	t.Helper()
	var found *data.Field
	eventually(t, patience, func() error {
		from, to := lately()
		model := object{"queryType": "telemetry", "devices": list{"wide"}, "points": list{point}, "quality": "all"}
		responses, err := asked.QueryData(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
		must(t, err)
		must(t, responses["A"].Error)
		if len(responses["A"].Frames[0].Fields) < 2 {
			return fmt.Errorf("no samples of %s yet", point)
		}
		found = responses["A"].Frames[0].Fields[1]
		newest, ok := found.ConcreteAt(found.Len() - 1)
		if value == nil && !ok {
			return nil
		}
		if newest != value {
			return fmt.Errorf("the newest of %s is %v (%T), not %v", point, newest, newest, value)
		}
		return nil
	})
	return found
}

func TestEveryDigitOf64BitsArrivesAndIsSet(t *testing.T) {
	asked, modbus := wideSource(t)
	unsigned, signed := wideAt(0, "uint64"), wideAt(4, "int64")
	must(t, modbus.Set(unsigned, "18446744073709551615"))
	must(t, modbus.Set(signed, "-9223372036854775808"))
	if kind := stored(t, asked, "u64", uint64(math.MaxUint64)).Type(); kind != data.FieldTypeNullableUint64 && kind != data.FieldTypeUint64 {
		t.Errorf("it comes as %s", kind)
	}
	if kind := stored(t, asked, "i64", int64(math.MinInt64)).Type(); kind != data.FieldTypeNullableInt64 && kind != data.FieldTypeInt64 {
		t.Errorf("it comes as %s", kind)
	}
	reads(t, asked, "wide", "u64", "18446744073709551615")
	reads(t, asked, "wide", "i64", "-9223372036854775808")

	for _, body := range []string{
		`{"value": "18446744073709551613"}`,
		// As Python and Go write it: a number that JavaScript would round to the next power of two.
		`{"value": 18446744073709551613}`,
		`{"value": 18446744073709551613, "expect": 18446744073709551613}`,
	} {
		answer, err := asked.CallResource(within(t), harness.Request{Method: "POST", Path: "devices/wide/points/u64", Body: body})
		must(t, err)
		said := wantState(t, answer, 200, "verified")
		if said.Value != "18446744073709551613" || said.ReadBack != "18446744073709551613" {
			t.Errorf("%s is recorded as %v, read back as %v", body, said.Value, said.ReadBack)
		}
		held, err := modbus.Get(unsigned)
		must(t, err)
		if held != "18446744073709551613" {
			t.Errorf("%s: the device holds %v", body, held)
		}
	}
	stored(t, asked, "u64", uint64(18446744073709551613))
	wantState(t, set(t, asked, "wide.i64", object{"value": "-9223372036854775807"}), 200, "verified")
	stored(t, asked, "i64", int64(-9223372036854775807))

	for body, words := range map[string]string{
		`{"value": 18446744073709551616}`:                                 "does not fit",
		`{"value": "18446744073709551616"}`:                               "does not fit",
		`{"value": -1}`:                                                   "does not fit",
		`{"value": 99999999999999999999999999}`:                           "does not fit",
		`{"value": 18446744073709551613, "expect": 18446744073709551612}`: "18446744073709551613",
		`{"value": 1e400}`:                                                "number",
		`{"value": 18446744073709551613, "reason": "x", "wait": 12345678901234567890}`: "wait",
	} {
		answer, err := asked.CallResource(within(t), harness.Request{Method: "POST", Path: "devices/wide/points/u64", Body: body})
		must(t, err)
		if answer.Status < 400 || answer.Status > 499 {
			t.Errorf("%s answers %d: %s", body, answer.Status, answer.Body)
		}
		wantWords(t, string(answer.Body), words)
	}
	wantProblem(t, set(t, asked, "wide.guarded", object{"value": "18446744073709551615"}), 422, "no value")
	wantState(t, set(t, asked, "wide.guarded", object{"value": "18446744073709551614"}), 200, "verified")
	must(t, modbus.Set(wideAt(14, "uint64"), "18446744073709551615"))
	stored(t, asked, "guarded", nil)
}

func TestLivePacketsCarryEveryDigit(t *testing.T) {
	asked, modbus := wideSource(t)
	must(t, modbus.Set(wideAt(0, "uint64"), "18446744073709551615"))
	reads(t, asked, "wide", "u64", "18446744073709551615")
	stream := runLive(t, asked, object{"queryType": "telemetry", "devices": list{"wide"}, "points": list{"u64"}, "live": true})
	defer stream.Cancel()
	packet, err := stream.Next(patience)
	must(t, err)
	var live harness.LiveFrame
	must(t, live.Take(packet))
	field := live.Frame.Fields[1]
	if value, ok := field.ConcreteAt(field.Len() - 1); !ok || value != uint64(math.MaxUint64) {
		t.Errorf("the packet says %v (%s): %s", value, field.Type(), packet)
	}
	if !strings.Contains(string(packet), "18446744073709551615") {
		t.Errorf("the digits are not in %s", packet)
	}
}

func TestFloatsAreWhatTheyMean(t *testing.T) {
	asked, modbus := wideSource(t)
	short, long := wideAt(8, "float32"), wideAt(10, "float64")
	// As a float32 it is a little more than 21.4, which is the limit.
	must(t, modbus.Set(short, 21.4))
	stored(t, asked, "f32", 21.4)
	wantState(t, set(t, asked, "wide.f32", object{"value": 0.1, "expect": 21.4}), 200, "verified")
	stored(t, asked, "f32", 0.1)
	for _, value := range []float64{5e-324, -math.MaxFloat64, math.Pi, math.Copysign(0, -1)} {
		// By its bits: Python takes the -0 of JSON for an integer, which has no sign.
		must(t, modbus.Set(wideAt(10, "uint64"), fmt.Sprint(math.Float64bits(value))))
		field := stored(t, asked, "f64", value)
		newest, _ := field.ConcreteAt(field.Len() - 1)
		if math.Signbit(newest.(float64)) != math.Signbit(value) {
			t.Errorf("%v lost its sign", value)
		}
	}
	// JSON has no word for these.
	for name, bits := range map[string]uint64{"NaN": 0x7ff8000000000000, "∞": 0x7ff0000000000000, "-∞": 0xfff0000000000000} {
		must(t, modbus.Set(wideAt(10, "uint64"), fmt.Sprint(bits)))
		eventually(t, patience, func() error {
			said, err := lastValue(t.Context(), asked, "wide", "f64")
			if err == nil && (said.Value != nil || said.Reason != "nan" || said.Quality != "bad") {
				err = fmt.Errorf("%s reads %+v", name, said)
			}
			return err
		})
		must(t, modbus.Set(long, 1.0))
		stored(t, asked, "f64", 1.0)
	}
}

func TestRawValuesHaveNamesAndBitsHaveFlags(t *testing.T) {
	asked, modbus := wideSource(t)
	text := func(point string) any {
		answer, err := asked.Get(within(t), "devices/wide/points/"+point)
		must(t, err)
		var said struct{ Last struct{ Text any } }
		must(t, answer.JSON(&said))
		return said.Last.Text
	}
	for raw, name := range map[int]string{-32768: "no sensor", -1: "off", 0: "idle"} {
		must(t, modbus.Set(wideAt(19, "int16"), raw))
		stored(t, asked, "gauge", float64(raw))
		if said := text("gauge"); said != name {
			t.Errorf("%d is %v, not %s", raw, said, name)
		}
	}
	wantState(t, set(t, asked, "wide.gauge", object{"value": "off"}), 200, "verified")
	holds(t, &plant{modbus: modbus}, wideAt(19, "int16"), -1.0)
	wantProblem(t, set(t, asked, "wide.gauge", object{"value": 5}), 422, "no sensor")
	for raw, flags := range map[int]string{9: "running, alarm", 1: "running", 6: ""} {
		must(t, modbus.Set(wideAt(18, "uint16"), raw))
		field := stored(t, asked, "word", float64(raw))
		if said := text("word"); said != flags {
			t.Errorf("%d has the flags %q, not %q", raw, said, flags)
		}
		mapped := fmt.Sprint(field.Config.Mappings)
		if !strings.Contains(mapped, "running, alarm") {
			t.Errorf("Grafana is not told of the flags: %s", mapped)
		}
	}
}

func TestNumbersOverMQTTKeepTheirDigits(t *testing.T) {
	mosquitto, err := harness.StartMosquitto(0)
	must(t, err)
	defer mosquitto.Close()
	folder := t.TempDir()
	plugin := start(t, harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	set64 := object{"topic": "n/set", "payload": `{"v": {value}}`}
	asked := source(plugin, settings(list{mqttBroker(mosquitto.Port)}, list{object{"id": "wide", "connection": "broker", "points": list{
		object{"id": "plain", "address": object{"topic": "n/plain"}},
		object{"id": "json", "address": object{"topic": "n/set", "path": "$.v", "set": set64}, "access": "read-write"},
	}}}))
	eventually(t, patience, func() error {
		must(t, mosquitto.Publish(within(t), "n/plain", "18446744073709551615"))
		return hasValue(t.Context(), asked, "wide", "plain")
	})
	reads(t, asked, "wide", "plain", "18446744073709551615")
	stored(t, asked, "plain", uint64(math.MaxUint64))
	// The broker gives our own message back, as a device would that tells its state.
	answer, err := asked.CallResource(within(t), harness.Request{Method: "POST", Path: "devices/wide/points/json", Body: `{"value": -9223372036854775807}`})
	must(t, err)
	said := wantState(t, answer, 200, "verified")
	if said.ReadBack != "-9223372036854775807" {
		t.Errorf("it reads back %v", said.ReadBack)
	}
	time.Sleep(50 * time.Millisecond)
	stored(t, asked, "json", int64(-9223372036854775807))
}
