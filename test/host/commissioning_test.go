package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"fieldgate/test/host/harness"
)

// survey asks for a probe or a scan and returns what comes, line by line, until the wanted one.
func survey(t *testing.T, source harness.Source, path string, body any) (*harness.Reading, func(wanted func(line object) bool) object) {
	t.Helper()
	reading, err := source.OpenResource(t.Context(), harness.Request{Method: "POST", Path: path, Body: body})
	must(t, err)
	if reading.Status != 200 {
		rest, _, _ := reading.Rest()
		t.Fatalf("%s answers %d: %s", path, reading.Status, rest)
	}
	t.Cleanup(reading.Leave)
	return reading, lines(t, reading)
}

func event(name string) func(line object) bool {
	return func(line object) bool { return line["event"] == name }
}

// quickly asks two units for a few registers.
var quickly = object{"options": object{"units": object{"first": 1, "last": 1}, "addresses": object{"first": 0, "last": 19}}}

func TestAScanComesLineByLineAndItsResultStays(t *testing.T) {
	p := shared(t)
	admin := p.source.As(harness.Person("Admin"))
	_, next := survey(t, admin, "connections/plc/scan", quickly)
	if begin := next(event("begin")); begin["session"] != "running" || begin["kind"] != "scan" {
		t.Errorf("it begins with %v", begin)
	}
	finding := next(event("finding"))
	if finding["kind"] == "" || finding["text"] == "" || finding["id"] == "" {
		t.Errorf("it found %v", finding)
	}
	if end := next(event("end")); end["state"] != "done" || end["findings"].(float64) < 1 {
		t.Errorf("it ends with %v", end)
	}
	answer, err := admin.Get(within(t), "connections/plc/survey")
	must(t, err)
	var kept struct {
		State    string
		Findings []object
	}
	must(t, answer.JSON(&kept))
	if kept.State != "done" || len(kept.Findings) == 0 || kept.Findings[0]["id"] != finding["id"] {
		t.Errorf("kept is %s", answer.Body)
	}
	frames := asked(t, admin, object{"queryType": "survey"})
	found, column := frames[0].FieldByName("id")
	if column < 0 || found.At(0) != finding["id"] {
		t.Errorf("the query says %v", frames[0])
	}
}

func TestAScanOfOtherSettingsIsATrialAndAStrangeOneIsAnsweredInWords(t *testing.T) {
	p := shared(t)
	admin := p.source.As(harness.Person("Admin"))
	body := object{"connection": plc(p.modbus.Port), "options": quickly["options"]}
	_, next := survey(t, admin, "connections/another/scan", body)
	if begin := next(event("begin")); begin["session"] != "trial" {
		t.Errorf("it begins with %v", begin)
	}
	if end := next(event("end")); end["state"] != "done" {
		t.Errorf("it ends with %v", end)
	}
	dead, err := harness.FreePort()
	must(t, err)
	_, next = survey(t, admin, "connections/another/scan", object{"connection": plc(dead)})
	if end := next(event("end")); end["state"] != "failed" || !strings.Contains(end["detail"].(string), "refused") {
		t.Errorf("it ends with %v", end)
	}
	answer, err := admin.Post(within(t), "connections/nowhere/scan", object{})
	must(t, err)
	wantProblem(t, answer, 404, "nowhere")
}

func TestAScanEndsWhenTheCallerHangsUp(t *testing.T) {
	p := shared(t)
	admin := p.source.As(harness.Person("Admin"))
	slow := object{"options": object{"units": object{"first": 1, "last": 247}}}
	reading, next := survey(t, admin, "connections/plc/scan", slow)
	next(event("progress"))
	second, err := admin.Post(within(t), "connections/plc/scan", quickly)
	must(t, err)
	wantProblem(t, second, 409, "under way")
	reading.Leave()
	eventually(t, patience, func() error {
		again, err := admin.OpenResource(t.Context(), harness.Request{Method: "POST", Path: "connections/plc/scan", Body: quickly})
		if err != nil {
			return err
		}
		defer again.Leave()
		if again.Status != 200 {
			return fmt.Errorf("it answers %d", again.Status)
		}
		return nil
	})
}

func asked(t *testing.T, source harness.Source, model object) data.Frames {
	t.Helper()
	from, to := lately()
	return ask(t, source, model, from, to)
}

func names(frame *data.Frame) []string {
	found := []string{}
	for _, field := range frame.Fields {
		found = append(found, field.Name)
	}
	return found
}

func TestRawTrafficIsLogLines(t *testing.T) {
	p := shared(t)
	reads(t, p.source, "boiler", "serial_no", "FG-2026-0001")
	eventually(t, patience, func() error {
		frame := asked(t, p.source, object{"queryType": "messages", "connections": list{"plc"}, "direction": "in"})[0]
		if frame.Rows() == 0 {
			return errors.New("no traffic yet")
		}
		if frame.Meta.Type != data.FrameTypeLogLines || !slices.Equal(names(frame), []string{"timestamp", "body", "severity", "id", "labels"}) {
			t.Fatalf("it is %s %v", frame.Meta.Type, names(frame))
		}
		if kind := frame.Fields[0].Type(); kind != data.FieldTypeTime {
			t.Errorf("the timestamp is %s", kind)
		}
		if time.Since(frame.Fields[0].At(0).(time.Time)) > time.Minute {
			t.Errorf("the newest is of %v", frame.Fields[0].At(0))
		}
		if kind := frame.Fields[4].Type(); kind != data.FieldTypeJSON {
			t.Fatalf("the labels are %s", kind)
		}
		var labels map[string]string
		must(t, json.Unmarshal(frame.Fields[4].At(0).(json.RawMessage), &labels))
		if labels["connection"] != "plc" || labels["direction"] != "in" || labels["unit"] == "" {
			t.Errorf("the labels are %v", labels)
		}
		return nil
	})
}

