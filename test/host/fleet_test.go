package host

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

// A fleet of discovered devices that speak once a second, each about its own topic, through a real broker into history on disk: none of what they say is
// lost and memory stays where it was. `npm run soak` has 10,000 devices for ten minutes, as many as two data sources discover.
func TestAFleetOnceASecondIsKeptWithoutGrowing(t *testing.T) {
	devices, seconds := rounds(500, 10_000), rounds(5, 600)
	broker, err := harness.StartMosquitto(0, "allow_anonymous true", "max_queued_messages 0")
	must(t, err)
	t.Cleanup(broker.Close)
	plugin := start(t, harness.Options{Env: dataIn(t.TempDir())})
	sides := []string{"west", "east"}
	for _, side := range sides {
		point := object{"id": "level", "address": object{"topic": "fleet/" + side + "/{n}/state", "path": "$.level"}}
		template := object{"id": side + "-{n}", "connection": "broker", "points": list{point}}
		half := source(plugin, settings(list{mqttBroker(broker.Port)}, list{template}))
		connected(t, half, "broker")
	}
	fleet := connectFleet(t, broker.Port)
	say := func(device, round int) {
		topic := fmt.Sprintf("fleet/%s/%d/state", sides[device%2], device)
		fleet.publish(t, topic, fmt.Sprintf(`{"level":%d.%02d,"unit":"m"}`, round%90, device%100))
	}
	sent := 0.0
	heard := func(name string) error {
		if count := gauge(t, plugin, name); count < sent {
			return fmt.Errorf("%s is %v of %v", name, count, sent)
		}
		return nil
	}
	// All are made before anything is counted: what a device costs once is not what it costs a second.
	for device := range devices {
		say(device, 0)
		sent++
	}
	fleet.flush(t)
	eventually(t, 4*patience, func() error { return heard("fieldgate_samples_total") })

	began, used := time.Now(), processorTime(t, plugin.Pid())
	var early, late float64
	const slices = 20
	for round := range seconds * slices {
		// A slice of the fleet each 50 ms, so that all speak once a second.
		for device := round % slices; device < devices; device += slices {
			say(device, round/slices+1)
			sent++
		}
		fleet.flush(t)
		time.Sleep(time.Until(began.Add(time.Duration(round+1) * time.Second / slices)))
		if round == seconds*slices/3 {
			early = privateMemory(t, plugin.Pid())
		}
	}
	took := time.Since(began)
	late = privateMemory(t, plugin.Pid())
	cores := (processorTime(t, plugin.Pid()) - used).Seconds() / took.Seconds()
	t.Logf("%d devices, %v messages in %s: %.2f cores; memory %.0f MiB after a third, %.0f MiB at the end", devices, sent, took.Round(time.Second), cores, early, late)
	eventually(t, 4*patience, func() error { return heard("fieldgate_samples_total") })
	eventually(t, patience, func() error { return heard("fieldgate_store_committed_samples_total") })
	for _, name := range []string{"fieldgate_dropped_samples_total", "fieldgate_store_dropped_samples_total", "fieldgate_bad_samples_total", "fieldgate_refused_devices_total"} {
		if count := gauge(t, plugin, name); count != 0 {
			t.Errorf("%s is %v", name, count)
		}
	}
	// Garbage is collected when there is enough of it, so a short run says nothing of growth.
	if seconds > 60 && late > 1.25*early {
		t.Errorf("memory grows: %.0f MiB after a third, %.0f MiB at the end", early, late)
	}
}

// connectedFleet speaks MQTT 3.1.1 by hand: a thousand devices behind one connection, and no library that could hold anything back.
type connectedFleet struct {
	socket net.Conn
	buffer []byte
}

func connectFleet(t *testing.T, port int) *connectedFleet {
	t.Helper()
	socket, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	must(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	// CONNECT (§3.1): clean, without keep-alive.
	body := append([]byte{0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 5}, "fleet"...)
	_, err = socket.Write(append([]byte{0x10, byte(len(body))}, body...))
	must(t, err)
	greeting := make([]byte, 4)
	if _, err := socket.Read(greeting); err != nil || greeting[0] != 0x20 || greeting[3] != 0 {
		t.Fatalf("the broker says %x: %v", greeting, err)
	}
	return &connectedFleet{socket: socket}
}

// publish puts a PUBLISH (§3.3) of QoS 0 to what is sent by flush; topic and payload together are short.
func (f *connectedFleet) publish(t *testing.T, topic, payload string) {
	t.Helper()
	length := 2 + len(topic) + len(payload)
	if length > 127 {
		t.Fatalf("%d bytes are too many for one byte of length", length)
	}
	f.buffer = append(f.buffer, 0x30, byte(length))
	f.buffer = binary.BigEndian.AppendUint16(f.buffer, uint16(len(topic)))
	f.buffer = append(append(f.buffer, topic...), payload...)
}

func (f *connectedFleet) flush(t *testing.T) {
	t.Helper()
	_, err := f.socket.Write(f.buffer)
	must(t, err)
	f.buffer = f.buffer[:0]
}

// processorTime is what all threads of a process have used (proc(5): fields 14 and 15 of stat, in hundredths of a second).
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var user, system int64
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	must(t, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// privateMemory is what a process holds that is in no file: stacks, heaps, buffers, in MiB.
func privateMemory(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	must(t, err)
	for line := range strings.SplitSeq(string(text), "\n") {
		var kibibytes float64
		if _, err := fmt.Sscanf(line, "Anonymous: %f kB", &kibibytes); err == nil {
			return kibibytes / 1024
		}
	}
	t.Fatalf("no private memory of process %d is told", pid)
	return 0
}
