// Package harness is a Grafana that fits in a test: it launches a data source's executable the way Grafana 12.4 does, asks it what
// Grafana asks, and decodes the answers with Grafana's own SDK. It knows nothing of the plugin behind the executable.
package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// PluginID is what Grafana names us by.
const PluginID = "fieldgate-iot-datasource"

// startTimeout is Grafana's own (go-plugin's default); a start that takes longer delays the start of Grafana.
const startTimeout = time.Minute

// Executable is the file Grafana would launch on this machine: the built one, or the one FIELDGATE_EXECUTABLE names.
func Executable() (string, error) {
	if path := os.Getenv("FIELDGATE_EXECUTABLE"); path != "" {
		return path, nil
	}
	name := fmt.Sprintf("gpx_fieldgate_%s_%s", runtime.GOOS, runtime.GOARCH)
	path := filepath.Join(Root(), "dist", PluginID, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w; `npm run build` makes it", err)
	}
	return path, nil
}

// Root is the top folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Options say how a plugin is launched. The zero value is how a default Grafana does it.
type Options struct {
	// Path of the executable; Executable() unless said.
	Path string
	// Dir is the working directory; Grafana's own is wherever it was started.
	Dir string
	// Env is what Grafana adds for this plugin: GF_PLUGIN_* from the plugin's section of grafana.ini. Nothing is inherited.
	Env []string
	// AutoMTLS asks the plugin for TLS, which Grafana never does.
	AutoMTLS bool
}

// Plugin is a running plugin process.
type Plugin struct {
	// Conn carries every service; tests of go-plugin's own services use it directly.
	Conn *grpc.ClientConn
	// Handshake is how long the process took to print its line.
	Handshake time.Duration
	// Address is where the plugin listens.
	Network, Address string
	// Stderr is everything the process said there.
	Stderr *Lines
	// Log is what Grafana's logger got out of it.
	Log *Lines

	pid         int
	client      *goplugin.Client
	protocol    goplugin.ClientProtocol
	diagnostics grpcplugin.DiagnosticsClient
	resource    grpcplugin.ResourceClient
	data        grpcplugin.DataClient
	stream      grpcplugin.StreamClient
}

// Start launches the executable and waits for its handshake.
func Start(options Options) (*Plugin, error) {
	path := options.Path
	if path == "" {
		var err error
		if path, err = Executable(); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(path) //nolint:gosec // The file under test.
	cmd.Dir = options.Dir
	cmd.Env = append([]string{"GF_VERSION=12.4.0"}, options.Env...)
	plugin := &Plugin{Stderr: &Lines{}, Log: &Lines{}}
	plugin.client = goplugin.NewClient(&goplugin.ClientConfig{
		Cmd: cmd,
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  grpcplugin.ProtocolVersion,
			MagicCookieKey:   grpcplugin.MagicCookieKey,
			MagicCookieValue: grpcplugin.MagicCookieValue,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{grpcplugin.ProtocolVersion: {
			"diagnostics": &grpcplugin.DiagnosticsGRPCPlugin{},
			"resource":    &grpcplugin.ResourceGRPCPlugin{},
			"data":        &grpcplugin.DataGRPCPlugin{},
			"stream":      &grpcplugin.StreamGRPCPlugin{},
		}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		SkipHostEnv:      true,
		AutoMTLS:         options.AutoMTLS,
		StartTimeout:     startTimeout,
		Stderr:           plugin.Stderr,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: plugin.Log, JSONFormat: true, Level: hclog.Trace}),
	})
	if err := plugin.connect(); err != nil {
		plugin.client.Kill()
		return plugin, err
	}
	plugin.pid = cmd.Process.Pid
	return plugin, nil
}

func (p *Plugin) connect() error {
	began := time.Now()
	address, err := p.client.Start()
	if err != nil {
		return err
	}
	p.Handshake = time.Since(began)
	p.Network, p.Address = address.Network(), address.String()
	if p.protocol, err = p.client.Client(); err != nil {
		return err
	}
	p.Conn = p.protocol.(*goplugin.GRPCClient).Conn
	for name, keep := range map[string]func(any){
		"diagnostics": func(raw any) { p.diagnostics = raw.(grpcplugin.DiagnosticsClient) },
		"resource":    func(raw any) { p.resource = raw.(grpcplugin.ResourceClient) },
		"data":        func(raw any) { p.data = raw.(grpcplugin.DataClient) },
		"stream":      func(raw any) { p.stream = raw.(grpcplugin.StreamClient) },
	} {
		raw, err := p.protocol.Dispense(name)
		if err != nil {
			return err
		}
		keep(raw)
	}
	return nil
}

// Pid of the process.
func (p *Plugin) Pid() int { return p.pid }

// Ping asks go-plugin's health service.
func (p *Plugin) Ping() error { return p.protocol.Ping() }

// Exited says whether the process has ended.
func (p *Plugin) Exited() bool { return p.client.Exited() }

// Stop ends the plugin as Grafana does: a Shutdown call, then a kill after 2 s. It returns how long that took.
func (p *Plugin) Stop() time.Duration {
	began := time.Now()
	p.client.Kill()
	return time.Since(began)
}

// Kill ends the process with SIGKILL and waits until it is gone.
func (p *Plugin) Kill(ctx context.Context) error {
	process, err := os.FindProcess(p.pid)
	if err != nil {
		return err
	}
	if err := process.Kill(); err != nil {
		return err
	}
	for !p.client.Exited() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d is still there: %w", p.pid, ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// Said is what the process said on stderr, for when a test has to show why; also of a plugin that never started.
func (p *Plugin) Said() string {
	if p == nil {
		return ""
	}
	return p.Stderr.String()
}
