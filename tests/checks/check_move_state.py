#!/usr/bin/env python3
"""check_move_state.py EXPORTER

Runs deploy/helm/list-moves and move-state with a kubectl of our own: claims are folders, and what would run in a pod runs here, in
the folder of its claim. The StatefulSet is the one that the chart renders. The pods and claims that are made are held against
Kubernetes's schemas.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import helm_python as helm
import kubernetes_validate
import yaml

from lib.chart_rules import CHART, FOLDER, ROOT, Rendered
from lib.exposition import require
from lib.servers import Checks

EXPORTER = pathlib.Path(sys.argv[1])
# As much of kubectl as the scripts use. CLUSTER is a folder with set.json, claims/, and pods/.
KUBECTL = r"""
import json, os, pathlib, re, subprocess, sys
cluster = pathlib.Path(os.environ["CLUSTER"])
_, namespace, verb, *rest = sys.argv[1:]
assert namespace == "telephony", namespace
names = [word for word in rest if not word.startswith("-")]

def claim_of(pod):
    spec = json.loads((cluster / "pods" / pod).read_text())["spec"]
    (volume,) = spec["volumes"]
    return cluster / "claims" / volume["persistentVolumeClaim"]["claimName"]

if verb == "get" and rest[0] == "statefulset":
    def value(match):
        found = json.loads((cluster / "set.json").read_text())
        for part in re.findall(r"\w+", match[1]):
            if isinstance(found, dict) and part not in found:
                return ""  # as kubectl does
            found = found[int(part) if part.isdigit() else part]
        return found if isinstance(found, str) else json.dumps(found)
    print(re.sub(r"\{([^}]*)\}", value, rest[-1].removeprefix("jsonpath=")), end="")
elif verb == "get" and rest[0] == "persistentvolumeclaim":
    if (cluster / "claims" / rest[-1]).exists():
        print("persistentvolumeclaim/" + rest[-1])
elif verb == "create":
    import yaml
    one = yaml.safe_load(sys.stdin)
    name = one["metadata"]["name"]
    with open(cluster / "made", "a") as made:
        made.write(json.dumps(one) + "\n")
    if one["kind"] == "Pod":
        (cluster / "pods" / name).write_text(json.dumps(one))
        assert claim_of(name).is_dir(), "a pod waits for a claim that is not there"
    else:
        (cluster / "claims" / name).mkdir()
elif verb == "wait":
    assert (cluster / rest[-1].replace("pod/", "pods/")).exists()
elif verb == "exec" and "/wolkvox_exporter" in rest:
    command = rest[rest.index("/wolkvox_exporter") + 1:]
    command = [word.replace("/etc/wolkvox_exporter", str(cluster)) for word in command]
    sys.exit(subprocess.run([os.environ["EXPORTER"], *command]).returncode)
elif verb == "exec":
    pod, _, shell, option, script = names[0], *rest[rest.index("--"):]
    folder = claim_of(pod)
    broken = os.environ.get("BROKEN", "")
    if broken and broken in f"{pod}: {script}":
        sys.exit("kubectl: the connection was lost")
    sys.exit(subprocess.run([shell, option, script.replace("/state", str(folder))]).returncode)
elif verb == "delete":
    for name in names[1:]:
        (cluster / "pods" / name).unlink(missing_ok=True)
else:
    sys.exit(f"unknown: {sys.argv}")
