"""Spells messages as other programs do: asked with one line of JSON, answers with the bytes in hexadecimal. Shares nothing with our decoders."""

import base64
import csv
import gzip
import io
import json
import struct
import sys
import zlib
from urllib.parse import urlencode

import cbor2
import msgpack
from influx_line_protocol import Metric, MetricCollection


def encode(format, value, **words):
    if format == "json":
        return json.dumps(value).encode()
    if format == "query":
        return urlencode(value).encode()
    if format == "pairs":
        return " ".join(f"{name}={json.dumps(one, ensure_ascii=False)}" for name, one in value.items()).encode()
    if format == "influx":
        lines = MetricCollection()
        for given in value:
            line = Metric(given["measurement"])
            for name, one in given.get("tags", {}).items():
                line.add_tag(name, one)
            for name, one in given["fields"].items():
                line.add_value(name, one)
            if "time" in given:
                line.with_timestamp(int(given["time"]))
            lines.append(line)
        return str(lines).encode()
    if format == "csv":
        text = io.StringIO()
        csv.writer(text, delimiter=words.get("separator", ",")).writerows(value)
        return text.getvalue().encode()
    if format == "cbor":
        return cbor2.dumps(value)
    if format == "cbor-tagged":
        # A bignum, a time with its tag, bytes, and a map by numbers as SenML writes it.
        return cbor2.dumps({"big": cbor2.CBORTag(2, (2**64 - 1).to_bytes(8, "big")), "at": cbor2.CBORTag(1, 1795348800), "raw": b"\x01\xff", "map": {1: 21.5}})
    if format == "messagepack":
        return msgpack.packb(value)
    if format == "messagepack-time":
        return msgpack.packb({"at": msgpack.Timestamp(1795348800, 250000000), "v": 2**63}, use_bin_type=True)
    if format == "struct":
        return struct.pack(words["layout"], *value)
    if format == "gzip":
        return gzip.compress(bytes.fromhex(value))
    if format == "zlib":
        return zlib.compress(bytes.fromhex(value))
    if format == "base64":
        return base64.encodebytes(bytes.fromhex(value))
    if format == "bomb":
        return gzip.compress(bytes(value))
    raise ValueError(f"no format {format}")


print("ready 0")
for line in sys.stdin:
    try:
        print(json.dumps({"value": encode(**json.loads(line)).hex()}))
    except Exception as error:
        print(json.dumps({"error": repr(error)}))
