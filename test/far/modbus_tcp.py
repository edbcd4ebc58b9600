"""Requests of Modbus TCP on plain sockets, for far ends that answer as they like: nothing here makes an answer."""

import socket
import struct
import threading


def listen(port, behave):
    """Calls `behave(connection, transaction, unit, pdu)` for each request, a thread for each connection; False hangs up. The port it listens on."""
    listener = socket.create_server(("127.0.0.1", port))
    threading.Thread(target=accept, args=(listener, behave), daemon=True).start()
    return listener.getsockname()[1]


def frame(transaction, unit, pdu):
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def accept(listener, behave):
    while True:
        connection, _peer = listener.accept()
        threading.Thread(target=serve, args=(connection, behave), daemon=True).start()


def serve(connection, behave):
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            transaction, _protocol, length, unit = struct.unpack(">HHHB", take(connection, 7))
            if behave(connection, transaction, unit, take(connection, length - 1)) is False:
                return
    except OSError:
        pass
    finally:
        connection.close()


def take(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise OSError("closed")
        data += part
    return data
