"""A serial port without hardware: a pty under a name of its own, whose other end is this program's standard input and output.

    python3 serial-port.py <path>

Says `ready <path>` on the first line of standard output; from then on bytes are bytes. It ends, and the name with it, when standard input ends.
Node cannot open a pty without native code; Python can with nothing but its own library.
"""

import os
import pty
import select
import signal
import sys
import tty


def main(path):
    if os.path.lexists(path) and os.path.exists(path):
        sys.exit(f"{path} is there already: another simulator, or a real port")
    # A link that leads nowhere is left of a simulator that was killed.
    if os.path.lexists(path):
        os.unlink(path)
    # Ended by a signal it takes its name with it too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit())
    master, slave = pty.openpty()
    tty.setraw(slave)
    # What nobody reads is lost, as on a real line.
    os.set_blocking(master, False)
    os.symlink(os.ttyname(slave), path)
    try:
        os.write(1, f"ready {path}\n".encode())
        carry(master)
    finally:
        os.unlink(path)


def carry(master):
    while True:
        ready, _, _ = select.select([0, master], [], [])
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                return
            try:
                while data:
                    data = data[os.write(master, data) :]
            except BlockingIOError:
                pass
        if master in ready:
            try:
                os.write(1, os.read(master, 4096))
            except BlockingIOError:
                # Whoever has the port threw away what was on its way here.
                pass


try:
    main(sys.argv[1])
except (BrokenPipeError, KeyboardInterrupt):
    pass
