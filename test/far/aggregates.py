"""Aggregates of samples in exact fractions: one case of JSON a line in, one answer a line out. Shares nothing with the store but the words."""

import json
import sys
from fractions import Fraction


def rounded(number):
    """The nearest double, or None beyond the largest one."""
    try:
        return float(number)
    except OverflowError:
        return None


def quotient(total, divisor):
    """A sum is rounded, then divided; one beyond the largest double is divided first."""
    top = rounded(total)
    return rounded(Fraction(total) / divisor) if top is None else top / float(divisor)


def usable(case):
    return [(t, v) for t, v, q in case["samples"] if v is not None and q <= case["worst"]]


def bucket_of(case, t):
    if "width" in case:
        start = t // case["width"] * case["width"]
        return start, start + case["width"]
    edges = case["edges"]
    return next((a, b) for a, b in zip(edges, edges[1:]) if a <= t < b)


def spans(case):
    """Pieces of time with the value that holds, cut at the edges of buckets."""
    samples = case["samples"]
    end = min(case["to"], case["now"])
    pieces = []
    for place, (t, v, q) in enumerate(samples):
        if v is None or q > case["worst"]:
            continue
        until = samples[place + 1][0] if place + 1 < len(samples) else end
        if case["max"] is not None:
            until = min(until, t + case["max"])
        a, b = max(t, case["from"]), min(until, end)
        while a < b:
            start, stop = bucket_of(case, a)
            pieces.append((start, v, min(b, stop) - a))
            a = min(b, stop)
    return pieces


def weighted(case):
    buckets = {}
    for start, v, ns in spans(case):
        total, time = buckets.get(start, (0, 0))
        buckets[start] = (total + Fraction(v) * ns, time + ns)
    return [[start, repr(quotient(total, time))] for start, (total, time) in buckets.items()]


def states(case):
    found = {}
    totals = {}
    for start, v, ns in spans(case):
        found.setdefault(v, {})[start] = found.get(v, {}).get(start, 0) + ns
        totals[start] = totals.get(start, 0) + ns
    share = case["aggregate"] == "share-in-state"
    return {
        str(v): [[start, repr(held.get(start, 0) / total if share else held.get(start, 0) / 1e9)] for start, total in totals.items()]
        for v, held in found.items()
    }


def steps(case):
    """Change and time from each usable sample to the next, by the bucket of the second."""
    buckets = {}
    before = None
    for t, v in usable(case):
        if before is not None and case["from"] <= t < case["to"]:
            change = Fraction(v) - Fraction(before[1])
            if case["aggregate"] != "delta" and change < 0:
                modulus = case["modulus"]
                wrapped = None if modulus is None else Fraction(modulus) + change
                is_wrap = wrapped is not None and before[1] < modulus and (not case["resets"] or wrapped * 10 <= modulus)
                change = wrapped if is_wrap else Fraction(v) - case["zero"]
            start, _ = bucket_of(case, t)
            total, since, _ = buckets.get(start, (0, before[0], 0))
            buckets[start] = (total + change, since, t)
        before = (t, v)
    answer = []
    for start, (total, since, until) in buckets.items():
        if case["aggregate"] == "rate":
            answer.append([start, repr(rounded(total) / ((until - since) / 1e9))])
        else:
            answer.append([start, str(total) if case["whole"] else repr(rounded(total))])
    return answer


for line in sys.stdin:
    case = json.loads(line)
    if case["whole"]:
        case["samples"] = [[t, None if v is None else int(v), q] for t, v, q in case["samples"]]
    else:
        # JSON writes a large double without a point, and its shortest digits are another whole number than the double.
        case["samples"] = [[t, float(v) if isinstance(v, int) and abs(v) > 2**53 else v, q] for t, v, q in case["samples"]]
    name = case["aggregate"]
    result = weighted(case) if name == "avg" else states(case) if name.endswith("-in-state") else steps(case)
    print(json.dumps(result), flush=True)
