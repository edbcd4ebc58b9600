package harness

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Simulators are the project's own devices, good and bad, in a process of their own.
type Simulators struct {
	*process
	MQTTPort   int
	ModbusPort int
	folder     string
}

// StartSimulators starts them on free ports, those that misbehave among them.
func StartSimulators() (*Simulators, error) {
	folder, err := os.MkdirTemp("", "fieldgate-simulators-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(Root(), "node_modules/.bin/node"), filepath.Join(Root(), "simulators/main.ts"), "--faults",
		"--mqtt-port", "0", "--modbus-port", "0", "--serial-path", filepath.Join(folder, "uno"), "--rtu-path", filepath.Join(folder, "rs485"),
		"--gps-path", filepath.Join(folder, "gps"), "--board-path", filepath.Join(folder, "board"))
	far, lines, err := launchTelling(cmd)
	if err != nil {
		return nil, err
	}
	simulators := &Simulators{process: far, folder: folder}
	timer := time.AfterFunc(farStartMax, far.Kill)
	defer timer.Stop()
	if lines.Scan() {
		if err := json.Unmarshal(lines.Bytes(), simulators); err == nil && simulators.ModbusPort > 0 {
			return simulators, nil
		}
	}
	simulators.Close()
	return nil, fmt.Errorf("the simulators did not start: %s", far.said.String())
}

// Close asks them to end, so that their serial ports go with them, and makes sure that they do.
func (s *Simulators) Close() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.gone:
	case <-time.After(5 * time.Second):
		s.Kill()
	}
	_ = os.RemoveAll(s.folder)
}
