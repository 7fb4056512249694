#!/usr/bin/env python3
"""check_chart.py EXPORTER OLD_BIN NEW_BIN

Checks the Helm chart without a cluster: renders each of its values files with Helm's own library, holds the objects against the
schemas of two versions of Kubernetes and against the rules of chart_rules.py, lets the exporter read its configuration and
flags, and two versions of Prometheus (their binaries are in the folders OLD_BIN and NEW_BIN) its rules; then plants mistakes.
"""

import base64
import gzip
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib

import helm_python as helm
import kubernetes_validate
import yaml

import chart_mistakes
from chart_rules import CHART, FOLDER, ROOT, RULES, Rendered, subset
from exposition import require
from servers import Checks

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


def ran(*command, code=0):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    require(done.returncode == code, f"{command[0].name}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


# More rules for what is rendered; these need programs.


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


def check_config(rendered):
    """The exporter takes the flags and the configuration, with the files where the pod has them."""
    if rendered.config is None:
        return
    with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
        folder = pathlib.Path(folder)
        for name in ("config", "tokens", "web", "ca"):
            (folder / name).mkdir()
        text = rendered.config["data"]["wolkvox.yml"].replace(FOLDER, str(folder)).replace("/etc/company", f"{folder}/ca")
        (folder / "config/wolkvox.yml").write_text(text)
        for source in rendered.volumes["tokens"]["projected"]["sources"]:
            (item,) = source["secret"]["items"]
            (folder / "tokens" / item["path"]).write_text(f"token-of-{item['path']}\n")
        ran(pathlib.Path("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=ca",
            "-keyout", folder / "ca/ca.key", "-out", folder / "ca/ca.pem")
        flags = [flag.replace(FOLDER, str(folder)).replace("$(POD_NAME)", f"{rendered.set['metadata']['name']}-0")
                 for flag in rendered.container["args"]]
        said = ran(EXPORTER, *flags, "check-config", folder / "config/wolkvox.yml")
        for operation in rendered.values["operations"]:
            require(re.search(rf"^operation {operation['name']}\b", said, re.M), f"check-config says nothing of {operation['name']}: {said}")


def promtool(rendered):
    for one in rendered.all("PrometheusRule"):
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump(one["spec"], file)  # JSON is YAML
            file.flush()
            for folder in (OLD_BIN, NEW_BIN):
                ran(folder / "promtool", "check", "rules", "--lint=all", "--lint-fatal", file.name)


def thresholds(rendered):
    """Each operation is held against the figures that the values give it, by Prometheus's own reckoning."""
    for one in rendered.all("PrometheusRule"):
        values = rendered.values["prometheusRule"]
        operations = [*values["operationThresholds"], "another"]
        kpis = {kpi for figures in (values["thresholds"], *values["operationThresholds"].values()) for kpi in figures}
        rules = [rule for group in one["spec"]["groups"] for rule in group["rules"]]
        usual = {rule["labels"]["kpi"]: float(rule["expr"].split(" * ")[-1]) for rule in rules if rule.get("record") == "wolkvox:threshold"}
        expected = {kpi: [(operation, values["operationThresholds"].get(operation, {}).get(kpi, values["thresholds"].get(kpi, usual[kpi])))
                          for operation in operations] for kpi in kpis}
        with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
            folder = pathlib.Path(folder)
            (folder / "rules.yml").write_text(json.dumps(one["spec"]))
            test = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [{
                "interval": "1m",
                "input_series": [{"series": f'wolkvox_api_calls_limit{{job="j", operation="{operation}"}}', "values": "1x10"} for operation in operations],
                "promql_expr_test": [{
                    "expr": f'wolkvox:threshold{{kpi="{kpi}"}}', "eval_time": "5m",
                    "exp_samples": [{"labels": f'wolkvox:threshold{{job="j", kpi="{kpi}", operation="{operation}"}}', "value": value}
                                    for operation, value in found],
                } for kpi, found in expected.items()],
            }]}
            (folder / "test.yml").write_text(json.dumps(test))
            for binaries in (OLD_BIN, NEW_BIN):
                ran(binaries / "promtool", "test", "rules", folder / "test.yml")


ALL_RULES = {rule.__name__: rule for rule in [*RULES, schema, check_config, promtool, thresholds]}


# Checks of the chart as a whole.


def check_lint():
    for values in VALUES.values():
        for version in KUBERNETES:
            report = helm.lint(CHART, values, strict=True, kube_version=f"v{version}.0")
            require(not report["errors"] and all(one["severity"] < 2 for one in report["messages"]), f"{report}")


def check_files():
    """The chart has its own copies of the rules and dashboards; a copy that is too many or too old is found."""
    for copies, files in (("alerts", ROOT.glob("alerts/*.rules.yml")), ("dashboards", ROOT.glob("dashboards/wolkvox/*.json"))):
        originals = {file.name: file.read_bytes() for file in files}
        found = {file.name: file.read_bytes() for file in (CHART / "files" / copies).iterdir()}
        require(found == originals, f"files/{copies} differs in {sorted(name for name in found | originals if found.get(name) != originals.get(name))}: run deploy/helm/sync")


def check_versions():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    require(chart["appVersion"] == package["version"], f"appVersion {chart['appVersion']}, Cargo.toml {package['version']}")
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
    for block in re.split(r"\n\n", text):
        require("# " in block, f"not explained: {block}")


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
        if name == "values.yaml":
            rendered = render(yaml.safe_load(block), name="wolkvox-exporter", namespace="telephony")
            for rule in (*RULES, schema, thresholds):
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


class Cluster(http.server.BaseHTTPRequestHandler):
    """What `lookup` asks of Kubernetes: a single StatefulSet."""

    answers = {}

    def do_GET(self):
        answer = self.answers.get(self.path.split("?")[0])
        body = json.dumps(answer or {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def check_guard():
    """An upgrade that changes the number of shards is refused while pods of the old number run, and no other is."""
    path = "/apis/apps/v1/namespaces/telephony/statefulsets/wx-wolkvox-exporter"
    resources = [{"name": "statefulsets", "singularName": "statefulset", "namespaced": True, "kind": "StatefulSet", "verbs": ["get"]}]
    Cluster.answers["/apis/apps/v1"] = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "apps/v1", "resources": resources}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    access = {
        "apiVersion": "v1", "kind": "Config", "current-context": "it", "users": [{"name": "it", "user": {}}],
        "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }

    def attempt(there, **values):
        there = rendered(*there) if there else None
        Cluster.answers[path] = there
        try:
            config.render(chart, {**chart_mistakes.ONE, **values}, name="wx", namespace="telephony", is_upgrade=True)
            return ""
        except helm.HelmRenderError as error:
            return str(error)

    def rendered(shards, wanted, running):
        """As the cluster has it: the chart's own StatefulSet, so that a renamed annotation is noticed."""
        one = render({**chart_mistakes.ONE, "shards": shards}, name="wx", namespace="telephony").set
        return {**one, "spec": {**one["spec"], "replicas": wanted}, "status": {"replicas": running}}

    try:
        with helm.Config(kubeconfig_content=json.dumps(access), namespace="telephony", storage_driver="memory") as config, helm.Chart.load(CHART) as chart:
            for there, values, says in (
                (None, {"shards": 11}, ""),
                ((10, 10, 10), {"shards": 10}, ""),
                ((10, 10, 10), {"shards": 11}, "runs with 10 shards, and 11 are asked for"),
                ((10, 10, 10), {"shards": 9}, "runs with 10 shards, and 9 are asked for"),
                ((10, 10, 10), {"shards": 10, "paused": True}, ""),
                ((10, 10, 10), {"shards": 11, "paused": True}, ""),
                ((10, 0, 3), {"shards": 11}, "runs with 10 shards"),
                ((11, 0, 3), {"shards": 11}, "3 pods of wx-wolkvox-exporter are still ending"),
                ((10, 0, 0), {"shards": 11}, ""),
                ((10, 10, 0), {"shards": 11}, "runs with 10 shards"),
            ):
                said = attempt(there, **values)
                require(says in said and bool(says) == bool(said), f"{there} and {values}: {said or 'taken'}")
    finally:
        server.shutdown()
        server.server_close()


def check_mistakes():
    """Each rule finds what was planted for it, in at least one of the values files."""
    require({rule for rule, *_ in chart_mistakes.CHART} == set(ALL_RULES), f"rules without a mistake: {set(ALL_RULES) - {rule for rule, *_ in chart_mistakes.CHART}}")
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
    check("no label of the exporter is one of the Operator's", check_labels)
    check("a new configuration restarts the pods", check_checksum)
    check("values that cannot be meant are refused", check_refusals)
    check("a change of shards is refused while pods run", check_guard)
    check("planted mistakes are found", check_mistakes)
    return check.verdict()


if __name__ == "__main__":
    sys.exit(main())
