"""Rules for what the Helm chart renders: each takes a `Rendered` and raises AssertionError at what is wrong."""

import json
import pathlib
import re
import subprocess

import yaml

from lib.exposition import require

ROOT = pathlib.Path(__file__).parents[3]
CHART = ROOT / "deploy/helm/wolkvox-exporter"
KINDS = {"StatefulSet", "Service", "ServiceAccount", "ConfigMap", "ServiceMonitor", "PrometheusRule", "NetworkPolicy"}
FOLDER = "/etc/wolkvox_exporter"


class Rendered:
    """A rendered chart: the values as Helm merged them, and the objects."""

    def __init__(self, chart, values, name="wx", namespace="telephony"):
        self.name, self.namespace = name, namespace
        self.values = chart.merge_values(values)
        texts = chart.render(values, name=name, namespace=namespace)
        (self.notes,) = (text for path, text in texts.items() if path.endswith("NOTES.txt"))
        manifests = [text for path, text in sorted(texts.items()) if not path.endswith("NOTES.txt")]
        self.objects = [one for text in manifests for one in yaml.safe_load_all(text) if one is not None]

    def all(self, kind):
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind):
        found = self.all(kind)
        require(len(found) == 1, f"{len(found)} objects of kind {kind}")
        return found[0]

    @property
    def set(self):
        return self.one("StatefulSet")

    @property
    def pod(self):
        return self.set["spec"]["template"]["spec"]

    @property
    def container(self):
        (container,) = self.pod["containers"]
        return container

    @property
    def args(self):
        pairs = [argument.partition("=") for argument in self.container["args"]]
        require(len({name for name, *_ in pairs}) == len(pairs), f"a flag twice: {self.container['args']}")
        return {name.removeprefix("--"): value for name, _, value in pairs}

    @property
    def volumes(self):
        """By name, those of claims too."""
        claims = self.set["spec"].get("volumeClaimTemplates", [])
        volumes = self.pod["volumes"] + [{"name": claim["metadata"]["name"], "claim": claim["spec"]} for claim in claims]
        require(len({one["name"] for one in volumes}) == len(volumes), "two volumes of one name")
        return {one["name"]: one for one in volumes}

    @property
    def config(self):
        """The ConfigMap of wolkvox.yml, if the chart makes it."""
        found = [one for one in self.all("ConfigMap") if "wolkvox.yml" in one["data"]]
        return found[0] if found else None


