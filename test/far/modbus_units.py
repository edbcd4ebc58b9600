"""A Modbus TCP gateway with ten units on a serial line behind it: one request at a time, 10 ms each; unit 10 is silent. modbus_units.py <port>.

Answers any line with {"value": {"<unit>": answers since the last time}}.
"""

import json
import socket
import struct
import sys
import threading
import time

line = threading.Lock()
answers = {}


def serve(link):
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = link.makefile("rb")
    while len(head := stream.read(7)) == 7:
        transaction, _protocol, length, unit = struct.unpack(">HHHB", head)
        function, register, count = struct.unpack(">BHH", stream.read(length - 1)[:5])
        if unit == 10:
            continue
        with line:
            time.sleep(0.01)
            answers[unit] = answers.get(unit, 0) + 1
        pdu = bytes([function, count * 2]) + b"".join(struct.pack(">H", (register + i) & 0xFFFF) for i in range(count))
        try:
            link.sendall(struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu)
        except OSError:
            return


def listen(server):
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
threading.Thread(target=listen, args=(server,), daemon=True).start()
print(f"ready {server.getsockname()[1]}", flush=True)
for _question in sys.stdin:
    seen, answers = answers, {}
    print(json.dumps({"value": seen}), flush=True)
