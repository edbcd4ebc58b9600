// Package host tests the built executable from outside, as Grafana meets it: launched by the real go-plugin client, every frame decoded
// by the real SDK. One sentence of what Grafana or its user expects is one test.
package host

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

func TestMain(m *testing.M) {
	if os.Getenv(ownerVariable) != "" {
		os.Exit(ownPlugin())
	}
	code := m.Run()
	closePlant()
	os.Exit(code)
}

// patience is how long something may take that takes milliseconds on an idle machine: two cores are shared with brokers and Python.
const patience = 15 * time.Second

// eventually asks until the answer is no error; the last one is what the test fails with.
func eventually(t *testing.T, wait time.Duration, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(wait)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %v", wait, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// rounds is how often something is tried: a few times in every run, many times in `npm run soak`.
func rounds(few, many int) int {
	if os.Getenv("FIELDGATE_SOAK") != "" {
		return many
	}
	return few
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// within is a context for one question.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// start launches the executable in a folder of its own and checks at the end that everything it logged was worthy of a log.
func start(t *testing.T, options harness.Options) *harness.Plugin {
	t.Helper()
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	plugin, err := harness.Start(options)
	if err != nil {
		t.Fatalf("the plugin does not start: %v\n%s", err, plugin.Said())
	}
	t.Cleanup(func() {
		plugin.Stop()
		checkLog(t, plugin)
	})
	return plugin
}

func checkLog(t *testing.T, plugin *harness.Plugin) {
	t.Helper()
	for _, line := range plugin.Stderr.All() {
		if err := harness.CheckLogLine(line); err != nil {
			t.Errorf("stderr: %v", err)
		}
	}
	if t.Failed() {
		t.Logf("the plugin said:\n%s", plugin.Said())
	}
}

// dataIn is the environment Grafana gives a plugin whose section of grafana.ini says `data_path = folder`.
func dataIn(folder string) []string { return []string{"GF_PLUGIN_DATA_PATH=" + folder} }

var sourcesMade atomic.Int64

// source is a new data source asked by an Editor.
func source(plugin *harness.Plugin, settings any) harness.Source {
	number := sourcesMade.Add(1)
	return harness.Source{
		Plugin: plugin, OrgID: 1, ID: number, UID: fmt.Sprintf("test-%d", number),
		Settings: settings, Updated: time.Now(), User: harness.Person("Editor"),
	}
}

// object and list are JSON as tests write it.
type (
	object = map[string]any
	list   = []any
)

// problem is the body of every refusal (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// wantProblem checks that an answer is a refusal a person can act on: the status, the kind of document, and words in it.
func wantProblem(t *testing.T, answer harness.Answer, status int, words ...string) {
	t.Helper()
	if answer.Status != status {
		t.Fatalf("status is %d, not %d: %s", answer.Status, status, answer.Body)
	}
	if kind := answer.Header("Content-Type"); !strings.HasPrefix(kind, "application/problem+json") {
		t.Errorf("content type is %q", kind)
	}
	var said problem
	must(t, json.Unmarshal(answer.Body, &said))
	if said.Type == "" || said.Status != status || said.Detail == "" {
		t.Errorf("a problem needs a type, its status and a detail: %s", answer.Body)
	}
	wantWords(t, string(answer.Body), words...)
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
			t.Errorf("%q is not in: %.1000s", word, text)
		}
	}
}

func contextThatEnds(t *testing.T, after time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), after)
}
