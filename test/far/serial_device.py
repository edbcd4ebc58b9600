"""A microcontroller on a pty that speaks in lines: the far end of the serial driver's tests.

    python3 serial_device.py <path of the port>

Understands, each ended by a line feed:  VALVE?  VALVE=0|1  MODE?  MODE=text  RESET  SPEED=n  PING (says nothing)  LATE? (late)  WRONG? (says
something else)  STUBBORN=n (refuses)  MUTE=n (obeys and says nothing)  PULSE  NUMBER?n (answers NUMBER=n, after {"late": seconds}).

Answers one line of JSON with one line of JSON:
  {"set": value, "point": "soil"} says or holds it;  {"held": "valve"} -> {"value": ...};  {"say": "text"} as it is;  {"hex": "00ff"}
  {"every": seconds, "say": "text"} again and again, 0 ends it;  {"heard": true} -> {"value": [lines since the last time]}
  {"late": seconds or [least, most]};  {"baud": n} from now on as slow as that speed;  {"deaf": true or false};  {"drip": "text"} byte by byte
  {"reset": true} is a new device under the same name;  {"unplug": true}, {"plug": true}, {"settings": true}, {"occupy": true}, {"vacate": true}
"""

import random
import sys
import threading
import time

import questions
from pty_line import Line

# What it says by itself; {} is the value.
SAYS = {"air": "T={};S=40", "soil": "T=20.5;S={}", "label": "NAME {} END", "count": "COUNT={}", "broken": "BAD={}"}
fresh = {"valve": "0", "mode": "auto", "speed": "0", "mute": "0", "pulses": 0}
held = dict(fresh)
heard = []
late = [0.0, 0.0]
pending = []
chance = random.Random(11)
again = threading.Event()
lock = threading.Lock()


def tell(text):
    line.say(text.encode() + b"\n")


def obey(text):
    name, _, value = text.partition("=")
    if text == "VALVE?":
        tell(f"VALVE={held['valve']}")
    elif text == "MODE?":
        tell(f"MODE={held['mode']}")
    elif name == "VALVE" and value in ("0", "1"):
        held["valve"] = value
        tell("OK")
    elif name in ("MODE", "SPEED"):
        held[name.lower()] = value
        tell("OK")
    elif name == "MUTE":
        held["mute"] = value
    elif text == "PULSE":
        held["pulses"] += 1
    elif text == "RESET":
        held["valve"] = "0"
        tell("BOOT greenhouse 1.2")
    elif text == "WRONG?":
        tell("this is no reply")
    elif text == "PING":
        pass
    elif text.startswith("NUMBER?"):
        reply = f"NUMBER={text[7:]}"
        timer = threading.Timer(chance.uniform(*late), tell, (reply,))
        timer.daemon = True
        pending.append(timer)
        timer.start()
    else:
        tell(f"ERR {text}")


partial = bytearray()


def hear(data):
    partial.extend(data)
    while (end := partial.find(b"\n")) >= 0:
        text = bytes(partial[:end]).decode(errors="replace")
        del partial[: end + 1]
        with lock:
            heard.append(text)
        obey(text)


def repeat(seconds, text, stop):
    while not stop.wait(seconds):
        line.say(text.encode())


def answer(question):
    global again
    for name in ("unplug", "plug", "occupy", "vacate"):
        if name in question:
            partial.clear()
            getattr(line, name)()
            return {}
    if "reset" in question:
        again.set()
        # A new device knows nothing of what its predecessor was asked.
        for timer in pending:
            timer.cancel()
        pending.clear()
        line.unplug()
        line.deaf = False
        line.baud = None
        partial.clear()
        heard.clear()
        held.update(fresh)
        late[:] = [0.0, 0.0]
        line.plug()
        return {}
    if "settings" in question:
        return {"value": line.settings()}
    if "late" in question:
        wanted = question["late"]
        late[:] = wanted if isinstance(wanted, list) else [wanted, wanted]
        return {}
    if "baud" in question:
        line.baud = question["baud"]
        return {}
    if "deaf" in question:
        line.deaf = question["deaf"]
        return {}
    if "heard" in question:
        with lock:
            said = list(heard)
            heard.clear()
        return {"value": said}
    if "held" in question:
        return {"value": held[question["held"]]}
    if "set" in question:
        point = question["point"]
        if point in SAYS:
            tell(SAYS[point].replace("{}", str(question["set"])))
        else:
            held[point] = str(question["set"])
        return {}
    if "every" in question:
        again.set()
        if question["every"]:
            again = threading.Event()
            threading.Thread(target=repeat, args=(question["every"], question["say"], again), daemon=True).start()
        return {}
    if "drip" in question:
        for byte in question["drip"].encode():
            line.say(bytes([byte]))
            time.sleep(0.002)
        return {}
    line.say(bytes.fromhex(question["hex"]) if "hex" in question else question["say"].encode())
    return {}


line = Line(sys.argv[1], hear)
line.plug()
questions.serve(line.path, answer)
line.unplug()
