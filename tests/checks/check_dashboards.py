#!/usr/bin/env python3
"""check_dashboards.py OLD_BIN NEW_BIN HISTORY

Checks the dashboards: that they are what their builder writes, that Grafana knows every key of them, that they keep our
rules, and that every query finds something in a history, asked of two versions of Prometheus, whose binaries are in the
folders OLD_BIN and NEW_BIN. HISTORY is a folder of OpenMetrics files with timestamps (*.om), of more than a week.
"""

import contextlib
import copy
import datetime
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import grafana_foundation_sdk.cog.plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from lib import dashboard_lint
from lib.exposition import require
from lib.servers import Checks, api, configured_prometheus, get, until_true

OLD_BIN, NEW_BIN, HISTORY = map(pathlib.Path, sys.argv[1:])
ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "dashboards"
METRICS = ROOT / "docs/metrics.md"
NAMES = {"now", "overview", "operations", "campaigns", "skills", "agents", "ivr", "exporter"}

# Where nothing is right: (dashboard, title of the panel, legend). Each with its reason.
MAY_BE_EMPTY = {
    ("wolkvox-overview", "IVR calls by outcome, per hour", "other$of"): "calls that ended in no known way",
    ("wolkvox-ivr", "Outcome, share of the last hour", "other$of"): "calls that ended in no known way",
    ("wolkvox-skills", "Offered by channel, per 20 min", "unknown$of"): "rows that do not say what they are",
    ("wolkvox-skills", "Offered by channel, per 20 min", "other$of"): "rows that do not say what they are",
    ("wolkvox-exporter", "Polls failed or skipped, per hour", "{{reason}} · {{report}}$of"): "failures",
    ("wolkvox-exporter", "Polls failed or skipped, per hour", "skipped · {{reason}} · {{report}}$of"): "the budget lasts",
    ("wolkvox-exporter", "Rows by outcome, per hour", "baseline$of"): "rows older than the first poll",
    ("wolkvox-exporter", "Rows by outcome, per hour", "late$of"): "rows that came after days",
    ("wolkvox-exporter", "Rows by outcome, per hour", "invalid$of"): "rows that cannot be understood",
    ("wolkvox-exporter", "Rows by outcome, per hour", "ignored$of"): "rows that say nothing",
    ("wolkvox-exporter", "Odd rows and fields, per hour", "{{field}} · {{report}}$of"): "odd rows",
    ("wolkvox-exporter", "Odd rows and fields, per hour", "day totals that fell$of"): "odd rows",
    ("wolkvox-exporter", "Odd rows and fields, per hour", "windows cut$of"): "odd rows",
    ("wolkvox-exporter", "Odd rows and fields, per hour", "rows counted late$of"): "odd rows",
    ("wolkvox-exporter", "Memory and state", "state$of"): "a history has its state in memory",
    ("wolkvox-overview", "annotation Lists recycled", ""): "no list was recycled",
    ("wolkvox-campaigns", "annotation Lists recycled", ""): "no list was recycled",
}
# What an operation reads that has only the reports of the first version.
FIRST_REPORTS = {"campaigns", "call_durations", "abandoned_calls", "preview_calls", "ivr"}
# Panels whose results may lack job or operation: those that the rules except, and alerts, which may have none.
WITHOUT_OPERATION = {title for _, _, title in dashboard_lint.EXCEPTIONS} | {"Alerts firing", "Penetration, against the target"}


def read(folder):
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


DASHBOARDS = read(FOLDER / "wolkvox")


