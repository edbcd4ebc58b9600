"""SunSpec devices: the models' registers are made by pysunspec2 from the public definitions, and served by pymodbus.

    python3 modbus_sunspec.py <port>

Unit 1: an inverter from 40000 (models 1, 103 with integers and scale factors, 160 with two repeated blocks). Unit 2: a meter from 50000 (models 1, 64001
of a maker's own, 213 with floats). Unit 3: registers 0-99 and no SunSpec. Unit 4: models 1, 123 (a limit that may be written), 705 (curves with points),
707 (curves of three kinds with points) and 704 (groups that are there once). Unit 5: the meter again, from 0.

Answers {"values": unit} with {"value": {"<model> <point>": what pysunspec2 makes of it, "<model> <group> <point>": ...}}; what the device does not have is left out.
A group goes by its number where it is repeated, and by its name where it is there once or has others beside it. {"register": n} answers what unit 4 holds there.
"""

import asyncio
import json
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from sunspec2.device import Model

inverter = [
    Model(1, data={"ID": 1, "Mn": "Example Solar", "Md": "EX-10K", "SN": "0042", "DA": 1}),
    Model(
        103,
        data={
            **{"ID": 103, "A": 1234, "AphA": 411, "AphB": 412, "AphC": 411, "A_SF": -2, "PhVphA": 2301, "PhVphB": 2299, "PhVphC": 2310, "V_SF": -1},
            **{"W": -8432, "W_SF": 0, "Hz": 4998, "Hz_SF": -2, "WH": 4123456789, "WH_SF": 1, "TmpCab": 415, "Tmp_SF": -1, "St": 4, "Evt1": 0x81},
        },
    ),
    Model(
        160,
        data={
            **{"ID": 160, "DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 0, "N": 2},
            "module": [{"ID": 1, "IDStr": "east", "DCA": 512, "DCV": 3801, "DCW": 1945}, {"ID": 2, "IDStr": "west", "DCA": 400, "DCV": 3795}],
        },
    ),
]
meter = [
    Model(1, data={"ID": 1, "Mn": "Example", "Md": "Meter", "SN": "7"}),
    b"\xfa\x01\x00\x03\x00\x01\x00\x02\x00\x03",
    Model(213, data={"ID": 213, "W": -1234.5, "Hz": 50.02, "TotWhImp": 1.0e6}),
]


def curve(act, points):
    return {"ActPt": act, "DeptRef": 1, "Pri": 1, "VRef": 100, "Pt": [{"V": v, "Var": q} for v, q in points]}


def trip(points):
    return {"ActPt": len(points), "Pt": [{"V": v, "Tms": t} for v, t in points]}


grid = [
    Model(1, data={"ID": 1, "Mn": "Example Grid", "Md": "DER", "SN": "9"}),
    Model(123, data={"ID": 123, "Conn": 1, "WMaxLimPct": 875, "WMaxLim_Ena": 1, "WMaxLimPct_SF": -1}),
    Model(704, data={"ID": 704, "PFWInjEna": 1, "PF_SF": -3, "PFWInj": {"PF": 950, "Ext": 1}, "PFWAbs": {"PF": 900, "Ext": 0}}),
    Model(
        705,
        data={
            **{"ID": 705, "Ena": 1, "NPt": 3, "NCrv": 2, "V_SF": -1, "DeptRef_SF": -2},
            "Crv": [curve(3, [(920, 3000), (980, 0), (1080, -4400)]), curve(2, [(900, 1000), (1100, -1000), (1150, -2000)])],
        },
    ),
    Model(
        707,
        data={
            **{"ID": 707, "Ena": 1, "NPt": 2, "NCrvSet": 2, "V_SF": -1, "Tms_SF": 0},
            "Crv": [{"ReadOnly": n, "MustTrip": trip([(500, 2), (880, 21)]), "MayTrip": trip([(300, n), (600, 4)]), "MomCess": trip([(400, 5), (450, 6)])} for n in (1, 0)],
        },
    ),
]


def words(models):
    data = b"SunS" + b"".join(one if isinstance(one, bytes) else one.get_mb() for one in models) + b"\xff\xff\x00\x00"
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]


def device(unit, base, models):
    values = words(models) if models else [7] * 100
    registers = [SimData(base, values=values, datatype=DataType.REGISTERS)]
    bits = [SimData(0, count=16, values=False, datatype=DataType.BITS)]
    return SimDevice(unit, simdata=(bits, bits, registers, registers))


def told(name, group):
    values = {f"{name} {key}": point.cvalue for key, point in group.points.items() if point.cvalue is not None and key not in ("ID", "L")}
    for key, blocks in group.groups.items():
        many = isinstance(blocks, list)
        called = f"{name} {key}" if len(group.groups) > 1 or not many else name
        for number, block in enumerate(blocks if many else [blocks], 1):
            inner = f"{called} {number}" if many else called
            # Groups count and name themselves with points of that name; the model's head has gone before.
            values.update({f"{inner} {point}": block.points[point].cvalue for point in ("ID", "L") if point in block.points and block.points[point].cvalue is not None})
            values.update(told(inner, block))
    return values


async def main():
    devices = [device(1, 40000, inverter), device(2, 50000, meter), device(3, 0, None), device(4, 40000, grid), device(5, 0, meter)]
    server = ModbusTcpServer(devices, address=("127.0.0.1", int(sys.argv[1])))
    await server.serve_forever(background=True)
    print(f"ready {server.transport.sockets[0].getsockname()[1]}", flush=True)
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        question = json.loads(line)
        if "register" in question:
            print(json.dumps({"value": (await server.async_getValues(4, 3, question["register"], 1))[0]}), flush=True)
            continue
        values = {}
        for model in {1: inverter, 2: meter, 4: grid, 5: meter}[question["values"]]:
            if isinstance(model, Model):
                values.update(told(model.model_id, model))
        print(json.dumps({"value": values}), flush=True)


asyncio.run(main())
