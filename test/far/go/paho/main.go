// Command paho is the benchmark's peer in Go: a subscriber on Eclipse Paho that parses each message's JSON and does nothing else with it.
//
//	paho <port> <qos> <topics> <messages>
//
// It subscribes to bench/0 … bench/<topics-1> (with QoS 1 in a kept session), prints "ready", and when so many messages came, or none for three
// seconds, {"heard": messages, "cpuUs": processor time since it began, "seconds": time since it began}.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const quiet = 3 * time.Second

func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	qos, topics, wanted := byte(number(os.Args[2])), number(os.Args[3]), int64(number(os.Args[4]))
	var heard, last atomic.Int64
	filters := map[string]byte{}
	for n := range topics {
		filters["bench/"+strconv.Itoa(n)] = qos
	}
	take := func(_ mqtt.Client, message mqtt.Message) {
		var document struct {
			Temperature float64 `json:"temperature"`
		}
		if json.Unmarshal(message.Payload(), &document) == nil && document.Temperature > 0 {
			last.Store(time.Now().UnixNano())
			heard.Add(1)
		}
	}
	began, before := time.Now(), cpu()
	client := mqtt.NewClient(mqtt.NewClientOptions().
		AddBroker("tcp://127.0.0.1:" + os.Args[1]).
		SetClientID("bench-paho").SetCleanSession(qos == 0).SetAutoReconnect(false).SetDefaultPublishHandler(take))
	for _, token := range []func() mqtt.Token{client.Connect, func() mqtt.Token { return client.SubscribeMultiple(filters, take) }} {
		if done := token(); done.Wait() && done.Error() != nil {
			panic(done.Error())
		}
	}
	fmt.Println("ready")
	last.Store(time.Now().UnixNano())
	for wanted > 0 && heard.Load() < wanted {
		time.Sleep(5 * time.Millisecond)
		if heard.Load() > 0 && time.Since(time.Unix(0, last.Load())) > quiet {
			break
		}
	}
	took := time.Since(began)
	answer := map[string]any{"heard": heard.Load(), "cpuUs": (cpu() - before).Microseconds(), "seconds": took.Seconds()}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		panic(err)
	}
	client.Disconnect(0)
}
