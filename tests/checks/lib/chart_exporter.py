"""Rules for the Helm chart that the exporter itself decides: it is run as its container would run it, with all that is mounted."""

import contextlib
import pathlib
import re
import socket
import ssl
import tempfile
import urllib.error
import urllib.request

import yaml

from lib.chart_rules import FOLDER, ran
from lib.exposition import require
from lib.servers import first_url, running, until_true

STATE = "/var/lib/wolkvox_exporter"
USERS = "basic_auth_users: {prometheus: $2b$04$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi}\n"


@contextlib.contextmanager
def container(rendered):
    """What is mounted, in a folder, and the flags with that folder in place of the container's root."""
    with tempfile.TemporaryDirectory(prefix="wolkvox_exporter-") as folder:
        root = pathlib.Path(folder)
        for name in ("config", "tokens", "web", "ca", "state"):
            (root / name).mkdir()
        ran("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", root / "web/tls.key", "-out", root / "web/tls.crt")
        (root / "ca/ca.pem").write_bytes((root / "web/tls.crt").read_bytes())
        tls = "tls_server_config: {cert_file: tls.crt, key_file: tls.key"
        tls += ", client_ca_file: tls.crt, client_auth_type: RequireAndVerifyClientCert" if rendered.values["web"]["clientCertificates"] else ""
        (root / "web/web.yml").write_text(f"{tls}}}\n{USERS}" if rendered.values["web"]["tls"] else USERS)
        for source in rendered.volumes["tokens"]["projected"]["sources"]:
            (item,) = source["secret"]["items"]
            (root / "tokens" / item["path"]).write_text(f"token-of-{item['path']}\n")

        def local(text):
            text = text.replace(FOLDER, folder).replace(STATE, f"{folder}/state").replace("/etc/company", f"{folder}/ca")
            return text.replace("$(POD_NAME)", f"{rendered.set['metadata']['name']}-0")

        (root / "config/wolkvox.yml").write_text(local(rendered.config["data"]["wolkvox.yml"]))
        yield root, [local(flag) for flag in rendered.container["args"]]


def check_config(exporter, rendered):
    """The exporter takes the flags and the configuration."""
    if rendered.config is None:
        return
    with container(rendered) as (root, flags):
        said = ran(exporter, *flags, "check-config", root / "config/wolkvox.yml")
        for operation in rendered.values["operations"]:
            require(re.search(rf"^operation {operation['name']}\b", said, re.M), f"check-config says nothing of {operation['name']}: {said}")


def probes(exporter, rendered):
    """The exporter, run with the chart's flags, answers as its probes and Prometheus expect."""
    if rendered.config is None:
        return
    with container(rendered) as (root, flags):
        # Nobody is to be asked: the API is a port that is closed.
        config = yaml.safe_load((root / "config/wolkvox.yml").read_text())
        for operation in config["operations"]:
            operation.pop("server", None), operation.pop("proxy", None)
            operation["url"] = "http://127.0.0.1:9"
        (root / "config/wolkvox.yml").write_text(yaml.safe_dump(config))
        flags = [re.sub(r"(--web.listen-address=):\d+", r"\g<1>127.0.0.1:0", flag) for flag in flags]
        with running(root / "log", exporter, *flags) as process:
            url = until_true(20, lambda: first_url(process, root / "log"))
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                how = rendered.container[probe]
                if "tcpSocket" in how:
                    host, port = url.split("//")[1].split(":")
                    socket.create_connection((host, int(port)), 5).close()
                    continue
                found = status(f"{how['httpGet']['scheme'].lower()}://{url.split('//')[1]}{how['httpGet']['path']}")
                # Not ready before the first round is over, and that tries again and again where nobody answers.
                require(found == 200 or probe == "readinessProbe" and found == 503, f"{probe}: {found}")
            for monitor in rendered.all("ServiceMonitor"):
                (endpoint,) = monitor["spec"]["endpoints"]
                require(url.startswith(f"{endpoint['scheme']}://"), f"scraped by {endpoint['scheme']}, served as {url}")
            if not rendered.values["web"]["clientCertificates"]:
                wanted = 401 if rendered.values["web"]["existingSecret"] else 200
                require(status(f"{url}/metrics") == wanted, f"/metrics: {status(f'{url}/metrics')}")
            states = {file.name for file in (root / "state").glob("*.redb")}
            require(states <= {f"{operation['name']}.redb" for operation in config["operations"]}, f"states {states}")
            require(states or rendered.values["shards"] > 1, "no state in its volume")


def status(url):
    """As the kubelet asks: without a look at the certificate, and without a proxy."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
