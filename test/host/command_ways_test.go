package host

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"fieldgate/test/host/harness"
)

const hookSecret = "the secret of the contact point"

// notify is what Grafana's webhook contact point sends, signed as it signs: HMAC-SHA256 over "<seconds>:<body>".
func notify(t *testing.T, source harness.Source, secret string, body []byte) harness.Answer {
	t.Helper()
	stamp := fmt.Sprint(time.Now().Unix())
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + ":"))
	mac.Write(body)
	answer, err := source.CallResource(within(t), harness.Request{
		Method: "POST", Path: "hooks/alert", Body: string(body),
		Headers: map[string]string{
			"X-Grafana-Alerting-Signature": hex.EncodeToString(mac.Sum(nil)), "X-Grafana-Alerting-Timestamp": stamp, "Content-Type": "application/json",
		},
	})
	must(t, err)
	return answer
}

func TestAnAlertSendsTheOneCommandThatTheSettingsAllow(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	model := settings(list{plc(p.modbus.Port)}, list{boiler("plc")})
	model["rights"] = object{"alerts": object{"login": "sa-1-alerts", "commands": list{
		object{"id": "cool", "labels": object{"alertname": "Hot"}, "device": "boiler", "point": "setpoint", "value": 30},
	}}}
	gateway := source(p.plugin, model)
	gateway.Secrets = map[string]string{"hooks/alert": hookSecret}
	account := harness.Person("Editor")
	account.Login = "sa-1-alerts"
	reads(t, gateway, "boiler", "serial_no", "FG-2026-0001")
	// Not the spelling that JSON.stringify would give: the signature is over the bytes as they came.
	body := []byte("{ \"status\":\"firing\",\n\t\"alerts\": [ {\"status\":\"firing\", \"labels\": {\"alertname\":\"Hot\", \"who\":\"\\u00e9\"}, \"startsAt\":\"2026-01-01T00:00:00Z\"," +
		" \"fingerprint\":\"f1\", \"generatorURL\":\"http://grafana/alerting/grafana/rule-1/view?orgId=1\"} ] }")
	wantProblem(t, notify(t, gateway.As(account), "another secret altogether", body), 403, "signature")
	wantProblem(t, notify(t, gateway, hookSecret, body), 403, "service account")
	holds(t, p, setpoint, 500.0)
	for range 2 {
		if answer := notify(t, gateway.As(account), hookSecret, body); answer.Status != 200 {
			t.Fatalf("it answers %d: %s", answer.Status, answer.Body)
		}
	}
	eventually(t, patience, func() error {
		held, err := p.modbus.Get(setpoint)
		if err == nil && held != 300.0 {
			err = fmt.Errorf("it holds %v", held)
		}
		return err
	})
	answer, err := gateway.Get(within(t), "commands")
	must(t, err)
	if count := bytes.Count(answer.Body, []byte(`"rule":"rule-1"`)); count != 1 {
		t.Errorf("%d commands of the rule: %s", count, answer.Body)
	}
}

func TestNeitherAQueryNorAPublishedMessageIsACommand(t *testing.T) {
	p := shared(t)
	must(t, p.modbus.Set(setpoint, 500))
	admin := p.source.As(harness.Person("Admin"))
	for _, path := range []string{"devices/boiler/points/setpoint", "commands", "hooks/alert"} {
		status, err := admin.Publish(within(t), path, `{"value":60}`)
		if err == nil && status != backend.PublishStreamStatusPermissionDenied {
			t.Errorf("publishing to %s: %v", path, status)
		}
	}
	from, to := lately()
	for _, kind := range []string{"telemetry", "latest", "status", "commands", "messages", "bus", "explain", "series", "survey", "set", "devices/boiler/points/setpoint"} {
		model := object{
			"queryType": kind, "devices": list{"boiler"}, "points": list{"setpoint"}, "value": 60, "method": "POST",
			"path": "devices/boiler/points/setpoint", "body": object{"value": 60}, "commands": list{object{"device": "boiler", "point": "setpoint", "value": 60}},
		}
		_, err := admin.QueryRaw(within(t), harness.Query{RefID: "A", JSON: model, From: from, To: to})
		must(t, err)
	}
	holds(t, p, setpoint, 500.0)
}

func TestTheRecordOfCommandsIsAChain(t *testing.T) {
	p := shared(t)
	wantState(t, set(t, p.source, "boiler.setpoint", object{"value": 48}), 200, "verified")
	answer, err := p.source.As(harness.Person("Admin")).Get(within(t), "audit")
	must(t, err)
	prev, lines := "", 0
	for line := range bytes.SplitSeq(bytes.TrimSpace(answer.Body), []byte("\n")) {
		var entry struct {
			Seq, Time        int64
			Prev, Hash, JSON string
		}
		must(t, json.Unmarshal(line, &entry))
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%d\n%s", entry.Prev, entry.Seq, entry.Time, entry.JSON))
		if hex.EncodeToString(sum[:]) != entry.Hash || (prev != "" && prev != entry.Prev) {
			t.Fatalf("line %d does not follow", entry.Seq)
		}
		prev, lines = entry.Hash, lines+1
	}
	if lines < 4 {
		t.Errorf("there are %d lines", lines)
	}
}
