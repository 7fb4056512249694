#!/usr/bin/env python3
"""check_image.py BUILT SIMULATOR

Checks what build-image.sh put into the folder BUILT, and runs the exporter as a container would: by the image's own root,
read-only, as its user, with its entrypoint and working directory. SIMULATOR is a binary of the exporter for the other side.
Needs root.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading

from lib.crates import check_crates
from lib.exposition import families, require
from lib.servers import Checks, body, first_url, free_address, get, running, until_true

BUILT, SIMULATOR = map(pathlib.Path, sys.argv[1:])
IMAGE = json.loads((BUILT / "image.json").read_text())["OCIv1"]
CONFIG = IMAGE["config"]
USER = 65532
# What engines lay into every container, beside /proc.
ENGINE = ("/etc/hosts", "/dev/null", "/dev/random", "/dev/urandom")
LIMIT = 13_500_000  # bytes of the whole image


@contextlib.contextmanager
def container(folder, log, *arguments, state=None, settings=None, without=None):
    """The image's entrypoint with `arguments`. `state` is the volume for it, `settings` the one of its configuration; the
    file `without` of the image is hidden."""
    root = folder / "root"
    mounts = ["mount -t proc -o ro proc $ROOT/proc", *(f"mount --bind {path} $ROOT{path}" for path in ENGINE)]
    if state:
        mounts.append(f"mount --bind {state} $ROOT/var/lib/wolkvox_exporter")
    if settings:
        mounts.append(f"mount --bind -o ro {settings} $ROOT/etc/wolkvox_exporter")
    if without:
        mounts.append(f"mount --bind /dev/null $ROOT{without}")
    script = "\n".join([
        "set -e",
        "mount --bind $ROOT $ROOT",
        "cd $ROOT",
        *mounts,
        "mount -o remount,ro,bind $ROOT",
        'exec setpriv --clear-groups --no-new-privs --bounding-set -all,+setuid,+setgid,+sys_chroot \\',
        f'  unshare --root=$ROOT --wd={CONFIG["WorkingDir"]} --setgid={USER} --setuid={USER} "$@"',
    ])
    command = ["unshare", "--mount", "env", "-i", f"PATH={os.environ['PATH']}", f"ROOT={root}", *CONFIG.get("Env", [])]
    with running(log, *command, "sh", "-c", script, "sh", *CONFIG["Entrypoint"], *arguments) as process:
        yield process


def files(root):
    """Kind, rights and owner of all that is in the image, by path."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        found[f"/{path.relative_to(root)}"] = (stat.filemode(status.st_mode), status.st_uid, status.st_gid)
    return found


# The checks.


def check_metadata():
    require(IMAGE["os"] == "linux" and IMAGE["architecture"] == {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
            f"{IMAGE['os']} on {IMAGE['architecture']}")
    require(CONFIG["User"] == f"{USER}:{USER}", f"user {CONFIG['User']}")
    require(CONFIG["Entrypoint"] == ["/wolkvox_exporter"] and not CONFIG.get("Cmd"), "entrypoint or command")
    require(set(CONFIG["ExposedPorts"]) in ({"9963"}, {"9963/tcp"}), f"ports {CONFIG['ExposedPorts']}")
    require(CONFIG["WorkingDir"] == "/etc/wolkvox_exporter", f"working directory {CONFIG['WorkingDir']}")
    require(not CONFIG.get("Volumes"), "a volume that is made unasked loses the state with its container")
    # Nothing of the build, no more than engines set themselves.
    require({word.split("=")[0] for word in CONFIG.get("Env", [])} <= {"PATH"}, f"environment {CONFIG['Env']}")
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in CONFIG["Labels"].items()}
    version, revision = version_of(BUILT / "dist/wolkvox_exporter")
    require(re.fullmatch("[0-9a-f]{12}", revision), f"revision {revision}")
    expected = {"title": "wolkvox_exporter", "source": "https://github.com/wolkvox-exporter/wolkvox_exporter", "licenses": "Apache-2.0", "version": version, "revision": revision}
    require(expected.items() <= labels.items() and labels["description"], f"labels {labels}")


def version_of(program):
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    return re.fullmatch(r"wolkvox_exporter (\S+) \(revision (\S+), rustc \S+\)\n", text).groups()


