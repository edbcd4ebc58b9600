"""Writes drivers/modbus/sunspec-models.json: names, types, places, units, states and groups of the public SunSpec models, without their texts.

    PYTHONPATH=.far/python python3 scripts/sunspec-models.py > drivers/modbus/sunspec-models.json

pysunspec2, which the set-up of the tests installs, brings the models. A name here is the first part of the ids of the points a scan proposes.
"""

import json
import os

import sunspec2

NAMES = {
    **{1: "common", 101: "inverter", 102: "inverter", 103: "inverter", 111: "inverter", 112: "inverter", 113: "inverter", 120: "nameplate", 121: "settings"},
    **{122: "status", 123: "controls", 124: "storage", 126: "static_volt_var", 160: "mppt", 201: "meter", 202: "meter", 203: "meter", 204: "meter", 211: "meter"},
    **{212: "meter", 213: "meter", 214: "meter", 701: "ac", 702: "capacity", 703: "enter_service", 704: "ac_controls", 705: "volt_var", 706: "volt_watt"},
    **{707: "trip_low_voltage", 708: "trip_high_voltage", 709: "trip_low_frequency", 710: "trip_high_frequency", 711: "frequency_droop", 712: "watt_var"},
    **{713: "storage_capacity", 714: "dc", 715: "der_control", 802: "battery", 803: "battery_bank", 804: "battery_string"},
}
folder = os.path.join(os.path.dirname(sunspec2.__file__), "models/json")


def point(given):
    if given["type"] == "pad":
        return ["", "pad", given["size"]]
    more = {}
    if "sf" in given:
        more["sf"] = given["sf"]
    if given.get("units"):
        more["unit"] = given["units"]
    if given.get("static") == "S":
        more["once"] = True
    if given.get("access") == "RW":
        more["rw"] = True
    if given["type"].startswith(("enum", "bitfield")) and given.get("symbols"):
        more["names"] = {str(symbol["value"]): symbol["name"].lower() for symbol in given["symbols"] if isinstance(symbol["value"], int)}
    return [given["name"], given["type"], given["size"], *([more] if more else [])]


def group(given):
    made = {"points": [point(one) for one in given["points"] if one["name"] not in ("ID", "L") or given.get("count") is not None]}
    if given.get("groups"):
        made["groups"] = [{"name": one["name"], **({} if one.get("count") in (None, 1) else {"count": one["count"]}), **group(one)} for one in given["groups"]]
    return made


def lines(value, indent=""):
    """Points and short things on one line each."""
    if isinstance(value, dict) and ("points" in value or "groups" in value):
        inner = [f"{indent}  {json.dumps(key)}: {lines(one, indent + '  ')}" for key, one in value.items()]
        return "{\n" + ",\n".join(inner) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], (list, dict)):
        return "[\n" + ",\n".join(f"{indent}  {lines(one, indent + '  ')}" for one in value) + f"\n{indent}]"
    return json.dumps(value)


models = []
for number, name in NAMES.items():
    with open(os.path.join(folder, f"model_{number}.json")) as file:
        made = {"name": name, **group(json.load(file)["group"])}
    same = next((one for one in models if {key: one[key] for key in one if key != "ids"} == made), None)
    if same:
        same["ids"].append(number)
    else:
        models.append({"ids": [number], **made})
print(lines(models))
