#!/usr/bin/env python3
"""build.py [FOLDER]

Writes the Grafana dashboards in every language below FOLDER, by default next to this file: `wolkvox` is English, `wolkvox-es`
Spanish. The JSON is committed: run this after changing a file of `boards` or `texts`, a test compares. It needs only Python.
"""

import json
import pathlib
import sys

from boards.agents import agents
from boards.campaigns import campaigns
from boards.exporter import exporter
from boards.ivr import ivr
from boards.now import now
from boards.operations import operations
from boards.overview import overview
from boards.skills import skills
from boards.texts import Catalogue, translated

BOARDS = (now, overview, operations, campaigns, skills, agents, ivr, exporter)


def main() -> None:
    here = pathlib.Path(__file__).parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    english = {make.__name__: make() for make in BOARDS}
    say = Catalogue(here / "texts/es.toml", source="Fuente")
    spanish = {name: translated(dashboard, say) for name, dashboard in english.items()}
    say.check()
    write(folder / "wolkvox", english)
    write(folder / f"wolkvox-{say.language}", spanish)


def write(folder: pathlib.Path, dashboards: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, dashboard in dashboards.items():
        written = json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
