"""A Modbus device made of pymodbus 3.16.1: the far end of the Modbus driver's tests.

    python3 modbus.py <port>                 Modbus TCP
    python3 modbus.py rtu:<port>             frames of RTU, or of ASCII with ascii:<port>, in a TCP stream, as a converter passes them on
    python3 modbus.py tls:<port>:<folder>    Modbus TCP inside TLS; only for clients with a certificate of ca.pem in the folder
    python3 modbus.py pty:<path>             frames of ASCII on a pty of this name

Unit 1 and unit 2: coils 0-63, discrete inputs 0-63, holding and input registers 0-399, of which 200-209 are undefined (exception 2).
Writing holding 300 is refused with exception 3, 301 is accepted "for later" (exception 5), 302 answers exception 11, 303 exception 6.

Answers one line of JSON with one line of JSON:
  {"set": value, "unit": 1, "table": "holding", "register": 0, "type": "float32", "order": "CDAB"}  ->  {}
  {"get": true, ...the same without set...}                                                          ->  {"value": value}
  {"requests": true}                          ->  {"requests": [[function, address, count], ...]} since the last time
  {"many": [question, ...]}                   ->  {"value": [what "get" says, ...]}
  {"paper": [[raw, scale, offset], ...]}      ->  {"value": [raw * scale + offset, ...]} in decimals without end, rounded to a double once
"""

import asyncio
import json
import socket
import ssl
import sys
import threading
from decimal import Decimal, getcontext

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from pty_line import Line
from registers import pack, unpack, width

BLOCKS = {"coil": "c", "discrete": "d", "holding": "h", "input": "i"}
ANSWERS = {300: ExcCodes.ILLEGAL_VALUE, 301: ExcCodes.ACKNOWLEDGE, 302: ExcCodes.GATEWAY_NO_RESPONSE, 303: ExcCodes.DEVICE_BUSY}

# Whoever writes here gets no answer before {"hold": false} is asked.
HELD = 310
may_go = asyncio.Event()
may_go.set()

requests = []
getcontext().prec = 100


async def action(function, _start, address, count, _current, values):
    # pymodbus looks at a register after writing it; only what was asked over the wire counts.
    if values is not None or function <= 4:
        requests.append([function, address, count])
    if values is not None and function in (6, 16):
        if address == HELD:
            await may_go.wait()
        return ANSWERS.get(address)
    return None


def device(unit):
    def bits():
        return [SimData(0, count=64, values=False, datatype=DataType.BITS)]

    def registers():
        return [
            SimData(0, count=200, values=0, datatype=DataType.REGISTERS),
            SimData(200, count=10, datatype=DataType.INVALID),
            SimData(210, count=190, values=0, datatype=DataType.REGISTERS),
        ]

    return SimDevice(unit, simdata=(bits(), bits(), registers(), registers()), action=action)


def memory(server, question):
    start, _count, registers, _flags = server.context.devices[question.get("unit", 1)].block[BLOCKS[question["table"]]]
    return registers, question["register"] - start


def answer(server, question):
    if "requests" in question:
        seen = list(requests)
        requests.clear()
        return {"requests": seen}
    if "hold" in question:
        (may_go.clear if question["hold"] else may_go.set)()
        return {}
    if "many" in question:
        return {"value": [answer(server, one).get("value") for one in question["many"]]}
    if "paper" in question:
        return {"value": [float(Decimal(raw) * Decimal(scale) + Decimal(offset)) for raw, scale, offset in question["paper"]]}
    registers, place = memory(server, question)
    if question["table"] in ("coil", "discrete"):
        word, bit = divmod(question["register"], 16)
        if "set" in question:
            registers[word] = registers[word] & ~(1 << bit) | bool(question["set"]) << bit
            return {}
        return {"value": bool(registers[word] >> bit & 1)}
    if "bit" in question:
        if "set" in question:
            registers[place] = registers[place] & ~(1 << question["bit"]) | bool(question["set"]) << question["bit"]
            return {}
        return {"value": bool(registers[place] >> question["bit"] & 1)}
    kind, order = question["type"], question["order"]
    if "set" in question:
        data = pack(question["set"], kind, order)
        registers[place : place + len(data) // 2] = [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]
        return {}
    count = width(question)
    return {"value": unpack(b"".join(word.to_bytes(2, "big") for word in registers[place : place + count]), kind, order)}


def server_for(kind, port, folder):
    devices, address = [device(1), device(2)], ("127.0.0.1", port)
    if kind == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
        context.load_verify_locations(f"{folder}/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        # pymodbus' own framer for TLS leaves the header out, which the specification does not.
        return ModbusTlsServer(devices, framer=FramerType.SOCKET, address=address, sslctx=context)
    framer = {"tcp": FramerType.SOCKET, "rtu": FramerType.RTU, "ascii": FramerType.ASCII, "pty": FramerType.ASCII}[kind]
    return ModbusTcpServer(devices, framer=framer, address=address)


def bridge(path, port):
    """A pty whose bytes go to the server and come from it."""
    link = socket.create_connection(("127.0.0.1", port))
    line = Line(path, link.sendall)
    line.plug()

    def back():
        while data := link.recv(4096):
            line.say(data)

    threading.Thread(target=back, daemon=True).start()


async def main():
    kind, colon, place = sys.argv[1].partition(":")
    if not colon:
        kind, place = "tcp", kind
    port, _, folder = place.partition(":")
    server = server_for(kind, 0 if kind == "pty" else int(port), folder)
    await server.serve_forever(background=True)
    listening = server.transport.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    if kind == "pty":
        await loop.run_in_executor(None, bridge, place, listening)
    print(f"ready {place if kind == 'pty' else listening}", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            said = answer(server, json.loads(line))
        except Exception as error:  # The test that asked wants to see it.
            said = {"error": repr(error)}
        print(json.dumps(said), flush=True)


asyncio.run(main())
