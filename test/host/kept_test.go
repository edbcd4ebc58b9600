package host

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

// What the broker was told to be taken over is in the history, whenever the process is killed: the built executable, a kept session, a stream of
// QoS 1 that goes on while it dies. Nothing is flushed by time here, so what survives was committed because it had to be confirmed.
func TestKill9InAStreamOfQoS1LosesNone(t *testing.T) {
	broker, err := harness.StartMosquitto(0, "allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 100")
	must(t, err)
	t.Cleanup(broker.Close)
	kept := mqttBroker(broker.Port)
	kept["clean"], kept["clientId"] = false, "keeper"
	point := object{"id": "n", "address": object{"topic": "count", "qos": 1}}
	words := settings(list{kept}, list{object{"id": "counter", "connection": "broker", "points": list{point}}})
	words["history"] = object{"flushInterval": "60s"}
	options := harness.Options{Env: dataIn(t.TempDir())}
	counter := source(start(t, options), words)
	connected(t, counter, "broker")
	// The broker keeps messages only from the first subscription on.
	eventually(t, patience, func() error {
		must(t, broker.Publish(t.Context(), "count", "0"))
		return hasValue(t.Context(), counter, "counter", "n")
	})

	sent := 0
	for range rounds(3, 20) {
		lines, err := broker.Feed(t.Context(), "count", "-q", "1")
		must(t, err)
		from := float64(sent)
		dead, ended := make(chan struct{}), make(chan int)
		go func() {
			for last := sent; ; last++ {
				select {
				case <-dead:
					ended <- last
					return
				default:
				}
				if _, err := fmt.Fprintln(lines, last+1); err != nil {
					ended <- last
					return
				}
				if last%20 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}()
		// In the middle of the stream, which goes on until the process is gone.
		eventually(t, patience, func() error {
			said, err := lastValue(t.Context(), counter, "counter", "n")
			if heard, _ := said.Value.(float64); err == nil && heard < from+100 {
				err = fmt.Errorf("it is at %v", said.Value)
			}
			return err
		})
		must(t, counter.Plugin.Kill(within(t)))
		close(dead)
		sent = <-ended
		must(t, lines.Close())
		counter.Plugin = start(t, options)
	}
	eventually(t, 2*patience, func() error { return hasAll(t, counter, sent) })
	t.Logf("%d messages, %d kills, none lost", sent, rounds(3, 20))
}

// hasAll says which of the numbers up to the last one are not in the history of the counter.
func hasAll(t *testing.T, counter harness.Source, last int) error {
	t.Helper()
	from, to := lately()
	query := object{"queryType": "telemetry", "devices": list{"counter"}, "points": list{"n"}, "reduce": "none"}
	responses, err := counter.QueryData(within(t), harness.Query{RefID: "A", JSON: query, From: from, To: to})
	if err != nil {
		return err
	}
	if responses["A"].Error != nil {
		return responses["A"].Error
	}
	found := map[string]bool{}
	for _, frame := range responses["A"].Frames {
		for _, field := range frame.Fields[1:] {
			for row := range field.Len() {
				if number, err := field.FloatAt(row); err == nil {
					found[strconv.FormatFloat(number, 'f', -1, 64)] = true
				}
			}
		}
	}
	for number := 1; number <= last; number++ {
		if !found[strconv.Itoa(number)] {
			return fmt.Errorf("%d of %d is not there; %d different values are", number, last, len(found))
		}
	}
	return nil
}
