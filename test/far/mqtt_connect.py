"""Reads the CONNECT packet of an MQTT client by the text of the standard (MQTT 5 §3.1, 3.1.1 §3.1) and says what is in it.

`mqtt_connect.py PORT [CERT KEY]`: with a certificate it speaks TLS and offers the protocols x-amzn-mqtt-ca and mqtt (ALPN). Each line of JSON on stdin is
answered with what the last client said.
"""

import json
import socket
import ssl
import struct
import sys
import threading
import time

last = None


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at : self.at + count]
        if len(piece) < count:
            raise ValueError("the packet is cut off")
        self.at += count
        return piece

    def byte(self):
        return self.take(1)[0]

    def two(self):
        return struct.unpack(">H", self.take(2))[0]

    def four(self):
        return struct.unpack(">I", self.take(4))[0]

    def text(self):
        return self.take(self.two()).decode("utf-8")

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value


def properties(reader):
    names = {
        0x11: ("sessionExpiry", reader.four),
        0x21: ("receiveMaximum", reader.two),
        0x27: ("maximumPacketSize", reader.four),
        0x22: ("topicAliasMaximum", reader.two),
        0x19: ("requestResponse", reader.byte),
        0x17: ("requestProblem", reader.byte),
        0x18: ("willDelay", reader.four),
        0x03: ("contentType", reader.text),
        0x01: ("payloadFormat", reader.byte),
        0x02: ("messageExpiry", reader.four),
        0x15: ("authMethod", reader.text),
    }
    found = {}
    end = reader.varint() + reader.at
    while reader.at < end:
        kind = reader.varint()
        if kind == 0x26:
            found.setdefault("user", []).append([reader.text(), reader.text()])
        else:
            name, read = names[kind]
            found[name] = read()
    return found


def connect_packet(body):
    reader = Reader(body)
    said = {"protocol": reader.text(), "version": reader.byte()}
    flags = reader.byte()
    said.update(clean=bool(flags & 2), keepalive=reader.two(), reserved=flags & 1)
    five = said["version"] == 5
    if five:
        said["properties"] = properties(reader)
    said["clientId"] = reader.text()
    if flags & 4:
        will = {"qos": flags >> 3 & 3, "retain": bool(flags & 32)}
        if five:
            will["properties"] = properties(reader)
        will["topic"] = reader.text()
        will["payload"] = reader.text()
        said["will"] = will
    if flags & 128:
        said["user"] = reader.text()
    if flags & 64:
        said["password"] = reader.text()
    said["left"] = len(body) - reader.at
    return said


def serve(connection, context):
    global last
    try:
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        data = b""
        while len(data) < 2:
            data += connection.recv(4096)
        reader = Reader(data)
        kind = reader.byte()
        length = reader.varint()
        while len(data) < reader.at + length:
            data += connection.recv(4096)
        said = connect_packet(data[reader.at : reader.at + length])
        said["packet"] = kind
        if context:
            said["alpn"] = connection.selected_alpn_protocol()
        last = said
        connection.sendall(bytes([0x20, 3, 0, 0, 0]) if said["version"] == 5 else bytes([0x20, 2, 0, 0]))
        while connection.recv(4096):
            pass
    except (OSError, ValueError, KeyError) as error:
        if last is None:
            last = {"error": repr(error)}


def main():
    context = None
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        context.set_alpn_protocols(["x-amzn-mqtt-ca", "mqtt"])
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("ready", server.getsockname()[1], flush=True)

    def accept():
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    for _line in sys.stdin:
        for _ in range(200):
            if last is not None:
                break
            time.sleep(0.01)
        print(json.dumps({"value": last}), flush=True)


main()
