"""Images of devices as their public register maps describe them, served by pymodbus; each register that is not named here is undefined.

    python3 device_images.py <port>
    python3 device_images.py --write <folder>     the same images as files, for simulators/images

Units: 1 Eastron SDM120, 2 SDM230, 3 SDM630, 4 Huawei SUN2000, 5 SolarEdge (its SunSpec models made by pysunspec2), 6 RS-FSXCS weather station, 7 relay board.

Answers {"values": unit} with {"value": [what the device shows on its display or page, ...]} by the place: {"input 0": 230.5, ...}.
"""

import asyncio
import json
import struct
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from sunspec2.device import Model

FLOAT = ">f"

# Register: (how it lies there, what is in it, what that means).
SINGLE_PHASE = {0x00: 230.5, 0x06: 4.25, 0x0C: 950.5, 0x12: 979.75, 0x18: 237.5, 0x1E: 0.97, 0x46: 49.98, 0x48: 1234.5, 0x4A: 12.5, 0x156: 1247.0}
SDM230 = {**SINGLE_PHASE, 0x24: 14.0, 0x54: 940.0, 0x56: 3600.0, 0x102: 4.0, 0x108: 16.0}
SDM630 = {
    **{0x00: 230.5, 0x02: 231.5, 0x04: 229.5, 0x06: 4.0, 0x08: 5.0, 0x0A: 6.0, 0x0C: 900.0, 0x0E: 1100.0, 0x10: 1300.0, 0x12: 922.0, 0x14: 1157.5, 0x16: 1377.0},
    **{0x18: 200.0, 0x1A: 360.0, 0x1C: 454.0, 0x1E: 0.975, 0x20: 0.95, 0x22: 0.9375, 0x24: 12.5, 0x26: 18.0, 0x28: 20.0, 0x2A: 230.5, 0x2E: 5.0, 0x30: 15.0},
    **{0x34: 3300.0, 0x38: 3456.5, 0x3C: 1014.0, 0x3E: 0.95, 0x42: 17.0, 0x46: 50.02, 0x48: 54321.5, 0x4A: 321.5, 0x4C: 111.5, 0x4E: 22.5, 0x50: 55000.0, 0x52: 9999.0},
    **{0x54: 3200.0, 0x56: 9100.0, 0x64: 3400.0, 0x66: 9200.0, 0x68: 3.0, 0x6A: 14.0, 0xC8: 399.5, 0xCA: 400.5, 0xCC: 398.5, 0xCE: 399.5, 0xE0: 0.5},
    **{0xEA: 1.5, 0xEC: 1.75, 0xEE: 1.25, 0xF0: 4.5, 0xF2: 4.75, 0xF4: 4.25, 0xF8: 1.5, 0xFA: 4.5, 0x102: 4.1, 0x104: 5.1, 0x106: 6.1, 0x108: 20.0, 0x10A: 21.0},
    **{0x10C: 22.0, 0x14E: 2.0, 0x150: 2.1, 0x152: 2.2, 0x154: 2.3, 0x156: 54643.0, 0x158: 134.0, 0x15A: 18000.0, 0x15C: 18100.0, 0x15E: 18221.5, 0x160: 100.0},
    **{0x162: 110.0, 0x164: 111.5, 0x166: 18100.0, 0x168: 18210.0, 0x16A: 18333.0, 0x16C: 37.0, 0x16E: 37.1, 0x170: 37.4, 0x172: 7.0, 0x174: 7.5, 0x176: 8.0},
    **{0x178: 44.0, 0x17A: 44.6, 0x17C: 45.4},
}
SUN2000 = {
    30000: ("15s", "SUN2000-8KTL-M1", "SUN2000-8KTL-M1"),
    30015: ("10s", "HV2012345", "HV2012345"),
    **{32016: (">h", 4123, 412.3), 32017: (">h", 812, 8.12), 32018: (">h", 3987, 398.7), 32019: (">h", -3, -0.03), 32064: (">i", 6543, 6543)},
    **{32069: (">H", 2301, 230.1), 32070: (">H", 2312, 231.2), 32071: (">H", 2298, 229.8), 32072: (">i", 9123, 9.123), 32074: (">i", 9101, 9.101)},
    **{32076: (">i", -5, -0.005), 32080: (">i", 6401, 6401), 32082: (">i", -120, -120), 32084: (">h", 999, 0.999), 32085: (">H", 5001, 50.01)},
    **{32086: (">H", 9783, 97.83), 32087: (">h", 415, 41.5), 32088: (">H", 3000, 3000000), 32089: (">H", 0x0200, 0x0200)},
    **{32106: (">I", 1234567, 12345.67), 32114: (">I", 4321, 43.21), 40125: (">H", 1000, 100)},
}
WEATHER = {
    **{500: (">H", 325, 3.25), 501: (">H", 2, 2), 502: (">H", 2, 2), 503: (">H", 92, 92), 504: (">H", 658, 65.8), 505: (">h", -101, -10.1)},
    **{506: (">H", 452, 45.2), 507: (">H", 12, 12), 508: (">H", 20, 20), 509: (">H", 1013, 1013), 510: (">I", 123456, 123456), 512: (">H", 1234, 1234)},
    513: (">H", 37, 3.7),
}
RELAYS = [True, False, False, True, False, False, False, True]
INPUTS = [False, True, False, False, True, True, False, False]

