#!/usr/bin/env python3
"""check_alerting.py EXPORTER INCIDENT OLD_PROMETHEUS OLD_ALERTMANAGER NEW_PROMETHEUS NEW_ALERTMANAGER

From calls that are lost to a message that says so, and then that it is over: the simulator with a script (INCIDENT), the
exporter, Prometheus with the rules of alerts/, Alertmanager with alerts/alertmanager.yml, and a webhook. Once with the
oldest versions that are supported and once with the newest, whose binaries are in the folders given.

Time passes 60 times as fast: every duration of the rules is divided by 60 and the simulator has the calls of an hour in a
minute. The thresholds stay as they are.
"""

import contextlib
import datetime
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from lib.exposition import require
from lib.servers import Checks, configured_prometheus, first_url, free_address, get, query, running, until_true

EXPORTER, INCIDENT, OLD_PROMETHEUS, OLD_ALERTMANAGER, NEW_PROMETHEUS, NEW_ALERTMANAGER = map(pathlib.Path, sys.argv[1:])
ALERTS = pathlib.Path(__file__).resolve().parents[2] / "alerts"

# Prometheus scrapes some seconds after its start, and what is usual must have been seen before the incident.
INCIDENT_AFTER, INCIDENT_LENGTH = 30, 40
# The alerts, the skill that each is about, and the seconds within which it must fire. A second stands for a minute, but a poll, a scrape and two
# evaluations need as long here as half a minute each elsewhere: how many minutes it takes is shown by the weeks.
ALERTS_OF = {"WolkvoxQueueUnanswered": ("4010", 10), "WolkvoxAbandonmentNow": ("4000", 20)}

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
DURATION = r"(?:\d+[smhdw])+"


def shortened(duration):
    seconds = sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", duration))
    require(seconds % 30 == 0, f"{duration} is no whole number of half minutes")
    return f"{seconds // 60}s" if seconds % 60 == 0 else f"{seconds * 1000 // 60}ms"


def fast_rules(text):
    """The rules with every duration divided by 60: ranges, offsets, what alerts wait for, and the groups' intervals."""
    patterns = [
        rf"(\[)({DURATION})(\])",
        rf"(\[)({DURATION})(:)",
        rf"(\boffset )({DURATION})(\b)",
        rf"(?m)(^ *(?:for|keep_firing_for|interval): *)({DURATION})( *(?:#.*)?$)",
    ]
    for pattern in patterns:
        text = re.sub(pattern, lambda found: found[1] + shortened(found[2]) + found[3], text)
    left = re.findall(rf"(?m)^ *(?:for|keep_firing_for|interval):.*\d[mhdw]\b.*$|\[{DURATION[:-1]}?[mhdw]\]|offset \d+[mhdw]", text)
    require(not left, f"durations that were not divided: {left[:3]}")
    return text


def fast_routes(text, webhook):
    """The routes with waits of a second, and every receiver a webhook of ours."""
    text, waits = re.subn(rf"(?m)^( *)(group_wait|group_interval): *{DURATION} *$", r"\1\2: 1s", text)
    text, receivers = re.subn(r"(?m)^( *-? *url: *).*$", rf"\1{webhook}", text)
    require(waits >= 2 and receivers >= 1, f"{waits} waits and {receivers} receivers in alertmanager.yml")
    return text


class Webhook:
    """Keeps the messages it gets."""

    def __enter__(self):
        messages = self.messages = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def alerts(self, name, status):
        found = [alert for message in list(self.messages) for alert in message["alerts"]]
        return [alert for alert in found if alert["labels"]["alertname"] == name and alert["status"] == status]


def beside_the_system(program, folder):
    """Debian's Alertmanager takes its templates from where its package would put them, and has no option for another
    place. The package is unpacked elsewhere: a copy of the program that takes them from the folder it runs in."""
    share = b"/usr/share/prometheus/alertmanager"
    templates = program.parents[2] / share.decode().strip("/")
    binary = program.read_bytes()
    if share not in binary:
        return program
    for template in templates.glob("*.tmpl"):
        shutil.copy(template, folder)
    copy = folder / program.name
    # As long as before, since a program knows how long its texts are.
    copy.write_bytes(binary.replace(share, b"." + b"/" * (len(share) - 1)))
    copy.chmod(0o755)
    return copy


@contextlib.contextmanager
def alertmanager(program, folder, webhook):
    folder.mkdir()
    config = folder / "alertmanager.yml"
    config.write_text(fast_routes((ALERTS / "alertmanager.yml").read_text(), webhook))
    address = free_address()
    program = beside_the_system(program, folder)
    command = ("env", f"--chdir={folder}", program, f"--config.file={config}", f"--storage.path={folder / 'data'}")
    with running(folder / "log", *command, f"--web.listen-address={address}", "--cluster.listen-address=") as process:

        def is_ready():
            require(process.poll() is None, f"Alertmanager ended: {(folder / 'log').read_text()[-2000:]}")
            get(f"http://{address}/-/ready")

        until_true(20, is_ready)
        yield address


@contextlib.contextmanager
def prometheus(program, folder, metrics, alertmanager_address):
    folder.mkdir()
    for rules in ALERTS.glob("*.rules.yml"):
        (folder / rules.name).write_text(fast_rules(rules.read_text()))
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "*.rules.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager_address]}]}]},
        "scrape_configs": [
            {"job_name": "wolkvox", "static_configs": [{"targets": [urllib.parse.urlsplit(metrics).netloc]}]}
        ],
    }
    with configured_prometheus(program, folder, config, "--rules.alert.resend-delay=1s") as server:
        yield server


