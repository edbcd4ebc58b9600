"""A Modbus TCP gateway with ten units on a serial line behind it: one request at a time, 10 ms each. modbus_units.py <port>.

Answers any line with {"value": {"<unit>": answers since the last time}}; {"silent": unit} makes that unit silent from now on.
"""

import json
import struct
import sys
import threading
import time

from modbus_tcp import frame, listen

line = threading.Lock()
answers = {}
silent = set()


def behave(connection, transaction, unit, pdu):
    if unit in silent:
        return
    function, register, count = struct.unpack(">BHH", pdu[:5])
    with line:
        time.sleep(0.01)
        answers[unit] = answers.get(unit, 0) + 1
    data = b"".join(struct.pack(">H", (register + i) & 0xFFFF) for i in range(count))
    connection.sendall(frame(transaction, unit, bytes([function, count * 2]) + data))


print(f"ready {listen(int(sys.argv[1]), behave)}", flush=True)
for question in sys.stdin:
    if (unit := json.loads(question).get("silent")) is not None:
        silent.add(unit)
    seen, answers = answers, {}
    print(json.dumps({"value": seen}), flush=True)
