package host

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"fieldgate/test/host/harness"
)

// families parses the metrics as Prometheus does.
func families(t *testing.T, plugin *harness.Plugin) (map[string]*dto.MetricFamily, string) {
	t.Helper()
	text, err := plugin.CollectMetrics(within(t))
	must(t, err)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("Prometheus cannot parse the metrics: %v\n%s", err, text)
	}
	return parsed, string(text)
}

// gauge is the sum of a metric over its labels.
func gauge(t *testing.T, plugin *harness.Plugin, name string) float64 {
	t.Helper()
	parsed, text := families(t, plugin)
	family, ok := parsed[name]
	if !ok {
		t.Fatalf("there is no metric %s in\n%s", name, text)
	}
	sum := 0.0
	for _, metric := range family.Metric {
		sum += metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + metric.GetUntyped().GetValue()
	}
	return sum
}

func TestMetricsParseAndSpeakOfTheGateway(t *testing.T) {
	parsed, _ := families(t, shared(t).plugin)
	ours, runtime := 0, 0
	for name, family := range parsed {
		switch {
		case strings.HasPrefix(name, "fieldgate_"):
			ours++
		case strings.HasPrefix(name, "process_"), strings.HasPrefix(name, "nodejs_"):
			runtime++
		default:
			t.Errorf("%s is neither ours nor the runtime's", name)
		}
		if family.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
	}
	if ours < 5 || runtime < 3 {
		t.Errorf("only %d metrics of ours and %d of the runtime", ours, runtime)
	}
}

func TestMetricsNameNoDeviceTopicOrSecret(t *testing.T) {
	p := shared(t)
	secretive := p.source
	secretive.Secrets = map[string]string{"broker.password": "open-sesame"}
	secretive.User = harness.Person("Admin")
	_, err := secretive.CheckHealth(within(t))
	must(t, err)
	_, text := families(t, p.plugin)
	for _, word := range []string{"boiler", "flow_temp", "room-1", "home/", "climate", "127.0.0.1", "plc", "open-sesame", p.source.UID, "editor"} {
		if strings.Contains(text, word) {
			t.Errorf("%q is in the public metrics", word)
		}
	}
}

func TestMetricsCountSamples(t *testing.T) {
	p := shared(t)
	before := gauge(t, p.plugin, "fieldgate_samples_total")
	eventually(t, patience, func() error {
		if after := gauge(t, p.plugin, "fieldgate_samples_total"); after <= before {
			return fmt.Errorf("fieldgate_samples_total stays at %v while the boiler is polled", after)
		}
		return nil
	})
}
