"""pymodbus' own server, with faults put into what it sends by its own hook (`trace_packet`). modbus_injected.py <port>. Holding register r holds r.

{"fault": name} makes it so from now on: "none", "drop" sends nothing, "cut" half of each packet, "transaction" and "unit" others in the header, "exception"
another function's refusal, "twice" everything two times. Answers {}.
"""

import asyncio
import json
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

fault = ["none"]
FAULTS = {
    "none": lambda data: data,
    "drop": lambda _data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "transaction": lambda data: bytes([data[0] ^ 0x55]) + data[1:],
    "unit": lambda data: data[:6] + bytes([data[6] + 1]) + data[7:],
    "exception": lambda data: data[:4] + b"\0\x03" + data[6:7] + b"\x84\x02",
    "twice": lambda data: data + data,
}


def inject(sending, data):
    return FAULTS[fault[0]](data) if sending else data


async def main():
    registers = [SimData(0, values=list(range(100)), datatype=DataType.REGISTERS)]
    bits = [SimData(0, count=16, values=False, datatype=DataType.BITS)]
    server = ModbusTcpServer([SimDevice(1, simdata=(bits, bits, registers, registers))], address=("127.0.0.1", int(sys.argv[1])), trace_packet=inject)
    await server.serve_forever(background=True)
    print(f"ready {server.transport.sockets[0].getsockname()[1]}", flush=True)
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        fault[0] = json.loads(line)["fault"]
        print("{}", flush=True)


asyncio.run(main())
