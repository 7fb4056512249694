#!/usr/bin/env python3
"""check_rules.py OLD_BIN NEW_BIN OLD_AMTOOL_BIN NEW_AMTOOL_BIN

Checks alerts/, its unit tests in tests/rules/ and the runbooks with two versions of promtool and of amtool, whose folders are
given. Then the tests themselves are tested: each alert is spoilt in every way that its expression offers, and for
each such mutant a unit test must fail.
"""

import concurrent.futures
import copy
import fnmatch
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import yaml

from lib.exposition import require
from lib.servers import Checks

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "alerts"))
import build  # alerts/build.py

OLD_BIN, NEW_BIN, OLD_AMTOOL, NEW_AMTOOL = (pathlib.Path(folder).resolve() for folder in sys.argv[1:])
ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "alerts").glob("*.rules.yml"))
TESTS = sorted((ROOT / "tests/rules").glob("*.yml"))
# Each language has a catalogue, rules, unit tests, a runbook and dashboards.
LANGUAGES = sorted(path.stem for path in (ROOT / "alerts/texts").glob("*.yml"))
TRANSLATED = [ROOT / f"alerts/{language}/alerts.rules.yml" for language in LANGUAGES]
TRANSLATED_TESTS = [ROOT / f"tests/rules/{language}/texts.yml" for language in LANGUAGES]
RUNBOOKS = [ROOT / "docs/runbook.md", *(ROOT / f"docs/{language}/runbook.md" for language in LANGUAGES)]
RUNBOOK_URL = "https://github.com/wolkvox-exporter/wolkvox_exporter/blob/main/docs/runbook.md#"
DASHBOARDS = {json.loads(path.read_text())["uid"] for path in ROOT.glob("dashboards/wolkvox/*.json")}
ALERTMANAGER = ROOT / "alerts/alertmanager.yml"
# They are about the process, which has no operation.
WITHOUT_OPERATION = {
    *("WolkvoxExporterDown", "WolkvoxConfigReloadFailed", "WolkvoxNothingRead", "WolkvoxExporterRestarts"),
    *("WolkvoxStateMissing", "WolkvoxOperationsMissing", "WolkvoxCertificateExpires"),
}
CLIENT = '* on (job, operation) group_left (client) operation:wolkvox_client'
ROUTES = {
    ("alertname=WolkvoxExporterDown", "audience=exporter", "severity=critical"): "exporter-pager",
    ("alertname=WolkvoxReportStale", "audience=exporter", "severity=warning", "operation=acme"): "exporter-chat",
    ("alertname=WolkvoxAssumptionBroken", "audience=exporter", "severity=warning", "operation=acme"): "exporter-chat",
    ("alertname=WolkvoxSeriesDropped", "audience=exporter", "severity=info", "operation=acme"): "planning",
    ("alertname=WolkvoxAbandonmentFastBurn", "audience=business", "severity=critical", "skill_id=10"): "business-pager",
    ("alertname=WolkvoxCallersWaitLong", "audience=business", "severity=warning", "operation=acme"): "business-chat",
    ("alertname=WolkvoxAbandonmentTarget", "audience=business", "severity=info", "operation=acme"): "planning",
    ("alertname=WolkvoxCallersWaitLong", "audience=business", "severity=warning", "client=acme"): "acme",
    ("alertname=WolkvoxInboundSilent", "audience=business", "severity=critical", "client=acme"): "acme,business-pager",
    ("alertname=WolkvoxReportStale", "audience=exporter", "severity=warning", "client=acme"): "exporter-chat",
    ("alertname=SomebodyElses", "severity=critical"): "others",
}


def load(path):
    return yaml.safe_load(path.read_text())


def rules():
    return [rule for path in RULES for group in load(path)["groups"] for rule in group["rules"]]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def alert_tests():
    """The alert, the alerts expected, for each test of an alert."""
    for path in TESTS:
        for test in load(path)["tests"]:
            for case in test.get("alert_rule_test", []):
                yield case["alertname"], case["exp_alerts"]


# Weeks take minutes of one core, and other steps may take most of the machine meanwhile.
def run(*command, folder=None, seconds=2400):
    found = subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=folder)
    return found.returncode, found.stdout + found.stderr


def succeeds(*command):
    code, output = run(*command)
    # promtool only warns of a rule file that is not there.
    require(code == 0 and "no file match" not in output, f"exit {code}: {output[-3000:]}")