def check_built():
    def files(folder):
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("wolkvox*/*.json")}

    with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as built:
        subprocess.run([sys.executable, FOLDER / "build.py", built], check=True, timeout=30)
        ours, new = files(FOLDER), files(pathlib.Path(built))
    wanted = {f"{folder}/{name}.json" for folder in ("wolkvox", "wolkvox-es") for name in NAMES}
    require(set(ours) == wanted, f"the folders have {sorted(ours)}")
    require(ours == new, f"not as built: {[name for name in ours if ours[name] != new.get(name)]}; run dashboards/build.py")


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def differences(wanted, found, where=""):
    """What of `wanted` is not in `found`. A key that Grafana's model does not know gets lost on the way."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            if key in found:
                yield from differences(value, found[key], f"{where}/{key}")
            else:
                yield f"{where}/{key} is unknown"
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, pair in enumerate(zip(wanted, found)):
            yield from differences(*pair, f"{where}[{number}]")
    elif wanted != found:
        yield f"{where}: {wanted!r} became {found!r}"


# Keys that the Prometheus data source adds to annotations: its code reads them, Grafana's common model does not have them.
OF_PROMETHEUS = re.compile(r"/annotations/list\[\d+\]/(step|titleFormat|textFormat|tagKeys|useValueForTime) is unknown")


def round_trip(dashboard):
    plain = without_nulls(dashboard)
    back = json.loads(json.dumps(Dashboard.from_json(copy.deepcopy(plain)), cls=JSONEncoder))
    return [one for one in differences(plain, back) if not OF_PROMETHEUS.fullmatch(one)]


def check_structure(dashboard):
    lost = round_trip(dashboard)
    require(not lost, f"{len(lost)} differences: {lost[:5]}")


def check_rules():
    findings, needed = [], set()
    for dashboard in DASHBOARDS.values():
        found, exceptions = dashboard_lint.findings(dashboard)
        findings += found
        needed |= exceptions
    require(not findings, f"{len(findings)} findings: {findings[:5]}")
    unused = set(dashboard_lint.EXCEPTIONS) - needed
    require(not unused, f"exceptions that nothing needs: {unused}")


def check_languages():
    """Both languages ask the same, and show it in the same place and unit."""
    def essence(dashboard):
        return [
            (panel["type"], panel["gridPos"], [target["expr"] for target in panel.get("targets", [])],
             panel.get("fieldConfig", {}).get("defaults", {}).get("unit"))
            for panel in dashboard["panels"]
        ]

    spanish = read(FOLDER / "wolkvox-es")
    differing = [name for name, dashboard in DASHBOARDS.items() if essence(dashboard) != essence(spanish[name])]
    require(not differing, f"languages differ: {differing}")
    same = [name for name, dashboard in DASHBOARDS.items() if dashboard["uid"] == spanish[name]["uid"]]
    require(not same, f"languages share a uid: {same}")


def set_first(kind, path, value):
    """A change of the first panel of a kind."""

    def change(dashboard):
        place = next(panel for panel in dashboard["panels"] if panel["type"] == kind)
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def replace_first(old, new):
    """A change of the first expression that has `old`."""

    def change(dashboard):
        place = next(one for panel in dashboard["panels"] for one in panel.get("targets", []) if old in one["expr"])
        place["expr"] = place["expr"].replace(old, new, 1)

    return change


# What somebody might do wrong, and the rule that has to see it.
MISTAKES = (
    ("model", lambda dashboard: dashboard.update(editable=True)),
    ("model", lambda dashboard: dashboard.update(uid="Overview")),
    ("variables", lambda dashboard: dashboard["templating"]["list"][1].update(refresh=1)),
    ("variables", lambda dashboard: dashboard["templating"]["list"].pop(2)),
    ("described", set_first("stat", ["description"], "")),
    ("shown", set_first("stat", ["fieldConfig", "defaults", "unit"], "")),
    ("shown", set_first("stat", ["targets", 0, "instant"], False)),
    ("shown", set_first("stat", ["datasource", "uid"], "prometheus")),
    ("shown", set_first("timeseries", ["fieldConfig", "defaults", "custom", "spanNulls"], True)),
    ("scope", replace_first('job=~"$job", ', "")),
    ("scope", replace_first('operation=~"$operation"', 'operation="acme"')),
    ("grouping", replace_first("by (job, operation)", "by (job)")),
    ("rates", replace_first("[1h]", "[5m]")),
    ("rates", replace_first("increase(", "sum_over_time(")),
    ("divisors", replace_first(" >= 5)", ")")),
    ("abandonment", replace_first(" " + dashboard_lint.LISTS_ANSWERED, "")),
    ("layout", set_first("stat", ["gridPos", "w"], 4)),
    ("layout", set_first("timeseries", ["id"], 1)),
)


def check_rules_see(rule, change):
    broken = copy.deepcopy(DASHBOARDS["overview"])
    change(broken)
    found, _ = dashboard_lint.findings(broken)
    require(any(one.startswith(f"{rule}: ") for one in found), f"not seen; found {found[:3]}")


def check_structure_sees():
    broken = copy.deepcopy(DASHBOARDS["overview"])
    set_first("timeseries", ["options", "legend", "placment"], "bottom")(broken)
    require(round_trip(broken), "a misspelt option is not seen")


def check_links():
    uids = [dashboard["uid"] for dashboard in DASHBOARDS.values()]
    require(len(set(uids)) == len(uids), f"uids: {uids}")
    variables = {one["uid"]: {variable["name"] for variable in one["templating"]["list"]} for one in DASHBOARDS.values()}
    seen = 0
    for dashboard in DASHBOARDS.values():
        for panel in dashboard["panels"]:
            for override in panel.get("fieldConfig", {}).get("overrides", []):
                for link in (link for one in override["properties"] if one["id"] == "links" for link in one["value"]):
                    seen += 1
                    uid, query = re.fullmatch(r"/d/([\w-]+)\?(.*)", link["url"]).groups()
                    require(uid in uids, f"{link['url']} leads nowhere")
                    given = set(re.findall(r"var-(\w+)=", query)) | set(re.findall(r"\$\{(\w+):queryparam\}", query))
                    require(given <= variables[uid], f"{uid} has no variables {given - variables[uid]}")
                    fields = set(re.findall(r"__data\.fields\.(\w+)", query))
                    hidden = set(panel["transformations"][1]["options"]["excludeByName"])
                    require(fields and not fields & hidden, f"{panel['title']}: hidden fields {fields & hidden}")
    require(seen >= 4, f"only {seen} links from rows")


# What needs a Prometheus.


def time_of(path, last):
    """The time of the last sample of a file, or of the first one."""
    with path.open("rb") as file:
        if last:
            file.seek(-min(4096, path.stat().st_size), os.SEEK_END)
        text = file.read(4096).decode(errors="replace")
    # The first line may be half a one, and so may the last.
    found = re.findall(r"\n[^#\n]* \S+ (\d+)(?:\.\d+)?(?=\n)", text)
    require(found, f"no samples in {path.name}")
    return int(found[-1 if last else 0])


def last_noon():
    """The last noon in Bogota of the history, and how long the history is."""
    files = sorted(HISTORY.glob("*.om"))
    require(files, f"no *.om in {HISTORY}")

    end = time_of(files[-1], True)
    noon = datetime.datetime.fromtimestamp(end, datetime.timezone.utc).replace(hour=17, minute=0, second=0)
    if noon.timestamp() > end:
        noon -= datetime.timedelta(days=1)
    return int(noon.timestamp()), time_of(files[0], False)


def oddities(at, labels):
    """What a quiet history does not have, in the hour before. ALERTS as Prometheus's rules would have written them: one about a
    skill, one without operation. And an answer with an unknown word, from a second exporter."""
    lines = []

    def add(name, value, **pairs):
        text = ",".join(f'{key}="{pair}"' for key, pair in pairs.items())
        lines.extend(f"{name}{{{text}}} {value(time)} {time}" for time in range(at - 3600, at + 60, 60))

    job = {"job": labels["job"]}
    firing = {"alertstate": "firing", "severity": "critical"}
    add("ALERTS", lambda time: 1, alertname="WolkvoxAbandonmentFastBurn", **firing, **labels)
    add("ALERTS", lambda time: 1, alertname="WolkvoxExporterDown", **firing, **job)
    report = {**job, "instance": "odd:9963", "operation": labels["operation"], "report": "ivr"}
    broken = "wolkvox_report_assumption_violations_total"
    add(broken, lambda time: int(time > at - 1800), assumption="known_words", **report)
    add("wolkvox_report_unknown_word", lambda time: 1, field="result", word="overflow", **report)
    return "\n".join(lines) + "\n# EOF\n"


def twin(file, operation):
    """The same samples of a second operation: in it the same ids stand for something else."""
    ours, other = f'operation="{operation}"'.encode(), b'operation="twin"'
    return b"".join(line.replace(ours, other) for line in file.open("rb") if ours in line) + b"# EOF\n"


def of_first_reports(file):
    """The samples of an operation that reads nothing else."""
    reports, families = None, {"wolkvox_operation_calls_used_by_others": {"quota"}}
    for line in METRICS.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            reports = {line[3:]} if re.fullmatch(r"## \w+", line) else None
        elif reports and (family := re.match(r"\| `(\w+)`", line)):
            families[family[1]] = families.get(family[1], set()) | reports
    reports = set().union(*families.values())
    require(FIRST_REPORTS < reports, f"the sections of {METRICS.name} are not the reports: {reports}")
    others = "|".join(family for family, of in families.items() if not of & FIRST_REPORTS)
    of_report = "|".join(sorted(reports - FIRST_REPORTS))
    left_out = re.compile(rf'({others})(_bucket|_sum|_count)?[{{ ]|.*[{{,]report="({of_report})"').match
    return "".join(line for line in file.open(encoding="utf-8") if not left_out(line))


def load(folder, at):
    files = sorted(HISTORY.glob("*.om"))
    first = next(line for line in files[0].open() if line.startswith("wolkvox_skill_info{"))
    labels = dict(re.findall(r'(\w+)="([^"]*)"', first))

    def into_blocks(file, data="data"):
        command = [NEW_BIN / "promtool", "tsdb", "create-blocks-from", "openmetrics", file, folder / data]
        made = subprocess.run(command, capture_output=True, text=True, timeout=300)
        require(made.returncode == 0, f"{file.name}: {made.stderr[-500:]}")

    written = folder / "written.om"
    written.write_text(oddities(at, {key: labels[key] for key in ("job", "operation", "skill_id", "skill")}))
    for data in ("data", "first-reports"):
        into_blocks(written, data)
    for file in files:
        into_blocks(file)
        if time_of(file, True) >= at - 86400 and time_of(file, False) <= at:
            written.write_bytes(twin(file, labels["operation"]))
            into_blocks(written)
            written.write_text(of_first_reports(file), encoding="utf-8")
            into_blocks(written, "first-reports")


@contextlib.contextmanager
def serving(program, folder, name, blocks="data"):
    """A Prometheus that only answers from what is there, from a copy of it by hard links: it deletes and compacts blocks."""
    data = folder / name
    subprocess.run(["cp", "--recursive", "--link", folder / blocks, data], check=True, timeout=60)
    # Nothing is scraped.
    flags = ("--storage.tsdb.retention.time=10y",)
    with configured_prometheus(program, folder / f"{name}-server", {}, *flags, data=data) as server:
        until_true(30, lambda: get(f"{server[0]}/-/ready"))
        yield server


def options(server, variable, chosen, at):
    """The options of a variable as Grafana would make them: {value: text}."""
    query = substituted(variable["query"]["query"], chosen)
    if found := re.fullmatch(r"label_values\((\w+(?:\{.*\})?), (\w+)\)", query):
        values = api(server, f"label/{found[2]}/values", **{"match[]": found[1], "start": at - 43200, "end": at})
        return {value: value for value in values}
    lines = []
    for result in api(server, "query", query=re.fullmatch(r"query_result\((.*)\)", query)[1], time=at)["result"]:
        # As Grafana writes a result: labels as they come, values not escaped.
        labels = ",".join(f'{key}="{value}"' for key, value in result["metric"].items())
        lines.append(f"{{{labels}}} {result['value'][1]} {int(result['value'][0] * 1000)}")
    regex = variable["regex"].strip("/").replace("(?<", "(?P<")
    found = [re.search(regex, line) for line in lines]
    require(all(found), f"{variable['name']}: {regex} does not fit {lines[found.index(None)] if None in found else ''}")
    if not found or "value" not in found[0].groupdict():
        return {one[1]: one[1] for one in found}
    return {one["value"]: one["text"] for one in found}


def substituted(expression, chosen):
    chosen = {"__rate_interval": "10m", "__range": "43200s", "__from": "0", **chosen}
    expression = re.sub(r"\$\{__from:date:[Hm]\}", "0", expression)
    return re.sub(r"\$([a-z_]+)", lambda found: chosen[found[1]], expression)


def choices(server, dashboard, at):
    """All of everything, and the first of everything."""
    everything, one = {}, {}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "custom":
            everything[variable["name"]] = one[variable["name"]] = variable["current"]["value"]
        if variable["type"] != "query":
            continue
        found = options(server, variable, everything, at)
        require(found, f"variable {variable['name']} has no options")
        require(all(found.values()), f"variable {variable['name']} has an option without a text")
        if not variable["includeAll"]:
            (everything[variable["name"]],) = (one[variable["name"]],) = found
            continue
        everything[variable["name"]] = variable["allValue"]
        one[variable["name"]] = re.escape(sorted(found)[0]).replace("\\", "\\\\")
    return everything, one


def check_names(server, at):
    """Variables offer the names that the info series have, quotes and all."""
    for name, key, info in (("campaign", "campaign_id", "wolkvox_campaign_info"), ("skill", "skill_id", "wolkvox_skill_info"),
                            ("rp", "rp_id", "wolkvox_routing_point_info")):
        dashboard = next(one for one in DASHBOARDS.values() if any(it["name"] == name for it in one["templating"]["list"]))
        variable = next(it for it in dashboard["templating"]["list"] if it["name"] == name)
        found = options(server, variable, {"job": ".+", "operation": ".+"}, at)
        label = "routing_point" if name == "rp" else name
        wanted = {}
        for result in api(server, "query", query=f"last_over_time({info}[12h])", time=at)["result"]:
            wanted.setdefault(result["metric"][key], set()).add(result["metric"][label])
        require(set(found) == set(wanted), f"{name}: {sorted(found)}, not {sorted(wanted)}")
        require(all(text in wanted[value] for value, text in found.items()), f"{name}: {found}, not {wanted}")


def ask(server, target, chosen, at, step=300):
    expression = substituted(target["expr"], chosen)
    if target.get("instant"):
        return api(server, "query", query=expression, time=at)["result"]
    return api(server, "query_range", query=expression, start=at - 43200, end=at, step=step)["result"]


def check_answers(server, dashboard, at):
    everything, one = choices(server, dashboard, at)
    empty = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            where = f"{panel['title']}, {target['refId']}"
            results = ask(server, target, everything, at)
            key = (dashboard["uid"], panel["title"], target["legendFormat"])
            if not results and key not in MAY_BE_EMPTY:
                empty.append(where)
            check_results(panel, target, results)
            ask(server, target, one, at)  # sound also with one of each; there may be nothing
    for annotation in dashboard["annotations"]["list"]:
        results = ask(server, annotation, everything, at, 60)
        if not results and (dashboard["uid"], f"annotation {annotation['name']}", "") not in MAY_BE_EMPTY:
            empty.append(annotation["name"])
    require(not empty, f"{len(empty)} find nothing: {empty}")


def check_results(panel, target, results):
    legends = []
    for result in results:
        labels = result["metric"]
        if panel["title"] not in WITHOUT_OPERATION:
            require({"job", "operation"} <= set(labels), f"{panel['title']}: a result without job and operation: {labels}")
        text = target["legendFormat"].replace("$of", " · {{operation}}")
        missing = set(re.findall(r"\{\{(\w+)\}\}", text)) - set(labels)
        require(not missing or panel["title"] in WITHOUT_OPERATION, f"{panel['title']}: the legend's {missing} is in no label of {labels}")
        legends.append(re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), text))
        values = [value for _, value in result.get("values", [result.get("value")])]
        require("NaN" not in values and "+Inf" not in values, f"{panel['title']}: a value that is no number: {labels}")
    if target.get("format") != "table" and len({result["metric"].get("job") for result in results}) == 1:
        twice = {one for one in legends if legends.count(one) > 1}
        require(not twice, f"{panel['title']}: several series with the legend {twice}")


def check_columns(server, dashboard, at):
    """Columns and links of tables are fields of what comes."""
    everything, _ = choices(server, dashboard, at)
    for panel in dashboard["panels"]:
        if panel["type"] != "table":
            continue
        fields = {"Time", "Value"} | {f"Value #{target['refId']}" for target in panel["targets"]}
        for target in panel["targets"]:
            fields |= {label for result in ask(server, target, everything, at) for label in result["metric"]}
        named = {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]}
        linked = set(re.findall(r"__data\.fields\.(\w+)", json.dumps(panel["fieldConfig"])))
        require(named | linked <= fields, f"{panel['title']}: no field {sorted((named | linked) - fields)}")


def check_first_reports(server, at):
    """Where an operation reads only the first five reports, an empty panel says which one it needs."""
    silent, told = [], 0
    for name, dashboard in DASHBOARDS.items():
        everything, _ = choices(server, dashboard, at)
        for panel in dashboard["panels"]:
            targets = panel.get("targets", [])
            keys = {(dashboard["uid"], panel["title"], target["legendFormat"]) for target in targets}
            if not keys - set(MAY_BE_EMPTY) or any(ask(server, target, everything, at) for target in targets):
                continue
            needed = set(re.findall(r"\w+", panel["fieldConfig"]["defaults"]["noValue"].partition("needs the report ")[2]))
            told += bool(needed - FIRST_REPORTS)
            if not needed - FIRST_REPORTS:
                silent.append(f"{name}: {panel['title']}")
    require(not silent, f"{len(silent)} do not say what they need: {silent}")
    require(told >= 20, f"only {told} panels are empty: the other reports are still there")


def check_operations_apart(server, at):
    """Each operation has its own number, though both have the same ids."""
    chosen = {"job": ".+", "operation": ".+"}
    for panel in DASHBOARDS["overview"]["panels"]:
        if panel["type"] == "stat":
            results = ask(server, panel["targets"][0], chosen, at)
            values = [(result["metric"]["operation"], result["value"][1]) for result in results]
            require(len(values) == 2 and values[0][1] == values[1][1], f"{panel['title']} of twins: {values}")


def check_misspelt_is_seen(server, at):
    broken = copy.deepcopy(DASHBOARDS["overview"])
    replace_first("wolkvox_campaign_status", "wolkvox_campaign_state")(broken)
    try:
        check_answers(server, broken, at)
    except AssertionError as error:
        require("find nothing" in str(error), f"something else is seen: {error}")
    else:
        raise AssertionError("a misspelt metric is not seen")


def check_closed_is_a_gap(server, at):
    """At night, with next to no calls, rates are gaps, and by day they are not."""
    panel = next(one for one in DASHBOARDS["overview"]["panels"] if one["title"].startswith("Abandonment, against"))
    points = ask(server, panel["targets"][0], {"job": ".+", "operation": ".+"}, at)
    for result in points:
        times = [time for time, _ in result["values"]]
        require(at - 300 <= times[-1], "no rate at noon")
        require(len(times) < 43200 / 300 - 12, f"{len(times)} points in 12 h: nights are no gap")
    require(points, "no rate")


def main():
    grafana_foundation_sdk.cog.plugins.register_default_plugins()
    check = Checks()
    check("the committed dashboards are what build.py writes", check_built)
    for name, dashboard in DASHBOARDS.items():
        check(f"Grafana's model knows every key of {name}", check_structure, dashboard)
    check("Grafana's model does not know a misspelt key", check_structure_sees)
    check("both languages show the same", check_languages)
    check("rules", check_rules)
    for number, (rule, change) in enumerate(MISTAKES, 1):
        check(f"mistake {number} is seen by the rule {rule}", check_rules_see, rule, change)
    check("links lead to dashboards, with their variables", check_links)
    unknown = {(uid, title) for uid, title, _ in MAY_BE_EMPTY if not title.startswith("annotation ")} - {
        (one["uid"], panel["title"]) for one in DASHBOARDS.values() for panel in one["panels"]
    }
    check("panels that may be empty exist", require, not unknown, f"{unknown}")

    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wolkvox_exporter-")))
        at, start = last_noon()
        check("the history is longer than a week", require, at - start > 7.5 * 86400, f"{(at - start) / 86400:.1f} days until noon")
        load(folder, at)
        for version, binaries in (("old", OLD_BIN), ("new", NEW_BIN)):
            server = stack.enter_context(serving(binaries / "prometheus", folder, version))
            check(f"{version} Prometheus: people pick names", check_names, server, at)
            for (name, dashboard), (what, function) in itertools.product(
                DASHBOARDS.items(), (("finds something everywhere", check_answers), ("has the columns of its tables", check_columns))
            ):
                check(f"{version} Prometheus: {name} {what}", function, server, dashboard, at)
            check(f"{version} Prometheus: closed hours are gaps", check_closed_is_a_gap, server, at)
            check(f"{version} Prometheus: operations stay apart", check_operations_apart, server, at)
            check(f"{version} Prometheus: a misspelt metric is seen", check_misspelt_is_seen, server, at)
        first = stack.enter_context(serving(NEW_BIN / "prometheus", folder, "first", "first-reports"))
        check("with the first five reports, empty panels say what they need", check_first_reports, first, at)
    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