"""


with helm.Chart.load(CHART) as chart:
    SET, PLACED_SET = (Rendered(chart, yaml.safe_load((CHART / f"ci/{name}-values.yaml").read_text()), name="wx").set
                       for name in ("shards", "everything"))


class World:
    """A paused StatefulSet of ten shards, with the claims of all and states of some operations."""

    def __init__(self, folder, wanted=0, running=0, set_=SET):
        self.folder = folder
        for name in ("claims", "pods", "bin"):
            (folder / name).mkdir()
        (folder / "bin/kubectl").write_text(f"#!{sys.executable}\n{KUBECTL}")
        (folder / "bin/kubectl").chmod(0o755)
        self.set = set_
        self.name = self.set["metadata"]["name"]
        for shard in range(10):
            self.claim(shard).mkdir()
        self.write(set_=(wanted, running))

    def write(self, set_):
        wanted, running = set_
        spec = {**self.set["spec"], "replicas": wanted}
        (self.folder / "set.json").write_text(json.dumps({**self.set, "spec": spec, "status": {"replicas": running}}))

    def claim(self, shard):
        # Kubernetes's name: template, set, ordinal.
        return self.folder / "claims" / f"{self.set['spec']['volumeClaimTemplates'][0]['metadata']['name']}-{self.name}-{shard}"

    def state(self, operation, shard, data=None):
        file = self.claim(shard) / f"{operation}.redb"
        if data is not None:
            file.write_bytes(data)
        return file.read_bytes() if file.exists() else None

    def run(self, script, *arguments, moves="", **environment):
        environment |= {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "CLUSTER": str(self.folder), "EXPORTER": str(EXPORTER.absolute())}
        return subprocess.run([ROOT / "deploy/helm" / script, "telephony", *arguments], input=moves, env={**os.environ, **environment},
                              capture_output=True, text=True, timeout=120)

    def move(self, moves, code=0, **environment):
        done = self.run("move-state", self.name, moves=moves, **environment)
        require(done.returncode == code, f"exit {done.returncode}: {done.stdout}{done.stderr}")
        require(not list((self.folder / "pods").iterdir()), "pods are left")
        return done.stdout + done.stderr

    @property
    def made(self):
        file = self.folder / "made"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@contextlib.contextmanager
def world(**settings):
    with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
        yield World(pathlib.Path(folder), **settings)


DATA = os.urandom(1_500_000)


def check_list():
    """From ten shards to eleven, and back, as the exporter itself shares out the operations."""
    names = [f"operation_{number}" for number in range(60)]
    values = {"operations": [{"name": name, "server": "0001"} for name in names], "tokens": {"existingSecret": "tokens"}}
    with world() as it, helm.Chart.load(CHART) as chart:
        (it.folder / "config").mkdir()
        (it.folder / "tokens").mkdir()
        config = Rendered(chart, values).config["data"]["wolkvox.yml"]
        (it.folder / "config/wolkvox.yml").write_text(config.replace(FOLDER, str(it.folder)))
        for name in names:
            (it.folder / "tokens" / name).write_text(f"token-of-{name}\n")

        def moves(old, new):
            done = it.run("list-moves", f"{it.name}-0", str(old), str(new))
            require(done.returncode == 0, f"exit {done.returncode}: {done.stderr}")
            found = {name: (int(one), int(other)) for name, one, other in map(str.split, done.stdout.splitlines())}
            require(set(found) <= set(names), f"{found}")
            return found, done.stdout

        (grown, text), (shrunk, _), (doubled, _) = moves(10, 11), moves(11, 10), moves(1, 2)
        require(grown and len(grown) < 20 and {new for _, new in grown.values()} == {10}, f"to eleven: {grown}")
        require(shrunk == {name: (new, old) for name, (old, new) in grown.items()}, f"back to ten: {shrunk}")
        require(10 < len(doubled) < 50 and set(doubled.values()) == {(0, 1)}, f"from one to two: {doubled}")
        require(moves(10, 10)[0] == {}, "some move to where they are")

        for name, (old, _) in grown.items():
            it.state(name, old, name.encode())
        it.move(text)
        require(all(it.state(name, 10) == name.encode() and it.state(name, old) is None for name, (old, _) in grown.items()), "states")

        (it.folder / "config/wolkvox.yml").write_text("operations: none\n")
        require(it.run("list-moves", f"{it.name}-0", "10", "11").returncode != 0, "a mistake in the configuration goes unseen")


def check_growth():
    with world() as it:
        it.state("acme", 3, DATA), it.state("globex", 7, b"other"), it.state("initech", 3, b"stays")
        said = it.move("acme 3 10\nglobex 7 10\nhooli 2 10\n")
        require(it.state("acme", 10) == DATA and it.state("globex", 10) == b"other", "what arrived is not what was sent")
        require(it.state("acme", 3) is None and it.state("globex", 7) is None, "an old shard would go on with it")
        require((it.claim(3) / "acme.redb.moved").read_bytes() == DATA, "no copy was kept")
        require(it.state("initech", 3) == b"stays" and "hooli: has no state yet" in said, f"{said}")
        require((it.claim(10) / "acme.redb").stat().st_mode & 0o077 == 0, "others may read it")
        require(it.move("") == "nothing to move\n", "an empty list, as where no operation changes its shard")
        again = it.move("acme 3 10\n")
        require("acme: was moved before" in again and it.state("acme", 10) == DATA, f"{again}")


def check_made():
    """The claim is as the StatefulSet would make it; the pods fit a namespace with restricted Pod Security, and run where shards run."""
    for set_ in (SET, PLACED_SET):
        with world(set_=set_) as it:
            it.state("acme", 3, DATA)
            it.move("acme 3 10\n")
            kinds = [(one["kind"], one["metadata"]["name"]) for one in it.made]
            wanted = [("PersistentVolumeClaim", it.claim(10).name), ("Pod", f"{it.name}-move-10"), ("Pod", f"{it.name}-move-3")]
            require(sorted(kinds) == wanted, f"{kinds}")
            for one in it.made:
                for version in ("1.29", kubernetes_validate.latest_version()):
                    kubernetes_validate.validate(one, version, strict=True)
                (as_claim if one["kind"] == "PersistentVolumeClaim" else as_pod)(one, it.set["spec"])


def as_claim(one, set_):
    (template,) = set_["volumeClaimTemplates"]
    require(one["spec"] == template["spec"], f"{one}")
    for key in ("labels", "annotations"):
        require(one["metadata"][key] == template["metadata"].get(key, {}), f"{key}: {one['metadata'][key]}")


def as_pod(one, set_):
    shard = set_["template"]["spec"]
    require(one["spec"]["securityContext"] == shard["securityContext"], "another user than the exporter's")
    for key in ("nodeSelector", "tolerations", "affinity", "imagePullSecrets"):
        require((one["spec"][key] or None) == shard.get(key), f"{key}: {one['spec'][key]} and not {shard.get(key)}")
    (container,) = one["spec"]["containers"]
    require(container["securityContext"] == shard["containers"][0]["securityContext"], f"{container}")
    require(one["spec"]["automountServiceAccountToken"] is False and "labels" not in one["metadata"], "Services would find it")


def check_failures():
    """Wherever the connection is lost, the state is whole in one place, and a second run ends it."""
    for step in ("cat /state/acme.redb", "cat > /state/acme.redb.part", "sync", "mv /state/acme.redb /state/acme.redb.moved"):
        with world() as it:
            it.state("acme", 3, DATA)
            it.move("acme 3 10\n", code=1, BROKEN=step)
            require(it.state("acme", 3) == DATA, f"{step}: the original is gone")
            require(it.state("acme", 10) in (None, DATA), f"{step}: half a state has the name of a whole one")
            it.move("acme 3 10\n")
            require(it.state("acme", 3) is None and it.state("acme", 10) == DATA, f"{step}: the second run did not end it")
    with world() as it:
        it.state("acme", 3, DATA), it.state("acme", 5, b"of a year ago")
        it.move("acme 3 5\n", code=1, BROKEN="move-3: umask 077; if [ -e ")
        require(it.state("acme", 3) == DATA, "what could not be read was taken for moved")


def check_refusals():
    for wanted, running in ((10, 10), (0, 2), (10, 0)):
        with world(wanted=wanted, running=running) as it:
            it.state("acme", 3, DATA)
            require("not paused" in it.move("acme 3 10\n", code=1) and not it.made, f"{wanted} wanted, {running} running")
    with world() as it:
        it.state("acme", 3, DATA), it.state("acme", 5, b"of a year ago")
        require("different states" in it.move("acme 3 5\n", code=1), "two states of one operation")
        require(it.state("acme", 3) == DATA and it.state("acme", 5) == b"of a year ago", "a state was lost")
        require("no volume" in it.move("acme 12 3\n", code=1) and not it.claim(12).exists(), "a volume was made to be read from")
        for moves in ("\n", "acme 3\n", "acme 3 3\n", "a/../b 3 4\n", "acme;reboot 3 4\n", "acme three 4\n"):
            made = len(it.made)
            it.move(moves, code=1)
            require(len(it.made) == made, f"{moves!r} was begun")


def main():
    check = Checks()
    check("the moves are listed as the exporter shares out the operations", check_list)
    check("states move to a shard that is to come", check_growth)
    check("its claims and pods are as Kubernetes and the chart want them", check_made)
    check("a lost connection loses nothing", check_failures)
    check("pods that run, states that differ and moves that cannot be meant are refused", check_refusals)
    return check.verdict()


if __name__ == "__main__":
    sys.exit(main())
