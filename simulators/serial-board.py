"""A microcontroller board on a serial port without hardware: simavr's core runs the firmware, its UART is the other end of a pty.

    python3 serial-board.py <path of the port>    runs <path of the port>.elf

Says `ready <path>` on standard output; ends, and the name with it, when standard input does. Takes libsimavr as it is installed, through ctypes.
"""

import collections
import ctypes
import os
import pty
import select
import struct
import sys
import threading
import tty

PATH = sys.argv[1]
ELF = f"{PATH}.elf"
MCU = b"atmega328p"
FREQUENCY = 1_000_000
UART_INPUT, UART_OUTPUT = 0, 1
FLAG_STDIO = 1 << 1


def code(text):
    return struct.unpack(">I", text)[0]


# The library says what it does on standard output, which is ours to speak on.
says = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
avr_lib = ctypes.CDLL("libsimavr.so.2")
avr_lib.avr_make_mcu_by_name.restype = ctypes.c_void_p
avr_lib.avr_io_getirq.restype = ctypes.c_void_p
avr_lib.avr_io_getirq.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int]
avr_lib.avr_ioctl.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p]
avr_lib.avr_raise_irq.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
for name in ("avr_init", "avr_run"):
    getattr(avr_lib, name).argtypes = [ctypes.c_void_p]
avr_lib.avr_load_firmware.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
Notify = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)
avr_lib.avr_irq_register_notify.argtypes = [ctypes.c_void_p, Notify, ctypes.c_void_p]

# Larger than the library's struct, of which only the frequency (behind the 64 characters of the name) is ours to fill.
firmware = ctypes.create_string_buffer(64 * 1024)
if avr_lib.elf_read_firmware(ELF.encode(), firmware) != 0:
    sys.exit(f"{ELF} is no firmware")
struct.pack_into("I", firmware, 64, FREQUENCY)
board = avr_lib.avr_make_mcu_by_name(MCU)
avr_lib.avr_init(board)
avr_lib.avr_load_firmware(board, firmware)
flags = ctypes.c_uint32()
avr_lib.avr_ioctl(board, code(b"uag0"), ctypes.byref(flags))
flags.value &= ~FLAG_STDIO
avr_lib.avr_ioctl(board, code(b"uas0"), ctypes.byref(flags))

if os.path.lexists(PATH) and os.path.exists(PATH):
    sys.exit(f"{PATH} is there already: another simulator, or a real port")
if os.path.lexists(PATH):
    os.unlink(PATH)
master, slave = pty.openpty()
tty.setraw(slave)
os.set_blocking(master, False)


def say(byte):
    try:
        os.write(master, bytes([byte]))
    except BlockingIOError:
        # What nobody reads is lost, as on a real line.
        pass


told = Notify(lambda _irq, value, _param: say(value & 0xFF))
avr_lib.avr_irq_register_notify(avr_lib.avr_io_getirq(board, code(b"uar0"), UART_OUTPUT), told, None)
hears = avr_lib.avr_io_getirq(board, code(b"uar0"), UART_INPUT)
waiting = collections.deque()
ended = threading.Event()


def listen():
    while not ended.is_set():
        ready, _, _ = select.select([0, master], [], [])
        if master in ready:
            try:
                waiting.extend(os.read(master, 4096))
            except BlockingIOError:
                # Whoever has the port threw away what was on its way here.
                pass
        # Nothing is said on standard input; its end is meant.
        if 0 in ready and not os.read(0, 4096):
            ended.set()


threading.Thread(target=listen, daemon=True).start()
os.symlink(os.ttyname(slave), PATH)
print(f"ready {PATH}", file=says, flush=True)
CPU_STOPPED = 5
try:
    while not ended.is_set():
        if waiting:
            avr_lib.avr_raise_irq(hears, waiting.popleft())
        # A character takes a thousand cycles on the wire; its receiver gets some of them before the next.
        for _ in range(300):
            if avr_lib.avr_run(board) >= CPU_STOPPED:
                sys.exit("the microcontroller stopped")
except KeyboardInterrupt:
    pass
finally:
    os.unlink(PATH)
