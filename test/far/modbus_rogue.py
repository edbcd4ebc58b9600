"""A Modbus TCP server on plain sockets whose misbehaviour is chosen by unit id. Register r holds the value r, coil c is c % 2.

{"requests": true} -> {"requests": [[unit, function, register], ...]} since the last time, and {"times": [seconds, ...]} beside it; "value" is how often
unit 31 was asked, on whichever connection, before its last answer had left.
"""

import json
import select
import socket
import struct
import sys
import threading
import time

from modbus_tcp import frame, listen

LATE_S = 0.6
seen, times = [], []
held = []
waiting = []
busy = [0]
overlaps = [0]
kept = {}
one_at_a_time = threading.Lock()
lock = threading.Lock()


def good(function, register, count, pdu):
    if function in (1, 2):
        data = bytearray((count + 7) // 8)
        for i in range(count):
            data[i // 8] |= ((register + i) % 2) << (i % 8)
        return bytes([function, len(data)]) + bytes(data)
    if function in (3, 4):
        return bytes([function, count * 2]) + b"".join(struct.pack(">H", (register + i) & 0xFFFF) for i in range(count))
    return pdu[:7] if function == 22 else pdu[:5]


def refusal(function, code):
    return bytes([function | 0x80, code])


def later(connection, seconds, data):
    def send():
        time.sleep(seconds)
        try:
            connection.sendall(data)
        except OSError:
            pass

    threading.Thread(target=send, daemon=True).start()


def behave(connection, transaction, unit, pdu):
    """Returns False to hang up."""
    function, register, count = struct.unpack(">BHH", pdu[:5])
    with lock:
        seen.append([unit, function, register])
        times.append(time.monotonic())
    answer = frame(transaction, unit, good(function, register, count, pdu))
    if unit == 2:  # silent
        return True
    if unit == 3:  # late
        later(connection, LATE_S, answer)
    elif unit == 4:  # another unit answers
        connection.sendall(frame(transaction, 99, good(function, register, count, pdu)))
    elif unit == 5:  # another transaction
        connection.sendall(frame(transaction + 1 & 0xFFFF, unit, good(function, register, count, pdu)))
    elif unit == 6:  # short: one register too few, in a frame that is well formed
        connection.sendall(frame(transaction, unit, good(function, register, max(count - 1, 0), pdu)))
    elif unit == 7:  # the byte count inside says less than the frame holds
        said = bytearray(good(function, register, count, pdu))
        said[1] -= 2
        connection.sendall(frame(transaction, unit, bytes(said)))
    elif unit == 8:
        connection.sendall(frame(transaction, unit, refusal(function, 4)))
    elif unit == 9:  # 100 kB of junk
        connection.sendall(bytes((i * 7 + 13) & 0xFF for i in range(100_000)))
    elif unit == 10:  # hang up
        return False
    elif unit == 11:  # the header promises more than ever comes
        connection.sendall(struct.pack(">HHHB", transaction, 0, 200, unit) + good(function, register, count, pdu))
    elif unit == 12:  # half a frame
        connection.sendall(answer[:5])
    elif unit == 13:  # another unit refuses
        connection.sendall(frame(transaction, 99, refusal(function, 2)))
    elif unit == 14:  # twice
        connection.sendall(answer + answer)
    elif unit == 15:  # byte by byte
        for byte in answer:
            connection.sendall(bytes([byte]))
            time.sleep(0.002)
    elif unit == 16:  # another function
        connection.sendall(frame(transaction, unit, bytes([function + 1]) + good(function, register, count, pdu)[1:]))
    elif unit == 17:  # reset
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    elif unit == 18:  # held back until the unit is asked again: then first the old answer, then the new one
        with lock:
            held.append(answer)
            if len(held) == 2:
                connection.sendall(held[0] + held[1])
                held.clear()
    elif unit == 19:  # confirms another write than was asked for
        connection.sendall(frame(transaction, unit, bytes([function]) + struct.pack(">HH", register + 1, 7)))
    elif unit == 20:  # a flood of answers nobody asked for, then the right one
        flood = b"".join(frame(transaction + 1000 + i & 0xFFFF, unit, good(3, 5000, 10, pdu)) for i in range(2_000))
        connection.sendall(flood + answer)
    elif unit == 21:  # out of order: five are waited for, and the highest register is answered first
        with lock:
            waiting.append((register, answer))
            if len(waiting) == 5:
                connection.sendall(b"".join(one for _, one in sorted(waiting, reverse=True)))
                waiting.clear()
    elif unit == 22:  # a function code and nothing else
        connection.sendall(frame(transaction, unit, bytes([function])))
    elif unit == 23:  # not Modbus at all: protocol identifier 1
        connection.sendall(struct.pack(">HHHB", transaction, 1, 3, unit) + b"\x03\x00")
    elif unit == 24:  # refuses more than one register, takes its time for one, and does not answer for register 60 at all
        if count > 1:
            connection.sendall(frame(transaction, unit, refusal(function, 2)))
        elif register != 60:
            later(connection, 0.02, answer)
    elif unit == 25:  # gives four registers at once and no more
        connection.sendall(frame(transaction, unit, refusal(function, 3)) if count > 4 else answer)
    elif unit == 26:  # 50 to 53 are undefined
        connection.sendall(frame(transaction, unit, refusal(function, 2)) if register < 54 and register + count > 50 else answer)
    elif unit == 27:  # busy two times, then well
        with lock:
            busy[0] += 1
            turn = busy[0] % 3
        connection.sendall(answer if turn == 0 else frame(transaction, unit, refusal(function, 6)))
    elif unit == 29:  # does not know function 22
        connection.sendall(frame(transaction, unit, refusal(function, 1)) if function == 22 else answer)
    elif unit == 30:  # gives bits only from 0 on, and at most 16
        connection.sendall(frame(transaction, unit, refusal(function, 2)) if register > 0 or count > 16 else answer)
    elif unit == 31:  # takes 5 ms, keeps what is written, and notices whoever cannot wait
        if not one_at_a_time.acquire(blocking=False):
            overlaps[0] += 1
            one_at_a_time.acquire()
        time.sleep(0.005)
        if select.select([connection], [], [], 0)[0]:
            overlaps[0] += 1
        if function == 6:
            kept[register] = count
        values = [kept.get(register + i, 0) for i in range(count)] if function == 3 else []
        read = bytes([function, count * 2]) + b"".join(struct.pack(">H", value) for value in values)
        # Free before the answer leaves: whoever has it may ask.
        one_at_a_time.release()
        connection.sendall(frame(transaction, unit, read) if function == 3 else answer)
    elif 100 <= unit < 112:  # exception 0..11
        connection.sendall(frame(transaction, unit, refusal(function, unit - 100)))
    else:
        connection.sendall(answer)
    return True


print(f"ready {listen(int(sys.argv[1]), behave)}", flush=True)
while line := sys.stdin.readline():
    json.loads(line)
    with lock:
        print(json.dumps({"requests": list(seen), "times": list(times), "value": overlaps[0]}), flush=True)
        seen.clear()
        times.clear()
