#!/usr/bin/env python3
"""check_web.py EXPORTER OLD_BIN NEW_BIN

Runs the exporter's demo with TLS, passwords and client certificates, and reads it with curl and two versions of Prometheus,
whose binaries are in the folders OLD_BIN and NEW_BIN. Then attacks it with slowhttptest and with crowds of connections:
whatever they do, a scrape is answered, and soon.
"""

import base64
import contextlib
import http.client
import json
import multiprocessing
import pathlib
import resource
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from lib.exposition import require
from lib.servers import Checks, api, first_url, prometheus, query, running, until_true

EXPORTER, OLD_BIN, NEW_BIN = map(pathlib.Path, sys.argv[1:])
USER, PASSWORD = "prometheus", "open sesame"
HASH = "$2b$10$abcdefghijklmnopqrstuu4SuEsu2LsUrAYUpWQHLMMc4GV5pZTxK"
AUTHORIZATION = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}

# Seconds that a scrape may take during an attack, apart from the time in which a busy machine gives it no processor.
LONGEST = 0.1
# Without descriptors the exporter has one connection at a time for a newcomer, and leaves each of them 5 ms to send its
# request. A scrape waits behind those that have come before.
LONGEST_OF_200 = LONGEST + 200 * 0.005


class Certificates:
    """A folder with certificates, made by openssl."""

    def __init__(self, folder):
        self.folder = folder
        self.openssl("req", "-x509", "-nodes", "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.crt", key=True)
        for name in ("server", "next", "client"):
            self.issue(name)
        self.openssl("req", "-x509", "-nodes", "-subj", "/CN=stranger", "-keyout", "stranger.key", "-out", "stranger.crt", key=True)

    def openssl(self, *words, key=False):
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if key else []
        found = subprocess.run(["openssl", *words, *kind], cwd=self.folder, capture_output=True, text=True, timeout=20)
        require(found.returncode == 0, f"openssl {words[0]}: {found.stderr}")

    def issue(self, name):
        self.openssl("req", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr", key=True)
        (self.folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *signing)

    def path(self, name):
        return str(self.folder / name)

    def context(self):
        context = ssl.create_default_context(cafile=self.path("ca.crt"))
        context.load_cert_chain(self.path("client.crt"), self.path("client.key"))
        return context

    def replace(self, name, content):
        """As careful programs do it: whole, under another name."""
        (self.folder / "half").write_bytes(content)
        (self.folder / "half").rename(self.folder / name)


def scrape(url, context=None):
    """One scrape over a connection of its own: the seconds it took, and the serial number of the certificate."""
    start = time.monotonic()
    target = urllib.parse.urlsplit(url)
    if context:
        connection = http.client.HTTPSConnection(target.netloc, timeout=5, context=context)
    else:
        connection = http.client.HTTPConnection(target.netloc, timeout=5)
    with contextlib.closing(connection):
        connection.connect()
        serial = connection.sock.getpeercert()["serialNumber"] if context else None
        connection.request("GET", target.path, headers=AUTHORIZATION)
        answer = connection.getresponse()
        text = answer.read()
    require(answer.status == 200 and b"\nwolkvox_up{" in text, f"status {answer.status}, {len(text)} bytes")
    return time.monotonic() - start, serial


def check_curl(url, certificates):
    """Each case: the options, and the status that curl sees, or 0 when it gets none."""
    trust = ("--cacert", certificates.path("ca.crt"))
    known = ("--cert", certificates.path("client.crt"), "--key", certificates.path("client.key"))
    stranger = ("--cert", certificates.path("stranger.crt"), "--key", certificates.path("stranger.key"))
    user = ("--user", f"{USER}:{PASSWORD}")
    for expected, *options in (
        (200, *trust, *known, *user),
        (200, *trust, *known, *user, "--tls-max", "1.2"),
        (200, *trust, *known, *user, "--http2"),
        (200, *trust, *known, *user, "--head"),
        (0, *trust, *known, *user, "--tls-max", "1.1"),
        (401, *trust, *known),
        (401, *trust, *known, "--user", f"{USER}:guess"),
        (401, *trust, *known, "--user", f"nobody:{PASSWORD}"),
        (0, *trust, *user),
        (0, *trust, *stranger, *user),
        (0, *known, *user),
        (405, *trust, *known, *user, "--data", "x=y"),
        (431, *trust, *known, *user, "--header", "X: " + "x" * 20_000),
    ):
        command = ["curl", "--silent", "--noproxy", "*", "--max-time", "10", *options]
        command += ["--output", "/dev/null", "--write-out", "%{http_code}", url]
        found = subprocess.run(command, capture_output=True, text=True, timeout=20)
        require(int(found.stdout) == expected, f"{found.stdout} and not {expected} with {options[2:]}")
    plain = ["curl", "--silent", "--noproxy", "*", "--max-time", "10", url.replace("https:", "http:")]
    found = subprocess.run(plain, capture_output=True, text=True, timeout=20)
    require("https://" in found.stdout, f"plain HTTP is answered with {found.stdout!r}")


def check_scraped(server):
    def is_up():
        targets = api(server, "targets", state="active")["activeTargets"]
        states = [(target["health"], target["lastError"]) for target in targets]
        require(states == [("up", "")], f"the target is {states}")
        require(query(server, "wolkvox_up"), "nothing is stored")

    until_true(30, is_up)


def check_rotation(url, certificates):
    """Certificate and key are exchanged while it is scraped as fast as can be, each time with a moment in between."""
    stop, failures, count, serial = threading.Event(), [], [0], [None]
    context = certificates.context()

    def load():
        while not stop.is_set():
            try:
                _, serial[0] = scrape(url, context)
                count[0] += 1
            except Exception as error:
                failures.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        until_true(5, lambda: require(serial[0], "there is no scrape"))
        for _ in range(3):
            before = serial[0]
            certificates.issue("next")
            for half in ("crt", "key"):
                time.sleep(1.1)  # the exporter looks each second: it is to see the pair that does not fit
                certificates.replace(f"server.{half}", (certificates.folder / f"next.{half}").read_bytes())
            until_true(5, lambda: require(serial[0] != before, "the old certificate is still served"))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    require(not failures, f"{len(failures)} scrapes failed: {failures[:3]}")
    print(f"  {count[0]} scrapes over new connections, 3 rotations")


def check_socket_activation(folder):
    """As systemd does it: a socket as descriptor 3. With an address of its own, the exporter serves both."""
    for name, addresses in (("handed over", []), ("handed over and own", ["--web.listen-address=127.0.0.1:0"])):
        with socket.create_server(("127.0.0.1", 0)) as handed, contextlib.ExitStack() as stack:
            url = "http://127.0.0.1:%d" % handed.getsockname()[1]
            over = f'exec 3<&{handed.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"'
            command = ["bash", "-c", over, EXPORTER, "demo", *addresses]
            log = folder / f"{name}.log"
            exporter = stack.enter_context(running(log, *command, pass_fds=[handed.fileno()]))
            until_true(10, lambda: first_url(exporter, log))
            until_true(10, lambda: scrape(f"{url}/metrics"))
            served = {line.split("/metrics")[0].strip() for line in log.read_text().splitlines() if "/metrics " in line}
            require(url in served and len(served) == 1 + len(addresses), f"{name}: {served} with {url}")


@contextlib.contextmanager
def slowhttptest(url, *options):
    """For as long as the block. It ends by itself when the exporter has closed all its connections: then it comes back."""
    command = ["slowhttptest", *options, "-c", "300", "-r", "150", "-l", "60", "-u", url]
    stop, failures, process = threading.Event(), [], []

    def attack():
        while not stop.is_set():
            process[:] = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)]
            output, _ = process[0].communicate()
            if not stop.is_set() and b"Test ended" not in output:
                failures.append(output[-500:])
                break

    thread = threading.Thread(target=attack)
    thread.start()
    try:
        yield lambda: require(not failures, f"slowhttptest: {failures}")
    finally:
        stop.set()
        process[0].kill()
        thread.join()


