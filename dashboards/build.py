#!/usr/bin/env python3
"""build.py [FOLDER]

Writes the Grafana dashboards to FOLDER, by default `wolkvox` next to this file. The JSON is committed: run this after changing
a file of `boards`, a test compares. It needs only Python.
"""

import json
import pathlib
import sys

from boards.campaigns import campaigns
from boards.exporter import exporter
from boards.ivr import ivr
from boards.overview import overview
from boards.skills import skills


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("wolkvox")
    folder.mkdir(parents=True, exist_ok=True)
    for make in (overview, campaigns, skills, ivr, exporter):
        written = json.dumps(make(), indent=2, ensure_ascii=False) + "\n"
        (folder / f"{make.__name__}.json").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
