#!/usr/bin/env python3
"""check_restarts.py EXPORTER OLD_BIN NEW_BIN

Kills the exporter again and again while two versions of Prometheus scrape it, starts it anew on the same state, and asks
Prometheus what it made of that: every event is in the increases, no counter was ever reset, and every series that came
into being was first seen at 0.
"""

import contextlib
import json
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from lib.exposition import SAMPLE, labels, require, series
from lib.servers import Checks, body, get, prometheus, query, running, until_true

EXPORTER, OLD_BIN, NEW_BIN = map(pathlib.Path, sys.argv[1:])
COUNTERS = "wolkvox_(calls|skill_interactions|abandon_time|preview|ivr)_.*"
HOLD = 4  # seconds
LIVES = (3, 7, 4, 6)  # seconds until each kill: some before and some after the hold is over
RANGE = 120  # seconds, longer than all of it takes
WITHOUT = ("__name__", "job", "instance")


def simulated(log):
    """The address of the simulator, and zone and token of each operation by its name."""
    text = log.read_text()
    url = re.search(r"http://127\.0\.0\.1:\d+", text)
    operations = re.findall(r"operation (\w+) \((\S+)\): token (\w+)", text)
    require(url and len(operations) == 3, f"the simulator has not said all: {text}")
    return url[0], operations


def configuration(folder, url, operations):
    """Short windows, so that series go on being born during the run, and rereads for what is late."""
    report = {"interval": "1s", "overlap": "10s", "settle": "0s", "reread": {"every": "5s", "back": "2h"}}
    reports = {name: report for name in ("abandoned_calls", "preview_calls", "ivr")}
    reports |= {"campaigns": {"interval": "1s"}, "call_durations": {"interval": "1s"}}
    items = []
    for name, zone, token in operations:
        (folder / f"{name}.token").write_text(token)
        item = {"name": name, "url": url, "token_file": f"{name}.token", "timezone": zone, "daily_calls": 1000000}
        items.append({**item, "currency": "COP", "reports": reports})
    config = {"state_path": "state", "new_series_hold": f"{HOLD}s", "operations": items}
    (folder / "wolkvox.yml").write_text(json.dumps(config))  # JSON is YAML


