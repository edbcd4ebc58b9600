"""The conversation of a far end with its test: where it is on the first line, then one line of JSON for one line of JSON, until standard input ends."""

import json
import sys


def serve(place, answer):
    print(f"ready {place}", flush=True)
    while asked := sys.stdin.readline():
        try:
            said = answer(json.loads(asked))
        except Exception as error:  # The test that asked wants to see it.
            said = {"error": repr(error)}
        print(json.dumps(said), flush=True)