# What is written.


def check_promtool_rules(folder):
    succeeds(folder / "promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES, *TRANSLATED)


def check_groups():
    """Grafana Cloud, and Mimir unless it is configured otherwise, take no more than 20 rules in a group."""
    for path in RULES:
        for group in load(path)["groups"]:
            require(len(group["rules"]) <= 20, f"{path.name}: {group['name']} has {len(group['rules'])} rules")


def check_annotations():
    for name, rule in alerts().items():
        require(name.startswith("Wolkvox"), f"{name} has no prefix")
        severity = rule["labels"].get("severity")
        require(severity in ("critical", "warning", "info"), f"{name} has the severity {severity}")
        require(rule["labels"].get("audience") in ("business", "exporter"), f"{name} has no audience")
        require(set(rule["labels"]) == {"severity", "audience"}, f"labels of {name}")
        joins = rule["expr"].rstrip().endswith(CLIENT)
        require(joins == (name not in WITHOUT_OPERATION), f"client of {name}")
        annotations = {"summary", "description", "runbook_url", "dashboard_url"}
        require(set(rule["annotations"]) == annotations, f"annotations of {name}")
        require(rule["annotations"]["runbook_url"] == RUNBOOK_URL + name.lower(), f"runbook_url of {name}")
        uid = re.search(r"/d/([\w-]+)", rule["annotations"]["dashboard_url"])[1]
        require(uid in DASHBOARDS, f"{name} links to {uid}, which is no dashboard")


def check_runbook():
    # As GitHub makes an anchor of a heading of one word.
    for path in RUNBOOKS:
        sections = [line.removeprefix("## ").strip() for line in path.read_text().splitlines() if line.startswith("## ")]
        sections = [section for section in sections if section.startswith("Wolkvox")]
        differing = sorted({*sections} ^ {*alerts()}) or "in their order"
        require(sections == list(alerts()), f"sections of {path.relative_to(ROOT)} and alerts differ: {differing}")


def check_names_on_dashboards():
    """Dashboards call every alert by a name in plain words, and no other."""
    wanted = {name.removeprefix("Wolkvox") for name in alerts()}
    for path in sorted(ROOT.glob("dashboards/wolkvox*/*.json")):
        found = []
        for panel in json.loads(path.read_text())["panels"]:
            # A table maps the values of a column, the wall board renames its fields.
            overrides = panel.get("fieldConfig", {}).get("overrides", [])
            mappings = [one["value"] for override in overrides for one in override["properties"] if one["id"] == "mappings"]
            found += [set(mapping["options"]) for values in mappings for mapping in values]
            patterns = (re.match(r"/\^(\w+)\(", str(override["matcher"]["options"])) for override in overrides)
            found.append({pattern[1] for pattern in patterns if pattern})
        named = [names for names in found if names & wanted]
        require(named, f"{path.relative_to(ROOT)} names no alerts")
        for names in named:
            require(names == wanted, f"{path.relative_to(ROOT)}: names and alerts differ: {sorted(names ^ wanted)}")


def check_thresholds():
    defined = [rule["labels"]["kpi"] for rule in rules() if rule.get("record") == "wolkvox:threshold"]
    used = {kpi for rule in rules() for kpi in re.findall(r'wolkvox:threshold\{kpi="(\w+)"\}', rule["expr"])}
    require(len(defined) == len({*defined}), "a threshold is there twice")
    require({*defined} == used, f"defined and used differ: {sorted({*defined} ^ used)}")


def check_records_are_there():
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    for rule in rules():
        read = set(re.findall(r"\b[a-z_]+:[a-z0-9_:]+", rule["expr"]))
        require(read <= recorded, f"{rule.get('alert') or rule['record']} reads what nothing records: {sorted(read - recorded)}")


# The alerts in other languages.


def check_translated():
    """Only the texts and the links differ, and what is committed is what alerts/build.py makes."""
    require(LANGUAGES == ["es"] == sorted(path.parent.name for path in ROOT.glob("alerts/*/*.rules.yml")), f"languages {LANGUAGES}")
    english = load(ROOT / "alerts/alerts.rules.yml")["groups"]
    for language, path in zip(LANGUAGES, TRANSLATED):
        made = build.build(language, (ROOT / f"alerts/texts/{language}.yml").read_text())
        require(path.read_text() == made, f"{path.relative_to(ROOT)} is not what is made of alerts.rules.yml: run alerts/build.py")
        dashboards = {json.loads(file.read_text())["uid"] for file in ROOT.glob(f"dashboards/wolkvox-{language}/*.json")}
        for group, other_group in zip(english, load(path)["groups"], strict=True):
            require({**group, "rules": None} == {**other_group, "rules": None}, f"{language}: group {other_group['name']}")
            for rule, other in zip(group["rules"], other_group["rules"], strict=True):
                name, annotations, others = rule["alert"], rule["annotations"], other["annotations"]
                require({**rule, "annotations": None} == {**other, "annotations": None}, f"{language}: {name} is another alert")
                require(annotations.keys() == others.keys(), f"{language}: annotations of {name}")
                require(not set(annotations.values()) & set(others.values()), f"{language}: {name} has an English annotation")
                require(others["runbook_url"] == RUNBOOK_URL.replace("/docs/", f"/docs/{language}/") + name.lower(), f"{language}: runbook_url of {name}")
                uid = re.search(r"/d/([\w-]+)", others["dashboard_url"])[1]
                require(uid in dashboards, f"{language}: {name} links to {uid}, which is no dashboard")


def check_catalogues():
    """What a catalogue lacks, has too much, or says of something else ends the build."""
    for language in LANGUAGES:
        whole = load(ROOT / f"alerts/texts/{language}.yml")
        name = next(iter(whole))

        def spoilt(kind, **changes):
            return {**whole, name: {**whole[name], kind: {**whole[name][kind], **changes}}}

        text = whole[name]["description"][language]
        # What the message says, and the catalogue.
        mistakes = [
            ("the summary is missing", {key: texts for key, texts in whole.items() if key != name}),
            ("the description is missing", {**whole, name: {"summary": whole[name]["summary"]}}),
            ("the summary is missing", spoilt("summary", **{language: ""})),
            ("the summary is left over", {**whole, "WolkvoxNone": whole[name]}),
            ("the summary is of another English", spoilt("summary", en="Something else")),
            ("has {{ $labels.job }}", spoilt("description", **{language: text.replace("{{ $labels.job }}", "wolkvox")})),
            ("has {{ $labels.other }}", spoilt("description", **{language: text + " {{ $labels.other }}"})),
        ]
        for says, catalogue in mistakes:
            try:
                build.build(language, yaml.safe_dump(catalogue))
            except SystemExit as end:
                require(says in str(end), f"{says}: the message is {end}")
            else:
                raise AssertionError(f"{language}: no build says that {says}")


# The unit tests.


def check_rule_files_are_tested():
    require(TESTS, "there are no tests")
    for path in TESTS:
        named = {(path.parent / name).resolve() for name in load(path)["rule_files"]}
        require(named == {*RULES}, f"{path.name} reads {sorted(map(str, named))}")
    for path, translated in zip(TRANSLATED_TESTS, TRANSLATED):
        named = {(path.parent / name).resolve() for name in load(path)["rule_files"]}
        require(named == {*RULES} - {ROOT / "alerts/alerts.rules.yml"} | {translated}, f"{path} reads {sorted(map(str, named))}")


def check_each_alert_is_tested():
    fire, silent = set(), set()
    for name, expected in alert_tests():
        (fire if expected else silent).add(name)
        for alert in expected:
            require(
                name in WITHOUT_OPERATION or alert["exp_labels"].get("operation"), f"{name} fires without an operation"
            )
    require(fire == {*alerts()}, f"alerts without a case in which they fire, or not alerts: {sorted(fire ^ {*alerts()})}")
    require(silent == {*alerts()}, f"alerts without a case of silence, or not alerts: {sorted(silent ^ {*alerts()})}")


def check_unit_tests(folder, path):
    succeeds(folder / "promtool", "test", "rules", path)


# Alertmanager.


def check_amtool(folder):
    succeeds(folder / "amtool", "check-config", ALERTMANAGER)
    for labels, receiver in ROUTES.items():
        succeeds(
            folder / "amtool",
            *("config", "routes", "test", f"--config.file={ALERTMANAGER}", f"--verify.receivers={receiver}"),
            *labels,
        )


def check_inhibitions():
    for rule in load(ALERTMANAGER)["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            name, pattern = re.fullmatch(r'(\w+)!?=~?"(.*)"', matcher).groups()
            for wanted in pattern.split("|") if name == "alertname" else []:
                wanted = wanted.replace(".*", "*")
                require(fnmatch.filter(alerts(), wanted), f"{matcher} matches no alert")


# Mutants.

SET_OPERATOR = re.compile(r"\b(and|or|unless)\b(\s*\b(on|ignoring)\s*\([^()]*\))?")
COMPARISON = re.compile(r"\s(==|!=|>=|<=|>|<)\s")


def pieces(text, pattern):
    """Where `pattern` matches in text outside of brackets and quotes."""
    depth, quoted, found, at = 0, False, [], 0
    while at < len(text):
        char = text[at]
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "({[":
            depth += 1
        elif not quoted and char in ")}]":
            depth -= 1
        elif not quoted and depth == 0 and (match := pattern.match(text, at)):
            found.append(match)
            at = match.end()
            continue
        at += 1
    return found


def parentheses(text):
    """The insides of all pairs of parentheses, as (start, end)."""
    opened, quoted = [], False
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif not quoted and char == "(":
            opened.append(at + 1)
        elif not quoted and char == ")":
            yield opened.pop(), at


def spoilt(expression):
    """What becomes of the expression without one of its clauses, as (what is gone, expression)."""
    for start, end in [(0, len(expression)), *parentheses(expression)]:
        inside = expression[start:end]
        operators = pieces(inside, SET_OPERATOR)
        if not operators and start:
            continue
        starts = [0, *(operator.start() for operator in operators)]
        ends = [*(operator.start() for operator in operators), len(inside)]
        for index, (left, right) in enumerate(zip(starts, ends)):
            clause = inside[left:right]
            follower = operators[index] if index < len(operators) else None
            if index:
                kept = inside[:left] + inside[right:]
                if operators[index - 1][1] == "or":  # with all that belongs to the branch
                    while follower and follower[1] != "or":
                        index += 1
                        follower = operators[index] if index < len(operators) else None
                    kept = inside[:left] + (inside[follower.start() :] if follower else "")
                yield clause, expression[:start] + kept + expression[end:]
            elif compared := pieces(clause, COMPARISON):
                kept = clause[: compared[-1].start()] + "\n" + inside[right:]
                yield clause[compared[-1].start() :], expression[:start] + kept + expression[end:]
            first_or = next((operator for operator in operators if operator[1] == "or"), None)
            if not index and first_or:
                yield inside[: first_or.start()], expression[:start] + inside[first_or.end() :] + expression[end:]


def mutants(rule):
    def mutant(what, **changes):
        return what, {key: value for key, value in {**rule, **changes}.items() if value is not None}

    yield mutant("never fires", expr="vector(0) > 1")
    if "for" in rule:
        yield mutant("for is gone", **{"for": None})
    for clause, expression in spoilt(rule["expr"]):
        yield mutant(f"without: {' '.join(clause.split())}", expr=expression)


def needed(rule):
    """The rules that an alert reads, however indirectly, in their order; recording is much of a test's time."""
    wanted, grown = {id(rule): rule}, True
    # Thresholds first: what is read must have been recorded before, in the same step.
    everything = sorted((other for other in rules() if "record" in other), key=lambda other: "kpi" not in other.get("labels", {}))
    everything.sort(key=lambda other: not other["record"].endswith(":wolkvox:one"))
    kept = []
    while grown:
        text = " ".join(each["expr"] for each in wanted.values())
        kpis = set(re.findall(r'wolkvox:threshold\{kpi="(\w+)"\}', text))
        names = set(re.findall(r"\b[a-z_]+:[a-z0-9_:]+", text))
        kept = [
            other
            for other in everything
            if other["record"] in names and ("kpi" not in other.get("labels", {}) or other["labels"]["kpi"] in kpis)
        ]
        grown = len(kept) + 1 > len(wanted)
        wanted = {id(rule): rule, **{id(other): other for other in kept}}
    return kept


def speaks_of(expression, name):
    if "ALERTS" not in expression:
        return False
    matcher = re.search(r'alertname(=~?)"([^"]*)"', expression)
    return not matcher or bool(re.fullmatch(matcher[2] if matcher[1] == "=~" else re.escape(matcher[2]), name))


def only_about(name, path, kept):
    """The tests of a file that are about one alert, with the series that its rules read; None if there are none."""
    content = copy.deepcopy(load(path))
    read = set(re.findall(r"\b(?:wolkvox_\w+|process_\w+|up)\b", " ".join(rule["expr"] for rule in kept)))
    read.add("wolkvox:grafana")  # by annotations
    # What is usual, which some tests give as it would have been recorded a week before.
    read |= {rule["record"] for rule in kept if "record" in rule}
    tests = []
    for test in content["tests"]:
        test["alert_rule_test"] = [case for case in test.get("alert_rule_test", []) if case["alertname"] == name]
        test["promql_expr_test"] = [case for case in test.get("promql_expr_test", []) if speaks_of(case["expr"], name)]
        test["input_series"] = [each for each in test["input_series"] if each["series"].split("{")[0] in read]
        if test["alert_rule_test"] and test["input_series"]:
            tests.append(test)
    steps = {"rule_files": ["rules.yml"], "evaluation_interval": content["evaluation_interval"], "tests": tests}
    return steps if tests else None


def survivors(name, rule):
    """The mutants of an alert that no test notices, after a look that the rule itself passes; and how many there were."""
    recorded = needed(rule)
    files = [cut for path in TESTS if (cut := only_about(name, path, [*recorded, rule]))]
    files.sort(key=lambda cut: cut["evaluation_interval"] != "1m")  # the long one last

    def passes(alert):
        groups = [{"name": "all", "rules": [*recorded, alert]}]
        for cut in files:
            with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
                pathlib.Path(folder, "rules.yml").write_text(yaml.safe_dump({"groups": groups}, sort_keys=False))
                pathlib.Path(folder, "tests.yml").write_text(yaml.safe_dump(cut, sort_keys=False))
                code, output = run(NEW_BIN / "promtool", "test", "rules", "tests.yml", folder=folder)
            # A mutant that cannot be read fails as well, but proves nothing.
            require(not code or re.search("alertname: |expr: |err: ", output), f"{name}: {alert['expr']}: {output[:500]}")
            if code:
                return False, output
        return True, ""

    passed, output = passes(rule)
    require(passed, f"{name} itself fails: {output[-1500:]}")
    made = list(mutants(rule))
    return [f"{name}: {what}" for what, mutant in made if passes(mutant)[0]], len(made)


def check_mutants():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda item: survivors(*item), alerts().items()))
    alive = [mutant for mutants_alive, _ in found for mutant in mutants_alive]
    total = sum(count for _, count in found)
    print(f"{total} mutants, {len(alive)} survived", *alive, sep="\n  ", flush=True)
    require(total > 2 * len(found), "hardly any mutants were made")
    require(not alive, "a spoilt alert passes its tests")