func TestABusIsATableAndATrace(t *testing.T) {
	p := shared(t)
	reads(t, p.source, "boiler", "serial_no", "FG-2026-0001")
	table := asked(t, p.source, object{"queryType": "bus", "connections": list{"plc"}})[0]
	if table.Meta.Type != data.FrameTypeNumericLong || table.Rows() < 2 {
		t.Fatalf("the table is %s with %d rows", table.Meta.Type, table.Rows())
	}
	trace := asked(t, p.source, object{"queryType": "bus", "traceId": "plc"})[0]
	if trace.Meta.PreferredVisualization != data.VisTypeTrace {
		t.Errorf("it wants to be a %s", trace.Meta.PreferredVisualization)
	}
	for _, name := range []string{"traceID", "spanID", "parentSpanID", "operationName", "serviceName", "serviceTags", "startTime", "duration", "tags"} {
		if !slices.Contains(names(trace), name) {
			t.Errorf("the trace has no %s: %v", name, names(trace))
		}
	}
	tags, _ := trace.FieldByName("tags")
	var pairs []struct{ Key string }
	must(t, json.Unmarshal(tags.At(1).(json.RawMessage), &pairs))
	if len(pairs) == 0 || pairs[0].Key != "priority" {
		t.Errorf("the tags are %v", pairs)
	}
}

func TestThePollPlanIsExplained(t *testing.T) {
	p := shared(t)
	reads(t, p.source, "boiler", "serial_no", "FG-2026-0001")
	frames := asked(t, p.source, object{"queryType": "explain", "connections": list{"plc"}})
	if len(frames) != 2 || frames[0].Rows() == 0 || frames[1].Rows() != 1 {
		t.Fatalf("the plan is %v", frames)
	}
	read, _ := frames[0].FieldByName("read")
	if places, ok := read.ConcreteAt(0); !ok || places.(float64) < 1 {
		t.Errorf("the first request reads %v places", places)
	}
}

func TestABrokerIsScannedAndItsMessagesAreSeen(t *testing.T) {
	p := shared(t)
	admin := p.source.As(harness.Person("Admin"))
	must(t, p.broker.Publish(t.Context(), "home/room-1/note", "said before"))
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
				_ = p.broker.Publish(t.Context(), "commission/attic/climate", `{"temperature": 18.5}`)
			}
		}
	}()
	_, next := survey(t, admin, "connections/broker/scan", object{"options": object{"filter": "commission/#", "duration": "1500ms"}})
	finding := next(func(line object) bool {
		return line["event"] == "finding" && strings.Contains(fmt.Sprint(line), "commission/attic/climate")
	})
	if finding["proposes"] == nil {
		t.Errorf("it proposes nothing: %v", finding)
	}
	if end := next(event("end")); end["state"] != "done" {
		t.Errorf("it ends with %v", end)
	}
	eventually(t, patience, func() error {
		must(t, p.broker.Publish(t.Context(), "home/room-1/note", "seen in the traffic"))
		frame := asked(t, p.source, object{"queryType": "messages", "connections": list{"broker"}, "filter": "seen in the traffic"})[0]
		if frame.Rows() == 0 {
			return errors.New("the message is not there yet")
		}
		var labels map[string]string
		must(t, json.Unmarshal(frame.Fields[4].At(0).(json.RawMessage), &labels))
		if labels["unit"] != "home/room-1/note" || labels["direction"] != "in" {
			t.Errorf("its labels are %v", labels)
		}
		return nil
	})
}

// What a person does with a manual in one hand and the display of the device in view: the register, about what it shows, and its meaning goes first.
func TestAProbeSaysWhatARegisterMeans(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(harness.Register{"table": "holding", "register": 60, "type": "float32", "order": "CDAB"}, 230.4))
	admin := p.source.As(harness.Person("Admin"))
	options := object{"unitId": 1, "table": "holding", "register": 60, "count": 4, "expect": 230}
	_, next := survey(t, admin, "connections/plc/probe", object{"options": options})
	if end := next(event("end")); end["state"] != "done" {
		t.Fatalf("it ends with %v", end)
	}
	answer, err := admin.Get(within(t), "connections/plc/survey")
	must(t, err)
	var kept struct{ Findings []object }
	must(t, answer.JSON(&kept))
	if len(kept.Findings) == 0 {
		t.Fatalf("kept is %s", answer.Body)
	}
	best := kept.Findings[0]
	text, _ := best["text"].(string)
	if best["kind"] != "byte-order" || !strings.HasPrefix(text, "holding 60 (counted from 0) as float32 CDAB: 230.4") {
		t.Errorf("the best is %v", best)
	}
}
