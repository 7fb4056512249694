#!/usr/bin/env python3
"""check_package.py BUILT ROOT SIMULATOR

Installs what build-package.sh put into the folder BUILT into the Debian whose root is in the folder ROOT, which itself stays as
it is. There is no systemd to start the service: it is started with the unit's own arguments, user and socket. SIMULATOR is a
binary of the exporter for the other side. Needs root.
"""

import contextlib
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib

from lib.exposition import require
from lib.servers import Checks, body, first_url, free_address, running, until_true

BUILT, ROOT, SIMULATOR = map(pathlib.Path, sys.argv[1:])
SOURCE = pathlib.Path(__file__).parents[2]
NAME, USER = "wolkvox-exporter", "wolkvox-exporter"
CONFIG, STATE = "etc/wolkvox_exporter", "var/lib/wolkvox_exporter"
DEFAULT, SERVICE = "etc/default/wolkvox_exporter", "usr/lib/systemd/system/wolkvox_exporter.service"
WANTS = "etc/systemd/system/multi-user.target.wants/wolkvox_exporter.service"
SHARE = "usr/share/wolkvox_exporter"
# systemd-analyze's measure of what a service could do: 10 is everything.
EXPOSURE = 1.5
# What may change where a package was installed and purged: the package manager's own files, and the user.
OWN = re.compile(r"(var/(lib/(dpkg|apt|systemd)|log|cache)|etc/(passwd|group|shadow|gshadow)-?$|etc/\.pwd\.lock$|tmp|srv|run|dev)")


