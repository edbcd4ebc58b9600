"""Devices with a conversation on a pty: a login, instruments on a shared line, numbered requests, SCPI with an error queue, a talker with a speed.

    python3 serial_instrument.py <path of the port>

Lines: LOGIN word (OK or DENIED; echoes the line first)  @id T? (only 01 and 02 answer)  #n READ (answers "#n value", after {"late": seconds})
VOLT x  VOLT?  MEAS:…?  *IDN?  SYST:ERR?  OUTP ON|OFF  *CLS  *RST  DISP:TEXT "…"  Z  T (a scale's; says nothing); everything else puts -113 into the error queue.

Answers one line of JSON with one line of JSON:
  {"heard": true} -> {"value": [lines]};  {"late": seconds} for the next READ only;  {"error": text} puts into the queue;  {"say": text}
  {"talk": text, "baudRate": n, "every": seconds} says the text at this speed: whoever has set another one hears garbage;  {"plug": true} and so on
"""

import random
import sys
import threading

import questions
from pty_line import Line

volt = "0"
# As multimeters print them; the last is what SCPI says of an overload.
measures = {"MEAS:VOLT:DC?": "+4.99912300E+00", "MEAS:VOLT:AC?": "2.301E-1", "MEAS:CURR:DC?": "-1.5E-03", "MEAS:FREQ?": "50.01", "MEAS:RES?": "+9.90000000E+37"}
errors = []
heard = []
late = [0.0]
readings = [0]
talking = threading.Event()
chance = random.Random(3)


def tell(text):
    line.say(text.encode("latin1") + b"\r\n")


def obey(text):
    global volt
    name, _, value = text.partition(" ")
    if name == "LOGIN":
        line.say(text.encode() + b"\r\n")
        tell("OK" if value == "open sesame" else "DENIED")
    elif name.startswith("@"):
        if name[1:] in ("01", "02") and value == "T?":
            tell(f"{name} T={20 + int(name[1:])}.5")
    elif name.startswith("#"):
        readings[0] += 1
        delay, late[0] = late[0], 0.0
        timer = threading.Timer(delay, tell, (f"{name} {readings[0]}",))
        timer.daemon = True
        timer.start()
    elif text == "*IDN?":
        tell("MAKER,DMM 7,0,1.0")
    elif text == "VOLT?":
        tell(volt)
    elif text in measures:
        tell(measures[text])
    elif text == "*CLS":
        errors.clear()
    elif name == "VOLT":
        if float(value) > 30:
            errors.append('-222,"Data out of range"')
        else:
            volt = value
    elif text == "SYST:ERR?":
        tell(errors.pop(0) if errors else '0,"No error"')
    elif name not in ("OUTP", "*RST", "DISP:TEXT", "Z", "T"):
        errors.append('-113,"Undefined header"')


partial = bytearray()


def hear(data):
    partial.extend(data)
    while (end := partial.find(b"\n")) >= 0:
        text = bytes(partial[:end]).decode("latin1").strip()
        del partial[: end + 1]
        heard.append(text)
        try:
            obey(text)
        except ValueError:
            errors.append('-104,"Data type error"')


def talk(text, speed, every, stop):
    while not stop.wait(every):
        data = text.encode()
        if line.settings()["baudRate"] != speed:
            # What a receiver at another speed makes of it is noise to us.
            data = bytes(chance.choice((0x00, 0x80, 0xF8, 0xFE, 0xE6, 0x1E, 0x98)) for _ in data)
        line.say(data)


def answer(question):
    global talking
    if "heard" in question:
        said = list(heard)
        heard.clear()
        return {"value": said}
    if "late" in question:
        late[0] = question["late"]
    elif "error" in question:
        errors.append(question["error"])
    elif "say" in question:
        line.say(question["say"].encode("latin1"))
    elif "settings" in question:
        return {"value": line.settings()}
    elif "talk" in question:
        talking.set()
        if question["talk"]:
            talking = threading.Event()
            args = (question["talk"], question["baudRate"], question["every"], talking)
            threading.Thread(target=talk, args=args, daemon=True).start()
    else:
        for name in ("unplug", "plug", "occupy", "vacate"):
            if name in question:
                partial.clear()
                getattr(line, name)()
    return {}


line = Line(sys.argv[1], hear)
line.plug()
questions.serve(line.path, answer)
line.unplug()
