"""Values in registers, packed by Python's struct: nothing of it is shared with the driver. 64-bit integers are strings in JSON, `raw` is in hexadecimal."""

import struct

FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q", "float16": ">e", "float32": ">f", "float64": ">d"}


def pack(value, kind, order):
    """Bytes in the order of the letters: A is the most significant."""
    if kind == "raw":
        return bytes.fromhex(value)
    if kind == "string":
        straight = value.encode()
        straight += b"\0" * (len(straight) % 2)
        return straight if order == "AB" else b"".join(straight[i + 1 : i + 2] + straight[i : i + 1] for i in range(0, len(straight), 2))
    straight = struct.pack(FORMATS[kind], value if kind.startswith("float") else int(value))
    return bytes(straight[ord(letter) - ord("A")] for letter in order)


def unpack(data, kind, order):
    if kind == "raw":
        return data.hex()
    if kind == "string":
        straight = data if order == "AB" else b"".join(data[i + 1 : i + 2] + data[i : i + 1] for i in range(0, len(data), 2))
        return straight.split(b"\0")[0].decode()
    straight = bytearray(len(data))
    for place, letter in enumerate(order):
        straight[ord(letter) - ord("A")] = data[place]
    value = struct.unpack(FORMATS[kind], straight)[0]
    return str(value) if kind.endswith("64") and not kind.startswith("float") else value


def width(question):
    """Registers that a question is about."""
    return question.get("length") or struct.calcsize(FORMATS[question["type"]]) // 2
