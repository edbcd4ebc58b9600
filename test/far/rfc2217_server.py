"""A device server of RFC 2217 on pyserial's side of the protocol, whose port is made of nothing: it remembers how it was set.

    python3 rfc2217_server.py 0

Says `ready <port>`. Answers one line of JSON with one line of JSON: {"settings": true} -> {"value": {...}};  {"hex": "00ff"} comes from the device;
{"heard": true} -> {"value": hex};  {"hangup": true} closes the connection.
"""

import socket
import sys
import threading

import questions
import serial.rfc2217


class Nothing:
    """What PortManager wants of a serial port."""

    def __init__(self):
        self.baudrate, self.bytesize, self.parity, self.stopbits = 1200, 8, "N", 1
        self.rtscts = self.xonxoff = False
        self.dtr = self.rts = True
        self.cts = self.dsr = self.ri = self.cd = False
        self.break_condition = False
        self.changes = []

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        if name in ("dtr", "rts") and hasattr(self, "changes"):
            self.changes.append([name, bool(value)])

    def reset_input_buffer(self):
        pass

    def reset_output_buffer(self):
        pass


port = Nothing()
heard = bytearray()
lock = threading.Lock()
peer = {"socket": None, "manager": None}


class Sender:
    def write(self, data):
        with lock:
            if peer["socket"] is not None:
                peer["socket"].sendall(data)


def serve(listener):
    while True:
        peer["socket"], _ = listener.accept()
        peer["manager"] = serial.rfc2217.PortManager(port, Sender())
        while True:
            try:
                data = peer["socket"].recv(1024)
            except OSError:
                data = b""
            if not data:
                break
            heard.extend(b"".join(peer["manager"].filter(data)))
        with lock:
            peer["socket"] = None


def answer(question):
    if "settings" in question:
        said = {name: getattr(port, name) for name in ("baudrate", "bytesize", "parity", "stopbits", "xonxoff", "rtscts", "dtr", "rts")}
        changes, port.changes = port.changes, []
        return {"value": {**said, "changes": changes}}
    if "heard" in question:
        said = heard.hex()
        heard.clear()
        return {"value": said}
    if "hangup" in question:
        with lock:
            if peer["socket"] is not None:
                peer["socket"].shutdown(socket.SHUT_RDWR)
        return {}
    Sender().write(b"".join(peer["manager"].escape(bytes.fromhex(question["hex"]))))
    return {}


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
questions.serve(listener.getsockname()[1], answer)
