"""Rules for what the Helm chart renders for Prometheus and Grafana. Those with `folders` ask the Prometheus in each of them."""

import json
import pathlib
import tempfile

import jsonschema
import yaml

from lib.chart_rules import ROOT, ran, subset
from lib.exposition import require


def strict(required=(), **properties):
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "object", "additionalProperties": TEXT}
SPAN = {"type": "string", "pattern": r"^(\d+(ms|[smhdwy]))+$"}
RELABELING = strict(["targetLabel"], targetLabel=TEXT, replacement=TEXT, sourceLabels={"type": "array", "items": TEXT})
ENDPOINT = strict(
    ["port", "path", "interval", "scrapeTimeout", "honorLabels", "scheme", "relabelings"],
    port=TEXT, path=TEXT, interval=SPAN, scrapeTimeout=SPAN, honorLabels={"const": False}, scheme={"enum": ["http", "https"]},
    basicAuth={"type": "object"}, tlsConfig={"type": "object"}, relabelings={"type": "array", "items": RELABELING},
)
RULE = {"oneOf": [
    strict(["alert", "expr", "labels", "annotations"], alert=TEXT, expr=TEXT, labels=TEXTS, annotations=TEXTS, keep_firing_for=SPAN, **{"for": SPAN}),
    # A label may be empty here: without Grafana's address, wolkvox:grafana has none.
    strict(["record", "expr"], record=TEXT, expr=TEXT, labels={"type": "object", "additionalProperties": {"type": "string"}}),
]}
# As in the Operator's definitions, as far as the chart uses them: kubernetes-validate knows no definitions of others.
OPERATOR = {
    "ServiceMonitor": strict(
        ["selector", "endpoints"], selector=strict(["matchLabels"], matchLabels=TEXTS),
        namespaceSelector=strict(["matchNames"], matchNames={"type": "array", "items": TEXT}), endpoints={"type": "array", "items": ENDPOINT},
    ),
    "PrometheusRule": strict(["groups"], groups={"type": "array", "minItems": 1, "items": strict(
        ["name", "rules"], name=TEXT, interval=SPAN, rules={"type": "array", "minItems": 1, "items": RULE})}),
}


def operator(rendered):
    for kind, schema in OPERATOR.items():
        for one in rendered.all(kind):
            require(one["apiVersion"] == "monitoring.coreos.com/v1" and set(one) == {"apiVersion", "kind", "metadata", "spec"}, f"{kind}: {set(one)}")
            jsonschema.validate(one["spec"], schema, cls=jsonschema.Draft202012Validator)
            labels = rendered.values[kind[0].lower() + kind[1:]]["labels"]
            require(subset(labels, one["metadata"]["labels"]), f"{kind}: labels {one['metadata']['labels']}")
    for monitor in rendered.all("ServiceMonitor"):
        (endpoint,), values = monitor["spec"]["endpoints"], rendered.values["serviceMonitor"]
        # One job for all shards, whatever Service they are behind; an instance that stays through restarts.
        require(endpoint["relabelings"] == [
            {"targetLabel": "job", "replacement": values["job"]},
            {"targetLabel": "instance", "sourceLabels": ["__meta_kubernetes_pod_name"]},
        ], f"{endpoint['relabelings']}")
        require(endpoint["scheme"] == ("https" if rendered.values["web"]["tls"] else "http"), endpoint["scheme"])
        for key in ("interval", "scrapeTimeout", "basicAuth", "tlsConfig"):
            require(endpoint.get(key, {}) == values[key], f"{key}: {endpoint.get(key)}")


def own_rules(language):
    files = sorted((ROOT / "alerts").glob("*.rules.yml"))
    if language != "en":
        files = [ROOT / "alerts" / language / file.name if file.name == "alerts.rules.yml" else file for file in files]
    return [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]


