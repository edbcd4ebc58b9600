"""An edge node of Sparkplug B: payloads by pysparkplug and Google's protobuf, MQTT by paho. Shares nothing with our decoder.

Asked with one line of JSON, answers with one. It does what it is told, right or wrong; with `obey` it also answers as an edge node has to: with its births
when it is asked for them, with data when a metric is set.
"""

import json
import socket
import sys
import threading
import time

import paho.mqtt.client as paho
from pysparkplug import DataType, Metric, Metadata
from pysparkplug._protobuf import sparkplug_b_pb2 as pb

types = {one.name.replace("_", "").lower(): one for one in DataType}


def type_of(name):
    return types[name.lower()]


def raw(message, type, value):
    """A value of a table or a property: the plain types only."""
    kind = type_of(type)
    setattr(message, kind.field, kind.encode(int(value) if type in ("Int64", "UInt64") else value))


def metric(words, with_type):
    words = dict(words)
    type = words["type"]
    if type in ("Template", "DataSet") or "raw" in words:
        made = pb.Payload.Metric(name=words.get("name"), timestamp=words.get("at"), datatype=16 if type == "DataSet" else 19 if type == "Template" else type)
        if "raw" in words:
            field, value = words["raw"]
            setattr(made, field, value)
        elif type == "DataSet":
            made.dataset_value.num_of_columns = len(words["columns"])
            made.dataset_value.columns.extend(words["columns"])
            made.dataset_value.types.extend(int(type_of(one)) for one in words["types"])
            for row in words["rows"]:
                cells = made.dataset_value.rows.add()
                for kind, cell in zip(words["types"], row):
                    raw(cells.elements.add(), kind, cell)
        else:
            made.template_value.is_definition = words.get("definition", False)
            if not words.get("definition"):
                made.template_value.template_ref = words["of"]
            for member in words["members"]:
                made.template_value.metrics.append(metric(member, with_type))
    else:
        value = words.get("value")
        if type in ("Bytes", "File") and value is not None:
            value = bytes.fromhex(value)
        if isinstance(value, str) and type in ("Int64", "UInt64"):
            # Whole numbers beyond 2^53 come as their digits.
            value = int(value)
        kind = type_of(type)
        if type in ("DateTime", "DateTimeArray") and value is not None:
            # The library wants its own times; the wire has milliseconds.
            made = Metric(timestamp=words.get("at"), name=words.get("name"), datatype=kind, is_null=True).to_pb(with_type)
            made.ClearField("is_null")
            if type == "DateTime":
                made.long_value = value
            else:
                made.bytes_value = b"".join(one.to_bytes(8, "little") for one in value)
        else:
            made = Metric(
                timestamp=words.get("at"),
                name=words.get("name"),
                datatype=kind,
                value=value,
                metadata=Metadata(file_name=words["file"]) if "file" in words else None,
                is_historical=words.get("historical", False),
                is_transient=words.get("transient", False),
            ).to_pb(with_type)
    if "alias" in words:
        made.alias = words["alias"]
    for key, (type, value) in words.get("properties", {}).items():
        made.properties.keys.append(key)
        raw(made.properties.values.add(type=int(type_of(type))), type, value)
    return made


def payload(words, with_type):
    made = pb.Payload()
    if "at" in words:
        made.timestamp = words["at"]
    if "seq" in words:
        made.seq = words["seq"]
    for one in words.get("metrics", []):
        made.metrics.append(metric(one, with_type))
    return made.SerializeToString()


def told(message):
    """What came, for the test: states as their JSON, commands as the library reads them."""
    if "/STATE/" in message.topic:
        return {"topic": message.topic, "state": json.loads(message.payload), "qos": message.qos, "retain": bool(message.retain)}
    read = pb.Payload()
    read.ParseFromString(message.payload)
    metrics = []
    for one in read.metrics:
        seen = Metric.from_pb(one)
        value = seen.value
        if isinstance(value, int) and abs(value) > 2**53:
            value = str(value)
        metrics.append({"name": seen.name, "alias": seen.alias, "type": seen.datatype.name, "at": seen.timestamp, "value": value.isoformat() if hasattr(value, "isoformat") else value})
    return {"topic": message.topic, "metrics": metrics, "at": read.timestamp, "numbered": read.HasField("seq"), "qos": message.qos, "retain": bool(message.retain)}


