package harness

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
)

// Reading is a long answer of a resource that is read part by part, as Grafana flushes it to a browser.
type Reading struct {
	// Status and Headers are those of the first part.
	Status  int
	Headers map[string][]string
	call    interface {
		Recv() (*pluginv2.CallResourceResponse, error)
	}
	cancel context.CancelFunc
}

// OpenResource asks and reads the first part.
func (s Source) OpenResource(ctx context.Context, request Request) (*Reading, error) {
	ctx, cancel := context.WithCancel(ctx)
	call, err := s.Plugin.resource.CallResource(ctx, request.proto(s.context()))
	if err != nil {
		cancel()
		return nil, err
	}
	first, err := call.Recv()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("%s: no first part: %w", request.Path, err)
	}
	decoded := backend.FromProto().CallResourceResponse(first)
	return &Reading{Status: decoded.Status, Headers: decoded.Headers, call: call, cancel: cancel}, nil
}

// Next waits for a part; io.EOF is the end.
func (r *Reading) Next() ([]byte, error) {
	part, err := r.call.Recv()
	if err != nil {
		return nil, err
	}
	return part.Body, nil
}

// Leave hangs up, as a browser does that is closed.
func (r *Reading) Leave() { r.cancel() }

// Rest reads to the end. largest is the size of the largest part.
func (r *Reading) Rest() (body []byte, largest int, err error) {
	for {
		part, err := r.Next()
		if errors.Is(err, io.EOF) {
			return body, largest, nil
		}
		if err != nil {
			return body, largest, err
		}
		largest = max(largest, len(part))
		body = append(body, part...)
	}
}
