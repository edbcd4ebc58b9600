// Command peer is a minimal data source on grafana-plugin-sdk-go: what the benchmarks compare our figures with, and what the harness
// is tried against. It answers the query {"samples": n} with n samples from memory, with {"long": true} also two columns of labels.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"
	"github.com/grafana/grafana-plugin-sdk-go/data"
)

const samplesMax = 2_000_000

type peer struct {
	backend.CallResourceHandler
	times  []time.Time
	values []float64
}

func newPeer(context.Context, backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	routes := http.NewServeMux()
	routes.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"method": r.Method})
	})
	return &peer{CallResourceHandler: httpadapter.New(routes)}, nil
}

// fill makes the samples once, so that later queries measure the answer and not the arithmetic.
func (p *peer) fill(count int) {
	start := time.Now().Add(-time.Duration(count) * time.Millisecond)
	for i := len(p.times); i < count; i++ {
		p.times = append(p.times, start.Add(time.Duration(i)*time.Millisecond))
		p.values = append(p.values, 20+10*math.Sin(float64(i)/1000))
	}
}

func (p *peer) QueryData(_ context.Context, request *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	response := backend.NewQueryDataResponse()
	for _, query := range request.Queries {
		var model struct {
			Samples int  `json:"samples"`
			Long    bool `json:"long"`
		}
		if err := json.Unmarshal(query.JSON, &model); err != nil || model.Samples > samplesMax {
			response.Responses[query.RefID] = backend.ErrDataResponse(backend.StatusBadRequest, fmt.Sprintf("samples: %v", err))
			continue
		}
		p.fill(model.Samples)
		frame := data.NewFrame("sine",
			data.NewField("time", nil, p.times[:model.Samples]),
			data.NewField("value", data.Labels{"device": "peer"}, p.values[:model.Samples]))
		if model.Long {
			frame.Fields = append(frame.Fields,
				data.NewField("device", nil, slices.Repeat([]string{"bench"}, model.Samples)),
				data.NewField("point", nil, slices.Repeat([]string{"value"}, model.Samples)))
		}
		frame.SetMeta(&data.FrameMeta{Type: data.FrameTypeTimeSeriesMulti, TypeVersion: data.FrameTypeVersion{0, 1}})
		response.Responses[query.RefID] = backend.DataResponse{Frames: data.Frames{frame}}
	}
	return response, nil
}

func (p *peer) CheckHealth(context.Context, *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	return &backend.CheckHealthResult{Status: backend.HealthStatusOk, Message: "ok", JSONDetails: []byte("{}")}, nil
}

func main() {
	if err := datasource.Manage("fieldgate-peer-datasource", newPeer, datasource.ManageOpts{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
