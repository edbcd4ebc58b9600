"""A Modbus TCP server that sends every answer damaged: {"seed": n} chooses how. Register r of unit u holds (u * 1021 + r * 31) & 0xFFFF, in a frame
where nothing but the values could be changed without notice; those two bytes are never touched, everything else is.

A mutant changes, cuts, repeats, inserts or joins bytes of header and PDU, or sends them with other numbers. What still is a whole and right answer
holds right values, so a reading is either right or bad.
"""

import json
import random
import struct
import sys

from modbus_tcp import frame, listen

chance = random.Random(1)
sent = [0]


def good(unit, function, register, count):
    values = [(unit * 1021 + (register + i) * 31) & 0xFFFF for i in range(count)]
    return bytes([function, count * 2]) + b"".join(struct.pack(">H", value) for value in values)


def mutant(transaction, unit, pdu):
    header = bytearray(frame(transaction, unit, pdu)[:9])
    values = pdu[2:]
    kind = chance.randrange(10)
    if kind == 0:  # one bit of what says whose it is
        header[chance.randrange(2, len(header))] ^= 1 << chance.randrange(8)
    elif kind == 1:  # one byte of it
        header[chance.randrange(2, len(header))] = chance.randrange(256)
    elif kind == 2:  # cut off
        return bytes(header + values)[: chance.randrange(len(header) + len(values))]
    elif kind == 3:  # an exception, of the standard or not
        return frame(transaction, unit, bytes([pdu[0] | 0x80, chance.randrange(256)]))
    elif kind == 4:  # shorter or longer inside a right header
        count = chance.randrange(0, 126)
        body = bytes([pdu[0], count * 2 & 0xFF]) + bytes(values)[: count * 2].ljust(count * 2, b"\0")
        if count * 2 == len(values):
            return bytes(header + values)
        return frame(transaction, unit, body)
    elif kind == 5:  # another transaction; not the next one, because an answer that comes late with that number is a right answer to it in every respect
        return frame(transaction + chance.choice([-256, -1, 0x4000]) & 0xFFFF, unit, pdu)
    elif kind == 6:  # another unit's answer with this one's number
        return frame(transaction, (unit + 1) & 0xFF, pdu)
    elif kind == 7:  # twice
        return bytes(header + values) * 2
    elif kind == 8:  # junk before it
        return bytes(chance.randrange(256) for _ in range(chance.randrange(1, 20))) + bytes(header + values)
    return bytes(header + values)


def behave(connection, transaction, unit, pdu):
    function, register, count = struct.unpack(">BHH", pdu[:5])
    sent[0] += 1
    connection.sendall(mutant(transaction, unit, good(unit, function, register, count)))


print(f"ready {listen(int(sys.argv[1]), behave)}", flush=True)
while line := sys.stdin.readline():
    question = json.loads(line)
    if "seed" in question:
        chance.seed(question["seed"])
    print(json.dumps({"value": sent[0]}), flush=True)