def ran(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    require(done.returncode == 0, f"{pathlib.Path(command[0]).name}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def subset(small, large):
    return small.items() <= large.items()


def mounted(rendered, path):
    """The volume in which a path of the container lies, and the path in it."""
    found = [mount for mount in rendered.container["volumeMounts"]
             if pathlib.PurePosixPath(path).is_relative_to(mount["mountPath"])]
    require(len(found) == 1, f"{path} is in {len(found)} mounts")
    return rendered.volumes[found[0]["name"]], path.removeprefix(found[0]["mountPath"]).lstrip("/")


def objects(rendered):
    kinds = [one["kind"] for one in rendered.objects]
    require(set(kinds) <= KINDS, f"kinds that the chart must not have: {set(kinds) - KINDS}")
    names = [(one["kind"], one["metadata"]["name"]) for one in rendered.objects]
    require(len(set(names)) == len(names), "two objects of one kind and name")
    for one in rendered.objects:
        labels = one["metadata"]["labels"]
        require(one["metadata"]["namespace"] == rendered.namespace, f"{one['kind']} is in {one['metadata'].get('namespace')}")
        require(labels["app.kubernetes.io/managed-by"] == "Helm" and labels["app.kubernetes.io/instance"] == rendered.name, f"labels {labels}")
    accounts = [one["metadata"]["name"] for one in rendered.all("ServiceAccount")] or ["default"]
    require([rendered.pod["serviceAccountName"]] == accounts, f"service accounts {accounts}")
    wanted = {
        "ServiceMonitor": rendered.values["serviceMonitor"]["enabled"],
        "PrometheusRule": rendered.values["prometheusRule"]["enabled"],
        "NetworkPolicy": rendered.values["networkPolicy"]["enabled"],
        "ServiceAccount": rendered.values["serviceAccount"]["create"],
    }
    for kind, there in wanted.items():
        require(kinds.count(kind) == int(there), f"{kinds.count(kind)} objects of kind {kind}")


def shards(rendered):
    spec, total = rendered.set["spec"], rendered.values["shards"]
    require(spec["replicas"] == (0 if rendered.values["paused"] else total), f"{spec['replicas']} replicas")
    require(spec["podManagementPolicy"] == "Parallel" and spec["updateStrategy"] == {"type": "RollingUpdate"}, "how pods follow each other")
    require(rendered.set["metadata"]["annotations"]["wolkvox-exporter/shards"] == str(total), "the annotation with the shards")
    require(rendered.args["shard.total"] == str(total) and rendered.args["shard.index"] == "$(POD_NAME)", "flags of the shard")
    (variable,) = (one for one in rendered.container["env"] if one["name"] == "POD_NAME")
    require(variable["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}, f"{variable}")
    # A pod's name and the revision's hash are labels, 63 characters at most.
    require(len(rendered.set["metadata"]["name"]) <= 40, "the name is too long")


def state(rendered):
    volume, rest = mounted(rendered, rendered.args["state.path"])
    require(rest == "", "the state is in a folder of its volume")
    spec, wanted = rendered.set["spec"], rendered.values["persistence"]
    if not wanted["enabled"]:
        require(volume == {"name": volume["name"], "emptyDir": {}} and "volumeClaimTemplates" not in spec, f"{volume}")
        return
    claim = {"accessModes": [wanted["accessMode"]], "resources": {"requests": {"storage": wanted["size"]}}}
    claim |= {"storageClassName": wanted["storageClass"]} if wanted["storageClass"] else {}
    require(volume["claim"] == claim, f"the claim is {volume['claim']}")
    require(spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}, "claims are not kept")


def restricted(rendered):
    """Kubernetes's Pod Security Standard `restricted`, and more."""
    pod, container = rendered.pod, rendered.container
    own, all_ = container["securityContext"], pod["securityContext"]
    require(not {"hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"} & set(pod), "the pod takes more from the node")
    require(set(all_) <= {"runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "seccompProfile"}, f"{set(all_)}")
    require(all_["runAsNonRoot"] is True and all_["runAsUser"] == all_["runAsGroup"] == all_["fsGroup"] == 65532, "not user 65532")
    require(all_["seccompProfile"] == {"type": "RuntimeDefault"}, "the seccomp profile")
    require(own == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}, f"{own}")
    require(not any("hostPort" in port for port in container["ports"]), "a port of the host")
    for volume in rendered.volumes.values():
        kind = set(volume) - {"name"}
        require(kind <= {"configMap", "emptyDir", "projected", "secret", "claim"}, f"a volume of kind {kind}")
    require(pod["automountServiceAccountToken"] is False, "the pod has a token of Kubernetes")
    require(all(one["automountServiceAccountToken"] is False for one in rendered.all("ServiceAccount")), "the account hands out tokens")
    require({"requests", "limits"} <= set(container["resources"]) and "memory" in container["resources"]["limits"], "resources")


def mounts(rendered):
    used = [mount["name"] for mount in rendered.container["volumeMounts"]]
    require(sorted(used) == sorted(rendered.volumes), f"mounts {used}, volumes {sorted(rendered.volumes)}")
    paths = [pathlib.PurePosixPath(mount["mountPath"]) for mount in rendered.container["volumeMounts"]]
    # The runtime cannot make the place of the inner one in a volume that it may only read.
    require(not any(one != other and one.is_relative_to(other) for one in paths for other in paths), f"a mount within another: {paths}")
    for mount in rendered.container["volumeMounts"]:
        require(mount.get("readOnly", False) == (mount["name"] != "state"), f"{mount['name']}: read-only is {mount.get('readOnly')}")
        require("subPath" not in mount, f"{mount['name']}: a subPath never sees a change")


def config(rendered):
    values, (volume, file) = rendered.values, mounted(rendered, rendered.args["config.file"])
    existing = values["existingConfig"]
    if existing["configMap"] or existing["secret"]:
        source = volume.get("secret", volume.get("configMap"))
        require(source.get("secretName", source.get("name")) == (existing["secret"] or existing["configMap"]), f"{source}")
        require(source["items"] == [{"key": existing["key"], "path": file}] and rendered.config is None, f"{source}")
        return
    require(volume["configMap"] == {"name": rendered.config["metadata"]["name"], "items": [{"key": "wolkvox.yml", "path": file}]}, f"{volume}")
    expected = [{**{key: value for key, value in one.items() if key != "tokenSecret"}, "token_file": f"{FOLDER}/tokens/{one['name']}"}
                for one in values["operations"]]
    require(yaml.safe_load(rendered.config["data"]["wolkvox.yml"]) == {**values["config"], "operations": expected}, "wolkvox.yml is not as in the values")


def tokens(rendered):
    values, shared = rendered.values, rendered.values["tokens"]["existingSecret"]
    found = {}
    for source in rendered.volumes.get("tokens", {"projected": {"sources": []}})["projected"]["sources"]:
        (item,) = source["secret"].get("items", [{"path": None, "key": None}])
        found[item["path"]] = (source["secret"]["name"], item["key"])
    secrets = {one["name"]: one.get("tokenSecret", {}) for one in values["operations"]}
    expected = {name: (one.get("name", shared), one.get("key", name)) for name, one in secrets.items()}
    require(found == (expected or ({None: (shared, None)} if shared else {})), f"tokens {found}")
    for operation in yaml.safe_load(rendered.config["data"]["wolkvox.yml"])["operations"] if rendered.config else []:
        volume, file = mounted(rendered, operation["token_file"])
        require(volume["name"] == "tokens" and file in found, f"{operation['token_file']} is not mounted")
    for name in {"tokens", "web"} & set(rendered.volumes):
        # Of root, and read by the group that fsGroup sets; by nobody else.
        require(rendered.volumes[name]["projected"]["defaultMode"] == 0o440, f"{name}: anybody may read")
    text = json.dumps(rendered.all("ConfigMap"))
    require(not re.search(r"\btoken: |token_env|password|://[^/\s\"]*@", text), "a ConfigMap holds what a Secret should")


def web(rendered):
    values, args = rendered.values["web"], rendered.args
    require(("web.config.file" in args) == ("web.health-without-auth" in args) == bool(values["existingSecret"]), f"flags {sorted(args)}")
    if values["existingSecret"]:
        volume, file = mounted(rendered, args["web.config.file"])
        sources = [{"secret": {"name": values[key]}} for key in ("existingSecret", "certificateSecret") if values[key]]
        require(volume["projected"]["sources"] == sources and file == "web.yml", f"{volume}")
    for probe, path in (("startupProbe", "healthy"), ("livenessProbe", "healthy"), ("readinessProbe", "ready")):
        how = rendered.container[probe]
        if values["clientCertificates"]:
            require(how["tcpSocket"] == {"port": "metrics"} and "httpGet" not in how, f"{probe}: {how}")
        else:
            expected = {"path": f"/-/{path}", "port": "metrics", "scheme": "HTTPS" if values["tls"] else "HTTP"}
            require(how["httpGet"] == expected, f"{probe}: {how['httpGet']}")
    # Scrapes under way have 10 s, then comes a commit.
    require(rendered.pod["terminationGracePeriodSeconds"] >= 15, "too little time to stop")


def ports(rendered):
    (port,) = rendered.container["ports"]
    require(port["name"] == "metrics" and rendered.args["web.listen-address"] == f":{port['containerPort']}", f"{port}")
    for service in rendered.all("Service"):
        require(service["spec"]["ports"] == [{"name": "metrics", "port": 9963, "targetPort": "metrics", "protocol": "TCP"}], f"{service['spec']}")
    for monitor in rendered.all("ServiceMonitor"):
        (endpoint,) = monitor["spec"]["endpoints"]
        require(endpoint["port"] == "metrics" and endpoint["path"] == "/metrics", f"{endpoint}")


def selectors(rendered):
    spec, labels = rendered.set["spec"], rendered.set["spec"]["template"]["metadata"]["labels"]
    chosen = spec["selector"]["matchLabels"]
    require(subset(chosen, labels) and len(chosen) == 2, f"the selector {chosen} and the pod's labels {labels}")
    fixed = [chosen, labels] + [claim["metadata"]["labels"] for claim in spec.get("volumeClaimTemplates", [])]
    # What Kubernetes lets nobody change, or what restarts pods for nothing.
    require(not any({"helm.sh/chart", "app.kubernetes.io/version"} & set(one) for one in fixed), "the version is in labels that stay")
    by_name = {one["metadata"]["name"]: one for one in rendered.all("Service")}
    require(len(by_name) == 2 and all(one["spec"]["selector"] == chosen for one in by_name.values()), "Services choose other pods")
    headless = by_name[spec["serviceName"]]["spec"]
    require(headless["clusterIP"] == "None" and headless["publishNotReadyAddresses"] is True, "pods that are not ready are not scraped")
    for policy in rendered.all("NetworkPolicy"):
        require(policy["spec"]["podSelector"]["matchLabels"] == chosen, "the NetworkPolicy is for other pods")
    for monitor in rendered.all("ServiceMonitor"):
        matched = [name for name, one in by_name.items() if subset(monitor["spec"]["selector"]["matchLabels"], one["metadata"]["labels"])]
        require(matched == [spec["serviceName"]], f"the ServiceMonitor finds {matched}")
        require(monitor["spec"]["namespaceSelector"] == {"matchNames": [rendered.namespace]}, "in other namespaces")


def network(rendered):
    for policy in rendered.all("NetworkPolicy"):
        spec, values = policy["spec"], rendered.values["networkPolicy"]
        require(spec["policyTypes"] == ["Ingress", "Egress"], f"{spec['policyTypes']}")
        (ingress,) = spec["ingress"]
        names = [one["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for one in ingress["from"]]
        require(names == values["fromNamespaces"] and ingress["ports"] == [{"port": "metrics", "protocol": "TCP"}], f"{ingress}")
        dns, others = ([(one["port"], one["protocol"]) for one in rule["ports"]] for rule in spec["egress"])
        require(set(dns) == {(port, protocol) for port in (53, 5353) for protocol in ("UDP", "TCP")}, f"{dns}")
        require(others == [(port, "TCP") for port in values["egressPorts"]], f"{others}")


def passed_on(rendered):
    """What is Kubernetes's own goes to the pod as it is in the values."""
    values, pod, meta = rendered.values, rendered.pod, rendered.set["spec"]["template"]["metadata"]
    for key in ("nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName", "imagePullSecrets",
                "terminationGracePeriodSeconds"):
        require(pod.get(key, type(values[key])()) == values[key], f"{key}: {pod.get(key)}")
    require(subset(values["podLabels"], meta["labels"]) and subset(values["podAnnotations"], meta["annotations"]), f"{meta}")
    require(rendered.container["resources"] == values["resources"], "resources")
    for key, found in (("extraEnv", rendered.container["env"]), ("extraVolumes", pod["volumes"]), ("extraVolumeMounts", rendered.container["volumeMounts"])):
        require(all(one in found for one in values[key]), f"{key} is not in the pod")
    for flag in ("level", "format"):
        require(rendered.args[f"log.{flag}"] == values["log"][flag], f"--log.{flag}")
    image, version = values["image"], yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    end = f"@{image['digest']}" if image["digest"] else f":{image['tag'] or version}"
    require(rendered.container["image"] == image["repository"] + end, rendered.container["image"])
    require(rendered.container["imagePullPolicy"] == image["pullPolicy"], "imagePullPolicy")


def notes(rendered):
    name = rendered.set["metadata"]["name"]
    commands = re.findall(r"^  kubectl --namespace (\S+) (\S+)", rendered.notes, re.M)
    require(commands == [(rendered.namespace, verb) for verb in ("logs", "port-forward", "exec")], f"commands {commands}")
    require(f" port-forward {name}-0 9963\n" in rendered.notes and f" exec {name}-0 " in rendered.notes, "names of pods")
    require(("is paused" in rendered.notes) == rendered.values["paused"], "whether it is paused")


RULES = [objects, shards, state, restricted, mounts, config, tokens, web, ports, selectors, network, passed_on, notes]
