package host

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

// grafanaEnv is all a process gets from go-plugin (facts: §1.3), where a test launches it without go-plugin to see its pipes.
func grafanaEnv(more ...string) []string {
	return append([]string{
		"grafana_plugin_type=datasource", "PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000", "PLUGIN_PROTOCOL_VERSIONS=2", "GF_VERSION=12.4.0",
	}, more...)
}

// bare launches the executable without go-plugin.
func bare(t *testing.T, env []string) *exec.Cmd {
	t.Helper()
	path, err := harness.Executable()
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path)
	// An empty list would mean "inherit": a test of an empty environment must not.
	cmd.Env = append([]string{}, env...)
	cmd.Dir = t.TempDir()
	return cmd
}

func TestStartsWithNothingButGrafanasEnvironmentInAnyFolder(t *testing.T) {
	for _, folder := range []string{"/", t.TempDir()} {
		plugin := start(t, harness.Options{Dir: folder})
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", plugin.Pid()))
		must(t, err)
		for variable := range strings.SplitSeq(strings.Trim(string(environ), "\x00"), "\x00") {
			if !regexp.MustCompile(`^(GF_|PLUGIN_|grafana_plugin_type=)`).MatchString(variable) {
				t.Fatalf("the test passed on %s, which Grafana does not", variable)
			}
		}
		must(t, plugin.Ping())
	}
}

func TestStdoutCarriesOneLineTheHandshake(t *testing.T) {
	cmd := bare(t, grafanaEnv())
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatal("nothing on stdout")
	}
	if !regexp.MustCompile(`^1\|2\|unix\|/[^|]+\|grpc\|?$`).MatchString(lines.Text()) {
		t.Errorf("the handshake is %q", lines.Text())
	}
	// Even while it ends, nothing more may come.
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	for lines.Scan() {
		t.Errorf("more on stdout: %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("SIGTERM is not an orderly end: %v", err)
	}
}

func TestSIGINTIsForGrafanaNotForItsPlugins(t *testing.T) {
	plugin := start(t, harness.Options{})
	process, err := os.FindProcess(plugin.Pid())
	must(t, err)
	must(t, process.Signal(syscall.SIGINT))
	time.Sleep(300 * time.Millisecond)
	must(t, plugin.Ping())
}

func TestTheSocketIsInAPrivateFolder(t *testing.T) {
	plugin := start(t, harness.Options{})
	if plugin.Network != "unix" {
		t.Fatalf("it listens on %s %s", plugin.Network, plugin.Address)
	}
	wantMode(t, filepath.Dir(plugin.Address), 0o700)
	plugin.Stop()
	if _, err := os.Stat(filepath.Dir(plugin.Address)); !os.IsNotExist(err) {
		t.Errorf("the folder of the socket is left behind: %v", err)
	}
}

func TestTheSocketIsWherePLUGIN_UNIX_SOCKET_DIRSays(t *testing.T) {
	// Not t.TempDir: with this test's name in it, it is too deep for a socket.
	folder, err := os.MkdirTemp("", "given-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	plugin := start(t, harness.Options{Env: []string{"PLUGIN_UNIX_SOCKET_DIR=" + folder}})
	if !strings.HasPrefix(plugin.Address, folder+"/") {
		t.Errorf("the socket is %s, not in %s", plugin.Address, folder)
	}
	// The folder given may be open to others; then the socket itself must not be, or be in a private folder of its own.
	if filepath.Dir(plugin.Address) != folder {
		wantMode(t, filepath.Dir(plugin.Address), 0o700)
	} else {
		wantMode(t, plugin.Address, 0o600)
	}
	plugin.Stop()
	left, err := os.ReadDir(folder)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("%v is left in the folder", left)
	}
}

func wantMode(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != mode {
		t.Errorf("%s has mode %o, not %o", path, info.Mode().Perm(), mode)
	}
}

// refuses runs the executable to its end and returns what it said.
func refuses(t *testing.T, env []string) (stdout, stderr string) {
	t.Helper()
	cmd := bare(t, env)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	began := time.Now()
	failed := cmd.Run()
	if failed == nil {
		t.Errorf("it ended with 0: %s", err.String())
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s to refuse", took)
	}
	return out.String(), err.String()
}

func TestAPersonWhoRunsItByHandIsToldWhatItIs(t *testing.T) {
	for name, env := range map[string][]string{
		"no cookie":    {"PLUGIN_PROTOCOL_VERSIONS=2"},
		"other cookie": {"grafana_plugin_type=panel", "PLUGIN_PROTOCOL_VERSIONS=2"},
		"nothing":      {},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := refuses(t, env)
			if strings.Contains(stdout, "|grpc") {
				t.Errorf("it printed a handshake: %q", stdout)
			}
			wantWords(t, stdout+stderr, "plugin", "Grafana")
		})
	}
}

func TestATLSHostIsRefusedWithAClearLine(t *testing.T) {
	plugin, err := harness.Start(harness.Options{AutoMTLS: true, Dir: t.TempDir()})
	if err == nil {
		plugin.Stop()
		t.Fatal("it speaks TLS")
	}
	wantError(t, plugin, "PLUGIN_CLIENT_CERT")
}

// wantError waits until Grafana's own log has an error that says this. What is no log entry arrives there as a debug message, which is
// not shown unless somebody asks for it.
func wantError(t *testing.T, plugin *harness.Plugin, word string) {
	t.Helper()
	eventually(t, patience, func() error {
		for _, line := range plugin.Log.All() {
			var entry map[string]any
			must(t, json.Unmarshal([]byte(line), &entry))
			if message, _ := entry["@message"].(string); entry["@level"] == "error" && strings.Contains(message, word) {
				return nil
			}
		}
		return fmt.Errorf("no error in Grafana's log says %s; on stderr is: %s", word, plugin.Said())
	})
}

func TestAHostOfAnotherProtocolVersionIsRefusedWithAClearLine(t *testing.T) {
	env := []string{"grafana_plugin_type=datasource", "PLUGIN_PROTOCOL_VERSIONS=7"}
	stdout, stderr := refuses(t, env)
	if strings.Contains(stdout, "|grpc") {
		t.Errorf("it printed a handshake: %q", stdout)
	}
	wantWords(t, stderr, "protocol", "7", "2")
}

func TestNothingIsWrittenIntoThePluginsOwnFolder(t *testing.T) {
	path, err := harness.Executable()
	must(t, err)
	before := tree(t, filepath.Dir(path))
	plugin := start(t, harness.Options{})
	_, err = source(plugin, object{}).CheckHealth(within(t))
	must(t, err)
	plugin.Stop()
	if after := tree(t, filepath.Dir(path)); after != before {
		t.Errorf("Grafana would call the signature modified. Before:\n%s\nAfter:\n%s", before, after)
	}
}

func tree(t *testing.T, folder string) string {
	t.Helper()
	var names []string
	must(t, filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			names = append(names, fmt.Sprintf("%s %d", path, info.Size()))
		}
		return err
	}))
	return strings.Join(names, "\n")
}
