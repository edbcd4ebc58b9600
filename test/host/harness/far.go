package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// farStartMax is how long a far end may take until it listens; Python takes seconds on a busy machine.
const farStartMax = 20 * time.Second

// FreePort asks the system for a TCP port nobody has.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// process is a far end that listens on a port of 127.0.0.1. It is ended by its pid.
type process struct {
	Port int
	cmd  *exec.Cmd
	said Lines
	gone chan struct{}
}

// launch starts a program. What it says is kept for when it fails.
func launch(cmd *exec.Cmd, port int) (*process, error) {
	far := &process{Port: port, cmd: cmd, gone: make(chan struct{})}
	cmd.Stderr = &far.said
	if cmd.Stdout == nil {
		cmd.Stdout = &far.said
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait()
		close(far.gone)
	}()
	return far, nil
}

// launchTelling starts a program that tells what it does on its output, line by line.
func launchTelling(cmd *exec.Cmd) (*process, *bufio.Scanner, error) {
	// A pipe of the system's ends with the process and blocks nobody who waits for it.
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd.Stdout = writer
	far, err := launch(cmd, 0)
	_ = writer.Close()
	if err != nil {
		return nil, nil, err
	}
	return far, bufio.NewScanner(reader), nil
}

// listens waits until the port takes connections.
func (p *process) listens() error {
	deadline := time.After(farStartMax)
	for {
		conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", p.Port))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.gone:
			return fmt.Errorf("%s ended: %s", p.cmd.Path, p.said.String())
		case <-deadline:
			return fmt.Errorf("%s does not listen on port %d after %s", p.cmd.Path, p.Port, farStartMax)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Kill ends it at once, so that its sockets die with it. Any number of times.
func (p *process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
}

// find looks for a command also where Debian keeps its daemons.
func find(command string) string {
	if path, err := exec.LookPath(command); err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", command)
}

// Mosquitto is an MQTT broker of our own, never the one the system may have started.
type Mosquitto struct {
	*process
	folder string
}

// StartMosquitto starts one on the given port, or on a free one if it is 0. Everybody may use it unless the lines of more say otherwise.
func StartMosquitto(port int, more ...string) (*Mosquitto, error) {
	if port == 0 {
		var err error
		if port, err = FreePort(); err != nil {
			return nil, err
		}
	}
	folder, err := os.MkdirTemp("", "fieldgate-mosquitto-")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "mosquitto.conf")
	if len(more) == 0 {
		more = []string{"allow_anonymous true"}
	}
	text := fmt.Sprintf("listener %d 127.0.0.1\npersistence false\n%s\n", port, strings.Join(more, "\n"))
	// Started by root it would become the user mosquitto, who cannot read our folder.
	text += "user root\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	far, err := launch(exec.Command(find("mosquitto"), "-c", config), port)
	if err != nil {
		return nil, err
	}
	broker := &Mosquitto{process: far, folder: folder}
	if err := far.listens(); err != nil {
		broker.Close()
		return nil, err
	}
	return broker, nil
}

// OnlyFor are the lines of a broker's configuration that let in nobody but this user. The file is made in folder.
func OnlyFor(folder, user, password string) ([]string, error) {
	path := filepath.Join(folder, "passwords")
	if said, err := exec.Command("mosquitto_passwd", "-c", "-b", path, user, password).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mosquitto_passwd: %w: %s", err, said)
	}
	return []string{"allow_anonymous false", "password_file " + path}, nil
}

// Close ends it and removes its folder.
func (m *Mosquitto) Close() {
	m.Kill()
	_ = os.RemoveAll(m.folder)
}

// Publish sends one message with Debian's own client; with "-l" in more, one for each line.
func (m *Mosquitto) Publish(ctx context.Context, topic, payload string, more ...string) error {
	args := append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(m.Port), "-q", "1", "-t", topic}, more...)
	switch {
	case payload == "":
		args = append(args, "-n") // It takes an empty input for a mistake.
	case !slices.Contains(more, "-l"):
		args = append(args, "-s")
	}
	cmd := exec.CommandContext(ctx, find("mosquitto_pub"), args...)
	cmd.Stdin = strings.NewReader(payload)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mosquitto_pub: %w: %s", err, said)
	}
	return nil
}

