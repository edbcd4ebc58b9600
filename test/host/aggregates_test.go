package host

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"fieldgate/test/host/harness"
)

// longDay is the midnight before the last day in Vienna that had 25 hours, by Go's own zone data.
func longDay(t *testing.T) (time.Time, *time.Location) {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Vienna")
	must(t, err)
	now := time.Now().In(zone)
	for back := 3; back < 400; back++ {
		day := time.Date(now.Year(), now.Month(), now.Day()-back, 0, 0, 0, 0, zone)
		if day.AddDate(0, 0, 1).Sub(day) == 25*time.Hour {
			return day, zone
		}
	}
	t.Fatal("no day of 25 hours in the last year")
	return now, zone
}

// said is a message of a device that knows when it measured.
func said(at time.Time, value any) string {
	return fmt.Sprintf(`{"v": %v, "t": "%s"}`, value, at.UTC().Format(time.RFC3339))
}

func reported(id string, more object) object {
	point := object{"id": id, "address": object{"topic": "meter/" + id, "path": "$.v", "time": "$.t"}}
	for name, value := range more {
		point[name] = value
	}
	return point
}

// near compares hours and the like, which are quotients of doubles.
func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestAggregatesByDaysOfATimeZone(t *testing.T) {
	day, _ := longDay(t)
	broker, err := harness.StartMosquitto(0)
	must(t, err)
	t.Cleanup(func() { broker.Close() })
	folder := t.TempDir()
	plugin := start(t, harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	meter := object{"id": "meter", "connection": "broker", "points": list{
		reported("valve", object{"report": object{"onChange": true}, "enum": object{"0": "closed", "1": "open"}}),
		reported("energy", object{"counter": object{"max": 65535}, "unit": "watth"}),
		reported("burst", object{}),
	}}
	plain := settings(list{mqttBroker(broker.Port)}, list{meter})
	plain["timezone"] = "Europe/Vienna"
	plain["history"] = object{"flushInterval": "100ms", "retention": "3650d"}
	asked := source(plugin, plain)

	hours := func(count int) time.Time { return day.Add(time.Duration(count) * time.Hour) }
	valve := []string{said(hours(-2), 1), said(hours(5), 0), said(hours(20), 1), said(hours(30), 0)}
	energy := []string{said(hours(-1), 65500), said(hours(1), 65530), said(hours(2), 4), said(hours(27), 14)}
	burst := make([]string, 6000)
	for i := range burst {
		burst[i] = said(hours(1).Add(time.Duration(i)*time.Second), i%7)
	}
	burst[4321] = said(hours(1).Add(4321*time.Second), 99)
	rows := func(point string) int {
		count := 0
		model := object{"queryType": "telemetry", "devices": list{"meter"}, "points": list{point}, "reduce": "none"}
		for _, frame := range ask(t, asked, model, hours(-48), hours(72)) {
			count += frame.Rows()
		}
		return count
	}
	// The first message goes out until it is heard: broker and plugin do not say when the subscription is there.
	eventually(t, patience, func() error {
		must(t, broker.Publish(within(t), "meter/valve", valve[0]))
		if rows("valve") == 0 {
			return fmt.Errorf("the meter is not heard")
		}
		return nil
	})
	for topic, lines := range map[string][]string{"valve": valve[1:], "energy": energy, "burst": burst} {
		must(t, broker.Publish(within(t), "meter/"+topic, strings.Join(lines, "\n"), "-l"))
	}
	eventually(t, patience, func() error {
		if valve, energy, burst := rows("valve"), rows("energy"), rows("burst"); valve != 4 || energy != 4 || burst != 6000 {
			return fmt.Errorf("%d, %d and %d samples are stored", valve, energy, burst)
		}
		return nil
	})

	daily := func(point, aggregate string) data.Frames {
		model := object{"queryType": "telemetry", "devices": list{"meter"}, "points": list{point}, "aggregate": aggregate, "interval": "1d"}
		return ask(t, asked, model, day, day.AddDate(0, 0, 2))
	}
	are := func(what string, frame *data.Frame, right ...float64) {
		t.Helper()
		got := numbers(t, frame.Fields[1])
		for row, value := range right {
			if row >= len(got) || !near(got[row], value) {
				t.Fatalf("%s: %v, not %v", what, got, right)
			}
		}
		for row := range got {
			if at := frame.Fields[0].At(row).(time.Time); !at.Equal(day.AddDate(0, 0, row)) {
				t.Errorf("%s: day %d begins at %s, not at %s", what, row, at, day.AddDate(0, 0, row))
			}
		}
	}
	// Open from before the day on until 5, and from 20 to 30: 10 of 25 hours, and 5 of 24.
	are("the average weighted by time", one(t, daily("valve", "avg")), 10.0/25, 5.0/24)
	// Over the top of 16 bits it is 10 from 65530 to 4.
	are("the increase", one(t, daily("energy", "increase")), 40, 10)
	are("the rate", one(t, daily("energy", "rate")), 40/10800.0, 10/90000.0)
	states := daily("valve", "time-in-state")
	if len(states) != 2 || states[0].Fields[1].Labels["state"] != "closed" || states[1].Fields[1].Labels["state"] != "open" {
		t.Fatalf("the states of the valve are %+v", states)
	}
	are("the time it was closed", states[0], 15*3600, 19*3600)
	are("the time it was open", states[1], 10*3600, 5*3600)
	for _, state := range states {
		isSeries(t, state, data.Labels{"device": "meter", "point": "valve"})
	}

	// A panel gets what it can draw, and is told; an alert rule and an expression get everything.
	drawn := func(headers map[string]string) *data.Frame {
		panel := asked
		panel.Headers = headers
		query := harness.Query{RefID: "A", JSON: object{"queryType": "telemetry", "devices": list{"meter"}, "points": list{"burst"}}, From: day, To: hours(4), MaxDataPoints: 300}
		answers, err := panel.QueryData(within(t), query)
		must(t, err)
		must(t, answers["A"].Error)
		return one(t, answers["A"].Frames)
	}
	frontEnd := map[string]string{"http_X-Datasource-Uid": asked.UID, "http_X-Panel-Id": "3"}
	frame := drawn(frontEnd)
	if frame.Rows() >= 1200 || len(frame.Meta.Notices) != 1 || !strings.Contains(frame.Meta.Notices[0].Text, "of 6000 samples are shown") {
		t.Errorf("a panel gets %d rows and the notices %+v", frame.Rows(), frame.Meta.Notices)
	}
	most := 0.0
	for _, value := range numbers(t, frame.Fields[1]) {
		most = max(most, value)
	}
	if most != 99 {
		t.Errorf("the peak of 99 is drawn as %v", most)
	}
	for name, headers := range map[string]map[string]string{
		"an alert rule": {"FromAlert": "true", "http_X-Datasource-Uid": asked.UID},
		"an expression": {"http_X-Datasource-Uid": asked.UID, "http_X-Grafana-From-Expr": "true"},
		"a script":      {},
	} {
		if frame := drawn(headers); frame.Rows() != 6000 || len(frame.Meta.Notices) != 0 {
			t.Errorf("%s gets %d rows and %+v", name, frame.Rows(), frame.Meta.Notices)
		}
	}
}
