"""The checksum of Modbus RTU as the far ends make it, bit by bit: nothing of it is shared with the driver."""

import struct


def crc(data):
    """CRC-16 with the polynomial 0xA001, low byte first."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return struct.pack("<H", register)