inverter = Model(
    103,
    data={
        **{"ID": 103, "A": 3550, "AphA": 1180, "AphB": 1185, "AphC": 1185, "A_SF": -2, "PPVphAB": 3991, "PPVphBC": 4002, "PPVphCA": 3985, "PhVphA": 2301, "PhVphB": 2311},
        **{"PhVphC": 2299, "V_SF": -1, "W": 8123, "W_SF": 0, "Hz": 50012, "Hz_SF": -3, "VA": 8200, "VA_SF": 0, "VAr": -1120, "VAr_SF": 0, "PF": -9906, "PF_SF": -2},
        **{"WH": 45678901, "WH_SF": 0, "DCA": 1090, "DCA_SF": -2, "DCV": 7521, "DCV_SF": -1, "DCW": 8198, "DCW_SF": 0, "TmpSnk": 5123, "Tmp_SF": -2, "St": 4, "StVnd": 0},
    },
)
# This maker leaves the pad of the common model out.
common = Model(1, data={"ID": 1, "Mn": "SolarEdge", "Md": "SE8K", "Vr": "0004.0018.0518", "SN": "7E1234AB", "DA": 1}).get_mb()[:-2]
SOLAREDGE = b"SunS" + common[:2] + struct.pack(">H", 65) + common[4:] + inverter.get_mb() + b"\xff\xff\x00\x00"


def shown_by_solaredge():
    at, shown = 40071, {}
    for name, point in inverter.points.items():
        if name not in ("ID", "L"):
            if point.cvalue is not None and not name.endswith("_SF"):
                shown[f"holding {at}"] = point.cvalue
            at += point.len
    return {**shown, "holding 40004": "SolarEdge", "holding 40020": "SE8K", "holding 40044": "0004.0018.0518", "holding 40052": "7E1234AB", "holding 40069": 103}


def packed(shape, value):
    return value.encode().ljust(2 * int(shape[:-1]), b"\0") if shape.endswith("s") else struct.pack(shape, value)


def words(data):
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]


def runs(image):
    """Neighbours together; what is between is undefined."""
    found = []
    for register in sorted(image):
        values = words(packed(*image[register][:2]))
        if found and found[-1][0] + len(found[-1][1]) == register:
            found[-1][1].extend(values)
        else:
            found.append((register, values))
    return found


def blocks(image):
    return [SimData(at, values=values, datatype=DataType.REGISTERS) for at, values in runs(image)]


def floats(values):
    return {register: (FLOAT, value, value) for register, value in values.items()}


NOTHING = [SimData(60000, values=[0], datatype=DataType.REGISTERS)]


def bits(values):
    return [SimData(0, values=values + [False] * 8, datatype=DataType.BITS)]


def device(unit, holding=NOTHING, inputs=NOTHING, coils=None, discrete=None):
    return SimDevice(unit, simdata=(bits(coils or []), bits(discrete or []), holding, inputs))


METERS = {1: floats(SINGLE_PHASE), 2: floats(SDM230), 3: floats(SDM630)}
devices = [
    *(device(unit, inputs=blocks(image)) for unit, image in METERS.items()),
    device(4, holding=blocks(SUN2000)),
    device(5, holding=[SimData(40000, values=words(SOLAREDGE), datatype=DataType.REGISTERS)]),
    device(6, holding=blocks(WEATHER)),
    device(7, coils=RELAYS, discrete=INPUTS),
]
SHOWN = {
    **{unit: {f"input {at}": shown for at, (_, _, shown) in image.items()} for unit, image in METERS.items()},
    **{unit: {f"holding {at}": shown for at, (_, _, shown) in image.items()} for unit, image in {4: SUN2000, 6: WEATHER}.items()},
    5: shown_by_solaredge(),
    7: {**{f"coil {i}": on for i, on in enumerate(RELAYS)}, **{f"discrete {i}": on for i, on in enumerate(INPUTS)}},
}


MAP = "public register map of the maker"
# Profile: where it is from, what it holds, what may be written there; a coil that stands for others.
FILES = {
    "eastron-sdm120": (11, MAP, {"input": runs(METERS[1])}),
    "eastron-sdm230": (12, MAP, {"input": runs(METERS[2])}),
    "eastron-sdm630": (13, MAP, {"input": runs(METERS[3])}),
    "huawei-sun2000": (14, MAP, {"holding": runs(SUN2000), "writable": {"holding": [[40125, 40125]]}}),
    "solaredge-inverter": (15, "SunSpec models 1 and 103 as pysunspec2 lays them out, in this maker's order", {"holding": [(40000, words(SOLAREDGE))]}),
    "rs-fsxcs-weather": (16, MAP, {"holding": runs(WEATHER)}),
    "waveshare-relay-8": (
        17,
        MAP,
        {"coil": [(0, [int(on) for on in RELAYS])], "discrete": [(0, [int(on) for on in INPUTS])], "writable": {"coil": [[0, 7], [255, 255]]}, "together": {"255": [0, 7]}},
    ),
}


def write(folder):
    for profile, (unit, source, tables) in FILES.items():
        laid = {name: {str(at): values for at, values in table} if isinstance(table, list) else table for name, table in tables.items()}
        lines = [f'  "{name}": {json.dumps(value)}' for name, value in {"unitId": unit, "profile": profile, "source": source, **laid}.items()]
        with open(f"{folder}/{profile}.json", "w") as file:
            file.write("{\n" + ",\n".join(lines) + "\n}\n")


async def main():
    server = ModbusTcpServer(devices, address=("127.0.0.1", int(sys.argv[1])))
    await server.serve_forever(background=True)
    print(f"ready {server.transport.sockets[0].getsockname()[1]}", flush=True)
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        print(json.dumps({"value": SHOWN[json.loads(line)["values"]]}), flush=True)


if sys.argv[1] == "--write":
    write(sys.argv[2])
else:
    asyncio.run(main())
