#!/usr/bin/env python3
"""check_weeks.py HISTORY OLD_BIN NEW_BIN [--folder FOLDER] [--write]

Holds the rules of alerts/ against three weeks of history: two in which nothing goes wrong, and one with everything that the
alerts are for. The quiet weeks must fire nothing; what is planted in the busy week must fire what docs/alerts.md says, in
time, and nothing else may fire anywhere.

HISTORY is the program that writes the weeks (examples/history), or FOLDER has them already. The binaries of Prometheus are
in OLD_BIN and NEW_BIN. --write writes what was seen into the table of docs/alerts.md.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import datetime
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

from lib.exposition import require
from lib.servers import Checks, api, configured_prometheus, get, http, until_true

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERTS = ROOT / "alerts"
PAGE = ROOT / "docs" / "alerts.md"
FIRST_DAY = datetime.date(2026, 11, 2)  # a Monday
ZONE = datetime.timezone(datetime.timedelta(hours=-5))  # America/Bogota, all the year
STEP = 60
# A block's length that Prometheus itself would choose; promtool reads a file once for each block of it.
BLOCK = 18 * 3600
DAY = 86400
START = int(datetime.datetime.combine(FIRST_DAY, datetime.time(), ZONE).timestamp())
WEEKS = {"quiet": (START + DAY, START + 14 * DAY), "busy": (START + 14 * DAY, START + 21 * DAY)}
BEGIN, END = "<!-- weeks: begin -->", "<!-- weeks: end -->"

# What each incident fires, and what else it may fire: an incident that is bad enough is several things at once. `late` is how
# long after its end an alert may still begin, since a window of hours sees the incident that long.
Expected = collections.namedtuple("Expected", "alerts companions late", defaults=((), 3600))
# Whoever gives up is lost, in whatever way it is counted.
LOST = (
    *("AbandonmentNow", "AbandonmentSpike", "AbandonmentFastBurn", "AbandonmentSlowBurn", "AbandonmentTarget"),
    *("CallersWaitLong", "ServiceLevelLow"),
)
EXPECTED = {
    "callers of a skill give up": Expected(
        ("AbandonmentNow", "AbandonmentFastBurn", "AbandonmentSpike", "AbandonmentTarget"),
        ("AbandonmentSlowBurn", "ServiceLevelLow"),
        2 * 3600,
    ),
    "callers of a skill are answered late": Expected(("ServiceLevelLow",), ("QueueLong",)),
    "a campaign is in a state that nobody knows": Expected(("AssumptionBroken",)),
    "a campaign dials nothing": Expected(("CampaignStalled",)),
    "rows are dated three hours behind": Expected(("RowsLag", "RowsTooLate", "AssumptionBroken")),
    "a skill is understaffed all day": Expected(("AbandonmentSlowBurn",), LOST),
    "a campaign is not started": Expected(("CampaignNotRunning",)),
    "an agent goes away in after-call work": Expected(("AgentForgotten",)),
    "callers hang up in a menu": Expected(("IvrHangupHigh",)),
    "agents leave their places for a minute": Expected(()),
    "answering machines are not hung up": Expected(("CostHigh",)),
    "the API is out for two hours": Expected(("NothingRead", "ReportStale")),
    # Together with what the same skill lost two days before it is too much for three days: true, and no false alarm.
    "meanwhile some more callers give up": Expected((), ("AbandonmentTarget",), 2 * 3600),
    "nobody is logged in": Expected(("NobodyLoggedIn",)),
    "callers of a skill give up at once": Expected(
        ("ShortAbandonSurge", "AbandonmentSpike"), LOST
    ),
    "many agents have a slow network": Expected(("AgentsNetworkBad",)),
    "three scrapes are lost": Expected(()),
    "the token is refused": Expected(("ApiAuthFailing",), ("ReportStale",)),
    "nothing is dialled": Expected(("OutboundSilent", "CampaignStalled")),
    "a list is recycled by hand": Expected(()),
    "a short list runs out": Expected(("CampaignListEndsSoon",)),
    "the report of the IVR stays empty": Expected(("RowsLag", "IvrSilent")),
    "callers wait long before they give up": Expected(
        ("CallersWaitLong",), (*LOST, "QueueLong")
    ),
    "the agents of a skill leave their places": Expected(("QueueUnanswered",), LOST),
    "the exporter is down": Expected(("ExporterDown",), ("OperationsMissing",)),
    "no calls for a skill": Expected(("InboundSilent",)),
    "the queue of a skill grows": Expected(("QueueLong",), ("QueueUnanswered", "VeryShortCalls", *LOST)),
    "dials fail": Expected(
        ("CampaignFailuresHigh", "CallsDoNotConnect"), ("CampaignContactRateDrop", "VeryShortCalls")
    ),
    "a site loses its connection": Expected(("AgentsGone",)),
    "people no longer answer a campaign": Expected(("CampaignContactRateDrop",)),
    "keys are not heard in a menu": Expected(("IvrNoInputHigh",)),
    "calls are very short": Expected(("VeryShortCalls",)),
    "more series than the limit": Expected(("SeriesDropped",), ("OutboundSilent",)),
    "the day's calls run out": Expected(("ApiBudgetRunningOut",)),
    "rows without dates": Expected(("RowsInvalid",)),
    "words instead of numbers": Expected(("FieldsInvalid",)),
    "the server's clock is wrong": Expected(("ClockWrong",), ("ReportStale",)),
    "a reload fails": Expected(("ConfigReloadFailed",)),
    "another program uses the token": Expected(("QuotaUsedByOthers",)),
    "more rows than the API gives": Expected(("RecordLimitReached",), ("ApiBudgetRunningOut",)),
}
# Alerts whose windows see an incident for longer than an hour.
WINDOWS = {"AbandonmentSlowBurn": 6 * 3600, "AbandonmentTarget": 3 * DAY}
# Why an alert is not planted. These have their cases in tests/rules.
NOT_PLANTED = {
    "ReportNeverSucceeded": "the operation of the history is an old one",
    "RereadOverdue": "it takes two days of failing rereads beside good live polls",
    "StateNotSaved": "the state of the history is in memory, which is never full",
    "ExporterRestarts": "the history is of one process, over plain HTTP",
    "CertificateExpires": "the history is of one process, over plain HTTP",
    "StateMissing": "the history is of one operation without a configuration",
    "OperationsMissing": "the history is of one operation without a configuration",
}

Rule = collections.namedtuple("Rule", "name query labels waits keeps")
Firing = collections.namedtuple("Firing", "alert labels begins ends")


def run(*command):
    found = subprocess.run(command, capture_output=True, text=True)
    require(found.returncode == 0, f"{command[0]}: exit {found.returncode}: {found.stdout[-1500:]}{found.stderr[-1500:]}")
    return found.stdout


@contextlib.contextmanager
def prometheus(program, folder, data, rule_files=()):
    """A Prometheus that scrapes nothing and evaluates nothing of its own in the time that it runs."""
    config = {"global": {"evaluation_interval": "1h"}, "rule_files": [str(file) for file in rule_files]}
    flags = ("--storage.tsdb.retention.time=10y", "--query.max-samples=200000000")
    with configured_prometheus(program, folder, config, *flags, data=data) as server:
        address, process, log = server

        def is_ready():
            require(process.poll() is None, f"Prometheus ended: {log.read_text()[-2000:]}")
            get(f"{address}/-/ready")

        until_true(60, is_ready)
        yield server


def rules_of(program, folder):
    """The rules as Prometheus itself reads them: names of groups, and of each its rules."""
    empty = folder / "no-data"
    empty.mkdir(exist_ok=True)
    with prometheus(program, folder / "reader", empty, [ALERTS / "*.rules.yml"]) as server:
        groups = until_true(10, lambda: read_groups(server))
    shutil.rmtree(empty)
    recording, alerting = {}, []
    for rule in (rule for group in groups for rule in group["rules"]):
        labels = rule.get("labels") or {}
        waits, keeps = rule.get("duration", 0), rule.get("keepFiringFor", 0)
        if rule["type"] == "alerting":
            alerting.append(Rule(rule["name"], rule["query"], labels, waits, keeps))
        else:
            recording.setdefault(rule["name"], []).append(Rule(rule["name"], rule["query"], labels, 0, 0))
    return recording, alerting


def read_groups(server):
    groups = api(server, "rules")["groups"]
    require(groups, "no rules yet")
    return groups


def levels_of(recording):
    """Recorded names in the order of what they are made of: each reads only those of levels before its own."""
    needs = {
        name: {other for other in recording if other != name and any(mentions(rule.query, other) for rule in rules)}
        for name, rules in recording.items()
    }
    levels, done = [], set()
    while len(done) < len(recording):
        level = [name for name in recording if name not in done and needs[name] <= done]
        require(level, f"recording rules that need each other: {set(recording) - done}")
        levels.append(level)
        done.update(level)
    return levels


def mentions(query, name):
    return re.search(rf"(?<![\w:]){re.escape(name)}(?![\w:])", query) is not None


def names_read(recording, alerting):
    """The names of the samples that the rules read and that no rule records."""
    queries = [rule.query for rules in recording.values() for rule in rules] + [rule.query for rule in alerting]
    names = {name for query in queries for name in re.findall(r"(?<![\w:])wolkvox_\w+(?![\w:])", query)}
    return sorted(names)


def make_history(program, folder, names):
    began = time.monotonic()
    run(program, "--from", str(FIRST_DAY), "--days", "21", "--scene", "busy", "--to", folder, "--metrics", ",".join(names))
    print(f"  21 days written in {time.monotonic() - began:.0f} s", flush=True)


def load(promtool, history, data):
    """Blocks of the files, by as many promtools at once as is worth it."""
    began = time.monotonic()
    data.mkdir(exist_ok=True)
    files = sorted(history.glob("*.om"))
    require(files, f"no history in {history}")

    def one(file):
        run(promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", f"--max-block-duration={BLOCK // 3600}h", file, data)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, files))
    print(f"  {len(files)} files loaded in {time.monotonic() - began:.0f} s", flush=True)


def range_query(server, query, start, end):
    """Every value of each series, by the second, at steps of a minute. A query gives at most 11,000 steps."""
    found = {}
    url, process, log = server
    chunk = 10000 * STEP
    for begin in range(start, end, chunk):
        parameters = {"query": query, "start": begin, "end": min(begin + chunk, end) - STEP, "step": STEP, "timeout": "60s"}
        request = urllib.parse.urlencode(parameters).encode()
        with http.open(f"{url}/api/v1/query_range", request, timeout=120) as answer:
            result = json.load(answer)["data"]["result"]
        for series in result:
            values = found.setdefault(frozenset(series["metric"].items()), {})
            values.update((int(at), value) for at, value in series["values"])
    return found


def backfill(program, promtool, data, folder, recording):
    """Records what the recording rules make of the history, level by level, since promtool evaluates a rule without
    seeing what another one recorded."""
    began = time.monotonic()
    for number, level in enumerate(levels_of(recording)):
        out = folder / f"level-{number}"
        with prometheus(program, folder / "backfill", data) as server:
            texts = []

            def one(rule):
                series = range_query(server, rule.query, START, START + 21 * DAY)
                lines = collections.defaultdict(list)
                for labels, values in series.items():
                    pairs = {**dict(labels), **rule.labels}
                    pairs.pop("__name__", None)
                    text = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(pairs.items()))
                    head = f"{rule.name}{{{text}}}"
                    for at, value in values.items():
                        lines[at // BLOCK].append(f"{head} {value} {at}\n")
                return lines

            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                texts = list(pool.map(one, [rule for name in level for rule in recording[name]]))
        out.mkdir()
        blocks = collections.defaultdict(list)
        for lines in texts:
            for block, some in lines.items():
                blocks[block].extend(some)
        for block, lines in blocks.items():
            (out / f"{block}.om").write_text("".join(lines) + "# EOF\n")
        load(promtool, out, data)
        shutil.rmtree(out)
    print(f"  recording rules took {time.monotonic() - began:.0f} s", flush=True)


def firings(rule, series):
    """When an alert fires: after its condition held without a gap for as long as it waits, and until it no longer does and
    has been kept for as long as it is."""
    found = []
    for labels, values in series.items():
        pending = begins = held = None
        for at in range(min(values), max(values) + int(rule.keeps) + 2 * STEP, STEP):
            if at in values:
                pending = at if pending is None else pending
                held = at
                if begins is None and at - pending >= rule.waits:
                    begins = at
            else:
                if begins is None:
                    pending = None
                elif at - held >= max(rule.keeps, STEP):
                    found.append(Firing(rule.name, dict(labels), begins, at))
                    pending = begins = None
        if begins is not None:
            found.append(Firing(rule.name, dict(labels), begins, max(values)))
    return found


def local(second):
    return datetime.datetime.fromtimestamp(second, ZONE).strftime("%a %H:%M")


def describe(firing):
    labels = {name: value for name, value in firing.labels.items() if name in ("report", "skill_id", "campaign_id", "rp_id")}
    return f"{firing.alert} {labels or ''} {local(firing.begins)} to {local(firing.ends)}"


def fired_in(program, folder, data, alerting, start, end):
    with prometheus(program, folder / "alerts", data) as server:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            series = list(pool.map(lambda rule: range_query(server, rule.query, start, end), alerting))
    return [firing for rule, values in zip(alerting, series) for firing in firings(rule, values)]


def check_complete(alerting, incidents):
    names = [incident["name"] for incident in incidents]
    require(names == list(EXPECTED), f"planted {names}, expected {list(EXPECTED)}")
    planted = {alert for expected in EXPECTED.values() for alert in expected.alerts}
    require(not planted & set(NOT_PLANTED), f"planted after all: {planted & set(NOT_PLANTED)}")
    there = {rule.name.removeprefix("Wolkvox") for rule in alerting}
    require(planted | set(NOT_PLANTED) == there, f"differing: {(planted | set(NOT_PLANTED)) ^ there}")


def check_quiet_in(program, folder, data, alerting):
    """The old version reads the same blocks; its ranges include both ends."""
    begin, end = WEEKS["quiet"]
    read = fired_in(program, folder, data, [Rule("a sample", "up == 1", {}, 0, 0)], begin, begin + DAY)
    require(len(read) == 1, "it does not read the history")
    check_quiet(fired_in(program, folder, data, alerting, begin, end))


def check_quiet(found):
    begin, end = WEEKS["quiet"]
    fired = [describe(firing) for firing in found if firing.begins < end and firing.ends >= begin]
    require(not fired, f"{len(fired)} alerts: {fired[:8]}")


def belongs(firing, incident):
    """Whether an alert may come of an incident: it is about the same skill, campaign or routing point, or about the whole
    operation, and begins while windows still see it."""
    expected, alert = EXPECTED[incident["name"]], firing.alert.removeprefix("Wolkvox")
    late = max(expected.late, WINDOWS.get(alert, 0))
    return (
        incident["from"] <= firing.begins <= incident["until"] + late
        and all(firing.labels.get(label, value) == value for label, value in incident["labels"].items())
        and alert in expected.alerts + expected.companions
    )


def check_incident(found, incident, seen):
    expected = EXPECTED[incident["name"]]
    for alert in expected.alerts:
        begun = [firing.begins for firing in found if firing.alert == f"Wolkvox{alert}" and belongs(firing, incident)]
        require(begun, f"Wolkvox{alert} does not fire")
        seen[incident["name"], alert] = (min(begun) - incident["from"]) // 60


def check_nothing_else(found, incidents):
    begin, end = WEEKS["busy"]
    rest = [firing for firing in found if begin <= firing.begins < end]
    rest = [firing for firing in rest if not any(belongs(firing, incident) for incident in incidents)]
    require(not rest, f"{len(rest)} alerts: {[describe(firing) for firing in rest[:12]]}")


def table(incidents, seen):
    lines = ["| incident | when | fires | after | may fire, too |", "|---|---|---|---|---|"]
    for incident in incidents:
        expected = EXPECTED[incident["name"]]
        alerts = ", ".join(f"Wolkvox{alert}" for alert in expected.alerts) or "nothing"
        after = ", ".join(
            f"{seen[incident['name'], alert]} min" if (incident["name"], alert) in seen else "?" for alert in expected.alerts
        )
        companions = ", ".join(f"Wolkvox{alert}" for alert in expected.companions if alert not in expected.alerts)
        when = f"{local(incident['from'])}–{local(incident['until'])[4:]}"
        lines.append(f"| {incident['name']} | {when} | {alerts} | {after} | {companions} |")
    return "\n".join(lines)


def check_page(text):
    page = PAGE.read_text()
    require(BEGIN in page and END in page, f"no place for the table in {PAGE.name}")
    written = page.split(BEGIN)[1].split(END)[0].strip()
    require(written == text, f"it is not what was seen:\n{text}\nrun check_weeks.py with --write")


def write_page(text):
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("history", type=pathlib.Path)
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the data, which is taken as it is when it is there")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    program, promtool = arguments.new / "prometheus", arguments.new / "promtool"
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as name:
        folder = pathlib.Path(name)
        recording, alerting = rules_of(program, folder)
        history = arguments.folder or folder / "history"
        if not arguments.folder:
            make_history(arguments.history, history, names_read(recording, alerting))
        data = arguments.keep or folder / "data"
        if not data.exists():
            load(promtool, history, data)
            backfill(program, promtool, data, folder, recording)
        incidents = json.loads((history / "incidents.json").read_text())
        began = time.monotonic()
        found = fired_in(program, folder, data, alerting, WEEKS["quiet"][0], WEEKS["busy"][1])
        days = (WEEKS["quiet"][1] - WEEKS["quiet"][0]) // DAY
        print(f"  {len(alerting)} alerts over three weeks took {time.monotonic() - began:.0f} s", flush=True)
        seen = {}
        check("every alert is planted, or why not is said", check_complete, alerting, incidents)
        check(f"{days} quiet days fire nothing", check_quiet, found)
        check("nor do they in the old Prometheus", check_quiet_in, arguments.old / "prometheus", folder, data, alerting)
        for incident in incidents:
            alerts = EXPECTED[incident["name"]].alerts
            check(f"{incident['name']}: {', '.join(alerts) or 'nothing'}", check_incident, found, incident, seen)
        check("nothing else fires in the busy week", check_nothing_else, found, incidents)
        text = table(incidents, seen)
        if arguments.write:
            write_page(text)
        check("docs/alerts.md tells what was seen", check_page, text)
        if check.failed:
            print("\n".join(describe(firing) for firing in sorted(found, key=lambda firing: firing.begins)))
    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
