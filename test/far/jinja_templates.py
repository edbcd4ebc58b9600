"""Templates as Python's own Jinja renders them, with what Home Assistant gives them: value, value_json, iif() and is_defined."""

import json


from jinja2 import Undefined
from jinja2.sandbox import SandboxedEnvironment

from questions import serve


def iif(condition, yes=True, no=False):
    return yes if condition else no


environment = SandboxedEnvironment()
environment.globals["iif"] = iif
environment.filters["is_defined"] = lambda found: found


def answer(asked):
    template = environment.from_string(asked["template"])
    rendered = []
    for payload in asked["payloads"]:
        try:
            value_json = json.loads(payload)
        except ValueError:
            value_json = Undefined("value_json")
        rendered.append(template.render(value=payload, value_json=value_json).strip())
    return {"value": rendered}


serve(0, answer)
