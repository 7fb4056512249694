#!/usr/bin/env python3
"""check_chart.py EXPORTER OLD_BIN NEW_BIN

Checks the Helm chart without a cluster: renders each of its values files with Helm's own library, holds the objects against the
schemas of two versions of Kubernetes and against the rules of chart_rules.py, lets the exporter read its configuration and
flags, and two versions of Prometheus (their binaries are in the folders OLD_BIN and NEW_BIN) its rules; then plants mistakes.
"""

import base64
import functools
import gzip
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import tomllib

import helm_python as helm
import kubernetes_validate
import yaml

from lib import chart_exporter, chart_mistakes, chart_monitoring, chart_pods
from lib.chart_guard import check_guard
from lib.chart_rules import CHART, ROOT, RULES, Rendered, ran
from lib.exposition import require
from lib.servers import Checks

EXPORTER, OLD_BIN, NEW_BIN = map(pathlib.Path, sys.argv[1:])
# A release's name may be long, and may have the chart's name in it.
NAMES = ("wx", "wolkvox-exporter-" + "x" * 36)
VALUES = {file.stem.removesuffix("-values"): yaml.safe_load(file.read_text()) for file in sorted((CHART / "ci").glob("*.yaml"))}
# The oldest that the chart takes, and the newest whose schema there is.
KUBERNETES = ("1.29", ".".join(kubernetes_validate.latest_version().split(".")[:2]))
# Labels that the Operator gives to each series; one of the exporter's own would be renamed.
OPERATORS_LABELS = {"job", "instance", "namespace", "service", "pod", "container", "endpoint", "prometheus"}


def render(values, folder=CHART, **names):
    with helm.Chart.load(folder) as chart:
        return Rendered(chart, values, **names)


def schema(rendered):
    for one in rendered.objects:
        for version in KUBERNETES:
            try:
                used = kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.SchemaNotFoundError:
                require(one["apiVersion"] == "monitoring.coreos.com/v1", f"no schema for {one['kind']}")
            except kubernetes_validate.ValidationError as error:
                raise AssertionError(f"Kubernetes {version}: {one['kind']} {one['metadata']['name']}: {error.message}") from error
            else:
                require(used == version, f"checked for {used} and not {version}")


ALL_RULES = {rule.__name__: rule for rule in [*RULES, *chart_monitoring.RULES, schema]}
ALL_RULES |= {rule.__name__: functools.partial(rule, (OLD_BIN, NEW_BIN)) for rule in (chart_monitoring.promtool, chart_monitoring.thresholds)}
ALL_RULES |= {rule.__name__: functools.partial(rule, EXPORTER) for rule in (chart_exporter.check_config, chart_exporter.probes)}


# Checks of the chart as a whole.


def check_lint():
    for values in VALUES.values():
        for version in KUBERNETES:
            report = helm.lint(CHART, values, strict=True, kube_version=f"v{version}.0")
            require(not report["errors"] and all(one["severity"] < 2 for one in report["messages"]), f"{report}")


def check_files():
    """The chart has its own copies of the rules and dashboards; a copy that is too many or too old is found."""
    def contents(folder, pattern):
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.glob(pattern) if file.is_file()}

    for copies, folder, pattern in (
        ("alerts", "alerts", "**/*.rules.yml"),
        ("dashboards/en", "dashboards/wolkvox", "*.json"),
        ("dashboards/es", "dashboards/wolkvox-es", "*.json"),
    ):
        originals, found = contents(ROOT / folder, pattern), contents(CHART / "files" / copies, "**/*")
        differing = sorted(name for name in found | originals if found.get(name) != originals.get(name))
        require(not differing, f"files/{copies} differs in {differing}: run deploy/helm/sync")


