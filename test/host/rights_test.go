package host

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"

	"fieldgate/test/host/harness"
)

// right is one line of the table of rights, as the design has it: what the plugin says of itself is held against it.
type right struct {
	method, path string
	// least is the lowest role that may; status is what it gets.
	least  string
	status int
	body   any
	// without is for what is asked of no data source, under /api/plugins/<id>/resources.
	without bool
}

var rightsTable = []right{
	{"GET", "openapi.json", "Viewer", 200, nil, false},
	{"GET", "help", "Viewer", 200, nil, false},
	{"GET", "schema", "Viewer", 200, nil, false},
	{"GET", "drivers", "Viewer", 200, nil, false},
	{"GET", "profiles", "Viewer", 200, nil, false},
	{"GET", "profiles/eastron-sdm630/image", "Viewer", 200, nil, false},
	{"GET", "connections", "Viewer", 200, nil, false},
	{"GET", "devices", "Viewer", 200, nil, false},
	{"GET", "devices/boiler", "Viewer", 200, nil, false},
	{"GET", "devices/boiler/points", "Viewer", 200, nil, false},
	{"GET", "devices/boiler/points/setpoint", "Viewer", 200, nil, false},
	{"GET", "devices/boiler/points/setpoint?fresh=1", "Editor", 200, nil, false},
	{"GET", "suggest", "Viewer", 200, nil, false},
	{"GET", "access/me", "Viewer", 200, nil, false},
	{"GET", "export", "Editor", 200, nil, false},
	// What it takes is not JSON, which all of this table sends.
	{"POST", "import", "Admin", 415, object{}, false},
	{"GET", "series", "Viewer", 200, nil, false},
	{"DELETE", "history", "Admin", 400, nil, false},
	{"POST", "backup", "Admin", 200, object{}, false},
	{"GET", "backups", "Admin", 200, nil, false},
	{"GET", "events", "Editor", 200, nil, false},
	{"GET", "commands", "Editor", 200, nil, false},
	{"GET", "commands/none", "Editor", 404, nil, false},
	{"POST", "devices/boiler/points/setpoint", "Editor", 200, object{"value": 50}, false},
	{"POST", "devices/boiler/commands/none", "Editor", 404, object{}, false},
	{"POST", "commands", "Editor", 200, object{"commands": list{object{"device": "boiler", "point": "setpoint", "value": 50}}}, false},
	{"DELETE", "commands/none", "Editor", 404, nil, false},
	{"POST", "devices/boiler/lock", "Editor", 400, object{}, false},
	{"DELETE", "devices/boiler/lock", "Editor", 404, nil, false},
	{"GET", "audit", "Admin", 200, nil, false},
	{"GET", "audit/check", "Admin", 200, nil, false},
	{"POST", "hooks/alert", "Editor", 404, object{"alerts": list{}}, false},
	{"POST", "connections/none/probe", "Admin", 404, object{}, false},
	{"POST", "connections/none/scan", "Admin", 404, object{}, false},
	{"GET", "connections/none/survey", "Admin", 404, nil, false},
	{"POST", "config/check", "Admin", 200, object{}, false},
	{"GET", "instances", "Admin", 200, nil, true},
	{"DELETE", "instances/none", "Admin", 404, nil, true},
}

var roleOrder = []string{"None", "Viewer", "Editor", "Admin"}

// request is this line as Grafana sends it. Whatever answers with more than one part is left after the first.
func (r right) ask(t *testing.T, source harness.Source, change func(*harness.Request)) harness.Answer {
	t.Helper()
	path, query, _ := strings.Cut(r.path, "?")
	request := harness.Request{Method: r.method, Path: path, Body: r.body}
	if query != "" {
		name, value, _ := strings.Cut(query, "=")
		request.Query = map[string][]string{name: {value}}
	}
	if change != nil {
		change(&request)
	}
	reading, err := source.OpenResource(within(t), request)
	must(t, err)
	defer reading.Leave()
	answer := harness.Answer{Status: reading.Status, Headers: reading.Headers}
	return answer
}

// where is the data source, or the plugin without one.
func (r right) where(source harness.Source) harness.Source {
	source.NoSettings = r.without
	return source
}

