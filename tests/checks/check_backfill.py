#!/usr/bin/env python3
"""check_backfill.py EXPORTER OLD_BIN NEW_BIN

Writes the past of simulated operations with the exporter's backfill and reads it with promtool and two versions of
Prometheus, whose binaries are in the folders OLD_BIN and NEW_BIN: a month of one operation, day by day, and the seam of
history and live counting of another one.
"""

import collections
import contextlib
import datetime
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zoneinfo

from prometheus_client.openmetrics.parser import text_fd_to_metric_families

from lib.exposition import LABEL, require, series
from lib.servers import Checks, api, body, free_address, get, http, query, running, until_true

EXPORTER, OLD_BIN, NEW_BIN = map(pathlib.Path, sys.argv[1:])
ROOT = pathlib.Path(__file__).parents[2]
BUCKETS = {"0_5_seg": "0-5s", "6_20_seg": "6-20s", "21_60_seg": "21-60s", "61_120_seg": "61-120s", "greater_than_121": "121s+"}


def run(*command, code=0):
    found = subprocess.run(command, capture_output=True, text=True, timeout=500)
    require(found.returncode == code, f"{command[0].name} exits with {found.returncode}: {found.stdout}{found.stderr}")
    return found.stderr


def midnights(zone, first, last):
    """The seconds of the local midnights from one day to the end of another one."""
    days = [first + datetime.timedelta(days=n) for n in range((last - first).days + 2)]
    return [int(datetime.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) for day in days]


def samples(file, wanted=None):
    """The series of a history, and the samples of each, all or those of some seconds: second to value."""
    found, heads = collections.defaultdict(dict), {}
    ends = wanted and tuple(f" {second}\n" for second in wanted)
    with file.open() as lines:
        for line in lines:
            if line.startswith("#") or (ends and not line.endswith(ends)):
                continue
            head, value, second = line.rsplit(" ", 2)
            key = heads.get(head)
            if key is None:
                name, text = head.rstrip("}").split("{", 1)
                labels = {label: re.sub(r"\\(.)", r"\1", value) for label, value in LABEL.findall(text)}
                key = heads[head] = series(name, {label: value for label, value in labels.items() if value})
            found[key][int(second)] = float(value)
    return found


def key_of(result):
    labels = {name: value for name, value in result["metric"].items() if name != "__name__"}
    return frozenset(labels.items())


@contextlib.contextmanager
def prometheus(program, folder, target=None):
    """A Prometheus on the data in `folder`; scrapes the target each second, if there is one."""
    scrape = {"job_name": "wolkvox", "scrape_interval": "1s", "scrape_timeout": "1s", "static_configs": [{"targets": [target]}]}
    (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [scrape] if target else []}))
    address = free_address()
    command = (
        program / "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        # By default what is older than 15 days is deleted at once.
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address={address}",
    )
    with running(folder / "log", *command) as process:
        until_true(30, lambda: get(f"http://{address}/-/ready"))
        yield f"http://{address}", process, folder / "log"


