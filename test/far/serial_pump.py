"""The far end of bench/serial.ts: says lines as fast as they are taken, or answers them at once; and pyserial as a reader.

    python3 serial_pump.py <path of the port> [count]   "G<count>" and a line feed, on the port or on standard input: that many lines
                                                  "T=<n>;S=40", made beforehand up to the count given; any other line comes back as it is
    python3 serial_pump.py --read <path> <count>  reads that many lines with pyserial and says lines a second
"""

import os
import re
import sys
import threading
import time
import tty

if sys.argv[1] == "--read":
    import serial

    port = serial.Serial(sys.argv[2], 115200, timeout=10)
    pattern = re.compile(rb"^T=(?P<air>[-0-9.]+);S=\d+$")
    count = int(sys.argv[3])
    total = 0.0
    time.sleep(0.2)
    port.write(b"G%d\n" % count)
    started = time.monotonic()
    for _ in range(count):
        total += float(pattern.match(port.readline().rstrip())["air"])
    print(count / (time.monotonic() - started))
    sys.exit(0 if total == count * (count - 1) / 2 else 1)

def lines(count):
    return b"".join(b"T=%d;S=40\n" % n for n in range(count))


# The reader's time must not be the time it takes to write numbers.
ready = int(sys.argv[2]) if len(sys.argv) > 2 else 0
made = lines(ready)
master, slave = os.openpty()
tty.setraw(slave)
os.symlink(os.ttyname(slave), sys.argv[1])
print(f"ready {sys.argv[1]}", flush=True)


def pump(count):
    data = memoryview(made if count == ready else lines(count))
    while data:
        data = data[os.write(master, data) :]


threading.Thread(target=lambda: [pump(int(line[1:])) for line in sys.stdin], daemon=True).start()
held = b""
while True:
    held += os.read(master, 4096)
    while b"\n" in held:
        line, held = held.split(b"\n", 1)
        if line.startswith(b"G"):
            pump(int(line[1:]))
        else:
            os.write(master, line + b"\n")
