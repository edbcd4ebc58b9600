package host

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"fieldgate/test/host/harness"
)

// TestTheHarnessSpeaksToAPluginMadeWithTheSDK tries the harness itself: what it says of a plugin by Grafana's own SDK must be well.
func TestTheHarnessSpeaksToAPluginMadeWithTheSDK(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer")
	build := exec.Command("go", "build", "-o", path, "./peer")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	plugin := start(t, harness.Options{Path: path})
	must(t, plugin.Ping())
	peer := source(plugin, object{})
	responses, err := peer.QueryData(within(t),
		harness.Query{RefID: "A", JSON: object{"samples": 1000}}, harness.Query{RefID: "B", JSON: object{"samples": "many"}})
	must(t, err)
	times, values := isSeries(t, one(t, responses["A"].Frames), nil)
	if times.Len() != 1000 || values.Len() != 1000 {
		t.Errorf("%d rows", times.Len())
	}
	if answer := responses["B"]; answer.Status != backend.StatusBadRequest || answer.Error == nil {
		t.Errorf("a bad query gets %d: %v", answer.Status, answer.Error)
	}
	answer, err := peer.Get(within(t), "echo")
	must(t, err)
	wantWords(t, string(answer.Body), "GET")
	health, err := peer.CheckHealth(within(t))
	must(t, err)
	if health.Status != backend.HealthStatusOk {
		t.Errorf("health is %s", health.Status)
	}
	parsed, _ := families(t, plugin)
	if len(parsed) == 0 {
		t.Error("no metrics")
	}
}
