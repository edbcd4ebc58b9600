"""A Modbus TCP client made of pymodbus 3.16.1: it asks our simulated plant.

{"port": 1502, "unit": 1, "read": "holding", "register": 10, "count": 2}  ->  {"value": [..]} or {"exception": 2}
{"port": 1502, "unit": 1, "write": "holding", "register": 30, "values": [555], "many": false}  ->  {"value": null} or {"exception": 3}
"value" with "as": "FLOAT32" and "order": "little" (pymodbus' names of data types and word orders) is decoded by pymodbus.
"""

import json
import sys

from pymodbus.client import ModbusTcpClient

READS = {"coil": "read_coils", "discrete": "read_discrete_inputs", "input": "read_input_registers", "holding": "read_holding_registers"}


def answer(question):
    client = ModbusTcpClient("127.0.0.1", port=question["port"], timeout=2, retries=0)
    if not client.connect():
        raise ConnectionError("could not connect")
    try:
        unit, register = question["unit"], question["register"]
        if "read" in question:
            said = getattr(client, READS[question["read"]])(register, count=question["count"], device_id=unit)
        elif question["write"] == "coil":
            values = question["values"]
            said = client.write_coils(register, values, device_id=unit) if question["many"] else client.write_coil(register, values[0], device_id=unit)
        elif question["write"] == "mask":
            said = client.mask_write_register(address=register, and_mask=question["values"][0], or_mask=question["values"][1], device_id=unit)
        else:
            values = question["values"]
            said = client.write_registers(register, values, device_id=unit) if question["many"] else client.write_register(register, values[0], device_id=unit)
        if said.isError():
            return {"exception": said.exception_code}
        if "read" not in question:
            return {"value": None}
        if question["read"] in ("coil", "discrete"):
            return {"value": said.bits[: question["count"]]}
        if "as" in question:
            return {"value": client.convert_from_registers(said.registers, client.DATATYPE[question["as"]], word_order=question.get("order", "big"))}
        return {"value": said.registers}
    finally:
        client.close()


print("ready 0", flush=True)
while line := sys.stdin.readline():
    try:
        said = answer(json.loads(line))
    except Exception as error:  # The test that asked wants to see it.
        said = {"error": repr(error)}
    print(json.dumps(said), flush=True)
