package host

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"

	"fieldgate/test/host/harness"
)

// command is the answer to a set.
type command struct {
	ID       string
	State    string
	Value    any
	ReadBack any
	Device   string
	Point    string
	Detail   string
	Reason   string
	User     struct{ Login, Name, Role string }
	Times    map[string]float64
}

func set(t *testing.T, source harness.Source, place string, body any) harness.Answer {
	t.Helper()
	device, point, _ := strings.Cut(place, ".")
	answer, err := source.Post(within(t), fmt.Sprintf("devices/%s/points/%s", device, point), body)
	must(t, err)
	return answer
}

// wantState checks how a command ended.
func wantState(t *testing.T, answer harness.Answer, status int, state string) command {
	t.Helper()
	var said command
	must(t, answer.JSON(&said))
	if answer.Status != status || said.State != state {
		t.Fatalf("it answers %d %s, not %d %s: %s", answer.Status, said.State, status, state, answer.Body)
	}
	return said
}

func holds(t *testing.T, p *plant, place harness.Register, value any) {
	t.Helper()
	held, err := p.modbus.Get(place)
	must(t, err)
	if held != value {
		t.Errorf("the device holds %v, not %v", held, value)
	}
}

func TestASetPointIsSetAndReadBack(t *testing.T) {
	p := shared(t)
	said := wantState(t, set(t, p.source, "boiler.setpoint", object{"value": 55.5, "reason": "a test"}), 200, "verified")
	if said.ReadBack != 55.5 || said.Value != 55.5 || said.Device != "boiler" || said.Point != "setpoint" || said.ID == "" {
		t.Errorf("%+v", said)
	}
	if said.User.Login != "editor" || said.User.Role != "Editor" {
		t.Errorf("its author is %+v", said.User)
	}
	for _, state := range []string{"queued", "sent", "acknowledged", "verified"} {
		if said.Times[state] == 0 {
			t.Errorf("no time of %s in %v", state, said.Times)
		}
	}
	holds(t, p, setpoint, 555.0)
}

func TestACoilIsSetByTheNameOfItsState(t *testing.T) {
	p := shared(t)
	wantState(t, set(t, p.source, "boiler.pump", object{"value": "on"}), 200, "verified")
	holds(t, p, pump, true)
	wantState(t, set(t, p.source, "boiler.pump", object{"value": false}), 200, "verified")
	holds(t, p, pump, false)
}

func TestALampIsSetByMessageAndVerifiedByItsOwnWord(t *testing.T) {
	p := shared(t)
	wantState(t, set(t, p.source, "room-1.light", object{"value": "on"}), 200, "verified")
	wantState(t, set(t, p.source, "room-1.light", object{"value": "off"}), 200, "verified")
}

func TestADeviceThatSaysYesAndDoesNotDoItIsAMismatch(t *testing.T) {
	p := shared(t)
	said := wantState(t, set(t, p.source, "boiler.stubborn", object{"value": 7}), 502, "mismatch")
	if said.ReadBack != 0.0 {
		t.Errorf("it reads back %v", said.ReadBack)
	}
}

func TestADeviceThatSaysNoIsAFailure(t *testing.T) {
	p := shared(t)
	said := wantState(t, set(t, p.source, "boiler.refusing", object{"value": 7}), 502, "failed")
	wantWords(t, said.Detail, "exception 3")
}

func TestLimitsAreCheckedBeforeAnythingIsSent(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	for name, test := range map[string]struct {
		value  any
		status int
		words  string
	}{
		"above the highest":  {95, 422, "90"},
		"below the lowest":   {5, 422, "20"},
		"between two steps":  {50.3, 422, "0.5"},
		"beyond the numbers": {1e300, 422, "90"},
		"no number":          {"warm", 400, "number"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := set(t, p.source, "boiler.setpoint", object{"value": test.value})
			wantProblem(t, answer, test.status, test.words)
			holds(t, p, setpoint, 500.0)
		})
	}
}

func TestWhoeverExpectsSomethingElseGetsAConflict(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	wantProblem(t, set(t, p.source, "boiler.setpoint", object{"value": 60, "expect": 40}), 409, "50")
	holds(t, p, setpoint, 500.0)
	wantState(t, set(t, p.source, "boiler.setpoint", object{"value": 60, "expect": 50}), 200, "verified")
}

func TestOnlyARoleThatMayCommandsMay(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	body := object{"value": 61}
	for name, user := range map[string]*pluginv2.User{
		"Viewer": harness.Person("Viewer"), "no role": harness.Person("None"), "a role nobody has": harness.Person("Root"),
	} {
		t.Run(name, func(t *testing.T) { wantProblem(t, set(t, p.source.As(user), "boiler.setpoint", body), 403) })
	}
	t.Run("nobody", func(t *testing.T) { wantProblem(t, set(t, p.source.As(nil), "boiler.setpoint", body), 403) })
	t.Run("the alert scheduler", func(t *testing.T) {
		scheduler := harness.Person("Admin")
		scheduler.Login = "grafana_scheduler"
		wantProblem(t, set(t, p.source.As(scheduler), "boiler.setpoint", body), 403)
	})
	t.Run("a stricter gateway", func(t *testing.T) {
		stricter := settings(list{plc(p.modbus.Port)}, list{boiler("plc")})
		stricter["rights"] = object{"command": "Admin"}
		strict := source(p.plugin, stricter)
		reads(t, strict, "boiler", "serial_no", "FG-2026-0001")
		wantProblem(t, set(t, strict, "boiler.setpoint", body), 403, "Admin")
		holds(t, p, setpoint, 500.0)
		wantState(t, set(t, strict.As(harness.Person("Admin")), "boiler.setpoint", body), 200, "verified")
	})
	holds(t, p, setpoint, 610.0)
}

