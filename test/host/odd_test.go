package host

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
)

// How the odd device misbehaves, by unit id.
const (
	oddGood      = 1
	oddWrongUnit = 2
	oddShort     = 3
	oddException = 4
	oddSilent    = 5
	oddGarbage   = 6
)

// startOdd is a Modbus TCP device whose every holding register is 1234, and whose misbehaviour is part of its address. It shares no code
// with ours nor with pymodbus, which cannot be made to lie.
func startOdd(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for answerOddly(conn) == nil {
				}
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func answerOddly(conn net.Conn) error {
	// Modbus Messaging on TCP/IP §3.1.3: transaction, protocol 0, length of what follows, unit; then function, address and count.
	request := make([]byte, 12)
	if _, err := io.ReadFull(conn, request); err != nil {
		return err
	}
	transaction, unit, function := request[0:2], request[6], request[7]
	count := int(binary.BigEndian.Uint16(request[10:12]))
	pdu := []byte{function, byte(2 * count)}
	for range count {
		pdu = binary.BigEndian.AppendUint16(pdu, 1234)
	}
	switch unit {
	case oddWrongUnit:
		unit = 99
	case oddShort:
		pdu = pdu[:len(pdu)-1]
	case oddException:
		pdu = []byte{function | 0x80, 4}
	case oddSilent:
		return nil
	case oddGarbage:
		_, err := conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		return err
	}
	answer := append([]byte{transaction[0], transaction[1], 0, 0}, binary.BigEndian.AppendUint16(nil, uint16(len(pdu)+1))...)
	answer = append(append(answer, unit), pdu...)
	_, err := conn.Write(answer)
	return err
}