class Centre:
    """An operation of the simulator, as a backfill's configuration and as its API says."""

    def __init__(self, folder, url, token, name, zone, reports=None):
        self.folder, self.url, self.token, self.name, self.zone = folder / name, url, token, name, zoneinfo.ZoneInfo(zone)
        self.folder.mkdir()
        (self.folder / "token").write_text(token)
        operation = {"name": name, "url": url, "timezone": zone, "token_file": "token", "currency": "COP", "daily_calls": 1000000}
        config = {"state_path": "state", "new_series_hold": "10s", "operations": [operation | ({"reports": reports} if reports else {})]}
        (self.folder / "wolkvox.yml").write_text(json.dumps(config))  # JSON is YAML

    def backfill(self, *options, code=0):
        return run(EXPORTER, "backfill", f"--config.file={self.folder / 'wolkvox.yml'}", *options, code=code)

    def ask(self, report, begin, end, **more):
        digits = [datetime.datetime.fromtimestamp(at, self.zone).strftime("%Y%m%d%H%M%S") for at in (begin, end)]
        parameters = urllib.parse.urlencode({"api": report, "date_ini": digits[0], "date_end": digits[1], **more})
        request = urllib.request.Request(f"{self.url}/api/v2/reports_manager.php?{parameters}", headers={"wolkvox-token": self.token})
        with http.open(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def calls(self, begin, end):
        """Calls by duration between two seconds, the second one excluded."""
        answer = self.ask("cdr_4", begin, end - 1)
        return {BUCKETS[key]: float(row["calls"]) for key, row in answer.items() if float(row["calls"])}


def create_blocks(file, data, hours):
    began = time.monotonic()
    run(NEW_BIN / "promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", f"--max-block-duration={hours}h", file, data)
    return time.monotonic() - began


# The checks.


def check_increases(programs, data, folder, history, days):
    """The increase over each local day is what the history has of it, for every series, in every version."""
    for name, program in programs.items():
        shutil.copytree(data, folder / name / "data")
        with prometheus(program, folder / name) as server:
            for begin, end in itertools.pairwise(days):
                # Both ends of a day have a sample, and in newer versions a range does not include its begin. Names are not in the results, so one name at a time.
                for metric in {key[0] for key in history if not key[0].endswith("_info")}:
                    found = api(server, "query", query=f"increase({metric}[{end - begin}001ms])", time=end)["result"]
                    found = {key_of(result): float(result["value"][1]) for result in found}
                    for key, values in history.items():
                        if key[0] != metric or min(values) > end:
                            continue
                        should = values[end] - values.get(begin, 0)
                        # A series of one sample has no increase.
                        is_there = key[1] in found or not should
                        require(is_there, f"{name}: {key} has no increase in the day up to {end}")
                        require(abs(found.get(key[1], 0) - should) < 1e-6 * max(1, should), f"{name}: {key}: {found.get(key[1])}, {should} in the history")
            require(api(server, "query", query="wolkvox_calls_total", time=days[-1])["result"], f"{name}: nothing at the end")
            named = api(server, "query", time=days[-2], query=(
                "wolkvox_skill_interactions_total * on(operation, skill_id) group_left(skill) wolkvox_skill_info"))["result"]
            require(named and all(result["metric"]["skill"] for result in named), f"{name}: skills have no names in the past")


def check_truth(centre, history, days):
    """Calls by duration of each day, and abandoned calls of those days whose rows are all there."""
    settled = time.time() - 3 * 86400
    compared = 0
    for begin, end in itertools.pairwise(days):
        ours = {}
        waits = collections.Counter()
        for (name, labels), values in history.items():
            labels = dict(labels)
            growth = values[end] - values.get(begin, 0) if end in values else 0
            if name == "wolkvox_calls_total" and growth:
                ours[labels["duration"]] = growth
            if name == "wolkvox_skill_interactions_total" and growth:
                waits[labels["skill_id"]] += growth
        theirs = centre.calls(begin, end)
        require(ours == theirs, f"calls of the day that ends {end}: {ours}, by the API {theirs}")
        if end < settled:
            rows = collections.Counter(str(row["skill_id"]) for row in centre.ask("skill_2", begin, end - 1, skill_id="all"))
            require(rows == waits, f"abandoned calls of the day that ends {end}: {waits}, by the API {rows}")
            compared += sum(rows.values())
    require(compared > 1000, f"only {compared} abandoned calls")


def check_strict_parser(file):
    """Whole, but for histograms, of which the parser takes all samples of a series after the first time for repetitions;
    and these, with all else, at some times each on its own."""
    lines = file.read_text().splitlines(keepends=True)

    def parsed(some):
        return sum(len(family.samples) for family in text_fd_to_metric_families(iter(some)))

    histograms = {line.split(" ")[2] for line in lines if line.startswith("# TYPE ") and line.endswith(" histogram\n")}
    name = re.compile(r"(?:# \w+ )?(\w+?)(?:_sum|_count|_bucket)?[ {]")
    plain = [line for line in lines if line.startswith("# EOF") or name.match(line)[1] not in histograms]
    count = sum(not line.startswith("#") for line in plain)
    require(histograms and parsed(plain) == count > 50000, f"{len(histograms)} histograms, {count} other samples")
    seconds = sorted({line.rsplit(" ", 1)[1] for line in plain if not line.startswith("#")})
    for second in (seconds[len(seconds) // 2], seconds[-2], seconds[-1]):
        some = [line for line in lines if line.startswith("#") or line.endswith(f" {second}")]
        count = sum(not line.startswith("#") for line in some)
        require(parsed(some) == count > 500, f"{count} samples at {second}")


def check_seam(centre, servers, history, exporter_url):
    """No series is reset more than once, none has a spike, and history and live counting are all calls there were."""
    first, born = (pick(pick(values) for values in history.values()) for pick in (min, max))
    last = {key: values[max(values)] for key, values in history.items() if not key[0].endswith("_info")}

    def calls_add_up():
        begin = time.time()
        live = {}
        for line in body(f"{exporter_url}/metrics", "text").splitlines():
            if line.startswith("wolkvox_calls_total{"):
                labels = dict(LABEL.findall(line.split("{")[1].split("}")[0]))
                live[labels["duration"]] = float(line.rsplit(" ", 1)[1])
        both = {duration: count + last_calls[duration] for duration, count in live.items()}
        theirs = collections.Counter()
        days = midnights(centre.zone, datetime.datetime.fromtimestamp(first, centre.zone).date(), datetime.datetime.now(centre.zone).date())
        for start, end in itertools.pairwise(days):
            theirs.update(centre.calls(start, min(end, int(begin) + 1)))
        require(both == theirs, f"{both}, by the API {dict(theirs)}")

    last_calls = {dict(labels)["duration"]: value for (name, labels), value in last.items() if name == "wolkvox_calls_total"}
    until_true(30, calls_add_up)
    for name, server in servers.items():
        now = time.time()
        window = f"{int(now - first) + 60}s"
        counted_live = compared = 0
        for metric in {key[0] for key in last}:
            ask = lambda text: {key_of(result): float(result["value"][1]) for result in api(server, "query", query=text, time=now)["result"]}
            # Not the last sample of the history, which an instant query finds for five minutes more.
            live = ask(f"last_over_time({metric}[{int(now - born)}s])")
            resets, increase = ask(f"resets({metric}[{window}])"), ask(f"increase({metric}[{window}])")
            for (_, labels), before in ((key, value) for key, value in last.items() if key[0] == metric):
                require(resets[labels] <= 1, f"{name}: {metric} {dict(labels)} has {resets[labels]} resets")
                should = before + live.get(labels, 0)
                # Prometheus extrapolates to the ends of the window.
                require(abs(increase[labels] - should) <= 1 + should / 50, f"{name}: {metric} {dict(labels)}: {increase[labels]}, {should} counted")
                counted_live += live.get(labels, 0)
                compared += 1
        is_live = len(ask("last_over_time(wolkvox_ivr_calls_total[1m])"))
        require(is_live >= 3 and compared > 300 and counted_live > 20, f"{name}: {compared} series, {counted_live} counted live")


def check_dry_run(folder, name, program, history, blocks):
    """alerts/dry-run, with the rules as they are but for the thresholds of abandonment: none fires at 900 %, and at 0 % those that
    fire are in ALERTS. The series that it recorded are what the history itself says, also moved to another Prometheus."""
    environment = {**os.environ, "PATH": f"{program}:{os.environ['PATH']}", "TZ": "UTC"}

    def dry_run(figure):
        rules, data = folder / f"rules-{name}-{figure}", folder / f"dry-run-{name}-{figure}"
        shutil.copytree(ROOT / "alerts", rules)
        thresholds = rules / "thresholds.rules.yml"
        changed, count = re.subn(r"(kpi: abandonment_\w+\}\s+expr: \w+:wolkvox:one \* )[\d.]+", rf"\g<1>{figure}", thresholds.read_text())
        require(count >= 3, f"{count} thresholds of abandonment")
        thresholds.write_text(changed)
        found = subprocess.run((rules / "dry-run", history, data), capture_output=True, text=True, timeout=200, env=environment)
        require(found.returncode == 0, f"exit {found.returncode}: {found.stderr}")
        return data, [line.split() for line in found.stdout.splitlines() if "WolkvoxAbandonment" in line]

    _, none = dry_run("9")
    require(not [line for line in none if "Burn" in line[6]], f"{none[:3]}")
    data, lines = dry_run("0")
    burns = {(line[6], word) for line in lines for word in line if "Burn" in line[6] and word.startswith("skill_id=")}
    require(burns, f"nothing fires: {lines[:3]}")
    with prometheus(program, data) as server:
        end = int(max(json.loads(file.read_text())["maxTime"] for file in data.glob("data/*/meta.json")) / 1000)
        recorded = api(server, "query", query='count by (alertname, skill_id) (last_over_time(ALERTS{alertname=~".*Burn"}[2d]))', time=end)["result"]
        theirs = {(one["metric"]["alertname"], f"skill_id={one['metric']['skill_id']}") for one in recorded}
        require(theirs == burns, f"in ALERTS {theirs}, printed {burns}")
    moved = folder / f"moved-{name}"
    shutil.copytree(blocks, moved / "data")
    shutil.copytree(data / "recorded", moved / "data", dirs_exist_ok=True)
    with prometheus(program, moved) as server:
        require(not api(server, "query", query="last_over_time(ALERTS[2d])", time=end)["result"], "alerts would be in the real data")
        # In the middle of the day, at a full minute.
        at = (end - 12 * 3600) // 60 * 60
        recorded, should = ({one["metric"]["skill_id"]: float(one["value"][1]) for one in api(server, "query", query=text, time=at)["result"]} for text in (
            "sum by (skill_id) (skill:wolkvox_offered:increase1h)", "sum by (skill_id) (increase(wolkvox_skill_interactions_total[1h]))"))
        require(sum(should.values()) > 5, f"nobody called: {should}")
        require(recorded.keys() == should.keys() and all(abs(recorded[key] - should[key]) < 1e-6 for key in should), f"{recorded}, {should} from the history")


def start_seam(stack, folder, centre):
    """Live counting is born and stopped; history up to there goes into the data of running servers; live counting goes on."""
    address = free_address()
    exporter = [EXPORTER, f"--config.file={centre.folder / 'wolkvox.yml'}", f"--web.listen-address={address}"]
    servers, url = {}, f"http://{address}"
    for name, program in (("old", OLD_BIN), ("new", NEW_BIN)):
        (folder / f"seam-{name}").mkdir()
        servers[name] = stack.enter_context(prometheus(program, folder / f"seam-{name}", address))

    def is_born():
        up = [line for line in body(f"{url}/metrics", "text").splitlines() if line.startswith("wolkvox_up{")]
        require(len(up) == 5 and all(float(line.rsplit(" ", 1)[1]) == 1 for line in up), f"{up}")

    def is_seen():
        for name, server in servers.items():
            seen = query(server, "count_over_time(wolkvox_ivr_calls_total[1m]) >= 3")
            require(seen, f"{name}: live counting was not seen to begin at 0")

    with running(folder / "born.log", *exporter):
        until_true(30, is_born)
        until_true(30, is_seen)
        # While the exporter runs, the past cannot be read.
        out = folder / "seam.om"
        begin = (datetime.datetime.now(centre.zone) - datetime.timedelta(days=1)).date()
        options = (f"--from={begin}", "--label=job=wolkvox", f"--label=instance={address}", f"--output={out}")
        require("another process has it open" in centre.backfill(*options, code=1), "it is not said that the exporter is to be stopped")
    began = time.monotonic()
    centre.backfill(*options)
    print(f"  the seam: {time.monotonic() - began:.1f} s, {out.stat().st_size / 1e6:.0f} MB", flush=True)
    create_blocks(out, folder / "seam-blocks", 162)
    for name in servers:
        # They are taken over by a server that runs, within a minute.
        for block in (folder / "seam-blocks").iterdir():
            shutil.copytree(block, folder / f"seam-{name}" / "data" / block.name)
    stack.enter_context(running(folder / "live.log", *exporter))
    return servers, samples(out), url


def main():
    check = Checks()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wolkvox_exporter-")))
        log = folder / "simulator.log"
        stack.enter_context(running(log, EXPORTER, "simulator", "--web.listen-address=127.0.0.1:0"))
        until_true(10, lambda: require("valparaiso" in log.read_text(), "the simulator does not serve"))
        url = re.search(r"http://\S+", log.read_text())[0]
        tokens = dict(re.findall(r"operation (\w+) \(.*\): token (\w+)", log.read_text()))
        often = {report: {"interval": "2s"} for report in ("campaigns", "call_durations", "abandoned_calls", "preview_calls", "ivr")}
        seam = Centre(folder, url, tokens["medellin"], "medellin", "America/Bogota", often)
        month = Centre(folder, url, tokens["valparaiso"], "valparaiso", "America/Santiago")

        servers, seam_history, exporter_url = start_seam(stack, folder, seam)

        today = datetime.datetime.now(month.zone).date()
        first, last = today - datetime.timedelta(days=30), today - datetime.timedelta(days=1)
        days = midnights(month.zone, first, last)
        out, target = folder / "month.om", ("--label=job=wolkvox", "--label=instance=exporter:9963")
        began = time.monotonic()
        log = month.backfill(f"--from={first}", f"--to={last}", "--step=15m", *target, f"--output={out}")
        took = time.monotonic() - began
        calls, series_count = (re.search(rf"{word}=(\d+)[^\n]*\n$", log)[1] for word in ("calls", "series"))
        size = out.stat().st_size / 1e6
        blocks = create_blocks(out, folder / "blocks", 486)
        print(f"  a month: {took:.1f} s, {calls} calls of the API, {series_count} series, {size:.0f} MB; blocks {blocks:.1f} s", flush=True)
        history = samples(out, days)

        check("a month, day by day, by the API", check_truth, month, history, days)
        (folder / "old").mkdir()
        (folder / "new").mkdir()
        check("the increase over local days is the day", check_increases, {"old": OLD_BIN, "new": NEW_BIN}, folder / "blocks", folder, history, days)
        short = folder / "short.om"
        # A working day, or there is nothing to see.
        day = next(day for day in (last - datetime.timedelta(days=n) for n in range(3)) if day.weekday() < 5)
        month.backfill(f"--from={day}", f"--to={day}", *target, f"--output={short}")
        check("strict OpenMetrics parser", check_strict_parser, short)
        create_blocks(short, folder / "short-blocks", 162)
        for name, program in {"old": OLD_BIN, "new": NEW_BIN}.items():
            check(f"a dry run of the alerts, {name}", check_dry_run, folder, name, program, short, folder / "short-blocks")

        def is_taken_over():
            for name, server in servers.items():
                past = api(server, "query", query="wolkvox_calls_total", time=time.time() - 3600)["result"]
                require(past, f"{name}: the blocks are not there yet")

        check("blocks are taken over by a running server", until_true, 70, is_taken_over)
        check("history and live counting are one", check_seam, seam, servers, seam_history, exporter_url)

    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