func TestACommandNeedsADataSource(t *testing.T) {
	p := shared(t)
	bare := p.source
	bare.NoSettings = true
	answer := set(t, bare, "boiler.setpoint", object{"value": 55})
	if answer.Status != 403 && answer.Status != 404 && answer.Status != 400 {
		t.Errorf("status %d: %s", answer.Status, answer.Body)
	}
}

func TestACommandIsAPOSTOfJSON(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	const path = "devices/boiler/points/setpoint"
	call := func(method string, body any, headers map[string]string) harness.Answer {
		answer, err := p.source.CallResource(within(t), harness.Request{Method: method, Path: path, Body: body, Headers: headers})
		must(t, err)
		return answer
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		wantProblem(t, call(method, object{"value": 55}, nil), 405)
	}
	wantProblem(t, call("POST", "value=55", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}), 415, "application/json")
	wantProblem(t, call("POST", "value=55", map[string]string{"Content-Type": "text/plain"}), 415, "application/json")
	for name, body := range map[string]any{
		"broken JSON": `{"value": `, "no object": `[55]`, "nothing": ``, "no value": object{}, "an unknown field": object{"value": 55, "valu": 60},
		"a value that is an object": object{"value": object{}}, "a wait that is no duration": object{"value": 55, "wait": "long"},
	} {
		t.Run(name, func(t *testing.T) { wantProblem(t, call("POST", body, nil), 400) })
	}
	holds(t, p, setpoint, 500.0)
}

func TestWhatCannotBeSetSaysSo(t *testing.T) {
	p := shared(t)
	wantProblem(t, set(t, p.source, "cellar.setpoint", object{"value": 1}), 404, "cellar")
	wantProblem(t, set(t, p.source, "boiler.nothing", object{"value": 1}), 404, "nothing")
	answer := set(t, p.source, "boiler.flow_temp", object{"value": 1})
	if answer.Status < 400 || answer.Status > 499 {
		t.Errorf("a point that is only read answers %d: %s", answer.Status, answer.Body)
	}
	wantWords(t, string(answer.Body), "flow_temp")
}

func TestARepeatedRequestIsOneCommand(t *testing.T) {
	p := shared(t)
	key := fmt.Sprintf("key-%d", time.Now().UnixNano())
	var ids []string
	for range 2 {
		answer, err := p.source.CallResource(within(t), harness.Request{
			Method: "POST", Path: "devices/boiler/points/setpoint", Body: object{"value": 44}, Headers: map[string]string{"Idempotency-Key": key},
		})
		must(t, err)
		ids = append(ids, wantState(t, answer, 200, "verified").ID)
	}
	if ids[0] != ids[1] {
		t.Errorf("two commands: %v", ids)
	}
}

func TestCommandsAreRecordedWithTheirAuthorAndEnd(t *testing.T) {
	p := shared(t)
	said := wantState(t, set(t, p.source, "boiler.setpoint", object{"value": 47, "reason": "for the record"}), 200, "verified")
	answer, err := p.source.Get(within(t), "commands/"+said.ID)
	must(t, err)
	record := wantState(t, answer, 200, "verified")
	if record.User.Login != "editor" || record.Reason != "for the record" || record.ReadBack != 47.0 {
		t.Errorf("the record is %+v", record)
	}
	answer, err = p.source.Get(within(t), "commands")
	must(t, err)
	wantWords(t, string(answer.Body), said.ID)
	answer, err = p.source.As(harness.Person("Viewer")).Get(within(t), "commands")
	must(t, err)
	wantProblem(t, answer, 403)
}

func TestACommandToADeviceThatIsAwayIsNotSentLater(t *testing.T) {
	p := shared(t)
	modbus, err := harness.StartModbus(0)
	must(t, err)
	defer func() { modbus.Kill() }()
	port := modbus.Port
	away := source(p.plugin, settings(list{plc(port)}, list{boiler("plc")}))
	reads(t, away, "boiler", "setpoint", 0.0)
	modbus.Kill()
	eventually(t, patience, func() error {
		answer := set(t, away, "boiler.setpoint", object{"value": 33})
		// In the moment before the loss is noticed nobody knows whether it arrived.
		if answer.Status == 504 {
			return fmt.Errorf("still %d", answer.Status)
		}
		if answer.Status != 503 {
			t.Fatalf("status %d: %s", answer.Status, answer.Body)
		}
		return nil
	})
	again, err := harness.StartModbus(port)
	must(t, err)
	modbus = again
	reads(t, away, "boiler", "setpoint", 0.0)
	time.Sleep(300 * time.Millisecond)
	held, err := modbus.Get(setpoint)
	must(t, err)
	if held != 0.0 {
		t.Errorf("the command was sent later: it holds %v", held)
	}
}
