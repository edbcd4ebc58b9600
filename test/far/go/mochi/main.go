// Command mochi is a third MQTT broker for the tests: mochi-mqtt, in Go and no relative of mosquitto or aedes. Unlike those it sends topic
// aliases, keeps to the client's receive maximum, and says with DISCONNECT when another client has taken over.
//
//	mochi <port, 0 for a free one>
//
// It prints "ready <port>". To a line {"publish": topic, "payload": base64, "qos": 0} it answers {} when the message is handed out, to
// {"last": topic} what a client published there last, and to {"aliases": true} how many messages it sent without their topic.
// The user "gateway" with the password "near-secret" may neither publish to …/forbidden/… nor subscribe below secret/. It ends with its standard input.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// message is what a client published last on a topic.
type message struct {
	Payload     string     `json:"payload"`
	QoS         byte       `json:"qos"`
	Retain      bool       `json:"retain"`
	ContentType string     `json:"contentType"`
	User        [][]string `json:"user"`
	Correlation bool       `json:"correlation"`
}

type rules struct {
	mqtt.HookBase
	heard   sync.Map
	aliases atomic.Int64
}

func (*rules) ID() string { return "rules" }

func (*rules) Provides(kind byte) bool {
	return strings.IndexByte(string([]byte{mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublished, mqtt.OnPacketEncode}), kind) >= 0
}

func (*rules) OnConnectAuthenticate(_ *mqtt.Client, packet packets.Packet) bool {
	return string(packet.Connect.Username) == "gateway" && string(packet.Connect.Password) == "near-secret"
}

func (*rules) OnACLCheck(_ *mqtt.Client, topic string, write bool) bool {
	return !(write && strings.Contains(topic, "/forbidden/")) && (write || !strings.HasPrefix(topic, "secret/"))
}

func (r *rules) OnPublished(client *mqtt.Client, packet packets.Packet) {
	if client.Net.Inline {
		return
	}
	seen := message{
		Payload:     base64.StdEncoding.EncodeToString(packet.Payload),
		QoS:         packet.FixedHeader.Qos,
		Retain:      packet.FixedHeader.Retain,
		ContentType: packet.Properties.ContentType,
		User:        [][]string{},
		Correlation: len(packet.Properties.CorrelationData) > 0,
	}
	for _, property := range packet.Properties.User {
		seen.User = append(seen.User, []string{property.Key, property.Val})
	}
	r.heard.Store(packet.TopicName, seen)
}

func (r *rules) OnPacketEncode(_ *mqtt.Client, packet packets.Packet) packets.Packet {
	if packet.FixedHeader.Type == packets.Publish && packet.TopicName == "" {
		r.aliases.Add(1)
	}
	return packet
}

type question struct {
	Publish string `json:"publish"`
	Payload []byte `json:"payload"`
	QoS     byte   `json:"qos"`
	Retain  bool   `json:"retain"`
	Last    string `json:"last"`
	Aliases bool   `json:"aliases"`
}

func (r *rules) answer(broker *mqtt.Server, asked question) (any, error) {
	switch {
	case asked.Publish != "":
		return nil, broker.Publish(asked.Publish, asked.Payload, asked.Retain, asked.QoS)
	case asked.Last != "":
		value, _ := r.heard.Load(asked.Last)
		return value, nil
	default:
		return r.aliases.Load(), nil
	}
}

func run(port string, in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	broker := mqtt.New(&mqtt.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	own := &rules{}
	if err := broker.AddHook(own, nil); err != nil {
		return err
	}
	if err := broker.AddListener(listeners.NewNet("tcp", listener)); err != nil {
		return err
	}
	if err := broker.Serve(); err != nil {
		return err
	}
	fmt.Fprintf(out, "ready %d\n", listener.Addr().(*net.TCPAddr).Port)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var asked question
		reply := map[string]any{}
		err := json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			reply["value"], err = own.answer(broker, asked)
		}
		if err != nil {
			reply["error"] = err.Error()
		}
		if err := json.NewEncoder(out).Encode(reply); err != nil {
			return err
		}
	}
	return broker.Close()
}

func main() {
	if err := run(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
