"""Modbus RTU devices on a pty, with a checksum of their own: the far end of the serial half of the Modbus driver's tests.

    python3 modbus_rtu.py <path of the port>

Unit 1 and unit 2 hold values: coils, discrete inputs, holding and input registers 0-399, of which 200-209 are undefined (exception 2);
writing holding 300 is refused with exception 3. Any other unit misbehaves by its number, see `behave`; there register r of unit u holds
u * 256 + r, coil c is c % 2, so that every value says where it belongs.

Answers one line of JSON with one line of JSON:
  {"set": value, "unit": 1, "table": "holding", "register": 0, "type": "float32", "order": "CDAB"} -> {};  {"get": true, ...} -> {"value": ...}
  {"requests": true}  -> {"requests": [[unit, function, register], ...], "times": [seconds, ...]} since the last time
  {"late": seconds} or {"late": [least, most]}  how long unit 3 takes from now on
  {"reset": true} is a new line under the same name;  {"unplug": true}, {"plug": true}, {"say": "hex"}, {"babble": true or false}, {"settings": true}, {"occupy": true}, {"vacate": true}
"""

import random
import struct
import sys
import threading
import time

import questions
from modbus_crc import crc
from pty_line import Line
from registers import pack, unpack, width

SIZE = 400
UNDEFINED = range(200, 210)
TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
memory = {unit: {name: [0] * SIZE for name in TABLES.values()} for unit in (1, 2)}
seen, times = [], []
lock = threading.Lock()
late = [0.3, 0.3]
babbling = threading.Event()
chance = random.Random(7)


def frame(unit, pdu):
    body = bytes([unit]) + pdu
    return body + crc(body)


def later(seconds, data):
    timer = threading.Timer(seconds, line.say, (data,))
    timer.daemon = True
    timer.start()


