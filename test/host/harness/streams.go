package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/grafana/grafana-plugin-sdk-go/live"
)

// ChannelPath takes the path out of a channel (`ds/<uid>/<path>`) by Grafana's own rules.
func ChannelPath(channel, uid string) (string, error) {
	parsed, err := live.ParseChannel(channel)
	if err != nil {
		return "", fmt.Errorf("Grafana refuses the channel %q: %w", channel, err)
	}
	if parsed.Scope != live.ScopeDatasource || parsed.Namespace != uid {
		return "", fmt.Errorf("channel %q is not of data source %s", channel, uid)
	}
	return parsed.Path, nil
}

// Subscribe asks whether this user may hear a channel.
func (s Source) Subscribe(ctx context.Context, path string) (*pluginv2.SubscribeStreamResponse, error) {
	return s.Plugin.stream.SubscribeStream(ctx, &pluginv2.SubscribeStreamRequest{PluginContext: s.context(), Path: path})
}

// Publish sends something to a channel, as any signed-in user can.
func (s Source) Publish(ctx context.Context, path string, message string) (backend.PublishStreamStatus, error) {
	raw, err := s.Plugin.stream.PublishStream(ctx, &pluginv2.PublishStreamRequest{PluginContext: s.context(), Path: path, Data: []byte(message)})
	if err != nil {
		return 0, err
	}
	return backend.FromProto().PublishStreamResponse(raw).Status, nil
}

// Stream is a running RunStream call.
type Stream struct {
	// Packets holds what came, in order; it is closed when the call ended.
	Packets chan []byte
	// Err is why it ended; valid once Packets is closed.
	Err    error
	cancel context.CancelFunc
}

// RunStream opens a channel. Grafana does so once for all its viewers.
func (s Source) RunStream(ctx context.Context, path string) (*Stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	call, err := s.Plugin.stream.RunStream(ctx, &pluginv2.RunStreamRequest{PluginContext: s.context(), Path: path})
	if err != nil {
		cancel()
		return nil, err
	}
	// Room for the whole of a test, so that a slow reader is never why a packet is late.
	stream := &Stream{Packets: make(chan []byte, 100_000), cancel: cancel}
	go func() {
		defer cancel()
		defer close(stream.Packets)
		for {
			packet, err := call.Recv()
			if err != nil {
				stream.Err = err
				return
			}
			stream.Packets <- packet.Data
		}
	}()
	return stream, nil
}

// Cancel takes the call back, as Grafana does when the last viewer is gone.
func (s *Stream) Cancel() { s.cancel() }

// LiveFrame puts the packets of a channel together as the browser does: the first has the schema, later ones may be data only.
type LiveFrame struct {
	schema json.RawMessage
	Frame  *data.Frame
}

// Take decodes one packet with the SDK; Frame holds the rows of that packet.
func (f *LiveFrame) Take(packet []byte) error {
	var parts struct {
		Schema json.RawMessage `json:"schema"`
		Data   json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(packet, &parts); err != nil {
		return fmt.Errorf("%w: %.300s", err, packet)
	}
	if parts.Schema != nil {
		f.schema = parts.Schema
	}
	if f.schema == nil {
		return fmt.Errorf("the first packet has no schema: %.300s", packet)
	}
	// The SDK's decoder wants the schema first.
	whole := fmt.Appendf(nil, `{"schema":%s,"data":%s}`, f.schema, parts.Data)
	frame := &data.Frame{}
	if err := json.Unmarshal(whole, frame); err != nil {
		return fmt.Errorf("the SDK cannot decode the packet: %w: %.500s", err, whole)
	}
	f.Frame = frame
	return nil
}

// Next waits for a packet; it fails when the call ended or nothing came in time.
func (s *Stream) Next(wait time.Duration) ([]byte, error) {
	select {
	case packet, ok := <-s.Packets:
		if !ok {
			return nil, fmt.Errorf("the stream ended: %w", s.Err)
		}
		return packet, nil
	case <-time.After(wait):
		return nil, fmt.Errorf("no packet within %s", wait)
	}
}