// Feed publishes every line written to it on one topic, until it is closed; with QoS 0 unless more says otherwise.
func (m *Mosquitto) Feed(ctx context.Context, topic string, more ...string) (io.WriteCloser, error) {
	args := append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(m.Port), "-t", topic, "-l"}, more...)
	cmd := exec.CommandContext(ctx, find("mosquitto_pub"), args...)
	lines, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = cmd.Wait() }()
	return lines, nil
}

// Modbus is a Modbus TCP device made of pymodbus (test/far/modbus.py says which registers do what).
type Modbus struct {
	*process
	mutex sync.Mutex
	stdin io.Writer
	lines *bufio.Scanner
}

// StartModbus starts one on the given port, or on a free one if it is 0.
func StartModbus(port int) (*Modbus, error) {
	cmd := exec.Command("python3", "-u", filepath.Join(Root(), "test/far/modbus.py"), strconv.Itoa(port))
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(Root(), ".far/python"), "PYTHONDONTWRITEBYTECODE=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	far, lines, err := launchTelling(cmd)
	if err != nil {
		return nil, err
	}
	modbus := &Modbus{process: far, stdin: stdin, lines: lines}
	line, err := modbus.line(farStartMax)
	if err == nil {
		_, err = fmt.Sscanf(line, "ready %d", &far.Port)
	}
	if err != nil {
		modbus.Kill()
		return nil, fmt.Errorf("modbus.py did not start: %w: %s", err, far.said.String())
	}
	return modbus, nil
}

func (m *Modbus) line(wait time.Duration) (string, error) {
	timer := time.AfterFunc(wait, m.Kill)
	defer timer.Stop()
	if !m.lines.Scan() {
		return "", fmt.Errorf("it ended or said nothing for %s: %s", wait, m.said.String())
	}
	return m.lines.Text(), nil
}

// Requests is how many requests came over the wire since the last time it was asked.
func (m *Modbus) Requests() (int, error) {
	answer, err := m.ask(map[string]any{"requests": true})
	if err != nil {
		return 0, err
	}
	seen, ok := answer["requests"].([]any)
	if !ok {
		return 0, fmt.Errorf("modbus.py: %v", answer)
	}
	return len(seen), nil
}

// Register names a place in the device, in the words of modbus.py.
type Register map[string]any

func (m *Modbus) ask(question map[string]any) (map[string]any, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	text, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(m.stdin, "%s\n", text); err != nil {
		return nil, err
	}
	line, err := m.line(5 * time.Second)
	if err != nil {
		return nil, err
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(line), &answer); err != nil {
		return nil, err
	}
	if problem, ok := answer["error"]; ok {
		return nil, fmt.Errorf("modbus.py: %v", problem)
	}
	return answer, nil
}

// Hold makes the device keep its answers to writes of register 310 to itself until it is told otherwise.
func (m *Modbus) Hold(on bool) error {
	_, err := m.ask(map[string]any{"hold": on})
	return err
}

// Set makes the device hold a value.
func (m *Modbus) Set(register Register, value any) error {
	question := map[string]any{"set": value}
	for key, part := range register {
		question[key] = part
	}
	_, err := m.ask(question)
	return err
}

// Get reads what the device holds, not through the plugin.
func (m *Modbus) Get(register Register) (any, error) {
	question := map[string]any{"get": true}
	for key, part := range register {
		question[key] = part
	}
	answer, err := m.ask(question)
	return answer["value"], err
}

// Echo answers every message on one topic with the same message on another, retained, as a lamp does that is told to light up.
func (m *Mosquitto) Echo(ctx context.Context, from, to string) error {
	cmd := exec.CommandContext(ctx, find("mosquitto_sub"), "-h", "127.0.0.1", "-p", strconv.Itoa(m.Port), "-q", "1", "-t", from)
	reader, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			_ = m.Publish(ctx, to, lines.Text(), "-r")
		}
		_ = cmd.Wait()
	}()
	return nil
}
