package host

import (
	"fmt"
	"testing"

	"fieldgate/test/host/harness"
)

// Whoever writes there gets no answer while the far end is told to hold.
var heldRegister = harness.Register{"table": "holding", "register": 310, "type": "int16", "order": "AB"}

func TestACommandThatAKillCutsOffIsUnknownAndNeverSentAgain(t *testing.T) {
	modbus, err := harness.StartModbus(0)
	must(t, err)
	defer modbus.Kill()
	folder := t.TempDir()
	line := plc(modbus.Port)
	line["timeout"] = "30s"
	gateway := settings(list{line}, list{object{
		"id": "valve", "connection": "plc", "address": object{"unitId": 1}, "interval": "1h",
		"points": list{object{"id": "level", "address": object{"table": "holding", "register": 310, "type": "int16"}, "access": "read-write"}},
	}})
	first, err := harness.Start(harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	must(t, err)
	defer first.Stop()
	asked := source(first, gateway)
	reads(t, asked, "valve", "level", 0.0)
	must(t, modbus.Hold(true))
	post := func(key string, value int, wait string) harness.Answer {
		answer, err := asked.CallResource(within(t), harness.Request{
			Method: "POST", Path: "devices/valve/points/level", Body: object{"value": value, "wait": wait}, Headers: map[string]string{"Idempotency-Key": key},
		})
		must(t, err)
		return answer
	}
	cutOff := stateOf(t, post("cut-off", 7, "0s"))
	eventually(t, patience, func() error {
		if state := recordOf(t, asked, cutOff.ID).State; state != "sent" {
			return fmt.Errorf("it is %s", state)
		}
		return nil
	})
	waits := stateOf(t, post("waits", 8, "0s"))
	if waits.State != "queued" {
		t.Errorf("the one behind it is %s", waits.State)
	}
	must(t, first.Kill(within(t)))
	must(t, modbus.Hold(false))
	eventually(t, patience, func() error {
		held, err := modbus.Get(heldRegister)
		if err == nil && held != 7.0 {
			err = fmt.Errorf("it holds %v", held)
		}
		return err
	})
	// What somebody else sets meanwhile stays: nothing is sent again.
	must(t, modbus.Set(heldRegister, 3))

	asked.Plugin = start(t, harness.Options{Dir: folder, Env: dataIn(folder + "/data")})
	eventually(t, patience, func() error {
		if found := recordOf(t, asked, cutOff.ID); found.State != "unknown" || found.ReadBack != 3.0 {
			return fmt.Errorf("it is %s and reads %v", found.State, found.ReadBack)
		}
		return nil
	})
	if found := recordOf(t, asked, waits.ID); found.State != "unknown" {
		t.Errorf("the one that waited is %s", found.State)
	}
	for key, id := range map[string]string{"cut-off": cutOff.ID, "waits": waits.ID} {
		value := map[string]int{"cut-off": 7, "waits": 8}[key]
		if again := wantState(t, post(key, value, "5s"), 504, "unknown"); again.ID != id {
			t.Errorf("the same key is another command: %s, not %s", again.ID, id)
		}
	}
	held, err := modbus.Get(heldRegister)
	must(t, err)
	if held != 3.0 {
		t.Errorf("it was sent again: the device holds %v", held)
	}
	wantState(t, post("another", 9, "10s"), 200, "verified")
}

func stateOf(t *testing.T, answer harness.Answer) command {
	t.Helper()
	var said command
	must(t, answer.JSON(&said))
	if answer.Status != 202 {
		t.Fatalf("it answers %d: %s", answer.Status, answer.Body)
	}
	return said
}

func recordOf(t *testing.T, source harness.Source, id string) command {
	t.Helper()
	answer, err := source.Get(within(t), "commands/"+id)
	must(t, err)
	var said command
	must(t, answer.JSON(&said))
	return said
}