def check_versions():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    require(chart["appVersion"] == package["version"], f"appVersion {chart['appVersion']}, Cargo.toml {package['version']}")
    (program,) = re.findall(r'^ENTRYPOINT \["(.*?)"\]$', (ROOT / "Dockerfile").read_text(), re.M)
    for file in (CHART / "templates/NOTES.txt", ROOT / "deploy/helm/list-moves"):
        require(f" {program} " in file.read_text(), f"{file.name} runs another program than {program}, the image's")
    require(chart["apiVersion"] == "v2" and chart["kubeVersion"] == f">={KUBERNETES[0]}.0-0", f"kubeVersion {chart['kubeVersion']}")


def check_values():
    """The schema knows each value, the values have each key of the schema, and each is explained."""
    def compare(part, values, path):
        require(part.get("additionalProperties") is not None, f"{path}: any key would do")
        keys = set(part.get("properties", {})) - {"global"}
        require(not keys or keys == set(values), f"{path}: {keys ^ set(values)}")
        for key in keys:
            inner = part["properties"][key]
            if "properties" in inner:
                compare(inner, values[key], f"{path}.{key}")

    text = (CHART / "values.yaml").read_text()
    compare(json.loads((CHART / "values.schema.json").read_text()), yaml.safe_load(text), "values")
    lines = text.splitlines()
    unexplained = [line for before, line in zip(["", *lines], lines) if re.match(r" *\w+:", line) and "# " not in before]
    require(not unexplained, f"values without a comment: {unexplained}")


def check_package():
    with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
        archive = helm.package(CHART, destination=folder)
        archive = pathlib.Path(archive if isinstance(archive, str) else archive["path"])
        helm.expand(folder, archive)
        unpacked = pathlib.Path(folder) / "wolkvox-exporter"
        require(not (unpacked / "ci").exists(), "the values files for tests are in the package")
        values = VALUES["everything"]
        require(render(values, unpacked).objects == render(values).objects, "the package renders another chart")
        # Helm keeps a release, chart and manifest and all, in a Secret of 1 MiB at most.
        files = [{"name": str(file), "data": base64.b64encode(file.read_bytes()).decode()} for file in sorted(unpacked.rglob("*")) if file.is_file()]
        release = gzip.compress(json.dumps({"chart": files, "manifest": json.dumps(render(values).objects)}).encode())
        size = len(base64.b64encode(base64.b64encode(release)))
        require(size < 800_000, f"a release has {size} bytes")
        print(f"  package {archive.stat().st_size} bytes, a release about {size}")


def check_documentation():
    """What docs/kubernetes.md tells people to write is taken, by the chart and by Prometheus."""
    text = (ROOT / "docs/kubernetes.md").read_text()
    blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", text, re.S)
    blocks += [("values.yaml", block) for block in re.findall(r"> values.yaml <<'EOF'\n(.*?)EOF", text, re.S)]
    require(len(blocks) == text.count("```yaml") + 1 >= 5, f"{len(blocks)} blocks")
    for name, block in blocks:
        if name == "shell.yaml":
            continue  # chart_pods.py has it
        if name == "values.yaml":
            rendered = render(yaml.safe_load(block), name="wolkvox-exporter", namespace="telephony")
            for rule in ALL_RULES.values():
                rule(rendered)
            require(rendered.set["metadata"]["name"] == "wolkvox-exporter", "commands name other pods")
            continue
        config = yaml.safe_load(block)
        (scrape,) = config["scrape_configs"]
        # Debian's Prometheus knows no Kubernetes.
        require(scrape.pop("kubernetes_sd_configs") == [{"role": "endpointslice", "namespaces": {"names": ["telephony"]}}], f"{block}")
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump(config, file)
            file.flush()
            for folder in (OLD_BIN, NEW_BIN):
                ran(folder / "promtool", "check", "config", file.name)
        relabeling, _ = scrape["relabel_configs"]
        require(relabeling["regex"] == rendered.set["spec"]["serviceName"], "Prometheus asks another Service")
    for path in set(re.findall(r"(?<![\w/])deploy/helm/[\w/-]+", text)):
        require((ROOT / path).exists(), f"there is no {path}")
    table = re.findall(r"^\| (`.*?) \|", text, re.M)
    keys = {key.split(".")[0] for cell in table for key in re.findall(r"`([\w.]+)`", cell)} - {"tokenSecret"}
    require(keys <= set(yaml.safe_load((CHART / "values.yaml").read_text())), f"the table names {keys}")


