"""Frames of many forms on a pty, made with Python's own library and by the book: the far end of test/drivers/serial-frames.test.ts.

    python3 serial_frames.py <path of the port>

Answers one line of JSON with one line of JSON:
  {"frame": "cobs", "payload": hex} says a good frame;  with "spoil": true one bit of it is wrong;  {"hex": "00ff"} as it is
  {"heard": true} -> {"value": hex of all that came since the last time};  {"unplug": true}, {"plug": true}
"""

import binascii
import struct
import sys
import zlib

import questions
from pty_line import Line


def crc_modbus(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def crc8(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return bytes([crc])


def slip(data):
    return b"\xc0" + data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def cobs(data):
    out = b""
    for block in (data + b"\0").split(b"\0")[:-1]:
        while len(block) >= 254:
            out += b"\xff" + block[:254]
            block = block[254:]
        out += bytes([len(block) + 1]) + block
    return out + b"\0"


def xor(data):
    value = 0
    for byte in data:
        value ^= byte
    return value


def hdlc(data):
    return b"\x7e" + data.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e") + b"\x7e"


def dle(data):
    return b"\x10\x02" + data.replace(b"\x10", b"\x10\x10") + b"\x10\x03"


def bcc(data):
    body = b"\x02" + data + b"\x03"
    return body + bytes([xor(body[1:])])


FRAMES = {
    "slip": lambda d: slip(d + struct.pack(">I", zlib.crc32(d))),
    "cobs": lambda d: cobs(d + struct.pack(">H", binascii.crc_hqx(d, 0xFFFF))),
    "fixed": lambda d: b"\xaa\x55" + d + crc8(b"\xaa\x55" + d),
    "length": lambda d: (lambda f: f + crc_modbus(f))(b"\xaa" + struct.pack("<H", len(d)) + d),
    "inclusive": lambda d: (lambda f: f + bytes([(-sum(f)) & 0xFF]))(bytes([len(d) + 2]) + d),
    "stx": bcc,
    "hdlc": lambda d: hdlc(d + struct.pack("<H", binascii.crc_hqx(d, 0xFFFF))),
    "dle": lambda d: dle(d + bytes([xor(d)])),
    "silence": lambda d: d + crc_modbus(d),
    "nmea": lambda d: b"$" + d + b"*%02X\r\n" % xor(d),
    "json": lambda d: d + b"\n",
    "semicolon": lambda d: d + b"%02X;;" % (sum(d) & 0xFF),
}
heard = bytearray()
line = Line(sys.argv[1], heard.extend)


def answer(question):
    if "heard" in question:
        said = bytes(heard)
        heard.clear()
        return {"value": said.hex()}
    for name in ("unplug", "plug"):
        if name in question:
            getattr(line, name)()
            return {}
    if "hex" in question:
        line.say(bytes.fromhex(question["hex"]))
        return {}
    payload = bytes.fromhex(question["payload"])
    frame = bytearray(FRAMES[question["frame"]](payload))
    if question.get("spoil"):
        frame[frame.find(payload[-1:]) if question["frame"] == "json" else len(frame) // 2] ^= 0x01
    line.say(bytes(frame))
    return {"value": bytes(frame).hex()}


line.plug()
questions.serve(line.path, answer)
line.unplug()
