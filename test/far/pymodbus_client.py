"""The peer of bench/modbus.ts: pymodbus reads 125 holding registers one after the other. pymodbus_client.py <port> <seconds> prints reads a second."""

import sys
import time

from pymodbus.client import ModbusTcpClient

client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]))
client.connect()
started, reads = time.monotonic(), 0
while time.monotonic() - started < float(sys.argv[2]):
    if client.read_holding_registers(0, count=125, device_id=1).registers[124] != 868:
        sys.exit("read something else")
    reads += 1
print(round(reads / (time.monotonic() - started)))
