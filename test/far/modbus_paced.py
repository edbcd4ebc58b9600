"""A Modbus RTU device on a pty that is as slow as its wire, and as fast as it can be: what is sent and answered takes the time its characters take at this
speed, and the device lets only the silence of 3.5 characters pass before it answers. Register r holds r * 7.

    python3 modbus_paced.py <path of the port> <baud>

Answers {"wire": true} with {"value": [requests, seconds they could not be faster, requests that came before the silence was over]} since the last time.
"""

import json
import struct
import sys
import time

from modbus_crc import crc
from pty_line import Line

BITS = 11
SILENCE = 3.5
path, baud = sys.argv[1], int(sys.argv[2])
character = BITS / baud
held = bytearray()
ended = 0.0
count, seconds, early = 0, 0.0, 0


def hear(data):
    global ended, count, seconds, early
    now = time.monotonic()
    if not held and now < ended + SILENCE * character:
        early += 1
    held.extend(data)
    if len(held) < 8:
        return
    unit, function, register, wanted = struct.unpack(">BBHH", held[:6])
    held.clear()
    body = struct.pack(">BBB", unit, function, wanted * 2) + b"".join(struct.pack(">H", (register + i) * 7 & 0xFFFF) for i in range(wanted))
    answer = body + crc(body)
    takes = (8 + len(answer) + SILENCE) * character
    while (left := now + takes - time.monotonic()) > 0:
        time.sleep(left)
    ended = time.monotonic()
    line.say(answer)
    count += 1
    seconds += takes + SILENCE * character


line = Line(path, hear)
line.plug()
print(f"ready {path}", flush=True)
for question in sys.stdin:
    json.loads(question)
    print(json.dumps({"value": [count, seconds, early]}), flush=True)
    count, seconds, early = 0, 0.0, 0