def check_files():
    found = files(BUILT / "root")
    # Folders on the way to a file are the builder's own.
    leaves = {path: what for path, what in found.items() if not any(other.startswith(f"{path}/") for other in found)}
    require(leaves == {
        "/wolkvox_exporter": ("-rwxr-xr-x", 0, 0),
        "/etc/ssl/certs/ca-certificates.crt": ("-rw-r--r--", 0, 0),
        "/etc/wolkvox_exporter": ("drwxr-xr-x", 0, 0),
        "/var/lib/wolkvox_exporter": ("drwxr-xr-x", USER, USER),
    }, f"the image has {leaves}")
    for path, (mode, *_) in found.items():
        require(mode[8] != "w" and "s" not in mode.lower()[1:], f"{path} is {mode}")
    require((BUILT / "root/etc/ssl/certs/ca-certificates.crt").read_text().count("BEGIN CERTIFICATE") > 100, "CA certificates")
    size = sum(path.stat().st_size for path in (BUILT / "root").rglob("*") if path.is_file())
    binary = (BUILT / "root/wolkvox_exporter").stat().st_size
    print(f"the image has {size:,} bytes, {binary:,} of them the exporter")
    require(size < LIMIT, f"the image has {size} bytes")


def check_binary():
    (program,) = (BUILT / "dist").iterdir()
    require(program.read_bytes() == (BUILT / "root/wolkvox_exporter").read_bytes(), "not the image's own")
    headers = subprocess.run(["readelf", "--program-headers", "--dynamic", "--wide", program],
                             capture_output=True, text=True, check=True, timeout=30).stdout
    require("INTERP" not in headers and "(NEEDED)" not in headers, f"it is not linked statically: {headers}")
    print(check_crates(program))


def check_demo(folder):
    log = folder / "demo.log"
    with container(folder, log, "demo", "--web.listen-address=127.0.0.1:0") as process:
        url = until_true(20, lambda: first_url(process, log))
        until_true(30, lambda: get(f"{url}/-/ready"))
        get(f"{url}/-/healthy")
        up = families(body(f"{url}/metrics", "text"), "text")["wolkvox_up"]
        require(len(up.series) == 33, f"{len(up.series)} reports")
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        require(re.search(rf"^Uid:(\s+{USER}){{4}}$", status, re.M) and re.search(rf"^Gid:(\s+{USER}){{4}}$", status, re.M)
                and re.search(r"^Groups:\s*$", status, re.M), f"it runs as {status}")
        require(re.search(r"^CapEff:\s+0+$", status, re.M), "it has capabilities")
        process.send_signal(signal.SIGTERM)
        require(process.wait(20) == 0, f"exit {process.returncode}: {log.read_text()[-2000:]}")


def settings_for(folder, url, token="x"):
    """A volume with a configuration for one operation that is asked at `url`."""
    folder.mkdir()
    operation = {"name": "acme", "url": url, "token_file": "acme.token", "timezone": "America/Bogota"}
    (folder / "wolkvox.yml").write_text(json.dumps({  # JSON is YAML
        "state_path": "/var/lib/wolkvox_exporter",
        "operations": [{**operation, "reports": {"campaigns": {"interval": "1s"}}, "daily_calls": 1_000_000}],
    }))
    (folder / "acme.token").write_text(token)
    (folder / "acme.token").chmod(0o400)
    os.chown(folder / "acme.token", USER, USER)
    return folder


def volume(folder):
    """A new volume, which an engine fills with what the image has there, with its owner."""
    folder.mkdir()
    made = (BUILT / "root/var/lib/wolkvox_exporter").stat()
    os.chown(folder, made.st_uid, made.st_gid)
    folder.chmod(stat.S_IMODE(made.st_mode))
    return folder


