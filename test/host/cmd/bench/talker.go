package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// talker is an MQTT 3.1.1 broker that only talks: it accepts what it is asked and sends small JSON messages to one client, some thousand a
// second or none. A real broker would be a third process on the same two cores.
type talker struct {
	listener net.Listener
	topics   []string

	mutex     sync.Mutex
	perSecond int
	sent      int
}

func startTalker(topics []string) (*talker, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &talker{listener: listener, topics: topics}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go t.serve(conn)
		}
	}()
	return t, nil
}

func (t *talker) url() string { return "mqtt://" + t.listener.Addr().String() }
func (t *talker) close()      { _ = t.listener.Close() }

// speak sets how many messages are sent from now on.
func (t *talker) speak(perSecond int) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.perSecond = perSecond
}

// count is how many were sent so far.
func (t *talker) count() int {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.sent
}

// serve answers CONNECT, SUBSCRIBE and PINGREQ (MQTT 3.1.1 §3) until the client hangs up.
func (t *talker) serve(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	var talking sync.Once
	var writing sync.Mutex
	write := func(packet []byte) error {
		writing.Lock()
		defer writing.Unlock()
		_, err := conn.Write(packet)
		return err
	}
	for {
		kind, err := reader.ReadByte()
		if err != nil {
			return
		}
		length, err := binary.ReadUvarint(reader)
		if err != nil {
			return
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(reader, body); err != nil {
			return
		}
		switch kind >> 4 {
		case 1:
			_ = write([]byte{0x20, 2, 0, 0})
		case 8:
			granted := make([]byte, countFilters(body[2:]))
			head := binary.AppendUvarint([]byte{0x90}, uint64(2+len(granted)))
			_ = write(append(append(head, body[:2]...), granted...))
			talking.Do(func() { go t.talk(write) })
		case 12:
			_ = write([]byte{0xd0, 0})
		}
	}
}

// countFilters counts the topic filters of a SUBSCRIBE: two bytes of length, the filter, a byte of options.
func countFilters(rest []byte) (count int) {
	for len(rest) > 2 {
		rest = rest[3+binary.BigEndian.Uint16(rest):]
		count++
	}
	return count
}

// talk sends what is due every millisecond, a topic after the other; what a busy machine delayed comes with the next.
func (t *talker) talk(write func([]byte) error) {
	due := 0.0
	last := time.Now()
	for {
		time.Sleep(time.Millisecond)
		now := time.Now()
		t.mutex.Lock()
		due += float64(t.perSecond) * now.Sub(last).Seconds()
		from, count := t.sent, int(due)
		t.sent += count
		t.mutex.Unlock()
		last, due = now, due-float64(count)
		var packets bytes.Buffer
		for n := from; n < from+count; n++ {
			topic := t.topics[n%len(t.topics)]
			payload := fmt.Sprintf(`{"value":%d.%d,"unit":"celsius"}`, 20+n%7, n%10)
			packets.WriteByte(0x30)
			packets.Write(binary.AppendUvarint(nil, uint64(2+len(topic)+len(payload))))
			packets.Write(binary.BigEndian.AppendUint16(nil, uint16(len(topic))))
			packets.WriteString(topic + payload)
		}
		if count > 0 && write(packets.Bytes()) != nil {
			return
		}
	}
}
