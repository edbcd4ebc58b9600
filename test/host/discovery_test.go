package host

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"fieldgate/test/host/harness"
)

// rooms is one template for all rooms of all buildings.
func rooms(connection string) object {
	return object{
		"id": "{building}-{room}", "connection": connection, "title": "{room} ({building})",
		"labels": object{"building": "{building}", "room": "{room}", "site": "home"},
		"points": list{
			object{"id": "temperature", "address": object{"topic": "home/{building}/{room}/climate", "path": "$.temperature"}, "unit": "celsius"},
			object{
				"id": "light", "address": object{"topic": "home/{building}/{room}/light/state", "format": "text", "set": object{"topic": "home/{building}/{room}/light/set"}},
				"access": "read-write", "enum": object{"OFF": "off", "ON": "on"},
			},
		},
		"availability": object{"topic": "home/{building}/{room}/status", "staleAfter": "1m"},
	}
}

type deviceRow struct {
	ID, Title, State string
	Labels           map[string]string
}

// deviceRows are the devices a source lists, by id.
func deviceRows(t *testing.T, source harness.Source) map[string]deviceRow {
	t.Helper()
	answer, err := source.Get(within(t), "devices")
	must(t, err)
	var said struct{ Devices []deviceRow }
	must(t, answer.JSON(&said))
	rows := map[string]deviceRow{}
	for _, row := range said.Devices {
		rows[row.ID] = row
	}
	return rows
}

// The rooms as the broker knows them, and the id each gets.
var roomIDs = map[string]string{
	"north/kitchen":     "north-kitchen",
	"north/living-room": "north-living.2droom",
	"south/Labor 2.OG":  "south-Labor.202.2eOG",
}