def alerts(rendered):
    """The rules of the repository in the language of the values, but for the thresholds and Grafana's address that these change."""
    for one in rendered.all("PrometheusRule"):
        values = rendered.values["prometheusRule"]
        groups = own_rules(values["language"])
        changed = [values["thresholds"], *values["operationThresholds"].values()]
        other = {key for figures in changed for key in figures}
        for group, shown in zip(groups, one["spec"]["groups"], strict=True):
            require({**group, "rules": None} == {**shown, "rules": None}, f"group {shown['name']}")
            for rule, found in zip(group["rules"], shown["rules"], strict=True):
                if rule.get("record") == "wolkvox:grafana":
                    rule["labels"]["url"] = values["grafana"]
                if rule.get("record") == "wolkvox:threshold" and rule["labels"]["kpi"] in other:
                    require({**rule, "expr": None} == {**found, "expr": None} and rule["expr"] != found["expr"], f"{found}")
                else:
                    require(rule == found, f"{found} is not {rule}")


def dashboards(rendered):
    found = [one for one in rendered.all("ConfigMap") if "wolkvox.yml" not in one["data"]]
    language = rendered.values["dashboards"]["language"]
    folder = ROOT / "dashboards" / ("wolkvox" if language == "en" else f"wolkvox-{language}")
    files = {f"wolkvox-{file.name}": file for file in folder.glob("*.json")}
    shown = [name for one in found for name in one["data"]]
    require(sorted(shown) == (sorted(files) if rendered.values["dashboards"]["enabled"] else []), f"dashboards {shown}")
    for one in found:
        ((name, text),) = one["data"].items()
        require(json.loads(text) == json.loads(files[name].read_text()), f"{name} is another one")
        require(len(json.dumps(one)) < 1 << 20, f"{name} is too large for a ConfigMap")
        require(subset(rendered.values["dashboards"]["labels"], one["metadata"]["labels"]), f"{name}: the sidecar does not see it")
        require(one["metadata"].get("annotations", {}) == rendered.values["dashboards"]["annotations"], f"{name}: annotations")


def promtool(folders, rendered):
    for one in rendered.all("PrometheusRule"):
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump(one["spec"], file)  # JSON is YAML
            file.flush()
            for folder in folders:
                ran(folder / "promtool", "check", "rules", "--lint=all", "--lint-fatal", file.name)


def thresholds(folders, rendered):
    """Each operation is held against the figures that the values give it, by Prometheus's own reckoning."""
    for one in rendered.all("PrometheusRule"):
        values = rendered.values["prometheusRule"]
        operations = [*values["operationThresholds"], "another"]
        kpis = {kpi for figures in (values["thresholds"], *values["operationThresholds"].values()) for kpi in figures}
        rules = [rule for group in one["spec"]["groups"] for rule in group["rules"]]
        usual = {rule["labels"]["kpi"]: float(rule["expr"].split(" * ")[-1]) for rule in rules if rule.get("record") == "wolkvox:threshold"}
        skill_of = {rule["labels"]["kpi"]: ', skill_id="1"' if rule["expr"].startswith("skill:") else "" for rule in rules if rule.get("record") == "wolkvox:threshold"}
        expected = {kpi: [(operation, values["operationThresholds"].get(operation, {}).get(kpi, values["thresholds"].get(kpi, usual[kpi])))
                          for operation in operations] for kpi in kpis}
        with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
            folder = pathlib.Path(folder)
            (folder / "rules.yml").write_text(json.dumps(one["spec"]))
            test = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [{
                "interval": "1m",
                "input_series": [{"series": f'{metric}{{job="j", operation="{operation}"{skill}}}', "values": "1x10"}
                                 for operation in operations for metric, skill in (("wolkvox_api_calls_limit", ""), ("wolkvox_skill_calls_in_queue", ', skill_id="1"'))],
                "promql_expr_test": [{
                    "expr": f'wolkvox:threshold{{kpi="{kpi}"}}', "eval_time": "5m",
                    "exp_samples": [{"labels": f'wolkvox:threshold{{job="j", kpi="{kpi}", operation="{operation}"{skill_of[kpi]}}}', "value": value}
                                    for operation, value in found],
                } for kpi, found in expected.items()],
            }]}
            (folder / "test.yml").write_text(json.dumps(test))
            for binaries in folders:
                ran(binaries / "promtool", "test", "rules", folder / "test.yml")


RULES = [operator, alerts, dashboards]
