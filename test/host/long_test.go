package host

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"fieldgate/test/host/harness"
)

func open(t *testing.T, source harness.Source, path string, headers map[string]string) *harness.Reading {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	request := harness.Request{Method: "GET", Path: path, Headers: headers, Query: map[string][]string{}}
	for _, pair := range strings.FieldsFunc(query, func(letter rune) bool { return letter == '&' }) {
		name, value, _ := strings.Cut(pair, "=")
		request.Query[name] = append(request.Query[name], value)
	}
	reading, err := source.OpenResource(t.Context(), request)
	must(t, err)
	if reading.Status != 200 {
		t.Fatalf("%s answers %d", path, reading.Status)
	}
	t.Cleanup(reading.Leave)
	return reading
}

func TestHistoryIsExportedAsCSVThatGoReads(t *testing.T) {
	p := shared(t)
	must(t, p.broker.Publish(t.Context(), "home/room-1/note", `=HYPERLINK("http://x"), she said`))
	reads(t, p.source, "room-1", "note", `=HYPERLINK("http://x"), she said`)
	eventually(t, patience, func() error {
		body, _, err := open(t, p.source, "export?from=now-1m", nil).Rest()
		if err != nil {
			return err
		}
		rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
		if err != nil {
			return err
		}
		if strings.Join(rows[0], " ") != "time device point value quality reason kind" {
			t.Fatalf("its head is %q", rows[0])
		}
		found := map[string]string{}
		for _, row := range rows[1:] {
			if _, err := time.Parse(time.RFC3339Nano, row[0]); err != nil {
				t.Fatal(err)
			}
			found[row[1]+"."+row[2]] = row[3]
		}
		if found["boiler.energy"] != "1152921504606846977" || found["room-1.note"] != `'=HYPERLINK("http://x"), she said` {
			return errors.New("not there yet: " + strings.Join([]string{found["boiler.energy"], found["room-1.note"]}, " "))
		}
		return nil
	})
}

func TestHistoryIsExportedAsArrowThatGoReads(t *testing.T) {
	p := shared(t)
	reading := open(t, p.source, "export?from=now-1m&format=arrow&device=boiler", nil)
	body, _, err := reading.Rest()
	must(t, err)
	stream, err := ipc.NewReader(bytes.NewReader(body))
	must(t, err)
	defer stream.Release()
	columns := map[string]int{}
	for place, field := range stream.Schema().Fields() {
		columns[field.Name] = place
	}
	rows, exact := int64(0), false
	for stream.Next() {
		batch := stream.RecordBatch()
		rows += batch.NumRows()
		point := batch.Column(columns["point"]).(*array.String)
		energy := batch.Column(columns["uint64"]).(*array.Uint64)
		for row := range int(batch.NumRows()) {
			if point.Value(row) == "energy" && energy.IsValid(row) && energy.Value(row) == exactEnergy {
				exact = true
			}
		}
	}
	must(t, stream.Err())
	if rows == 0 || !exact {
		t.Errorf("%d rows, the counter exactly: %v", rows, exact)
	}
}

// lines reads events until one is as wanted.
func lines(t *testing.T, reading *harness.Reading) func(wanted func(event object) bool) object {
	t.Helper()
	pipe, into := io.Pipe()
	go func() {
		for {
			part, err := reading.Next()
			if err != nil {
				_ = into.CloseWithError(err)
				return
			}
			if _, err := into.Write(part); err != nil {
				return
			}
		}
	}()
	scanner := bufio.NewScanner(pipe)
	scanner.Buffer(nil, 1<<20)
	return func(wanted func(event object) bool) object {
		t.Helper()
		deadline := time.AfterFunc(patience, reading.Leave)
		defer deadline.Stop()
		for scanner.Scan() {
			var event object
			must(t, json.Unmarshal(scanner.Bytes(), &event))
			if wanted(event) {
				return event
			}
		}
		t.Fatalf("the events ended: %v", scanner.Err())
		return nil
	}
}

func TestEventsComeAsTheyHappen(t *testing.T) {
	p := shared(t)
	next := lines(t, open(t, p.source, "events", nil))
	next(func(event object) bool { return event["event"] == "heartbeat" })
	must(t, p.modbus.Set(flowTemperature, 633))
	next(func(event object) bool {
		return event["event"] == "sample" && event["point"] == "flow_temp" && event["value"] == 63.3
	})
	go func() { _, _ = p.source.Post(t.Context(), "devices/boiler/points/setpoint", object{"value": 57}) }()
	for _, state := range []string{"queued", "sent", "acknowledged", "verified"} {
		next(func(event object) bool { return event["event"] == "command" && event["state"] == state })
	}
	must(t, p.modbus.Set(flowTemperature, 555))
}

