#!/usr/bin/env python3
"""check_scrapes.py EXPORTER OLD_BIN NEW_BIN

Runs the exporter's demo and reads it with the programs that others will read it with: curl, promtool, the strict parser
of OpenMetrics, and two versions of Prometheus, whose binaries are in the folders OLD_BIN and NEW_BIN.
"""

import contextlib
import pathlib
import signal
import subprocess
import sys
import tempfile

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lib.exposition import every_series, families, require, series
from lib.servers import ACCEPT, TYPES, Checks, api, body, first_url, get, prometheus, query, running, until_true

EXPORTER, OLD_BIN, NEW_BIN = map(pathlib.Path, sys.argv[1:])
FAMILIES = pathlib.Path(__file__).with_name("families.txt")
def same_series(left, right, what):
    require(left == right, f"{what}: {len(left)} and {len(right)}, differing: {sorted(map(str, left ^ right))[:5]}")


# The checks. Each takes the URL of /metrics.


def check_both_formats(metrics):
    # A campaign may come or go between two scrapes, hence the attempts.
    def attempt():
        text, openmetrics = (families(body(metrics, form), form) for form in ("text", "openmetrics"))
        same_series(every_series(text), every_series(openmetrics), "series in text and OpenMetrics")

    until_true(10, attempt)


def check_families(metrics):
    text, openmetrics = (families(body(metrics, form), form) for form in ("text", "openmetrics"))
    wanted = [line.split() for line in FAMILIES.read_text().splitlines() if line and not line.startswith("#")]
    # The demo keeps its state in memory and serves plain HTTP, and its simulator has no unknown words.
    absent = {
        *("wolkvox_exporter_state_size_bytes", "wolkvox_exporter_certificate_expiry_timestamp_seconds"),
        *("wolkvox_operation_open", "wolkvox_report_unknown_word"),
    }
    wanted = [words for words in wanted if words[0] not in absent]
    same_series({name for name, *_ in wanted}, set(text), f"families in {FAMILIES.name} and in the demo")
    for name, kind, *labels in wanted:
        require(text[name].kind == kind.replace("info", "gauge"), f"{name} is a {text[name].kind} in text")
        base = name.removesuffix("_total" if kind == "counter" else "_info" if kind == "info" else "")
        require(base in openmetrics and openmetrics[base].kind == kind, f"{base} is no {kind} in OpenMetrics")
        for sample, pairs in text[name].series:
            expected = {*labels, "le"} if sample == f"{name}_bucket" else {*labels}
            require({label for label, _ in pairs} == expected, f"labels of {sample}: {sorted(pairs)}")


def check_default_format(metrics):
    headers, _ = get(metrics)
    require(headers["Content-Type"] == TYPES["text"], f"the Content-Type is {headers['Content-Type']}")


def check_strict_parser(metrics):
    text = body(metrics, "openmetrics")
    parsed = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    ours = every_series(families(text, "openmetrics"))
    require(len(parsed) == len(ours), f"{len(parsed)} samples parsed, {len(ours)} series read")
    same_series({series(sample.name, sample.labels) for sample in parsed}, ours, "series by the strict parser and by this one")


def check_promtool(metrics):
    command = [NEW_BIN / "promtool", "check", "metrics"]
    found = subprocess.run(command, input=body(metrics, "text"), capture_output=True, text=True, timeout=30)
    require(found.returncode == 0 and not found.stderr, f"exit {found.returncode}: {found.stdout}{found.stderr}")


def check_curl(metrics, form):
    def curl(*options):
        command = ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "10", *options]
        command += ["--header", f"Accept: {ACCEPT[form]}", "--write-out", "%{stderr}%{size_download}", metrics]
        found = subprocess.run(command, capture_output=True, text=True, timeout=20)
        require(found.returncode == 0, f"curl: {found.stderr}")
        return every_series(families(found.stdout, form)), int(found.stderr)

    def attempt():
        (plain, size), (compressed, less) = curl(), curl("--compressed")
        require(less < size / 2, f"{less} bytes with --compressed, {size} without")
        same_series(plain, compressed, "series plain and compressed")

    until_true(10, attempt)


