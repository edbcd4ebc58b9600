"""A Modbus TCP gateway with ten units on a serial line behind it: one request at a time, 10 ms each; unit 10 is silent. modbus_units.py <port>.

Answers any line with {"value": {"<unit>": answers since the last time}}.
"""

import json
import struct
import sys
import threading
import time

from modbus_tcp import frame, listen

line = threading.Lock()
answers = {}


def behave(connection, transaction, unit, pdu):
    if unit == 10:
        return
    function, register, count = struct.unpack(">BHH", pdu[:5])
    with line:
        time.sleep(0.01)
        answers[unit] = answers.get(unit, 0) + 1
    data = b"".join(struct.pack(">H", (register + i) & 0xFFFF) for i in range(count))
    connection.sendall(frame(transaction, unit, bytes([function, count * 2]) + data))


print(f"ready {listen(int(sys.argv[1]), behave)}", flush=True)
for _question in sys.stdin:
    seen, answers = answers, {}
    print(json.dumps({"value": seen}), flush=True)