def bits(values):
    data = bytearray((len(values) + 7) // 8)
    for i, value in enumerate(values):
        data[i // 8] |= bool(value) << (i % 8)
    return bytes(data)


def serve(unit, function, pdu):
    """What a good device answers."""
    register, count = struct.unpack(">HH", pdu[1:5])
    tables = memory.get(unit)
    if function <= 4:
        if tables and (register + count > SIZE or any(register + i in UNDEFINED for i in range(count))):
            return bytes([function | 0x80, 2])
        if function <= 2:
            values = tables[TABLES[function]][register : register + count] if tables else [(register + i) % 2 for i in range(count)]
            return bytes([function, len(bits(values))]) + bits(values)
        values = tables[TABLES[function]][register : register + count] if tables else [unit * 256 + register + i & 0xFFFF for i in range(count)]
        return bytes([function, count * 2]) + b"".join(struct.pack(">H", value) for value in values)
    if function == 6 and register == 300 or function == 16 and register <= 300 < register + count:
        return bytes([function | 0x80, 3])
    if tables:
        if function == 5:
            tables["coil"][register] = int(count == 0xFF00)
        elif function == 6:
            tables["holding"][register] = count
        elif function == 15:
            for i in range(count):
                tables["coil"][register + i] = pdu[6 + i // 8] >> (i % 8) & 1
        elif function == 16:
            tables["holding"][register : register + count] = struct.unpack(f">{count}H", pdu[6:])
        elif function == 22:
            both = struct.unpack(">H", pdu[5:7])[0]
            tables["holding"][register] = tables["holding"][register] & count | both & ~count & 0xFFFF
    return pdu[:7] if function == 22 else pdu[:5]


def behave(unit, function, pdu):
    good = frame(unit, serve(unit, function, pdu))
    if unit == 3:  # late
        later(chance.uniform(*late), good)
    elif unit == 4:  # silent
        pass
    elif unit == 5:  # wrong checksum
        line.say(good[:-1] + bytes([good[-1] ^ 0x01]))
    elif unit == 6:  # another unit answers
        line.say(frame(99, good[1:-2]))
    elif unit == 7:  # half a frame
        line.say(good[: len(good) // 2])
    elif unit == 8:  # exception 4
        line.say(frame(unit, bytes([function | 0x80, 4])))
    elif unit == 9:  # noise before and after
        line.say(b"\x00\xff\x00" + good + b"\xff")
    elif unit == 10:  # byte by byte
        for byte in good:
            line.say(bytes([byte]))
            time.sleep(0.003)
    elif unit == 11:  # one register too few, in a frame that is well formed
        line.say(frame(unit, bytes([good[1], good[2] - 2]) + good[3:-4]))
    elif unit == 12:  # a flood that never ends in an answer
        for _ in range(40):
            line.say(bytes(chance.randrange(256) for _ in range(256)))
            time.sleep(0.002)
    elif unit == 13:  # another function
        line.say(frame(unit, bytes([function ^ 7]) + good[2:-2]))
    elif unit == 14:  # twice
        line.say(good + good)
    elif unit == 15:  # a bit flipped somewhere, another one each time
        damaged = bytearray(good)
        damaged[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
        line.say(bytes(damaged))
    elif unit == 16:  # noise of any length, then perhaps the answer, perhaps cut
        noise = bytes(chance.randrange(256) for _ in range(chance.randrange(40)))
        line.say(noise + good[: chance.choice([0, len(good) // 2, len(good), len(good)])])
    elif unit == 17:  # the request comes back, as from a cable that hears itself; then the answer
        line.say(frame(unit, pdu) + good)
    elif unit == 18:  # confirms another write than was asked for
        line.say(frame(unit, bytes([function]) + struct.pack(">HH", 77, 7)))
    else:
        line.say(good)


def length_of(data):
    """Of the request at the beginning; 0 if more bytes are needed to say."""
    if len(data) < 7:
        return 0
    function = data[1]
    if function in (15, 16):
        return 9 + data[6]
    return 10 if function == 22 else 8


held = bytearray()


def hear(data):
    held.extend(data)
    while (length := length_of(held)) and len(held) >= length:
        request = bytes(held[:length])
        if crc(request[:-2]) != request[-2:]:
            del held[0]
            continue
        del held[:length]
        unit, function = request[0], request[1]
        with lock:
            seen.append([unit, function, struct.unpack(">H", request[2:4])[0]])
            times.append(time.monotonic())
        behave(unit, function, request[1:-2])


def babble():
    while babbling.wait():
        line.say(b"\x00\xff\x55")
        time.sleep(0.0005)


def words(values):
    return b"".join(struct.pack(">H", value) for value in values)


def answer(question):
    for name in ("unplug", "plug", "occupy", "vacate"):
        if name in question:
            held.clear()
            getattr(line, name)()
            return {}
    if "reset" in question:
        babbling.clear()
        line.unplug()
        held.clear()
        seen.clear()
        times.clear()
        late[:] = [0.3, 0.3]
        line.plug()
        return {}
    if "settings" in question:
        return {"value": line.settings()}
    if "say" in question:
        line.say(bytes.fromhex(question["say"]))
        return {}
    if "babble" in question:
        babbling.set() if question["babble"] else babbling.clear()
        return {}
    if "late" in question:
        wanted = question["late"]
        late[:] = wanted if isinstance(wanted, list) else [wanted, wanted]
        return {}
    if "requests" in question:
        with lock:
            said = {"requests": list(seen), "times": list(times)}
            seen.clear()
            times.clear()
        return said
    table, register = memory[question.get("unit", 1)][question["table"]], question["register"]
    if question["table"] in ("coil", "discrete"):
        if "set" in question:
            table[register] = int(bool(question["set"]))
            return {}
        return {"value": bool(table[register])}
    if "bit" in question:
        if "set" in question:
            table[register] = table[register] & ~(1 << question["bit"]) | bool(question["set"]) << question["bit"]
            return {}
        return {"value": bool(table[register] >> question["bit"] & 1)}
    kind, order = question["type"], question["order"]
    if "set" in question:
        data = pack(question["set"], kind, order)
        table[register : register + len(data) // 2] = struct.unpack(f">{len(data) // 2}H", data)
        return {}
    return {"value": unpack(words(table[register : register + width(question)]), kind, order)}


line = Line(sys.argv[1], hear)
line.plug()
threading.Thread(target=babble, daemon=True).start()
questions.serve(line.path, answer)
line.unplug()