def main():
    check = Checks()
    for name, folder in (("old", OLD_BIN), ("new", NEW_BIN)):
        check(f"promtool check rules, {name}", check_promtool_rules, folder)
    check("groups that Grafana Cloud and Mimir take", check_groups)
    check("labels and annotations of each alert", check_annotations)
    check("a section of each runbook for each alert", check_runbook)
    check("a plain name on the dashboards for each alert", check_names_on_dashboards)
    check("each threshold is used, and each used is there", check_thresholds)
    check("what rules read is recorded", check_records_are_there)
    check("alerts in other languages differ only in texts and links", check_translated)
    check("a mistake in a catalogue ends the build", check_catalogues)
    check("all rule files are tested", check_rule_files_are_tested)
    check("each alert has a case in which it fires, and one of silence", check_each_alert_is_tested)
    for name, folder in (("old", OLD_AMTOOL), ("new", NEW_AMTOOL)):
        check(f"Alertmanager's configuration and routes, {name}", check_amtool, folder)
    check("inhibitions name alerts", check_inhibitions)
    # Two at a time: a run of promtool takes one core.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = {
            f"unit tests of {path.relative_to(ROOT / 'tests/rules')}, {name}": pool.submit(check_unit_tests, folder, path)
            for path in [*reversed(TESTS), *TRANSLATED_TESTS]  # the long one first
            for name, folder in (("old", OLD_BIN), ("new", NEW_BIN))
        }
        for name, result in runs.items():
            check(name, result.result)
    check("mutants", check_mutants)
    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: what runs is waited for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
