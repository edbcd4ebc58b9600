package host

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

// ownerVariable makes the test binary a Grafana that owns a plugin and does nothing else until it is killed.
const ownerVariable = "FIELDGATE_TEST_OWNS_IN"

// owned is what the owner says about its plugin.
type owned struct {
	Pid     int
	Address string
}

// ownPlugin is the owner's main: it launches the plugin, says where it is, and waits for its own death.
func ownPlugin() int {
	plugin, err := harness.Start(harness.Options{Dir: os.TempDir(), Env: dataIn(os.Getenv(ownerVariable))})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	line, err := json.Marshal(owned{Pid: plugin.Pid(), Address: plugin.Address})
	if err != nil {
		return 1
	}
	fmt.Println(string(line))
	// Longer than any test; then nobody is left to kill us.
	time.Sleep(2 * time.Minute)
	plugin.Stop()
	return 1
}

// startOwner runs an owner with a plugin on this data folder.
func startOwner(t *testing.T, folder string) (*exec.Cmd, owned) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), ownerVariable+"="+folder)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var plugin owned
	must(t, json.NewDecoder(stdout).Decode(&plugin))
	return cmd, plugin
}

// gone says whether a process has ended. An orphan may stay in the table as a zombie where nobody reaps it.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	var number int
	var name string
	var state byte
	_, err = fmt.Sscanf(string(stat), "%d %s %c", &number, &name, &state)
	return err == nil && (state == 'Z' || state == 'X')
}
