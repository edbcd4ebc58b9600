"""A serial port without hardware: a pty under a name of its own, to be plugged in and pulled out. Nothing but Python's own library."""

import errno
import fcntl
import os
import pty
import select
import termios
import threading
import time
import tty


class Line:
    """`hear` is called with the bytes that came, in a thread of its own. The other end opens `path`, a link to the pty."""

    def __init__(self, path, hear):
        self.path = path
        self.hear = hear
        self.master = None
        self.slave = None
        self.plugged = None
        # Takes nothing from the line while it is true: its buffers fill.
        self.deaf = False
        self.lock = threading.RLock()
        # With a speed, bytes go and come one by one, each in the time its ten bits take on the wire, both ways at once.
        self.baud = None
        self.saying = threading.Lock()

    def plug(self):
        """Under the same name as before, though it is another device."""
        master, slave = pty.openpty()
        tty.setraw(slave)
        # What nobody reads is dropped, as on a real line.
        os.set_blocking(master, False)
        with self.lock:
            self.master, self.slave = master, slave
        if os.path.lexists(self.path):
            os.unlink(self.path)
        os.symlink(os.ttyname(slave), self.path)
        # The next pty may get the same number: whose listener this is has a name of its own.
        self.plugged = object()
        threading.Thread(target=self._listen, args=(master, self.plugged), daemon=True).start()

    def unplug(self):
        with self.lock:
            master, slave, self.master, self.slave, self.plugged = self.master, self.slave, None, None, None
        if os.path.lexists(self.path):
            os.unlink(self.path)
        if master is not None:
            os.close(slave)
            os.close(master)

    def say(self, data):
        """Whole, or cut where the line takes no more."""
        if self.baud is None:
            return self._write(data)
        with self.saying:
            begun = time.monotonic()
            for sent, byte in enumerate(data, 1):
                self._write(bytes([byte]))
                time.sleep(max(0, begun + sent * 10 / self.baud - time.monotonic()))

    def _write(self, data):
        with self.lock:
            while data and self.master is not None:
                try:
                    data = data[os.write(self.master, data) :]
                except OSError as error:
                    if error.errno in (errno.EAGAIN, errno.EIO, errno.EBADF):
                        return
                    raise

    def settings(self):
        """What the other end has set: speed, parity, stop bits, flow control."""
        iflag, _oflag, cflag, _lflag, speed, _ospeed, _chars = termios.tcgetattr(self.slave)
        speeds = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}
        return {
            "baudRate": speeds.get(speed, speed),
            # A pty forgets whether there is a parity and how many data bits, and keeps which one it would be.
            "odd": bool(cflag & termios.PARODD),
            "stopBits": 2 if cflag & termios.CSTOPB else 1,
            "hardware": bool(cflag & termios.CRTSCTS),
            "software": bool(iflag & (termios.IXON | termios.IXOFF)),
        }

    def occupy(self):
        """As another program would that asks for the port alone."""
        fcntl.flock(self.slave, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def vacate(self):
        fcntl.flock(self.slave, fcntl.LOCK_UN)

    def _listen(self, master, plugged):
        while self.plugged is plugged:
            try:
                ready, _, _ = select.select([] if self.deaf else [master], [], [], 0.1)
                with self.lock:
                    if self.plugged is not plugged:
                        return
                    data = os.read(master, 1 if self.baud else 4096) if ready else b""
            except (OSError, ValueError):
                continue
            if data and self.baud:
                time.sleep(10 / self.baud)
            if data:
                self.hear(data)
