#!/usr/bin/env python3
"""crates.py PROGRAM

The crates that a program was built from, as cargo-auditable wrote them into it: compressed JSON in a section of its own. Fails
unless they are crates of Cargo.lock, in its versions, and all that Cargo.toml names are among them. Needs objcopy.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import tomllib
import zlib

ROOT = pathlib.Path(__file__).parents[3]


def crates_of(program):
    """Name and version of each crate, and how many bytes of the program they take."""
    with tempfile.TemporaryDirectory() as folder:
        section = pathlib.Path(folder, "section")
        subprocess.run(["objcopy", "--dump-section", f".dep-v0={section}", program, f"{folder}/copy"], check=True, timeout=30)
        compressed = section.read_bytes()
    packages = json.loads(zlib.decompress(compressed))["packages"]
    return {(one["name"], one["version"]) for one in packages}, len(compressed)


def check_crates(program):
    found, size = crates_of(program)
    locked = {(one["name"], one["version"]) for one in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    own = (manifest["package"]["name"], manifest["package"]["version"])
    missing = ({own[0]} | set(manifest["dependencies"])) - {name for name, _ in found}
    if own not in found or missing or found - locked:
        raise AssertionError(f"{program} was built from {sorted(found)}: {sorted(missing)} are missing, {sorted(found - locked)} not locked")
    return f"built from {len(found)} crates, listed in {size:,} bytes"


if __name__ == "__main__":
    print(check_crates(pathlib.Path(sys.argv[1])))
