#!/usr/bin/env python3
"""check_compose.py PROMETHEUS_BIN ALERTMANAGER_BIN HADOLINT

Checks compose.yaml, what the other compose files change, the files that are mounted, and the Dockerfile, without an engine: each
configuration by its own program, and that they agree on names, ports and paths.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

import yaml

from lib.exposition import require
from lib.servers import Checks

PROMETHEUS_BIN, ALERTMANAGER_BIN, HADOLINT = map(pathlib.Path, sys.argv[1:])
ROOT = pathlib.Path(__file__).parents[2]
COMPOSE, ACCOUNT, BUILD = (yaml.safe_load((ROOT / f"compose{name}.yaml").read_text()) for name in ("", ".account", ".build"))
SERVICES = COMPOSE["services"]
PACKAGE = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
# Each of these makes Grafana ask a server of its vendor, at start-up, once a day, or when somebody looks at a page.
GRAFANA_AWAY = {
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
    "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
}


def mounts(service, language=None):
    """(path on the host, path in the container) of what is mounted from the host; all of it must be read-only."""
    for volume in SERVICES[service].get("volumes", []):
        volume = re.sub(r"\$\{WOLKVOX_LANGUAGE:-(.*?)\}", lambda default: language or default[1], volume)
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            require(mode == ["ro"], f"{volume} is not read-only")
            yield ROOT / source, target
        else:
            require(source in COMPOSE["volumes"], f"{volume}: no such volume")


def in_container(service, path):
    """The file of the host that is `path` in the container."""
    found = [source / pathlib.PurePosixPath(path).relative_to(target) for source, target in mounts(service)
             if pathlib.PurePosixPath(path).is_relative_to(target)]
    require(len(found) == 1, f"{path} is mounted {len(found)} times in {service}")
    return found[0]


def option(service, name):
    found = [word.split("=", 1)[1] for word in SERVICES[service]["command"] if word.startswith(f"--{name}=")]
    require(len(found) == 1, f"{service} has --{name} {len(found)} times")
    return found[0]


def ran(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    require(done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}")


def port(service):
    """The port in the container; outside it is the same unless a variable says otherwise."""
    (published,) = SERVICES[service]["ports"]
    found = re.fullmatch(r"127\.0\.0\.1:\$\{([A-Z]+)_PORT:-(\d+)\}:(\d+)", published)
    require(found, f"{service} publishes {published}")
    variable, outside, inside = found.groups()
    require(variable.lower() == service and outside == inside, f"{service} publishes {published}")
    return inside


def check_services():
    require(set(SERVICES) == {"exporter", "prometheus", "alertmanager", "grafana"}, f"services {set(SERVICES)}")
    for name, service in SERVICES.items():
        pinned = re.fullmatch(r"[\w/.-]+:v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}", service["image"])
        ours = service["image"] == f"ghcr.io/wolkvox-exporter/wolkvox_exporter:{PACKAGE['version']}"
        require(ours if name == "exporter" else pinned, f"{name}: {service['image']} is not pinned")
        # It has to be on a machine without the sources of the exporter, and is gone after a reboot.
        require("build" not in service and "restart" not in service, f"{name} is built, or starts by itself")
        require(service["read_only"] is True and service["cap_drop"] == ["ALL"], f"{name} could write, or has capabilities")
        require(re.fullmatch(r"[1-9]\d*:\d+", service["user"]), f"{name} runs as {service['user']}")
        require(name == "exporter" or f":{port(name)}/" in " ".join(service["healthcheck"]["test"]), f"{name}: health of another port")
        require(not {"env_file", "secrets", "privileged", "network_mode"} & set(service), f"{name} takes more from the host")


def check_account():
    require(ACCOUNT["name"] != COMPOSE["name"], "the data would be mixed with that of the demo")
    services = ACCOUNT["services"]
    require(services.keys() == SERVICES.keys(), f"services {services.keys()}")
    for name, service in services.items():
        require(service["restart"] == "unless-stopped", f"{name} is away after a reboot")
        # What is not here stays as it is checked above.
        require(service.keys() <= {"restart", "command", "volumes", "stop_grace_period"}, f"{name} changes {service.keys()}")
        mounted = [volume for volume in service.get("volumes", []) if isinstance(volume, dict)]
        for volume in mounted:
            require(volume["source"].startswith("./settings") and volume["read_only"] is True, f"{name} mounts {volume}")
            require(volume["bind"] == {"create_host_path": False}, f"{name}: a missing {volume['source']} would be made up")
    exporter = services["exporter"]
    require(not any("demo" in word for word in exporter["command"]), "it is still the demo")
    targets = {volume["target"] for volume in exporter["volumes"] if isinstance(volume, dict)} | {
        volume.split(":")[1] for volume in exporter["volumes"] if isinstance(volume, str)}
    for flag in exporter["command"]:
        path = pathlib.PurePosixPath(flag.split("=")[1])
        require(any(path.is_relative_to(target) for target in targets), f"{flag} is not in {targets}")
    (own,) = services["alertmanager"]["volumes"]
    first, *rest = services["alertmanager"]["command"]
    require(first == f"--config.file={own['target']}" and own["target"] not in dict(mounts("alertmanager")).values(),
            f"Alertmanager reads {first}, and {own['target']} is mounted")
    require(rest == SERVICES["alertmanager"]["command"][1:], f"Alertmanager's other flags {rest}")
    kept = (ROOT / ".gitignore").read_text().splitlines()
    require("/settings" in kept, "tokens in settings could be committed")


def check_build():
    require(BUILD == {"services": {"exporter": {"image": "wolkvox_exporter", "build": "."}}}, f"{BUILD}")


def check_mounts():
    for service in SERVICES:
        for source, _ in mounts(service):
            require(source.exists(), f"{service}: {source.relative_to(ROOT)} is not there")
            require(source.is_file() or any(source.iterdir()), f"{service}: {source.relative_to(ROOT)} is empty")


def check_prometheus():
    path = option("prometheus", "config.file")
    config = yaml.safe_load(in_container("prometheus", path).read_text())
    for section, service in ((config["scrape_configs"][0], "exporter"), (config["alerting"]["alertmanagers"][0], "alertmanager")):
        require(section["static_configs"] == [{"targets": [f"{service}:{port(service)}"]}], f"Prometheus asks {section}")
    rules = sorted((ROOT / "alerts").glob("*.rules.yml"))
    for language, own in ((None, rules), ("es", [ROOT / "alerts/es" / file.name if file.name == "alerts.rules.yml" else file for file in rules])):
        with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
            # As in the container: paths in the configuration start at its own folder, and later mounts cover earlier ones.
            for source, target in mounts("prometheus", language):
                copy = pathlib.Path(folder + target)
                copy.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
            found = [file for pattern in config["rule_files"] for file in sorted(pathlib.Path(folder + path).parent.glob(pattern))]
            require([file.read_bytes() for file in found] == [file.read_bytes() for file in own], f"language {language}: Prometheus reads {found}")
            ran(PROMETHEUS_BIN / "promtool", "check", "config", folder + path)


def check_alertmanager():
    file = in_container("alertmanager", option("alertmanager", "config.file"))
    ran(ALERTMANAGER_BIN / "amtool", "check-config", file)
    config = yaml.safe_load(file.read_text())
    require("global" not in config and "templates" not in config, f"{config}")
    require(all(receiver.keys() == {"name"} for receiver in config["receivers"]), f"the demo sends messages: {config['receivers']}")


def check_grafana():
    provisioning = in_container("grafana", "/etc/grafana/provisioning")
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    require(source["url"] == f"http://prometheus:{port('prometheus')}", f"Grafana asks {source['url']}")
    require(source["type"] == "prometheus" and source["isDefault"], "Prometheus is not the default source")
    scrape = yaml.safe_load(in_container("prometheus", option("prometheus", "config.file")).read_text())["global"]["scrape_interval"]
    require(source["jsonData"]["timeInterval"] == scrape, f"Grafana expects a scrape each {source['jsonData']['timeInterval']}")
    (provider,) = yaml.safe_load((provisioning / "dashboards/wolkvox.yml").read_text())["providers"]
    require(provider["allowUiUpdates"] is False, "dashboards could be changed in place")
    folder = in_container("grafana", provider["options"]["path"] + "/wolkvox")
    require(len(list(folder.glob("*.json"))) == 8, f"dashboards in {folder}")
    environment = SERVICES["grafana"]["environment"]
    home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    for ending in ("", "-es"):
        path = home.replace("${WOLKVOX_LANGUAGE:+-}${WOLKVOX_LANGUAGE:-}", ending)
        require(path != home and in_container("grafana", path).is_file(), f"no {path}")
    require(GRAFANA_AWAY.items() <= environment.items(), f"Grafana asks elsewhere: {GRAFANA_AWAY.items() - environment.items()}")
    require(not any("INSTALL_PLUGINS" in name or name == "GF_PLUGINS_PREINSTALL" for name in environment), "Grafana fetches plugins")


def check_dockerfile():
    ran(HADOLINT, ROOT / "Dockerfile")
    text = (ROOT / "Dockerfile").read_text()
    bases = [base for base in re.findall(r"^FROM (\S+)", text, re.M) if base != "scratch"]
    require(len(bases) == 1 and re.fullmatch(rf"rust:{PACKAGE['rust-version']}-[\w-]+@sha256:[0-9a-f]{{64}}", bases[0]),
            f"built from {bases}, not from a pinned Rust {PACKAGE['rust-version']}")
    require(f"ARG VERSION={PACKAGE['version']}\n" in text, f"the label is not version {PACKAGE['version']}")
    final = text.split("FROM scratch\n")[1]
    require('org.opencontainers.image.source="https://github.com/wolkvox-exporter/wolkvox_exporter"' in final, "the image does not name its sources")
    require(re.search(r"^USER 65532:65532$", final, re.M) and re.search(r"^EXPOSE 9963$", final, re.M), "user or port")
    require(port("exporter") == "9963", "the port of the exporter")
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    named = {"src", "Cargo.toml", "Cargo.lock", "build.rs"}
    # Cargo refuses a manifest whose targets are not there.
    tables = tomllib.loads((ROOT / "Cargo.toml").read_text())
    named |= {"benches"} if "bench" in tables else set()
    named |= {"examples"} if (ROOT / "examples").exists() else set()
    named |= {str(pathlib.PurePosixPath(one["path"]).parent) for one in tables.get("test", [])}
    named |= {f"{member}/{part}" for member in tables["workspace"]["members"] for part in ("Cargo.toml", "src")}
    require(named <= set(kept), f"the build needs {named - set(kept)}")


def main():
    check = Checks()
    check("services: pinned, read-only, without rights, on loopback, away after a reboot", check_services)
    check("an own account: other data, started again, its files from settings", check_account)
    check("an own build changes only the image", check_build)
    check("all that is mounted is there", check_mounts)
    check("promtool takes Prometheus's configuration, and in each language its alerts", check_prometheus)
    check("amtool takes Alertmanager's configuration", check_alertmanager)
    check("Grafana's provisioning fits", check_grafana)
    check("hadolint takes the Dockerfile", check_dockerfile)
    return check.verdict()


if __name__ == "__main__":
    sys.exit(main())
