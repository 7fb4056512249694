"""Servers that live as long as a check: the exporter, Prometheus, and what is asked of them over HTTP."""

import contextlib
import json
import re
import socket
import subprocess
import time
import urllib.parse
import urllib.request

from lib.exposition import require

TYPES = {
    "text": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
ACCEPT = {"text": "text/plain;version=0.0.4", "openmetrics": "application/openmetrics-text;version=1.0.0"}

# Whatever proxy the machine has is not meant for the loopback addresses used here.
http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    with http.open(request, timeout=10) as answer:
        return answer.headers, answer.read().decode()


def body(url, form):
    headers, text = get(url, Accept=ACCEPT[form])
    require(headers["Content-Type"] == TYPES[form], f"the Content-Type is {headers['Content-Type']}")
    return text


def until_true(seconds, attempt):
    """Repeats `attempt` until it raises nothing; what it raised last is the failure once the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except (AssertionError, OSError) as error:
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {error}") from error
        time.sleep(0.1)


@contextlib.contextmanager
def running(log, *command, pass_fds=()):
    """A program that lives as long as the block. Its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, pass_fds=pass_fds
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def first_url(process, log):
    require(process.poll() is None, f"the exporter ended: {log.read_text()}")
    found = re.search(r"https?://127\.0\.0\.1:\d+", log.read_text())
    require(found, "the exporter has not said where it serves")
    return found[0]


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return "127.0.0.1:%d" % free.getsockname()[1]


@contextlib.contextmanager
def prometheus(program, metrics, folder, jobs):
    """A Prometheus that scrapes `metrics` each second, once for each job; `jobs` has a job's own settings by its name."""
    target = urllib.parse.urlsplit(metrics)
    scrape = {"metrics_path": target.path, "static_configs": [{"targets": [target.netloc]}]}
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": job, **scrape, **settings} for job, settings in jobs.items()],
    }
    with configured_prometheus(program, folder, config) as server:
        yield server


@contextlib.contextmanager
def configured_prometheus(program, folder, config, *flags, data=None):
    """A Prometheus with this configuration. Its log is in `folder`, and so is what it stores unless `data` is given."""
    folder.mkdir(exist_ok=True)
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    address = free_address()
    command = (
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data or folder / 'data'}",
        f"--web.listen-address={address}",
        *flags,
    )
    with running(folder / "log", *command) as process:
        yield f"http://{address}", process, folder / "log"


def api(server, path, **parameters):
    url, process, log = server
    require(process.poll() is None, f"Prometheus ended: {log.read_text()[-2000:]}")
    _, answer = get(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
    return json.loads(answer)["data"]


def query(server, expression):
    return api(server, "query", query=expression)["result"]


class Checks:
    """Runs checks one after the other, whatever becomes of them, and counts."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, name, function, *arguments):
        try:
            function(*arguments)
            result, why = "passed", ""
            self.passed += 1
        except Exception as error:  # whatever it is, the other checks go on
            result, why = "failed", f": {type(error).__name__}: {error}"
            self.failed += 1
        print(f"{name} ... {result}{why}", flush=True)

    def verdict(self):
        """Prints the sums; returns the exit code."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