def check_configured(folder):
    """A name is asked for, which /etc/hosts knows: the resolver, too, is linked statically."""
    simulator_log, log = folder / "simulator.log", folder / "configured.log"
    with running(simulator_log, SIMULATOR, "simulator", "--web.listen-address=127.0.0.1:0") as simulator:
        url = until_true(20, lambda: first_url(simulator, simulator_log))
        token = until_true(5, lambda: re.search(r"token (\w+)", simulator_log.read_text())[1])
        settings = settings_for(folder / "settings", url.replace("127.0.0.1", "localhost"), token)
        state = volume(folder / "state")
        address = free_address()
        with container(folder, log, f"--web.listen-address={address}", state=state, settings=settings) as process:
            until_true(20, lambda: get(f"http://{address}/-/healthy"))

            def polled():
                text = body(f"http://{address}/metrics", "text")
                require('wolkvox_up{operation="acme",report="campaigns"} 1.0\n' in text, f"not up: {log.read_text()[-1000:]}")
                require("\nwolkvox_campaign_records{" in text, "no campaign")
                require("\nprocess_start_time_seconds " in text, "no metrics of the process")

            until_true(30, polled)
            process.send_signal(signal.SIGTERM)
            require(process.wait(20) == 0, f"exit {process.returncode}: {log.read_text()[-2000:]}")
        (kept,) = state.iterdir()
        require(kept.name == "acme.redb" and kept.stat().st_uid == USER, f"the state is {kept}")


def check_state_not_writable(folder):
    """Without a volume the root is read-only: better no start than counts that are lost."""
    log = folder / "unwritable.log"
    settings = settings_for(folder / "unwritable", "http://127.0.0.1:9")
    with container(folder, log, "--web.listen-address=127.0.0.1:0", settings=settings) as process:
        require(process.wait(20) == 1, f"exit {process.returncode}: {log.read_text()}")
    said = log.read_text().splitlines()[-1]
    require("/var/lib/wolkvox_exporter" in said and "permissions" in said, f"it says: {said}")


def serve_tls(folder):
    """A server whose certificate nobody vouches for; it ends with the program."""
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", certificate, "-keyout", key],
                   check=True, capture_output=True, timeout=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            with contextlib.suppress(OSError), listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True):
                pass

    threading.Thread(target=serve, daemon=True).start()
    return f"https://localhost:{listener.getsockname()[1]}"


def check_certificates(folder):
    """The image's own CA certificates are found: a stranger's is refused because of them, and not for want of them."""
    settings = settings_for(folder / "tls", serve_tls(folder))
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    for without, expected in ((None, "is that of a CA, which no server may use"), (bundle, "No CA certificates")):
        log = folder / "tls.log"
        with container(folder, log, "check-api", settings=settings, without=without) as process:
            require(process.wait(120) == 1, f"exit {process.returncode}: {log.read_text()}")
        require(expected in log.read_text(), f"it says: {log.read_text()}")


def check_plugins(folder):
    """On a host whose names are resolved by a plugin, too: it is not loaded. This one would end whoever loads it."""
    root = folder / "root"
    libraries = root / "lib" / subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=True).stdout.strip()
    libraries.mkdir(parents=True)
    subprocess.run(["gcc", "-shared", "-nostdlib", "-x", "c", "-", "-o", libraries / "libnss_probe.so.2"], check=True, text=True,
                   input="__attribute__((constructor)) static void loaded(void) { __builtin_trap(); }\n")
    (root / "etc/nsswitch.conf").write_text("hosts: probe files dns\n")
    log = folder / "plugins.log"
    port = free_address().split(":")[1]
    settings = settings_for(folder / "plugins", f"http://localhost:{port}")
    with container(folder, log, "check-api", settings=settings) as process:
        require(process.wait(60) == 1, f"exit {process.returncode}: {log.read_text()}")
    require("refused" in log.read_text(), f"localhost was not found: {log.read_text()}")


def main():
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        root = folder / "root"
        shutil.copytree(BUILT / "root", root)
        (root / "proc").mkdir()
        (root / "dev").mkdir()
        for path in ENGINE:
            (root / path.lstrip("/")).touch()
        check("user, entrypoint, port, labels", check_metadata)
        check("nothing is in it but the exporter, CA certificates and two folders", check_files)
        check("the target `binary` is the same program, static, with the list of its crates", check_binary)
        check("the demo on a read-only root, as 65532, without rights", check_demo, folder)
        check("with a configuration, a token and a volume", check_configured, folder)
        check("a state that cannot be written is told", check_state_not_writable, folder)
        check("CA certificates are found", check_certificates, folder)
        check("names are resolved without plugins of the host", check_plugins, folder)
    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