func TestEveryRouteWithEveryRole(t *testing.T) {
	p := shared(t)
	for _, line := range rightsTable {
		source := line.where(p.source)
		t.Run(line.method+" "+line.path, func(t *testing.T) {
			for place, role := range roleOrder {
				answer := line.ask(t, source.As(harness.Person(role)), nil)
				want := 403
				if place >= slices.Index(roleOrder, line.least) {
					want = line.status
				}
				if answer.Status != want {
					t.Errorf("%s gets %d, not %d", role, answer.Status, want)
				}
			}
			for name, user := range map[string]*pluginv2.User{"a role nobody knows": harness.Person("Root"), "an empty role": harness.Person("")} {
				if answer := line.ask(t, source.As(user), nil); answer.Status != 403 {
					t.Errorf("%s gets %d", name, answer.Status)
				}
			}
			if answer := line.ask(t, source.As(nil), nil); answer.Status != 403 {
				t.Errorf("nobody gets %d", answer.Status)
			}
			other := source.As(harness.Person("Admin"))
			other.NoSettings = !line.without
			if answer := line.ask(t, other, nil); answer.Status != 400 {
				t.Errorf("where it does not belong it answers %d", answer.Status)
			}
		})
	}
}

func TestTheTableIsThatOfOpenAPI(t *testing.T) {
	p := shared(t)
	answer, err := p.source.As(harness.Person("Viewer")).Get(within(t), "openapi.json")
	must(t, err)
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	must(t, answer.JSON(&document))
	if !strings.HasPrefix(document.OpenAPI, "3.1") {
		t.Errorf("it is OpenAPI %q", document.OpenAPI)
	}
	// Names in braces stand for what the table has there.
	names := strings.NewReplacer("{device}", "boiler", "{point}", "setpoint", "{command}", "none", "{id}", "none", "{uid}", "none", "{connection}", "none", "{profile}", "eastron-sdm630")
	described := map[string]bool{}
	for path, item := range document.Paths {
		for method, operation := range item {
			if method == "servers" {
				continue
			}
			var about struct {
				Least string `json:"x-least-role"`
			}
			must(t, json.Unmarshal(operation, &about))
			if about.Least == "command" {
				about.Least = "Editor"
			}
			described[strings.ToUpper(method)+" "+strings.TrimPrefix(names.Replace(path), "/")+" "+about.Least] = true
		}
	}
	written := map[string]bool{}
	for _, line := range rightsTable {
		if !strings.Contains(line.path, "?") {
			written[line.method+" "+line.path+" "+line.least] = true
		}
	}
	if !maps.Equal(described, written) {
		for line := range described {
			if !written[line] {
				t.Errorf("openapi.json has %s", line)
			}
		}
		for line := range written {
			if !described[line] {
				t.Errorf("openapi.json has no %s", line)
			}
		}
	}
}

func TestOnlyTheMethodThatWasSentCounts(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	overrides := map[string]string{"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST", "X-Original-URL": "/devices/boiler/points/setpoint"}
	for _, line := range rightsTable {
		for _, method := range []string{"PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", ""} {
			answer := line.ask(t, line.where(p.source).As(harness.Person("Admin")), func(request *harness.Request) {
				request.Method, request.Headers = method, overrides
			})
			if answer.Status != 405 || answer.Header("Allow") == "" {
				t.Errorf("%q on %s answers %d and allows %q", method, line.path, answer.Status, answer.Header("Allow"))
			}
		}
		if line.method == "POST" {
			answer := line.ask(t, p.source, func(request *harness.Request) { request.Method, request.Headers = "GET", overrides })
			if answer.Status != 200 && answer.Status != 405 {
				t.Errorf("GET on %s with overrides answers %d", line.path, answer.Status)
			}
		}
	}
	holds(t, p, setpoint, 500.0)
}

func TestAChangeIsJSONOnly(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	for _, line := range rightsTable {
		if line.method != "POST" {
			continue
		}
		for _, kind := range []string{"", "text/plain", "text/plain;application/json", "application/x-www-form-urlencoded", "multipart/form-data", "application/json, text/plain", "application/json; charset=utf-16"} {
			answer := line.ask(t, p.source.As(harness.Person("Admin")), func(request *harness.Request) {
				request.Headers = map[string]string{"Content-Type": kind}
				request.Body = `{"value": 60}`
			})
			if answer.Status != 415 {
				t.Errorf("%q on %s answers %d", kind, line.path, answer.Status)
			}
		}
	}
	holds(t, p, setpoint, 500.0)
}

