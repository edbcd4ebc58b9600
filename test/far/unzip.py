"""Unpacks a zip as an unzip program would, modes included, and prints what it holds as JSON: name, mode, time, size. Not ours: Python's zipfile."""

import json
import os
import sys
import zipfile

archive, target = sys.argv[1:3]
entries = []
with zipfile.ZipFile(archive) as file:
    damaged = file.testzip()
    if damaged is not None:
        sys.exit(f"{archive}: {damaged} is damaged")
    for info in file.infolist():
        mode = info.external_attr >> 16
        path = file.extract(info, target)
        os.chmod(path, mode & 0o7777)
        entries.append({"name": info.filename, "mode": mode, "time": list(info.date_time), "size": info.file_size})
json.dump(entries, sys.stdout)
