package host

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestWhatThePlantLogged runs last (Go takes files by name): everything above has happened by now, junk and all.
func TestWhatThePlantLogged(t *testing.T) {
	p := shared(t)
	lines := p.plugin.Stderr.All()
	if p.plugin.Exited() {
		t.Errorf("it ended while it was needed; last it said:\n%s", strings.Join(lines[max(0, len(lines)-10):], "\n"))
	}
	if len(lines) == 0 {
		t.Fatal("it logged nothing, though connections broke")
	}
	checkLog(t, p.plugin)
	for _, secret := range []string{"open-sesame", "junk junk", "Grafana is on fire"} {
		if strings.Contains(p.plugin.Stderr.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	// What Grafana's logger makes of it: the levels must arrive.
	levels := map[string]int{}
	for _, line := range p.plugin.Log.All() {
		var entry map[string]any
		must(t, json.Unmarshal([]byte(line), &entry))
		if name, _ := entry["@module"].(string); strings.HasPrefix(name, "gpx_") {
			levels[entry["@level"].(string)]++
		}
	}
	kinds := make([]string, 0, len(levels))
	for level := range levels {
		kinds = append(kinds, level)
	}
	slices.Sort(kinds)
	if !slices.Contains(kinds, "warn") && !slices.Contains(kinds, "error") {
		t.Errorf("broken connections were not logged as warnings: %v", levels)
	}
	if t.Failed() {
		return
	}
	t.Logf("%d lines: %v", len(lines), levels)
}
