package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
)

// Source is one data source of one organisation and the person asking it: what Grafana sends along with every question.
type Source struct {
	Plugin *Plugin
	OrgID  int64
	ID     int64
	UID    string
	// Settings is jsonData; a string is sent as it is, anything else as JSON.
	Settings any
	Secrets  map[string]string
	// Updated is when the settings were last changed.
	Updated time.Time
	// User is nil where Grafana itself asks.
	User *pluginv2.User
	// Headers go with every query beside the one of a dashboard.
	Headers map[string]string
	// NoSettings leaves the data source out, as Grafana does on /api/plugins/<id>/resources.
	NoSettings bool
}

// Person makes a user of a role.
func Person(role string) *pluginv2.User {
	login := strings.ToLower(role)
	return &pluginv2.User{Login: login, Name: role + " of the tests", Email: login + "@example.org", Role: role}
}

// As is the same data source asked by somebody else.
func (s Source) As(user *pluginv2.User) Source {
	s.User = user
	return s
}

// Changed is the same data source after its settings were saved again.
func (s Source) Changed(settings any) Source {
	s.Settings = settings
	s.Updated = s.Updated.Add(time.Second)
	return s
}

func (s Source) settings() []byte {
	if text, ok := s.Settings.(string); ok {
		return []byte(text)
	}
	bytes, err := json.Marshal(s.Settings)
	if err != nil {
		panic(fmt.Sprintf("settings of a test that are no JSON: %v", err))
	}
	return bytes
}

func (s Source) context() *pluginv2.PluginContext {
	context := &pluginv2.PluginContext{
		OrgId:         s.OrgID,
		PluginId:      PluginID,
		PluginVersion: "0.1.0",
		User:          s.User,
		UserAgent:     "Grafana/12.4.0 (linux; amd64)",
		GrafanaConfig: map[string]string{"GF_APP_URL": "http://localhost:3000/", "GF_CONCURRENT_QUERY_COUNT": "10"},
	}
	if !s.NoSettings {
		context.DataSourceInstanceSettings = &pluginv2.DataSourceInstanceSettings{
			Id: s.ID, Uid: s.UID, Name: "Gateway " + s.UID, JsonData: s.settings(),
			DecryptedSecureJsonData: s.Secrets, LastUpdatedMS: s.Updated.UnixMilli(),
		}
	}
	return context
}

// Query is one query of a panel. JSON is the panel's model; a string is sent as it is.
type Query struct {
	RefID         string
	JSON          any
	From, To      time.Time
	Interval      time.Duration
	MaxDataPoints int64
}

func (q Query) proto() *pluginv2.DataQuery {
	text, ok := q.JSON.(string)
	if !ok {
		bytes, err := json.Marshal(q.JSON)
		if err != nil {
			panic(fmt.Sprintf("a query of a test that is no JSON: %v", err))
		}
		text = string(bytes)
	}
	to, from := q.To, q.From
	if to.IsZero() {
		to = time.Now().Add(time.Second)
	}
	if from.IsZero() {
		from = to.Add(-time.Hour)
	}
	interval, points := q.Interval, q.MaxDataPoints
	if interval == 0 {
		interval = time.Second
	}
	if points == 0 {
		points = 1000
	}
	return &pluginv2.DataQuery{
		RefId: q.RefID, MaxDataPoints: points, IntervalMS: interval.Milliseconds(), Json: []byte(text),
		TimeRange: &pluginv2.TimeRange{FromEpochMS: from.UnixMilli(), ToEpochMS: to.UnixMilli()},
	}
}

// QueryRaw asks and leaves the frames as bytes: what a benchmark of the plugin alone wants.
func (s Source) QueryRaw(ctx context.Context, queries ...Query) (*pluginv2.QueryDataResponse, error) {
	request := &pluginv2.QueryDataRequest{PluginContext: s.context(), Headers: map[string]string{"http_X-Dashboard-Uid": "test"}}
	maps.Copy(request.Headers, s.Headers)
	for _, query := range queries {
		request.Queries = append(request.Queries, query.proto())
	}
	return s.Plugin.data.QueryData(ctx, request)
}

// QueryData asks and decodes every frame with the SDK. It fails where Grafana would fail, and on a status of 0, which Grafana takes for 500.
func (s Source) QueryData(ctx context.Context, queries ...Query) (backend.Responses, error) {
	raw, err := s.QueryRaw(ctx, queries...)
	if err != nil {
		return nil, err
	}
	for refID, response := range raw.Responses {
		if response.Status == 0 {
			return nil, fmt.Errorf("the answer to %s has status 0, which the host takes for 500", refID)
		}
	}
	decoded, err := backend.FromProto().QueryDataResponse(raw)
	if err != nil {
		return nil, fmt.Errorf("the host cannot decode the answer: %w", err)
	}
	for _, query := range queries {
		if _, ok := decoded.Responses[query.RefID]; !ok {
			return nil, fmt.Errorf("there is no answer to query %s", query.RefID)
		}
	}
	return decoded.Responses, nil
}