def check_pods():
    """The pods that the documentation makes are such as Kubernetes takes, and reach what they are for."""
    # Of three shards the first has the operation acme.
    rendered = render({**chart_mistakes.ONE, "shards": 3}, name="wolkvox-exporter", namespace="telephony")
    for pod in (chart_pods.shell(rendered), chart_pods.backfill(EXPORTER, rendered)):
        for version in KUBERNETES:
            kubernetes_validate.validate(pod, version, strict=True)


def check_labels():
    for line in pathlib.Path(__file__).with_name("families.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, *labels = line.split()
            require(not OPERATORS_LABELS & set(labels), f"{name}: the Operator would rename {OPERATORS_LABELS & set(labels)}")


def check_checksum():
    def pod(**changes):
        return render({**VALUES["shards"], **changes}).set["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    more = [*VALUES["shards"]["operations"], {"name": "initech", "server": "0003"}]
    require(len({pod(), pod(operations=more), pod(config={"series_limit": 1})}) == 3, "another configuration restarts no pod")
    require(pod() == pod(podLabels={"a": "b"}), "the checksum is of more than the configuration")


def check_refusals():
    render(chart_mistakes.ONE)
    for what, says, values in chart_mistakes.VALUES:
        try:
            render(values)
        except helm.HelmError as error:
            require(says in str(error), f"{what}: the message is {error}")
            require("secret@" not in str(error) and "0123456789abcdef" not in str(error), f"{what}: the message repeats a secret")
        else:
            raise AssertionError(f"{what} is not refused")


def check_mistakes():
    """Each rule finds what was planted for it, in at least one of the values files."""
    untested = set(ALL_RULES) - {rule for rule, *_ in chart_mistakes.CHART}
    require(not untested, f"rules for which no mistake is planted: {untested}")
    for rule, file, old, new in chart_mistakes.CHART:
        with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
            copy = shutil.copytree(CHART, pathlib.Path(folder) / "chart")
            text = (copy / file).read_text()
            require(old in text, f"{file} has no {old!r}")
            (copy / file).write_text(text.replace(old, new))
            with helm.Chart.load(copy) as chart:
                require(any(fails(ALL_RULES[rule], Rendered(chart, values, name=name)) for values in VALUES.values() for name in NAMES),
                        f"{rule} does not see {new!r} in {file}")


def fails(rule, rendered):
    try:
        rule(rendered)
    except Exception:  # a rule that stumbles over what is missing has found it
        return True
    return False


def main():
    os.environ.pop("KUBECONFIG", None)
    check = Checks()
    check("helm lint, for both versions of Kubernetes", check_lint)
    check("the copies of rules and dashboards are those of the repository", check_files)
    check("versions agree", check_versions)
    check("values and their schema agree", check_values)
    for name, values in VALUES.items():
        shown = [render(values, name=release) for release in NAMES]
        for rule, function in ALL_RULES.items():
            check(f"{name}: {rule}", lambda: [function(rendered) for rendered in shown])
    check("the package is whole, and a release fits into its Secret", check_package)
    check("docs/kubernetes.md is true to the chart", check_documentation)
    check("the pods that docs/kubernetes.md makes are valid, and a backfill finds its operation", check_pods)
    check("no label of the exporter is one of the Operator's", check_labels)
    check("a new configuration restarts the pods", check_checksum)
    check("values that cannot be meant are refused", check_refusals)
    check("a change of shards is refused while pods run", check_guard)
    check("planted mistakes are found", check_mistakes)
    return check.verdict()


if __name__ == "__main__":
    sys.exit(main())
