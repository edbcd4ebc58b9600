package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

// plant is a plugin with a Modbus device and a broker behind it, shared by the tests that do not hurt it.
type plant struct {
	plugin *harness.Plugin
	modbus *harness.Modbus
	broker *harness.Mosquitto
	source harness.Source
	folder string
	// stop ends what helps the devices of the broker to live.
	stop context.CancelFunc
}

// Places in the Modbus device, in the words of test/far/modbus.py.
var (
	flowTemperature = harness.Register{"table": "input", "register": 0, "type": "int16", "order": "AB"}
	power           = harness.Register{"table": "holding", "register": 10, "type": "float32", "order": "CDAB"}
	energy          = harness.Register{"table": "holding", "register": 20, "type": "uint64", "order": "ABCDEFGH"}
	pump            = harness.Register{"table": "coil", "register": 3}
	setpoint        = harness.Register{"table": "holding", "register": 30, "type": "int16", "order": "AB"}
	serialNumber    = harness.Register{"table": "holding", "register": 100, "type": "string", "order": "AB"}
)

const exactEnergy = uint64(1)<<60 + 1

func boiler(connection string) object {
	return object{
		"id": "boiler", "connection": connection, "address": object{"unitId": 1}, "labels": object{"site": "north"}, "interval": "100ms",
		"points": list{
			object{"id": "flow_temp", "address": object{"table": "input", "register": 0, "type": "int16"}, "scale": 0.1, "unit": "celsius", "invalid": list{-32768}},
			object{"id": "power", "address": object{"table": "holding", "register": 10, "type": "float32", "order": "CDAB"}, "unit": "kwatt", "min": 0, "max": 500},
			object{"id": "energy", "address": object{"table": "holding", "register": 20, "type": "uint64", "order": "ABCDEFGH"}, "unit": "kwatth"},
			object{"id": "pump", "address": object{"table": "coil", "register": 3}, "access": "read-write", "enum": object{"0": "off", "1": "on"}},
			object{
				"id": "setpoint", "address": object{"table": "holding", "register": 30, "type": "int16"}, "scale": 0.1, "unit": "celsius", "access": "read-write",
				"write": object{"min": 20, "max": 90, "step": 0.5, "verify": object{"tolerance": 0.05, "timeout": "2s"}},
			},
			object{"id": "serial_no", "address": object{"table": "holding", "register": 100, "type": "string", "length": 8}},
			// The device has no such register (exception 2), refuses this one (3) and says yes to this one without doing it (5).
			object{"id": "nowhere", "address": object{"table": "holding", "register": 205, "type": "int16"}},
			object{"id": "refusing", "address": object{"table": "holding", "register": 300, "type": "int16"}, "access": "read-write"},
			object{
				"id": "stubborn", "address": object{"table": "holding", "register": 301, "type": "int16"}, "access": "read-write",
				"write": object{"verify": object{"timeout": "500ms"}},
			},
		},
	}
}

func room(connection string) object {
	return object{
		"id": "room-1", "connection": connection, "labels": object{"site": "south"},
		"points": list{
			object{"id": "temperature", "address": object{"topic": "home/room-1/climate", "path": "$.temperature"}, "unit": "celsius"},
			object{"id": "humidity", "address": object{"topic": "home/room-1/climate", "path": "$.humidity"}, "unit": "humidity"},
			object{"id": "note", "address": object{"topic": "home/room-1/note", "format": "text"}},
			object{
				"id": "light", "address": object{"topic": "home/room-1/light/state", "format": "text", "set": object{"topic": "home/room-1/light/set", "payload": "{value}"}},
				"access": "read-write", "enum": object{"OFF": "off", "ON": "on"},
			},
		},
	}
}

func plc(port int) object {
	return object{"id": "plc", "kind": "modbus", "transport": object{"type": "tcp", "host": "127.0.0.1", "port": port}, "timeout": "1s"}
}

func mqttBroker(port int) object {
	return object{"id": "broker", "kind": "mqtt", "url": fmt.Sprintf("mqtt://127.0.0.1:%d", port)}
}

// settings is jsonData with these connections and devices. History is flushed quickly, so that tests of it are quick.
func settings(connections, devices list) object {
	return object{"version": 1, "connections": connections, "devices": devices, "history": object{"flushInterval": "100ms"}}
}