// Answer is what a browser would get from a resource.
type Answer struct {
	Status  int
	Headers map[string][]string
	Body    []byte
	// Parts is how many messages it came in.
	Parts int
}

// JSON decodes the body into target.
func (a Answer) JSON(target any) error {
	if err := json.Unmarshal(a.Body, target); err != nil {
		return fmt.Errorf("%w in a body of status %d: %.300s", err, a.Status, a.Body)
	}
	return nil
}

// Header is the first value of a header, whatever its case.
func (a Answer) Header(name string) string {
	for key, values := range a.Headers {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// Request is one HTTP request to a resource. Body nil is none; []byte and string are sent as they are, anything else as JSON.
type Request struct {
	Method  string
	Path    string
	Query   url.Values
	Headers map[string]string
	Body    any
}

func (r Request) proto(context *pluginv2.PluginContext) *pluginv2.CallResourceRequest {
	target := r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	request := &pluginv2.CallResourceRequest{
		PluginContext: context, Path: r.Path, Method: r.Method, Url: target, Headers: map[string]*pluginv2.StringList{},
	}
	switch body := r.Body.(type) {
	case nil:
	case []byte:
		request.Body = body
	case string:
		request.Body = []byte(body)
	default:
		bytes, err := json.Marshal(body)
		if err != nil {
			panic(fmt.Sprintf("a body of a test that is no JSON: %v", err))
		}
		request.Body = bytes
	}
	if r.Body != nil {
		request.Headers["Content-Type"] = &pluginv2.StringList{Values: []string{"application/json"}}
	}
	for key, value := range r.Headers {
		request.Headers[key] = &pluginv2.StringList{Values: []string{value}}
	}
	return request
}

// CallResource asks and puts the parts of the answer together. A first part without a status fails: the host's HTTP handler panics on it.
func (s Source) CallResource(ctx context.Context, request Request) (Answer, error) {
	stream, err := s.Plugin.resource.CallResource(ctx, request.proto(s.context()))
	if err != nil {
		return Answer{}, err
	}
	var answer Answer
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return answer, err
		}
		decoded := backend.FromProto().CallResourceResponse(part)
		if answer.Parts++; answer.Parts == 1 {
			answer.Status, answer.Headers = decoded.Status, decoded.Headers
			if decoded.Status < 100 || decoded.Status > 599 {
				return answer, fmt.Errorf("%s %s: the first part has status %d, on which the host panics", request.Method, request.Path, decoded.Status)
			}
		}
		answer.Body = append(answer.Body, decoded.Body...)
	}
	if answer.Parts == 0 {
		return answer, fmt.Errorf("%s %s: no answer at all", request.Method, request.Path)
	}
	return answer, nil
}

// Get reads a resource.
func (s Source) Get(ctx context.Context, path string) (Answer, error) {
	path, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return Answer{}, err
	}
	return s.CallResource(ctx, Request{Method: "GET", Path: path, Query: values})
}

// Post sends a JSON body to a resource.
func (s Source) Post(ctx context.Context, path string, body any) (Answer, error) {
	return s.CallResource(ctx, Request{Method: "POST", Path: path, Body: body})
}

// CheckHealth asks and fails where Grafana's page would: details that are no JSON object.
func (s Source) CheckHealth(ctx context.Context) (*backend.CheckHealthResult, error) {
	raw, err := s.Plugin.diagnostics.CheckHealth(ctx, &pluginv2.CheckHealthRequest{PluginContext: s.context(), Headers: map[string]string{}})
	if err != nil {
		return nil, err
	}
	result := backend.FromProto().CheckHealthResponse(raw)
	var details map[string]any
	if err := json.Unmarshal(result.JSONDetails, &details); err != nil || details == nil {
		return nil, fmt.Errorf("jsonDetails is no JSON object (%w): %.300s", err, result.JSONDetails)
	}
	return result, nil
}

// CollectMetrics asks as Grafana does: with nothing in the context but the plugin's id.
func (p *Plugin) CollectMetrics(ctx context.Context) ([]byte, error) {
	raw, err := p.diagnostics.CollectMetrics(ctx, &pluginv2.CollectMetricsRequest{PluginContext: &pluginv2.PluginContext{PluginId: PluginID}})
	if err != nil {
		return nil, err
	}
	return backend.FromProto().CollectMetricsResponse(raw).PrometheusMetrics, nil
}