class Node:
    def __init__(self):
        self.client = None
        self.heard = []
        self.births = []
        self.seq = 0
        self.obeying = False
        self.primary = None
        self.lock = threading.RLock()

    def connect(self, port, group, node, bdSeq=0, listen=True, sync=True):
        self.group, self.node, self.bd_seq = group, node, bdSeq
        self.client = paho.Client(client_id=f"{group}-{node}-{bdSeq}", clean_session=True)
        death = payload({"at": 1, "metrics": [{"name": "bdSeq", "type": "Int64", "value": bdSeq}]}, True)
        self.client.will_set(f"spBv1.0/{group}/NDEATH/{node}", death, qos=1, retain=False)
        ready = threading.Event()
        self.client.on_message = lambda client, data, message: self.take(message)
        self.client.on_connect = lambda client, *rest: client.subscribe([(f"spBv1.0/{group}/NCMD/{node}", 1), (f"spBv1.0/{group}/DCMD/{node}/#", 1), ("spBv1.0/STATE/#", 1)])
        self.client.on_subscribe = lambda *rest: ready.set()
        self.client.connect("127.0.0.1", port, keepalive=30)
        self.client.loop_start()
        if not ready.wait(5):
            raise RuntimeError("the broker did not grant the subscriptions")

    def next(self):
        seq = self.seq
        self.seq = (seq + 1) % 256
        return seq

    def birth(self, births):
        """`[{"device": …, "metrics": […]}]`, that of the edge node itself without `device`."""
        with self.lock:
            self.births = births
            self.seq = 0
            for one in births:
                device = one.get("device")
                own = [] if device else [{"name": "bdSeq", "type": "Int64", "value": self.bd_seq}, {"name": "Node Control/Rebirth", "type": "Boolean", "value": False}]
                self.send("DBIRTH" if device else "NBIRTH", device, own + one["metrics"], True)

    def send(self, type, device, metrics, with_type=False, **words):
        with self.lock:
            now = int(time.time() * 1000)
            stamped = [{"at": now, **one} for one in metrics]
            body = payload({"at": now, "seq": self.next() if words.get("seq") is None else words["seq"], "metrics": stamped}, with_type)
            place = f"spBv1.0/{self.group}/{type}/{self.node}" + (f"/{device}" if device else "")
            self.client.publish(place, body, qos=0, retain=words.get("retain", False)).wait_for_publish(5)

    def take(self, message):
        try:
            heard = told(message)
        except Exception as error:
            heard = {"topic": message.topic, "error": repr(error)}
        self.heard.append(heard)
        if self.primary is not None and message.topic == f"spBv1.0/STATE/{self.primary}" and heard["state"]["online"]:
            # It has waited for its primary host.
            threading.Thread(target=self.birth, args=(self.births,)).start()
        if not self.obeying or "metrics" not in heard:
            return
        for one in heard["metrics"]:
            if one["name"] == "Node Control/Rebirth" and one["value"] is True:
                threading.Thread(target=self.birth, args=(self.births,)).start()
            elif "/DCMD/" in message.topic:
                device = message.topic.split("/")[4]
                known = next(birth for birth in self.births if birth.get("device") == device)["metrics"]
                meant = next(each for each in known if each["name"] == one["name"] or ("alias" in each and each["alias"] == one["alias"]))
                meant["value"] = one["value"]
                said = {key: meant[key] for key in ("type", "value")} | ({"alias": meant["alias"]} if "alias" in meant else {"name": meant["name"]})
                threading.Thread(target=self.send, args=("DDATA", device, [said])).start()

    def do(self, call, **words):
        if call == "connect":
            self.connect(**words)
        elif call == "obey":
            self.obeying = True
        elif call == "birth":
            self.birth(words["births"])
        elif call == "send":
            self.send(words.pop("type"), words.pop("device", None), words.pop("metrics", []), **words)
        elif call == "late":
            body = payload({"at": words["at"], "seq": self.next()}, False)
            self.client.publish(f"spBv1.0/{self.group}/{words['type']}/{self.node}/{words['device']}", body).wait_for_publish(5)
        elif call == "primary":
            self.primary = words["hostId"]
        elif call == "births":
            # Known, and not said before somebody asks.
            self.births = words["births"]
        elif call == "skip":
            self.next()
        elif call == "bytes":
            self.client.publish(words["topic"], bytes.fromhex(words["hex"]), retain=words.get("retain", False)).wait_for_publish(5)
        elif call == "text":
            self.client.publish(words["topic"], words["text"], qos=1, retain=words.get("retain", False)).wait_for_publish(5)
        elif call == "death":
            body = payload({"at": 1, "metrics": [{"name": "bdSeq", "type": "Int64", "value": words["bdSeq"]}]}, True)
            self.client.publish(f"spBv1.0/{self.group}/NDEATH/{self.node}", body, qos=1).wait_for_publish(5)
        elif call == "cut":
            # Gone without a word, as when the power goes: the broker speaks its last will.
            self.client.reconnect_delay_set(3600, 3600)
            self.client.socket().shutdown(socket.SHUT_RDWR)
        elif call == "leave":
            self.client.disconnect()
            self.client.loop_stop()
        elif call == "heard":
            return list(self.heard)
        elif call == "forget":
            self.heard.clear()
        else:
            raise ValueError(f"no call {call}")
        return None


nodes = {}
print("ready 0")
for line in sys.stdin:
    try:
        words = json.loads(line)
        name = words.pop("as", "")
        print(json.dumps({"value": nodes.setdefault(name, Node()).do(**words)}))
    except Exception as error:
        print(json.dumps({"error": repr(error)}))