def ran(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, **options)
    require(done.returncode == 0, f"{command[0]}: exit {done.returncode}: {(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


class Machine:
    """A Debian whose changes are in a folder of their own."""

    def __init__(self, stack, folder):
        self.changes, self.root = folder / "changes", folder / "root"
        for made in (self.changes, folder / "work", self.root):
            made.mkdir()
        layers = f"lowerdir={ROOT},upperdir={self.changes},workdir={folder / 'work'}"
        ran("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
        stack.callback(ran, "umount", "--recursive", self.root)
        ran("mount", "-t", "proc", "proc", self.root / "proc")

    def command(self, *command, user=None):
        """The command as the shell of that machine would start it."""
        group = {"nobody": "nogroup"}.get(user, user)
        as_user = ("setpriv", f"--reuid={user}", f"--regid={group}", "--init-groups") if user else ()
        return ("chroot", self.root, *as_user, *command)

    def ran(self, *command, user=None):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        return ran(*self.command(*command, user=user), env=env)

    def apt(self, *arguments):
        return self.ran("apt-get", "--quiet", "--yes", "--no-install-recommends", *arguments)

    def owner(self, path):
        return self.ran("stat", "--format=%A %U %G", f"/{path}").strip()


def unit(machine):
    """The settings of the service, each a list: some are there several times."""
    settings = {}
    for line in (machine.root / SERVICE).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            settings.setdefault(name, []).append(value)
    return settings


def start_command(machine):
    """ExecStart= as systemd would read it, with ARGS of the environment file."""
    (start,), (environment,) = unit(machine)["ExecStart"], unit(machine)["EnvironmentFile"]
    require(environment == f"-/{DEFAULT}", f"EnvironmentFile={environment}")
    (arguments,) = re.findall(r'^ARGS="(.*)"$', (machine.root / DEFAULT).read_text(), re.M)
    return [part for word in start.split() for part in (shlex.split(arguments) if word == "$ARGS" else [word])]


# The checks.


def check_metadata(package):
    field = lambda name: ran("dpkg-deb", "--field", package, name).strip()
    version = tomllib.loads((SOURCE / "Cargo.toml").read_text())["package"]["version"]
    require((field("Package"), field("Version")) == (NAME, f"{version}-1"), f"{field('Package')} {field('Version')}")
    require(field("Architecture") == ran("dpkg", "--print-architecture").strip(), field("Architecture"))
    require("libc6" not in field("Depends"), f"it depends on {field('Depends')}")
    first = (SOURCE / "deploy/debian/changelog").read_text().split("\n")[0]
    require(first.startswith(f"{NAME} ({version}-1) "), f"the changelog begins with {first}")


def check_contents(package):
    listed = [line.split(maxsplit=5) for line in ran("dpkg-deb", "--contents", package).splitlines()]
    require({owner for _, owner, *_ in listed} <= {"root/root", "0/0"}, "owners")
    modes = {path.removeprefix("./"): mode for mode, *_, path in listed if not path.endswith("/")}
    require({path for path, mode in modes.items() if "x" in mode} == {"usr/bin/wolkvox_exporter", f"{SHARE}/alerts/dry-run"}, "programs")
    require(not [path for path, mode in modes.items() if mode[5] == "w" or mode[8] == "w" or "s" in mode], "rights")
    expected = {
        "usr/bin/wolkvox_exporter", DEFAULT, SERVICE, SERVICE.replace(".service", ".socket"),
        "usr/lib/sysusers.d/wolkvox_exporter.conf", f"{SHARE}/wolkvox.example.yml",
        "usr/share/bash-completion/completions/wolkvox_exporter", "usr/share/zsh/vendor-completions/_wolkvox_exporter",
        "usr/share/fish/vendor_completions.d/wolkvox_exporter.fish", "usr/share/man/man1/wolkvox_exporter.1.gz",
        f"usr/share/doc/{NAME}/changelog.Debian.gz", f"usr/share/doc/{NAME}/copyright",
        f"{SHARE}/alerts/dry-run",
        *(f"{SHARE}/{path.relative_to(SOURCE)}" for folder in ("alerts", "alerts/es") for path in (SOURCE / folder).glob("*.yml")),
        *(f"{SHARE}/dashboards/{path.name}" for path in (SOURCE / "dashboards/wolkvox").glob("*.json")),
        *(f"{SHARE}/dashboards/es/{path.name}" for path in (SOURCE / "dashboards/wolkvox-es").glob("*.json")),
    }
    others = {path for path in modes if re.fullmatch(r"usr/share/man/man1/wolkvox_exporter-[a-z-]+\.1\.gz", path)}
    require(others and set(modes) - others == expected, f"differing: {(set(modes) - others) ^ expected}")
    conffiles = ran("dpkg-deb", "--info", package, "conffiles").split()
    require(conffiles == [f"/{DEFAULT}"], f"conffiles {conffiles}")


def check_installed(machine, package):
    shutil.copy(package, machine.root / "srv/first.deb")
    machine.apt("install", "/srv/first.deb")
    # Nobody else may read what is put there, whatever the mask of who does.
    require(machine.owner(CONFIG) == f"drwxr-s--- root {USER}", f"/{CONFIG} is {machine.owner(CONFIG)}")
    require(machine.ran("id", "--user", "--name", USER).strip() == USER, "the user")
    require(int(machine.ran("id", "--user", USER)) < 1000, "not a user of the system")
    require((machine.root / WANTS).is_symlink(), "the service is not enabled")
    require(not list(machine.root.glob("etc/systemd/system/sockets.target.wants/wolkvox*")), "the socket is enabled")
    # Nothing to start until there is a configuration.
    require(unit(machine)["ConditionPathExists"] == [f"/{CONFIG}/wolkvox.yml"], "the condition")
    require(not (machine.root / CONFIG / "wolkvox.yml").exists(), "a configuration that nobody wrote")


def check_documents(machine):
    pages = list(machine.root.glob("usr/share/man/man1/wolkvox_exporter*"))
    require(len(pages) >= 5, f"{len(pages)} manual pages")
    for page in pages:
        text = subprocess.run(["zcat", page], capture_output=True, check=True).stdout
        shown = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=text, capture_output=True, timeout=30)
        require(shown.returncode == 0 and not shown.stderr, f"{page.name}: {shown.stderr.decode()}")
    bash = machine.root / "usr/share/bash-completion/completions/wolkvox_exporter"
    script = f"source {bash}; COMP_WORDS=(wolkvox_exporter --log.f) COMP_CWORD=1; " \
        'complete -p wolkvox_exporter >/dev/null; _wolkvox_exporter wolkvox_exporter --log.f wolkvox_exporter; echo "${COMPREPLY[*]}"'
    require(ran("bash", "-c", script).strip() == "--log.format", f"completed to {ran('bash', '-c', script)}")


def check_unit(machine):
    units = "wolkvox_exporter.service", "wolkvox_exporter.socket"
    machine.ran("systemd-analyze", "verify", "--man=no", *units)
    text = machine.ran("systemd-analyze", "security", "--offline=true", "--no-pager", units[0])
    level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", text)[1])
    print(f"systemd-analyze security: {level}")
    require(level <= EXPOSURE, f"exposure {level}")
    require(unit(machine)["LimitCORE"] == ["0"], "a crash could write tokens to a disk")


@contextlib.contextmanager
def notified(machine):
    """What the service manager is told: a function that returns all messages until now."""
    path = machine.root / "run/notify"
    path.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.setblocking(False)
        heard = []

        def messages():
            with contextlib.suppress(BlockingIOError):
                while True:
                    heard.extend(listener.recv(4096).decode().split("\n"))
            return heard

        try:
            yield messages
        finally:
            path.unlink()


@contextlib.contextmanager
def simulated(machine, folder):
    """The shipped example, with the simulator's address, zone and token."""
    log = folder / "simulator.log"
    with running(log, SIMULATOR, "simulator", "--web.listen-address=127.0.0.1:0") as simulator:
        url = until_true(20, lambda: first_url(simulator, log))
        zone, token = until_true(5, lambda: re.search(r"operation \w+ \((\S+)\): token (\w+)", log.read_text()).groups())
        config = machine.root / CONFIG
        text = (machine.root / SHARE / "wolkvox.example.yml").read_text()
        for old, new in (('server: "0001"', f"url: {url}"), ("\n    timezone: America/Bogota", f"\n    timezone: {zone}")):
            require(text.count(old) == 1, f"{old} in the example")
            text = text.replace(old, new)
        (config / "wolkvox.yml").write_text(text)
        (config / "acme.token").write_text(token)
        machine.ran("wolkvox_exporter", "check-config", f"/{CONFIG}/wolkvox.yml", user=USER)
        found = subprocess.run(machine.command("cat", f"/{CONFIG}/acme.token", user="nobody"), capture_output=True, text=True)
        require("Permission denied" in found.stderr, f"others may read the token: {found.returncode} {found.stderr}")
        yield


def until_up(address, log):
    def attempt():
        text = body(f"http://{address}/metrics", "text")
        up = re.findall(r'^wolkvox_up\{operation="acme",report="\w+"\} (\S+)$', text, re.M)
        require(up == ["1.0"] * 11, f"wolkvox_up is {up}: {log.read_text()[-1500:]}")

    until_true(40, attempt)


def prepare_state(machine):
    """What StateDirectory= does."""
    require(unit(machine)["StateDirectory"] == ["wolkvox_exporter"] and unit(machine)["StateDirectoryMode"] == ["0700"], "state")
    machine.ran("install", "-d", "-o", USER, "-g", USER, "-m", "0700", f"/{STATE}")


def check_started(machine, folder):
    address, log = free_address(), folder / "service.log"
    default = machine.root / DEFAULT
    default.write_text(default.read_text().replace('ARGS=""', f'ARGS="--web.listen-address={address}"'))
    prepare_state(machine)
    command = machine.command("env", "NOTIFY_SOCKET=/run/notify", "sh", "-c", f'umask {unit(machine)["UMask"][0]}; exec "$@"', "sh",
                              *start_command(machine), user=USER)
    require(unit(machine)["User"] == [USER] and unit(machine)["Type"] == ["notify"], "user or type")
    with simulated(machine, folder), notified(machine) as messages, running(log, *command) as process:
        until_true(20, lambda: require("READY=1" in messages(), f"not ready: {log.read_text()}"))
        until_up(address, log)
        require(unit(machine)["ExecReload"] == ["/bin/kill -HUP $MAINPID"], "how to reload")
        config = machine.root / CONFIG / "wolkvox.yml"
        config.write_text(config.read_text().replace("name: acme", "name: other"))
        process.send_signal(signal.SIGHUP)

        def reloaded():
            require("RELOADING=1" in messages() and messages().count("READY=1") == 2, f"told {messages()}")
            text = body(f"http://{address}/metrics", "text")
            require('operation="other"' in text and 'operation="acme"' not in text, "the old operation is served")

        until_true(40, reloaded)
        process.send_signal(signal.SIGTERM)
        require(process.wait(20) == 0, f"exit {process.returncode}: {log.read_text()[-2000:]}")
        require("STOPPING=1" in messages(), f"told {messages()}")
    for name in ("acme.redb", "other.redb"):
        require(machine.owner(f"{STATE}/{name}") == f"-rw------- {USER} {USER}", machine.owner(f"{STATE}/{name}"))
    # The administrator's own change, which has to outlive upgrades.
    require(address in default.read_text(), "the arguments")


def check_socket(machine, folder):
    """systemd's own program hands over the socket, as the socket unit would, and starts the service for the first client."""
    sockets = (machine.root / SERVICE.replace(".service", ".socket")).read_text()
    require("\nListenStream=9963\n" in sockets, "the socket unit listens elsewhere")
    start = [word for word in start_command(machine) if not word.startswith("--web.listen-address")]
    address, log = free_address(), folder / "socket.log"
    command = machine.command("systemd-socket-activate", f"--listen={address}", *start, user=USER)
    with simulated(machine, folder), running(log, *command) as process:
        until_true(20, lambda: require("Listening on" in log.read_text(), "nobody listens"))
        until_up(address, log)
        process.send_signal(signal.SIGTERM)
        require(process.wait(20) == 0, f"exit {process.returncode}: {log.read_text()[-2000:]}")


def check_upgrade(machine, package):
    shutil.copy(package, machine.root / "srv/next.deb")
    kept = [machine.root / DEFAULT, machine.root / CONFIG / "wolkvox.yml", machine.root / CONFIG / "acme.token"]
    before = [path.read_bytes() for path in kept]
    (machine.root / CONFIG).chmod(0o2770)
    (machine.root / WANTS).unlink()  # as systemctl disable does
    machine.apt("install", "/srv/next.deb")
    require(machine.ran("dpkg-query", "--show", "--showformat=${Version}", NAME) == "9.0.0-1", "the version")
    require([path.read_bytes() for path in kept] == before, "an upgrade changed what the administrator wrote")
    require(machine.owner(CONFIG).startswith("drwxrws---"), "an upgrade changed rights that the administrator gave")
    require(not (machine.root / WANTS).is_symlink(), "an upgrade enabled what was disabled")
    require((machine.root / STATE / "acme.redb").exists(), "an upgrade took the state")


def check_removed(machine):
    machine.apt("remove", NAME)
    require(not (machine.root / "usr/bin/wolkvox_exporter").exists() and not (machine.root / SERVICE).exists(), "not removed")
    for path in (DEFAULT, f"{CONFIG}/wolkvox.yml", f"{CONFIG}/acme.token", f"{STATE}/acme.redb"):
        require((machine.root / path).exists(), f"/{path} is gone")
    machine.apt("install", "/srv/first.deb")
    require((machine.root / STATE / "acme.redb").exists() and (machine.root / "usr/bin/wolkvox_exporter").exists(), "again")


def check_purged(machine):
    machine.apt("purge", NAME)
    left = [str(path.relative_to(machine.changes)) for path in machine.changes.rglob("*") if not path.is_dir()]
    left = [path for path in left if not OWN.match(path)]
    require(not left, f"left behind: {left}")
    for path in (CONFIG, STATE, SHARE, f"usr/share/doc/{NAME}"):
        require(not (machine.root / path).exists(), f"/{path} is left")
    require(not list(machine.changes.rglob("*wolkvox*redb")) and not list(machine.root.glob("var/lib/systemd/*/*wolkvox*")), "traces")


def main():
    check = Checks()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wolkvox_exporter-")))
        folder.chmod(0o755)
        package = BUILT / "package.deb"
        print(f"the package has {package.stat().st_size:,} bytes")
        machine = Machine(stack, folder)
        check("name, version, nothing needed of libc6", check_metadata, package)
        check("what is in it", check_contents, package)
        check("installed: user, rights, enabled, off until configured", check_installed, machine, package)
        check("manual pages and completions", check_documents, machine)
        check("systemd takes the units, and the service can do little", check_unit, machine)
        check("started, scraped, reloaded and stopped as its user", check_started, machine, folder)
        check("started by its socket", check_socket, machine, folder)
        check("an upgrade keeps what the administrator changed", check_upgrade, machine, BUILT / "next.deb")
        check("removed, everything is kept for the next installation", check_removed, machine)
        check("purged, nothing is left", check_purged, machine)
    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