var (
	plantOnce   sync.Once
	sharedPlant *plant
	plantError  error
)

// shared gives the plant, up and with a first value of every device.
func shared(t *testing.T) *plant {
	t.Helper()
	plantOnce.Do(func() {
		sharedPlant = &plant{}
		if plantError = sharedPlant.build(); plantError == nil {
			plantError = sharedPlant.warm()
		}
	})
	if plantError != nil {
		t.Fatalf("the plant is not there: %v\n%s", plantError, sharedPlant.plugin.Said())
	}
	return sharedPlant
}

// warm waits for the first value of every device. A broker does not say when it has heard our subscription, so it is told again and again.
func (p *plant) warm() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for {
		err := p.broker.Publish(ctx, "home/room-1/climate", `{"temperature": 21.5, "humidity": 40}`)
		if err == nil {
			err = errors.Join(hasValue(ctx, p.source, "boiler", "serial_no"), hasValue(ctx, p.source, "room-1", "temperature"))
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (p *plant) build() error {
	folder, err := os.MkdirTemp("", "fieldgate-plant-")
	if err != nil {
		return err
	}
	p.folder = folder
	if p.modbus, err = harness.StartModbus(0); err != nil {
		return err
	}
	if p.broker, err = harness.StartMosquitto(0); err != nil {
		return err
	}
	for _, at := range []struct {
		place harness.Register
		value any
	}{{flowTemperature, 555}, {power, 12.5}, {energy, fmt.Sprint(exactEnergy)}, {pump, false}, {setpoint, 500}, {serialNumber, "FG-2026-0001"}} {
		if err := p.modbus.Set(at.place, at.value); err != nil {
			return err
		}
	}
	if p.plugin, err = harness.Start(harness.Options{Dir: folder, Env: dataIn(folder + "/data")}); err != nil {
		return fmt.Errorf("%w\n%s", err, p.plugin.Said())
	}
	p.source = source(p.plugin, settings(list{plc(p.modbus.Port), mqttBroker(p.broker.Port)}, list{boiler("plc"), room("broker")}))
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	return p.broker.Echo(ctx, "home/room-1/light/set", "home/room-1/light/state")
}

// closePlant ends the shared plant, if a test needed it. Its log is checked by TestWhatThePlantLogged, which runs last.
func closePlant() {
	p := sharedPlant
	if p == nil {
		return
	}
	if p.stop != nil {
		p.stop()
	}
	if p.plugin != nil {
		p.plugin.Stop()
	}
	if p.modbus != nil {
		p.modbus.Kill()
	}
	if p.broker != nil {
		p.broker.Close()
	}
	_ = os.RemoveAll(p.folder)
}

// reading is the last value of a point as the resource tells it; the zero value if it never said anything.
type reading struct {
	Value   any
	Quality string
	Reason  string
	Time    any
}

func lastValue(ctx context.Context, source harness.Source, device, point string) (reading, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := source.Get(ctx, fmt.Sprintf("devices/%s/points/%s", device, point))
	if err != nil {
		return reading{}, err
	}
	if answer.Status != 200 {
		return reading{}, fmt.Errorf("%s.%s: status %d: %s", device, point, answer.Status, answer.Body)
	}
	var said struct{ Last reading }
	err = answer.JSON(&said)
	return said.Last, err
}

func hasValue(ctx context.Context, source harness.Source, device, point string) error {
	said, err := lastValue(ctx, source, device, point)
	if err == nil && said.Value == nil {
		err = fmt.Errorf("%s.%s has no value yet: %+v", device, point, said)
	}
	return err
}

// reads waits until a point's last value is this.
func reads(t *testing.T, source harness.Source, device, point string, value any) {
	t.Helper()
	eventually(t, patience, func() error {
		said, err := lastValue(t.Context(), source, device, point)
		if err == nil && said.Value != value {
			err = fmt.Errorf("%s.%s reads %v (%s %s), not %v", device, point, said.Value, said.Quality, said.Reason, value)
		}
		return err
	})
}

// lately is a range of time around now that a query of fresh samples uses.
func lately() (from, to time.Time) { return time.Now().Add(-time.Minute), time.Now().Add(time.Second) }
