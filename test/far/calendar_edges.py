"""When days, weeks, months and years begin, by Python's zoneinfo: `unit count zone from to` (seconds since 1970) a line, seconds a line out."""

import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo


def first_of(unit, count, day):
    """The first date of the interval a date is in."""
    if unit == "d":
        return date(1970, 1, 1) + timedelta(days=(day - date(1970, 1, 1)).days // count * count)
    if unit == "w":
        return date(1970, 1, 5) + timedelta(weeks=(day - date(1970, 1, 5)).days // 7 // count * count)
    if unit == "y":
        return date(day.year // count * count, 1, 1)
    months = (day.year * 12 + day.month - 1) // count * count
    return date(months // 12, months % 12 + 1, 1)


def begin(day, zone):
    """The first second whose local date is this one or later, looked for second by second around midnight."""
    guess = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
    second = int(guess) - 7200
    while datetime.fromtimestamp(second, zone).date() < day:
        second += 60 if datetime.fromtimestamp(second + 60, zone).date() < day else 1
    return second


for line in sys.stdin:
    unit, count, name, start, end = line.split()
    zone = ZoneInfo(name)
    day = first_of(unit, int(count), datetime.fromtimestamp(int(start), zone).date())
    edges = []
    while True:
        second = begin(day, zone)
        if not edges or second > edges[-1]:
            edges.append(second)
        if second >= int(end):
            break
        later = day
        while first_of(unit, int(count), later) == day:
            later += timedelta(days=1)
        day = later
    print(*edges, flush=True)