def check_version(folder, expected):
    for program in ("prometheus", "promtool"):
        found = subprocess.run([folder / program, "--version"], capture_output=True, text=True, timeout=10)
        version = found.stdout + found.stderr  # it is on standard error in older versions
        require(version.startswith(f"{program}, version {expected}."), f"not {expected}: {version.splitlines()[:1]}")


def check_scraped(metrics, server, job):
    def is_up():
        up = query(server, f'up{{job="{job}"}}')
        targets = api(server, "targets", state="active")["activeTargets"]
        states = [(target["health"], target["lastError"]) for target in targets if target["labels"]["job"] == job]
        require(states == [("up", "")], f"the target is {states}")
        require(up and up[0]["value"][1] == "1", "no scrape is stored")

    until_true(60, is_up)  # the first scrape comes only some seconds after the start

    def is_stored():
        # Only while nothing comes or goes are the last scrape and this one the same.
        shown = every_series(families(body(metrics, "text"), "text"))
        ours = {key for key in shown if key[0].startswith("wolkvox_")}
        stored = [result["metric"] for result in query(server, f'{{job="{job}",__name__=~"wolkvox_.*"}}')]
        without = ("__name__", "job", "instance")
        stored_series = {
            series(labels["__name__"], {name: value for name, value in labels.items() if name not in without and value})
            for labels in stored
        }
        # To Prometheus an empty label is none.
        ours = {series(name, {label: value for label, value in pairs if value}) for name, pairs in ours}
        same_series(stored_series, ours, "series stored and shown")
        require(len(stored) == len(ours), f"{len(stored)} series stored, {len(ours)} shown")
        scraped = query(server, f'scrape_samples_scraped{{job="{job}"}}')[0]["value"][1]
        require(int(scraped) == len(shown), f"{scraped} samples scraped, {len(shown)} shown")

    until_true(15, is_stored)
    is_up()

    # What rules and dashboards write must find something.
    bucket = query(server, f'wolkvox_api_request_duration_seconds_bucket{{job="{job}",le="5.0"}}')
    count = query(server, f'wolkvox_api_request_duration_seconds_count{{job="{job}"}}')
    require(bucket and len(bucket) == len(count), f'{len(bucket)} series with le="5.0", {len(count)} histograms')
    join = "wolkvox_campaign_records{%s} * on(operation, campaign_id) group_left(campaign) wolkvox_campaign_info{%s}"
    named = query(server, join % (f'job="{job}"', f'job="{job}"'))
    require(named and all(result["metric"].get("campaign") for result in named), "campaigns have no names")
    require(query(server, f'wolkvox_report_polls_total{{job="{job}"}} > 0'), "no polls were counted")


def main():
    check = Checks()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wolkvox_exporter-")))
        log = folder / "exporter.log"
        exporter = stack.enter_context(running(log, EXPORTER, "demo", "--web.listen-address=127.0.0.1:0"))
        url = until_true(10, lambda: first_url(exporter, log))
        until_true(30, lambda: get(f"{url}/-/ready"))
        metrics = f"{url}/metrics"

        # Both at once, and first: each takes some seconds until its first scrape.
        old_jobs = {"default": {}}
        new_jobs = {"default": {}, "text": {"scrape_protocols": ["PrometheusText0.0.4"]}}
        old = stack.enter_context(prometheus(OLD_BIN / "prometheus", metrics, folder / "old", old_jobs))
        new = stack.enter_context(prometheus(NEW_BIN / "prometheus", metrics, folder / "new", new_jobs))

        check("text 0.0.4 unless asked for another format", check_default_format, metrics)
        check("well-formed, and the same series in both formats", check_both_formats, metrics)
        check("families, types and labels as listed", check_families, metrics)
        check("strict OpenMetrics parser", check_strict_parser, metrics)
        check("promtool check metrics", check_promtool, metrics)
        for form in ACCEPT:
            check(f"curl --compressed, {form}", check_curl, metrics, form)
        check("old Prometheus is 2.42", check_version, OLD_BIN, "2.42")
        check("new Prometheus is 3", check_version, NEW_BIN, "3")
        for name, server, jobs in (("old", old, old_jobs), ("new", new, new_jobs)):
            for job in jobs:
                check(f"scraped by the {name} Prometheus, {job} format", check_scraped, metrics, server, job)

    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