def stay_connected(address, count, begin, there):
    """Keeps so many connections; those that are closed come back. `there` says how many there are."""
    poll, members = select.poll(), {}

    def enter():
        try:
            member = socket.create_connection(address, timeout=5)
            member.sendall(begin)
        except OSError:
            return
        members[member.fileno()] = member
        poll.register(member, select.POLLIN | select.POLLHUP)

    while True:
        for _ in range(count - len(members)):
            enter()
        there.value = len(members)
        for number, _ in poll.poll(50):
            poll.unregister(number)
            members.pop(number).close()


@contextlib.contextmanager
def crowd(url, count, begin=b""):
    """So many connections, each of which sends `begin` and then nothing."""
    target = urllib.parse.urlsplit(url)
    # Not a thread: one that is this busy would keep the scrapes here from their turn.
    context = multiprocessing.get_context("fork")
    there = context.Value("i", 0)
    process = context.Process(target=stay_connected, args=((target.hostname, target.port), count, begin, there))
    process.start()
    try:
        yield lambda: require(process.is_alive() and there.value > count / 2, f"there are {there.value} connections")
    finally:
        process.kill()
        process.join()


def waited(pid):
    """The seconds that each thread of a process has waited for a processor so far."""
    found = {}
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has ended
            found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return found


def check_attacked(url, exporter, attack, longest):
    """Other programs on a busy machine keep the exporter from running, and this one: that is not the attack's doing."""
    with attack as goes_on:
        until_true(60, goes_on)
        time.sleep(1)
        took, cost = [], []
        own = str(threading.get_native_id())
        for _ in range(5):
            before = waited(exporter.pid) | {own: waited("self")[own]}
            took.append(scrape(url)[0])
            after = waited(exporter.pid) | {own: waited("self")[own]}
            cost.append(took[-1] - sum(seconds - before.get(thread, 0) for thread, seconds in after.items()))
            time.sleep(1)
        goes_on()
    print(f"  {len(took)} scrapes, the longest {max(took) * 1000:.0f} ms, {max(cost) * 1000:.0f} ms without waiting for a processor")
    require(max(cost) < longest, f"scrapes took {[f'{seconds:.3f} s' for seconds in took]}, of which {[f'{seconds:.3f} s' for seconds in cost]} count")


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    check = Checks()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wolkvox_exporter-")))
        certificates = Certificates(folder)
        config = {
            "tls_server_config": {
                "cert_file": "server.crt",
                "key_file": "server.key",
                "client_ca_file": "ca.crt",
                "client_auth_type": "RequireAndVerifyClientCert",
            },
            "basic_auth_users": {USER: HASH},
        }
        (folder / "web.yml").write_text(json.dumps(config))  # JSON is YAML

        def demo(name, *before, after=()):
            log = folder / f"{name}.log"
            command = [*before, EXPORTER, "demo", "--web.listen-address=127.0.0.1:0", *after]
            exporter = stack.enter_context(running(log, *command))
            return until_true(10, lambda: first_url(exporter, log)) + "/metrics", exporter

        secure, _ = demo("secure", after=[f"--web.config.file={folder / 'web.yml'}"])
        plain = demo("plain")
        tight = demo("tight", "prlimit", "--nofile=64:64")
        starved = demo("starved", "prlimit", "--nofile=24:24")
        until_true(30, lambda: scrape(secure, certificates.context()))
        for url, _ in (plain, tight, starved):
            until_true(30, lambda: scrape(url))

        # Both at once, and first: each takes some seconds until its first scrape.
        job = {
            "scheme": "https",
            "basic_auth": {"username": USER, "password": PASSWORD},
            "tls_config": {
                "ca_file": certificates.path("ca.crt"),
                "cert_file": certificates.path("client.crt"),
                "key_file": certificates.path("client.key"),
            },
        }
        old = stack.enter_context(prometheus(OLD_BIN / "prometheus", secure, folder / "old", {"secure": job}))
        new = stack.enter_context(prometheus(NEW_BIN / "prometheus", secure, folder / "new", {"secure": job}))

        check("curl: TLS, client certificates, passwords, heads", check_curl, secure, certificates)
        check("scraped by the old Prometheus", check_scraped, old)
        check("scraped by the new Prometheus", check_scraped, new)
        check("certificates rotate under load", check_rotation, secure, certificates)
        check("sockets of a service manager", check_socket_activation, folder)
        begun = b"GET /metrics HTTP/1.1\r\nHost: test\r\n"
        for name, (url, exporter), attack, *longest in (
            ("slow heads", plain, slowhttptest(plain[0], "-H", "-i", "1")),
            ("slow bodies", plain, slowhttptest(plain[0], "-B", "-i", "1", "-s", "100000")),
            ("slow readers", plain, slowhttptest(plain[0], "-X", "-w", "1", "-y", "8", "-n", "2", "-z", "1", "-k", "3")),
            ("1,000 idle connections", plain, crowd(plain[0], 1000)),
            ("200 connections with 64 descriptors", tight, crowd(tight[0], 200)),
            # Fewer than are left for connections by its own reckoning.
            ("200 connections without any descriptor left", starved, crowd(starved[0], 200), LONGEST_OF_200),
            ("200 begun requests with 64 descriptors", tight, crowd(tight[0], 200, begun)),
        ):
            check(f"scraped beside {name}", check_attacked, url, exporter, attack, *(longest or [LONGEST]))
        check("scraped all the time by the old Prometheus", check_scraped, old)
        check("scraped all the time by the new Prometheus", check_scraped, new)

    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
