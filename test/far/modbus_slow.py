"""A Modbus TCP device that takes 5 ms for every answer and takes other requests meanwhile. modbus_slow.py <port>. Register r holds r * 7."""

import asyncio
import struct
import sys

LATENCY_S = 0.005


async def serve(reader, writer):
    loop = asyncio.get_running_loop()
    try:
        while True:
            transaction, _protocol, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
            function, register, count = struct.unpack(">BHH", (await reader.readexactly(length - 1))[:5])
            pdu = bytes([function, count * 2]) + b"".join(struct.pack(">H", (register + i) * 7 & 0xFFFF) for i in range(count))
            loop.call_later(LATENCY_S, writer.write, struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu)
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    print(f"ready {server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


asyncio.run(main())