func TestEventsAreServerSentEventsWhereAskedFor(t *testing.T) {
	p := shared(t)
	reading := open(t, p.source, "events?what=sample&point=serial_no&point=flow_temp", map[string]string{"Accept": "text/event-stream"})
	if kind := reading.Headers["content-type"]; len(kind) != 1 || kind[0] != "text/event-stream; charset=utf-8" {
		t.Errorf("content type is %q", kind)
	}
	text := ""
	for !strings.Contains(text, "event: heartbeat\ndata: {") || !strings.Contains(text, "event: sample\ndata: {") {
		part, err := reading.Next()
		must(t, err)
		text += string(part)
	}
}

func TestWhoeverHangsUpIsGoneAtOnceAndHisPlaceIsFree(t *testing.T) {
	p := shared(t)
	for range 3 {
		readings := []*harness.Reading{}
		for range 32 {
			readings = append(readings, open(t, p.source, "events?what=command", nil))
		}
		refused, err := p.source.Get(within(t), "events")
		must(t, err)
		wantProblem(t, refused, 429)
		for _, reading := range readings {
			reading.Leave()
		}
		eventually(t, time.Second, func() error {
			reading, err := p.source.OpenResource(t.Context(), harness.Request{Method: "GET", Path: "events"})
			if err == nil {
				defer reading.Leave()
				if reading.Status != 200 {
					err = errors.New("its place is not free yet")
				}
			}
			return err
		})
	}
}

func TestTheHelpPageIsAPageAndTheValueIsPlain(t *testing.T) {
	p := shared(t)
	titled := boiler("plc")
	titled["title"] = `<script>alert("x")</script>`
	gateway := source(p.plugin, settings(list{plc(p.modbus.Port)}, list{titled}))
	reads(t, gateway, "boiler", "serial_no", "FG-2026-0001")
	page, err := gateway.Get(within(t), "help")
	must(t, err)
	if kind := page.Header("Content-Type"); page.Status != 200 || !strings.HasPrefix(kind, "text/html") {
		t.Errorf("status %d, %s", page.Status, kind)
	}
	wantWords(t, string(page.Body), "&lt;script&gt;alert", "/api/datasources/uid/"+gateway.UID+"/resources/devices/boiler/points/")
	if strings.Contains(string(page.Body), "<script") {
		t.Error("there is a script in it")
	}
	plain, err := gateway.CallResource(within(t), harness.Request{Method: "GET", Path: "devices/boiler/points/serial_no", Headers: map[string]string{"Accept": "text/plain"}})
	must(t, err)
	if string(plain.Body) != "FG-2026-0001" {
		t.Errorf("it says %q", plain.Body)
	}
	picture, err := gateway.Get(within(t), "profiles/eastron-sdm630/image")
	must(t, err)
	if kind := picture.Header("Content-Type"); kind != "image/svg+xml" || !bytes.HasPrefix(picture.Body, []byte("<svg")) {
		t.Errorf("the picture is %s: %.60s", kind, picture.Body)
	}
}

func TestASlowReaderOfEventsIsDroppedWithAWordAndNothingElseIs(t *testing.T) {
	p := shared(t)
	slow := open(t, p.source, "events?what=sample&point=note", nil)
	// What two networks and we hold for a reader is some megabytes; this is more. Equal notes would be kept once.
	for i := range 160 {
		must(t, p.broker.Publish(t.Context(), "home/room-1/note", strings.Repeat(fmt.Sprint(i%10), 60_000)))
	}
	must(t, p.broker.Publish(t.Context(), "home/room-1/note", "the last"))
	reads(t, p.source, "room-1", "note", "the last")
	body, _, err := slow.Rest()
	must(t, err)
	told := strings.Split(strings.TrimSpace(string(body)), "\n")
	last := told[len(told)-1]
	wantWords(t, last, `"event":"end"`, "reader-too-slow", "read faster")
	if len(told) > 160 {
		t.Errorf("it was told everything in %d lines", len(told))
	}
	alive(t, p)
}