def free_port():
    """A port that no outgoing connection takes while the exporter is down: below those that Linux gives them."""
    while True:
        port = random.randrange(20000, 30000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Exporter:
    """The exporter, which is killed and not asked to stop."""

    def __init__(self, folder, port):
        self.log = folder / "exporter.log"
        self.command = (EXPORTER, f"--config.file={folder / 'wolkvox.yml'}", f"--web.listen-address=127.0.0.1:{port}")
        self.process = None

    def start(self):
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def kill(self):
        require(self.process.poll() is None, f"the exporter ended: {self.log.read_text()[-2000:]}")
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()


def totals(metrics):
    """What the exporter says itself, by series. To Prometheus an empty label is none."""
    found = {}
    for match in map(SAMPLE.fullmatch, body(metrics, "text").splitlines()):
        if match and re.fullmatch(COUNTERS, match[1]):
            pairs = {name: value for name, value in labels(match[2]).items() if value}
            found[series(match[1], pairs)] = float(match[3])
    require(len(found) > 50, f"{len(found)} series")
    return found


def stored(server, expression):
    """The results of a query by series."""
    found = {}
    for result in query(server, expression):
        names = {label: value for label, value in result["metric"].items() if label not in WITHOUT}
        found[series(result["metric"]["__name__"], names)] = result
    return found


def samples(server):
    """The stored samples of the reports' counters: time and value, oldest first, by series."""
    found = stored(server, f'{{__name__=~"{COUNTERS}"}}[{RANGE}s]')
    return {key: [(at, float(value)) for at, value in result["values"]] for key, result in found.items()}


def function_by_series(server, function, keys):
    """A function over the whole range. It is asked family by family, since results have no name."""
    found = {}
    for name in sorted({name for name, _ in keys}):
        for result in query(server, f"{function}({name}[{RANGE}s])"):
            names = {label: value for label, value in result["metric"].items() if label not in WITHOUT}
            found[series(name, names)] = float(result["value"][1])
    return found


def close(left, right):
    """Costs have a fraction, and sums of differences are not exact in it."""
    return abs(left - right) <= 1e-9 * max(1.0, abs(left), abs(right))


def by_family(values):
    sums = {}
    for (name, _), value in values.items():
        sums[name] = sums.get(name, 0.0) + value
    return sums


def check_first_samples(server, start):
    found = samples(server)
    late = [key for key, values in found.items() if values[0][0] > start + 2 * HOLD]
    wrong = [(key, values[0]) for key, values in found.items() if values[0][1] != 0]
    require(not wrong, f"{len(wrong)} of {len(found)} series were not first seen at 0: {wrong[:3]}")
    require(late, "no series was born during the run")


def check_samples(server, final):
    """From the samples themselves the increase is exact: they begin at 0, and what falls is a reset."""
    found = samples(server)
    require(found.keys() == final.keys(), f"{len(found)} series stored, {len(final)} shown")
    increases = {}
    for key, values in found.items():
        pairs = zip(values, values[1:])
        increases[key] = sum(new - old if new >= old else new for (_, old), (_, new) in pairs)
    wrong = [(key, increases[key], final[key]) for key in final if not close(increases[key], final[key])]
    require(not wrong, f"{len(wrong)} increases differ from the totals: {wrong[:3]}")
    require(sum(increases.values()) > 10, "hardly anything was counted")


def check_increases(server, final):
    """increase() extends what lies between the first and the last sample towards both ends of the range. Towards the
    beginning it stops where the counter would be below 0, so it adds nothing; towards the end it goes on for at most 1.1
    times the usual distance of two samples, which is a scrape interval or, with scrapes missed at restarts, a bit more."""
    found, increases = samples(server), function_by_series(server, "increase", final.keys())
    allowed = {}
    for key, total in final.items():
        values = found[key]
        require(len(values) > 2 and key in increases, f"{len(values)} samples of {key}")
        allowed[key] = total * 2 / (values[-1][0] - values[0][0])
        more = increases[key] - total
        require(-1e-6 <= more <= allowed[key] + 1e-6, f"{increases[key]} of {total}, {allowed[key]} more allowed: {key}")
    sums, limits = by_family(increases), by_family(allowed)
    for name, total in by_family(final).items():
        require(-1e-6 <= sums[name] - total <= limits[name] + 1e-6, f"{name}: {sums[name]} of {total}")


def check_resets(server, final):
    resets = function_by_series(server, "resets", final.keys())
    require(resets.keys() == final.keys(), f"{len(resets)} of {len(final)} series")
    wrong = [(key, value) for key, value in resets.items() if value]
    require(not wrong, f"{len(wrong)} series were reset: {wrong[:3]}")


def check_gaps(server):
    """Restarts were seen, or else nothing above means anything."""
    starts = query(server, f"changes(process_start_time_seconds[{RANGE}s])")[0]["value"][1]
    require(int(starts) == len(LIVES), f"{starts} restarts were seen, not {len(LIVES)}")


def check_state_size(metrics, folder):
    shown = re.findall(r'wolkvox_exporter_state_size_bytes\{operation="(\w+)"\} (\S+)', body(metrics, "text"))
    sizes = {file.stem: file.stat().st_size for file in (folder / "state").glob("*.redb")}
    require({name: float(size) for name, size in shown} == sizes and len(sizes) == 3, f"{shown}, {sizes}")


def run(stack, folder):
    """Lets it live and die. Returns the Prometheus servers, the last totals, and what the checks need besides."""
    simulator = folder / "simulator.log"
    command = (EXPORTER, "simulator", "--seed=7", "--web.listen-address=127.0.0.1:0")
    api = stack.enter_context(contextlib.ExitStack())
    api.enter_context(running(simulator, *command))
    url, operations = until_true(10, lambda: simulated(simulator))
    configuration(folder, url, operations)
    port = free_port()
    metrics = f"http://127.0.0.1:{port}/metrics"
    servers = {
        name: stack.enter_context(prometheus(path / "prometheus", metrics, folder / name, {"exporter": {}}))
        for name, path in (("old", OLD_BIN), ("new", NEW_BIN))
    }

    def scrapes():
        require(all(query(server, "up") for server in servers.values()), "no scrape is stored")

    until_true(30, scrapes)  # in vain so far, but from now on every second

    exporter = stack.enter_context(Exporter(folder, port))
    start = time.time()
    exporter.start()
    for life in LIVES:
        time.sleep(life)
        exporter.kill()
        exporter.start()
    time.sleep(HOLD + 2)
    # What comes from now on would be in one total and not in the other. Series that are new are held for a while yet.
    api.close()
    time.sleep(HOLD + 3)
    until_true(10, lambda: get(f"{metrics.removesuffix('/metrics')}/-/healthy"))
    final = totals(metrics)
    time.sleep(3)
    require(final == totals(metrics), "the totals still move")
    return servers, final, metrics, start


def main():
    check = Checks()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wolkvox_exporter-")))
        servers, final, metrics, start = run(stack, folder)
        check("the size of the state", check_state_size, metrics, folder)
        for name, server in servers.items():
            check(f"the {name} Prometheus saw {len(LIVES)} restarts", check_gaps, server)
            check(f"every series begins at 0 in the {name} Prometheus", check_first_samples, server, start)
            check(f"increases of the samples in the {name} Prometheus", check_samples, server, final)
            check(f"increase() in the {name} Prometheus", check_increases, server, final)
            check(f"resets() in the {name} Prometheus", check_resets, server, final)
        events = sum(value for (name, _), value in final.items() if name.endswith("_total") and "wolkvox_calls_" not in name)
        print(f"{len(final)} series, {events:.0f} events, {time.time() - start:.0f} s since the first start")
    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
