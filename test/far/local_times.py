"""What a local time without a zone means, by Python's zoneinfo: `zone year-month-dayThour:minute:second` a line, seconds since 1970 a line out."""

import sys
from datetime import datetime
from zoneinfo import ZoneInfo

for line in sys.stdin:
    zone, text = line.split()
    print(int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()))