func TestNoSpellingOfAPathGoesRoundTheTable(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	spellings := map[string]func(string) string{
		"a slash before":              func(path string) string { return "//" + path },
		"a slash behind":              func(path string) string { return path + "/" },
		"two slashes":                 func(path string) string { return strings.Replace(path, "/", "//", 1) },
		"a dot":                       func(path string) string { return "./" + path },
		"up and down":                 func(path string) string { return "schema/../" + path },
		"up, encoded":                 func(path string) string { return "schema/%2e%2e/" + path },
		"up, encoded twice":           func(path string) string { return "schema/%252e%252e/" + path },
		"up, overlong":                func(path string) string { return "schema/%c0%ae%c0%ae/" + path },
		"a slash, encoded":            func(path string) string { return strings.Replace(path, "/", "%2f", 1) },
		"a slash, overlong":           func(path string) string { return strings.Replace(path, "/", "%c0%af", 1) },
		"a slash, encoded twice":      func(path string) string { return strings.Replace(path, "/", "%252f", 1) },
		"a backslash":                 func(path string) string { return strings.Replace(path, "/", `\`, 1) },
		"a zero byte":                 func(path string) string { return path + "%00" },
		"a zero byte and an ending":   func(path string) string { return path + "%00.json" },
		"a real zero byte":            func(path string) string { return path + "\x00" },
		"a semicolon":                 func(path string) string { return path + ";x=1" },
		"a question mark, encoded":    func(path string) string { return path + "%3fx=1" },
		"a broken percent":            func(path string) string { return path + "%" },
		"half a character":            func(path string) string { return path + "%e2%82" },
		"capitals":                    strings.ToUpper,
		"a blank":                     func(path string) string { return path + "%20" },
		"a header after a line break": func(path string) string { return path + "%0d%0aX-Grafana-Role:%20Admin" },
	}
	for name, spell := range spellings {
		t.Run(name, func(t *testing.T) {
			for _, line := range rightsTable {
				plain, _, _ := strings.Cut(line.path, "?")
				path := spell(plain)
				if path == plain {
					continue
				}
				answer := line.ask(t, line.where(p.source).As(harness.Person("Admin")), func(request *harness.Request) { request.Path, request.Query = path, nil })
				if answer.Status != 400 && answer.Status != 404 {
					t.Errorf("%s %s answers %d", line.method, path, answer.Status)
				}
			}
		})
	}
	holds(t, p, setpoint, 500.0)
}

func TestWhoIsNoPersonChangesNothing(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	scheduler, anonymous, public := harness.Person("Admin"), harness.Person("Admin"), harness.Person("Viewer")
	scheduler.Login, anonymous.Login, public.Login = "grafana_scheduler", "", ""
	for name, user := range map[string]*pluginv2.User{"an alert rule": scheduler, "an anonymous Admin": anonymous, "a public dashboard": public} {
		t.Run(name, func(t *testing.T) {
			for _, line := range rightsTable {
				answer := line.ask(t, line.where(p.source).As(user), nil)
				if line.method != "GET" && answer.Status != 403 {
					t.Errorf("%s %s answers %d", line.method, line.path, answer.Status)
				}
				if line.method == "GET" && line.least == "Viewer" && answer.Status != 200 {
					t.Errorf("%s %s answers %d", line.method, line.path, answer.Status)
				}
			}
		})
	}
	holds(t, p, setpoint, 500.0)
}

// TestWhatViewersReadNamesNoHostTopicOrSecret asks everything a Viewer can, of a data source where much is wrong, and looks for what must not be there.
func TestWhatViewersReadNamesNoHostTopicOrSecret(t *testing.T) {
	p := shared(t)
	const mark = "hidden"
	dead, err := harness.FreePort()
	must(t, err)
	house := mqttBroker(p.broker.Port)
	house["clientId"], house["username"] = mark+"-client", mark+"-user"
	noBroker := mqttBroker(dead)
	noBroker["id"], noBroker["username"] = "dead", mark+"-user"
	lost := object{"id": "lost", "kind": "modbus", "transport": object{"type": "tcp", "host": mark + "-host.invalid"}}
	topics := func(id, connection, topic string) object {
		return object{"id": id, "connection": connection, "points": list{object{"id": "x", "address": object{"topic": topic}}}}
	}
	secretive := source(p.plugin, settings(
		list{plc(p.modbus.Port), house, noBroker, lost},
		list{boiler("plc"), topics("hall", "broker", mark+"/x"), topics("attic", "dead", mark+"/y"), topics("broken", "broker", mark+"/#/z")},
	))
	secretive.Secrets = map[string]string{"broker.password": mark + "-secret", "dead.password": mark + "-secret"}
	reads(t, secretive, "boiler", "serial_no", "FG-2026-0001")
	eventually(t, patience, func() error {
		answer, err := secretive.Get(within(t), "connections")
		if err == nil && (strings.Count(string(answer.Body), `"down"`) < 2 || !strings.Contains(string(answer.Body), mark)) {
			err = fmt.Errorf("not wrong enough yet: %s", answer.Body)
		}
		return err
	})

	viewer := secretive.As(harness.Person("Viewer"))
	said := map[string]string{}
	paths := []string{"nothing", "devices/%ff", "devices?label=x", "suggest?what=x", "devices/attic", "devices/hall/points", "devices/attic/points/x", "devices/broken", "devices/attic/points/x?fresh=1"}
	for _, what := range []string{"devices", "points", "labels", "commands", "connections", "profiles"} {
		paths = append(paths, "suggest?what="+what, "suggest?what="+what+"&prefix="+mark)
	}
	for _, line := range rightsTable {
		if line.method == "GET" && !strings.Contains(line.path, "?") {
			paths = append(paths, line.path)
		}
	}
	for _, path := range paths {
		answer, err := viewer.Get(within(t), path)
		must(t, err)
		said["GET "+path] = fmt.Sprint(answer.Headers, string(answer.Body))
	}
	for _, line := range rightsTable {
		if line.method != "GET" {
			answer, err := line.where(viewer).CallResource(within(t), harness.Request{Method: line.method, Path: line.path, Body: line.body})
			must(t, err)
			said[line.method+" "+line.path] = string(answer.Body)
		}
	}
	health, err := viewer.CheckHealth(within(t))
	must(t, err)
	wantWords(t, health.Message, "dead", "lost")
	said["health"] = health.Message + string(health.JSONDetails)
	metrics, err := p.plugin.CollectMetrics(within(t))
	must(t, err)
	said["metrics"] = string(metrics)
	from, to := lately()
	for _, kind := range []string{"telemetry", "latest", "status", "commands", "messages", "bus", "explain", "survey"} {
		for _, devices := range []string{"*", "nobody"} {
			model := object{"queryType": kind, "devices": list{devices}, "quality": "all", "live": true}
			response, err := viewer.QueryRaw(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
			must(t, err)
			said[kind+" of "+devices] = response.String()
		}
	}
	packets := ""
	stream := runLive(t, viewer, object{"queryType": "telemetry", "devices": list{"*"}, "live": true})
	for range 3 {
		packet, err := stream.Next(patience)
		must(t, err)
		packets += string(packet)
	}
	stream.Cancel()
	said["live"] = packets

	for what, text := range said {
		for _, word := range []string{mark, "127.0.0.1", "home/room-1"} {
			if at := strings.Index(text, word); at >= 0 {
				t.Errorf("%q is in %s: …%s…", word, what, text[max(0, at-100):min(len(text), at+100)])
			}
		}
	}
}

func TestRightsAreLookedAtWithEveryQuestion(t *testing.T) {
	p := shared(t)
	person := harness.Person("Admin")
	if answer := (right{"POST", "config/check", "Admin", 200, object{}, false}).ask(t, p.source.As(person), nil); answer.Status != 200 {
		t.Fatalf("an Admin gets %d", answer.Status)
	}
	person.Role = "Viewer"
	if answer := (right{"POST", "config/check", "Admin", 200, object{}, false}).ask(t, p.source.As(person), nil); answer.Status != 403 {
		t.Errorf("the same person as a Viewer gets %d", answer.Status)
	}
	stricter := settings(list{plc(p.modbus.Port)}, list{boiler("plc")})
	stricter["rights"] = object{"command": "Admin"}
	looser := settings(list{plc(p.modbus.Port)}, list{boiler("plc")})
	gateway := source(p.plugin, looser)
	reads(t, gateway, "boiler", "serial_no", "FG-2026-0001")
	wantState(t, set(t, gateway, "boiler.setpoint", object{"value": 50}), 200, "verified")
	gateway = gateway.Changed(stricter)
	wantProblem(t, set(t, gateway, "boiler.setpoint", object{"value": 51}), 403, "Admin")
	gateway.Updated = gateway.Updated.Add(-2 * time.Second)
	gateway.Settings = looser
	// Whoever sends settings from before the change is not taken for the one who made them.
	wantProblem(t, set(t, gateway, "boiler.setpoint", object{"value": 52}), 403, "Admin")
}
