"""The pods that docs/kubernetes.md tells people to make beside those of the chart: a shell on a volume, and a backfill."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from lib.chart_exporter import STATE, container
from lib.chart_rules import ROOT
from lib.exposition import require

# Shows the StatefulSet, and keeps what is to be created; what comes after that is let be.
KUBECTL = """
import pathlib, sys
folder = pathlib.Path(sys.argv[0]).parent
_, namespace, verb, *rest = sys.argv[1:]
assert namespace == "telephony", namespace
if verb == "get":
    assert rest == ["statefulset", "wolkvox-exporter", "--output", "json"], rest
    print((folder / "set.json").read_text())
elif verb == "create":
    (folder / "pod.json").write_text(sys.stdin.read())
else:
    (folder / "later").open("a").write(" ".join([verb, *rest]) + "\\n")
"""


def documented(pattern):
    (found,) = re.findall(pattern, (ROOT / "docs/kubernetes.md").read_text(), re.M | re.S)
    return found


def claimed(pod, rendered, shard):
    """Its only claim is that of the shard, by Kubernetes's name for it; Services and the NetworkPolicy do not take it for a shard."""
    (template,) = rendered.set["spec"]["volumeClaimTemplates"]
    claims = {volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in pod["spec"]["volumes"] if "persistentVolumeClaim" in volume}
    require(claims == {"state": f"{template['metadata']['name']}-{rendered.set['metadata']['name']}-{shard}"}, f"{claims}")
    require("labels" not in pod["metadata"] and pod["spec"]["restartPolicy"] == "Never", f"{pod['metadata']}")


def shell(rendered):
    """The pod of the shell, as its user and with no more rights than the exporter."""
    pod = yaml.safe_load(documented(r"```yaml\n# shell.yaml\n(.*?)```"))
    claimed(pod, rendered, 0)
    (box,) = pod["spec"]["containers"]
    require(pod["spec"]["securityContext"] == rendered.pod["securityContext"], "another user than the exporter's")
    require(box["securityContext"] == rendered.container["securityContext"], f"{box}")
    mount = box["volumeMounts"][0]["mountPath"]
    commands = documented(r"```sh\n([^`]*?--filename shell.yaml.*?)```")
    require(set(re.findall(r"wolkvox-exporter-\w+", commands)) == {pod["metadata"]["name"]} and f":{mount}/" in commands, f"{commands}")
    return pod


def backfill(exporter, rendered):
    """The pod of a backfill, by the documented commands; the exporter takes its flags, and finds the operation in that shard."""
    commands = documented(r"```sh\n([^`]*?jq .*?)```")
    with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as name:
        folder = pathlib.Path(name)
        (folder / "set.json").write_text(json.dumps(rendered.set))
        (folder / "kubectl").write_text(f"#!{sys.executable}\n{KUBECTL}")
        (folder / "kubectl").chmod(0o755)
        path = {**os.environ, "PATH": f"{name}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], env=path, capture_output=True, text=True, timeout=60)
        require(done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}")
        pod, later = json.loads((folder / "pod.json").read_text()), (folder / "later").read_text()
    require(len(re.findall(rf"\b{pod['metadata']['name']}$", later, re.M)) == 3, f"other pods: {later}")
    claimed(pod, rendered, 0)
    (box,) = pod["spec"]["containers"]
    missing = {mount["name"] for mount in box["volumeMounts"]} - {volume["name"] for volume in pod["spec"]["volumes"]}
    require(not missing and not any("robe" in key for key in box), f"volumes {missing}, {list(box)}")
    labels = [value for flag, value in zip(box["args"], box["args"][1:]) if flag == "--label"]
    require(labels == [f"job={rendered.values['serviceMonitor']['job']}", f"instance={rendered.set['metadata']['name']}-0"], f"{labels}")

    with container(rendered) as (root, flags):
        # Nobody is to be asked: the API is a port that is closed.
        config = yaml.safe_load((root / "config/wolkvox.yml").read_text())
        for operation in config["operations"]:
            del operation["server"]
            operation["url"] = "http://127.0.0.1:9"
        (root / "config/wolkvox.yml").write_text(yaml.safe_dump(config))
        index = f"--shard.index={pod['metadata']['name']}"
        flags = [index if flag.startswith("--shard.index=") else flag for flag in flags]
        require(box["args"][:len(flags)] == rendered.container["args"] and index in flags, f"{box['args']}")
        rest = [flag.replace(STATE, str(root / "state")) for flag in box["args"][len(flags):]]
        done = subprocess.run([exporter, *flags, *rest], capture_output=True, text=True, timeout=120)
        # Nothing was counted here: that it looks for the operation's state, and where, shows that it was understood.
        require(f"operation acme: {root}/state has no state for it" in done.stderr, f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return pod