func TestRoomsOfOneTemplateAreLabelledSeriesThatObeyAndSurviveARestart(t *testing.T) {
	broker, err := harness.StartMosquitto(0)
	must(t, err)
	t.Cleanup(func() { broker.Close() })
	folder := t.TempDir()
	first := start(t, harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	home := source(first, settings(list{mqttBroker(broker.Port)}, list{rooms("broker")}))

	// Broker and plugin do not say when the subscription is there, so the rooms speak until they are heard.
	eventually(t, patience, func() error {
		for room := range roomIDs {
			must(t, broker.Publish(within(t), "home/"+room+"/climate", fmt.Sprintf(`{"temperature": %d}`, len(room))))
		}
		if rows := deviceRows(t, home); len(rows) < len(roomIDs) {
			return fmt.Errorf("%d of the rooms are there", len(rows))
		}
		return nil
	})
	rows := deviceRows(t, home)
	for room, id := range roomIDs {
		building, name, _ := strings.Cut(room, "/")
		row := rows[id]
		if row.State != "online" || row.Title != name+" ("+building+")" || row.Labels["room"] != name {
			t.Errorf("%s is %+v", id, row)
		}
	}

	model := object{"queryType": "telemetry", "devices": list{"*"}, "points": list{"temperature"}}
	areTheRooms := func(source harness.Source) {
		t.Helper()
		from, to := lately()
		found := map[string]float64{}
		for _, frame := range ask(t, source, model, from, to) {
			_, values := isSeries(t, frame, data.Labels{"site": "home", "point": "temperature"})
			labels := values.Labels
			room := labels["building"] + "/" + labels["room"]
			if roomIDs[room] != labels["device"] {
				t.Errorf("the device of %s is %q", room, labels["device"])
			}
			found[room] = numbers(t, values)[0]
		}
		for room := range roomIDs {
			if found[room] != float64(len(room)) {
				t.Errorf("%s says %v", room, found[room])
			}
		}
		if len(found) != len(roomIDs) {
			t.Errorf("series of %v", slices.Collect(maps.Keys(found)))
		}
	}
	areTheRooms(home)

	from, to := lately()
	by := object{"queryType": "telemetry", "devices": list{"*"}, "points": list{"temperature"}, "labels": object{"room": "Labor 2.OG"}}
	isSeries(t, one(t, ask(t, home, by, from, to)), data.Labels{"building": "south"})

	// A command goes to the topic the device itself is called by.
	must(t, broker.Echo(t.Context(), "home/south/Labor 2.OG/light/set", "home/south/Labor 2.OG/light/state"))
	eventually(t, patience, func() error {
		must(t, broker.Publish(within(t), "home/south/Labor 2.OG/light/state", "OFF"))
		return hasValue(t.Context(), home, "south-Labor.202.2eOG", "light")
	})
	answer, err := home.Post(within(t), "devices/south-Labor.202.2eOG/points/light", object{"value": "on"})
	must(t, err)
	wantState(t, answer, 200, "verified")

	// A word of its own: gone, with its values.
	must(t, broker.Publish(within(t), "home/north/kitchen/status", "offline", "-r"))
	eventually(t, patience, func() error {
		if state := deviceRows(t, home)["north-kitchen"].State; state != "offline" {
			return fmt.Errorf("the kitchen is %s", state)
		}
		return nil
	})
	said, err := lastValue(t.Context(), home, "north-kitchen", "temperature")
	must(t, err)
	if said.Value != nil || said.Quality != "bad" || said.Reason != "offline" {
		t.Errorf("a device that is gone says %+v", said)
	}

	// What Viewers read names no topic.
	for _, path := range []string{"devices", "devices/north-kitchen", "devices/north-kitchen/points"} {
		answer, err := home.As(harness.Person("Viewer")).Get(within(t), path)
		must(t, err)
		if strings.Contains(string(answer.Body), "home/") {
			t.Errorf("%s tells a Viewer a topic: %s", path, answer.Body)
		}
	}

	// After a restart without a broker they are there, with labels and history.
	first.Stop()
	broker.Kill()
	second := start(t, harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	home.Plugin = second
	eventually(t, patience, func() error {
		if rows := deviceRows(t, home); len(rows) != len(roomIDs) {
			return fmt.Errorf("%d devices are known", len(rows))
		}
		return nil
	})
	areTheRooms(home)
}

func TestWhoeverInventsDevicesIsToldOf(t *testing.T) {
	broker, err := harness.StartMosquitto(0)
	must(t, err)
	t.Cleanup(func() { broker.Close() })
	plugin := start(t, harness.Options{})
	taken := object{"id": "north-kitchen", "connection": "broker", "points": list{object{"id": "own", "address": object{"topic": "own"}}}}
	home := source(plugin, settings(list{mqttBroker(broker.Port)}, list{rooms("broker"), taken}))
	long := strings.Repeat("x", 70)
	say := func(room string) {
		must(t, broker.Publish(within(t), "home/"+room+"/climate", `{"temperature": 1}`))
	}
	eventually(t, patience, func() error {
		say("north/office")
		return hasValue(t.Context(), home, "north-office", "temperature")
	})
	// It is heard: now in this order, for the last one is named.
	say("north/kitchen")
	say("north/" + long)
	eventually(t, patience, func() error {
		health, err := home.CheckHealth(within(t))
		if err == nil && !strings.Contains(health.Message, "2 devices refused") {
			err = errors.New(health.Message)
		}
		return err
	})
	if rows := deviceRows(t, home); len(rows) != 2 || rows["north-kitchen"].Labels["room"] != "" {
		t.Errorf("the devices are %+v", rows)
	}
	health, err := home.CheckHealth(within(t))
	must(t, err)
	wantWords(t, health.Message, "{building}-{room}", "2 devices refused", "id of 76 characters")
	metrics, err := plugin.CollectMetrics(within(t))
	must(t, err)
	wantWords(t, string(metrics), "fieldgate_discovered_devices 1\n", "fieldgate_refused_devices_total 2\n")
	seen, err := home.As(harness.Person("Viewer")).CheckHealth(within(t))
	must(t, err)
	if strings.Contains(seen.Message+string(seen.JSONDetails), long) {
		t.Errorf("a Viewer reads %s", seen.Message)
	}
}