def script_in(log):
    text = log.read_text()
    require(text.endswith("}\n"), f"the simulator has not said all: {text}")
    return json.loads(text)


# The checks. Each takes the webhook and Prometheus.


def check_fires(webhook, server, begins, alert):
    skill, seconds = ALERTS_OF[alert]

    def told():
        found = [each for each in webhook.alerts(alert, "firing") if each["labels"]["skill_id"] == skill]
        queues = [result["value"][1] for result in query(server, "skill:wolkvox_queue:calls")]
        require(found, f"no message; queues {queues}")
        return found[0]

    found = until_true(max(begins - time.time(), 0) + 75, told)
    now, labels, summary = time.time(), found["labels"], found["annotations"]["summary"]
    require(labels["operation"] == "acme", f"the operation is {labels}")
    require(labels["job"] == "wolkvox" and labels["severity"] == "critical", f"labels {labels}")
    require("acme" in summary and labels["skill"] in summary and skill in summary, f"the summary is {summary!r}")
    require(found["annotations"]["runbook_url"].endswith("#" + alert.lower()), "no runbook")
    started = datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", found["startsAt"]).replace("Z", "+00:00")).timestamp()
    print(f"  fires {started - begins:.1f} s after the incident began, seen {now - begins:.1f} s after it: {summary}", flush=True)
    require(now > begins, "told before it began")
    require(started - begins <= seconds, f"it fires after {started - begins:.1f} s")


def check_only_those_skills(webhook):
    others = {each["labels"].get("skill_id") for alert in ALERTS_OF for each in webhook.alerts(alert, "firing")}
    others -= {skill for skill, _ in ALERTS_OF.values()}
    require(not others, f"they fire for skills {others}, too")


def check_resolves(webhook, server, begins, alert):
    def is_resolved():
        require(webhook.alerts(alert, "resolved"), "no message that it is over")

    ends = begins + INCIDENT_LENGTH
    until_true(max(ends - time.time(), 0) + 70, is_resolved)
    firing = query(server, f'ALERTS{{alertname="{alert}", skill_id="{ALERTS_OF[alert][0]}", alertstate="firing"}}')
    require(not firing, f"Prometheus still fires {firing}")
    print(f"  told {time.time() - ends:.0f} s after the incident ended", flush=True)


def check_inhibited(address):
    """An outage of the line holds back the alerts on single reports, and those of the same exporter only."""

    def alert(name, **labels):
        return {"labels": {"alertname": name, "job": "line", "audience": "exporter", **labels}}

    silent = alert("WolkvoxReportStale", instance="e:9963", operation="acme", report="ivr")
    told = alert("WolkvoxReportStale", instance="f:9963", operation="beta", report="ivr")
    outage = alert("WolkvoxNothingRead", instance="e:9963", severity="critical")
    request = urllib.request.Request(
        f"http://{address}/api/v2/alerts",
        data=json.dumps([outage, silent, told]).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()

    def is_held_back():
        with urllib.request.urlopen(f"http://{address}/api/v2/alerts?filter=job=line", timeout=10) as answer:
            alerts = json.load(answer)
        states = {(each["labels"]["alertname"], each["labels"]["instance"]): each["status"]["state"] for each in alerts}
        expected = {
            ("WolkvoxNothingRead", "e:9963"): "active",
            ("WolkvoxReportStale", "e:9963"): "suppressed",
            ("WolkvoxReportStale", "f:9963"): "active",
        }
        require(states == expected, f"states {states}")

    until_true(20, is_held_back)


def main():
    check = Checks()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wolkvox_exporter-")))
        begins = time.time() + INCIDENT_AFTER
        stack.enter_context(running(folder / "incident.log", INCIDENT, str(INCIDENT_AFTER), str(INCIDENT_LENGTH)))
        script = until_true(10, lambda: script_in(folder / "incident.log"))
        config = folder / "wolkvox.yml"
        config.write_text(json.dumps(script["config"]))
        os.environ["INCIDENT_TOKEN"] = script["token"]
        log = folder / "exporter.log"
        exporter = stack.enter_context(
            running(log, EXPORTER, f"--config.file={config}", "--web.listen-address=127.0.0.1:0")
        )
        url = until_true(10, lambda: first_url(exporter, log))
        until_true(30, lambda: get(f"{url}/-/ready"))
        # Both at once: what takes its time here is the incident.
        pairs = {}
        for name, prometheus_folder, alertmanager_folder in (
            ("old", OLD_PROMETHEUS, OLD_ALERTMANAGER),
            ("new", NEW_PROMETHEUS, NEW_ALERTMANAGER),
        ):
            webhook = stack.enter_context(Webhook())
            program = alertmanager_folder / "prometheus-alertmanager"
            address = stack.enter_context(alertmanager(program, folder / f"alertmanager-{name}", webhook.url))
            program = prometheus_folder / "prometheus"
            check(f"an outage of the line is one message, {name} version", check_inhibited, address)
            server = stack.enter_context(prometheus(program, folder / name, f"{url}/metrics", address))
            pairs[name] = webhook, server
        for alert in ALERTS_OF:
            for name, (webhook, server) in pairs.items():
                check(f"{alert} arrives, {name} versions", check_fires, webhook, server, begins, alert)
        for name, (webhook, server) in pairs.items():
            check(f"and says that it is over, {name} versions", check_resolves, webhook, server, begins, "WolkvoxAbandonmentNow")
            check(f"and was only for the skills concerned, {name} versions", check_only_those_skills, webhook)

    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
