package host

import (
	"fmt"
	"testing"

	"fieldgate/test/host/harness"
)

// The simulated edge node announces a press to the executable; it is read, set and verified, and its death is seen.
func TestAnEdgeNodeOfSparkplugIsADeviceThatObeys(t *testing.T) {
	simulators, err := harness.StartSimulators()
	must(t, err)
	defer simulators.Close()
	plugin := start(t, harness.Options{})
	broker := mqttBroker(simulators.MQTTPort)
	broker["protocolVersion"] = 4 // What the simulated broker speaks.
	broker["sparkplug"] = object{"hostId": "host-test", "commands": "devices", "reorderTimeout": "500ms"}
	desk := source(plugin, settings(list{broker}, list{}))

	const press = "Desk-Line.201-Press"
	eventually(t, patience, func() error {
		if row := deviceRows(t, desk)[press]; row.State != "online" || row.Labels["node"] != "Line 1" {
			return fmt.Errorf("the press is %+v", row)
		}
		return nil
	})
	answer, err := desk.Post(within(t), "devices/"+press+"/points/Settings_Force", object{"value": 7.5})
	must(t, err)
	var said struct {
		State    string
		ReadBack float64
	}
	must(t, answer.JSON(&said))
	if said.State != "verified" || said.ReadBack != 7.5 {
		t.Fatalf("the command ended as %+v (%d)", said, answer.Status)
	}
	simulators.Close()
	eventually(t, patience, func() error {
		if row := deviceRows(t, desk)[press]; row.State == "online" {
			return fmt.Errorf("the press is %+v after its end", row)
		}
		return nil
	})
}
