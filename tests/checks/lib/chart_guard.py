"""The chart's guard against a change of shards while pods run, before a cluster that has a single StatefulSet."""

import http.server
import json
import threading

import helm_python as helm

from lib.chart_mistakes import ONE
from lib.chart_rules import CHART, Rendered
from lib.exposition import require


class Cluster(http.server.BaseHTTPRequestHandler):
    """What `lookup` asks of Kubernetes: a single StatefulSet."""

    answers = {}

    def do_GET(self):
        answer = self.answers.get(self.path.split("?")[0])
        body = json.dumps(answer or {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def check_guard():
    """An upgrade that changes the number of shards is refused while pods of the old number run, and no other is."""
    path = "/apis/apps/v1/namespaces/telephony/statefulsets/wx-wolkvox-exporter"
    resources = [{"name": "statefulsets", "singularName": "statefulset", "namespaced": True, "kind": "StatefulSet", "verbs": ["get"]}]
    Cluster.answers["/apis/apps/v1"] = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "apps/v1", "resources": resources}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    access = {
        "apiVersion": "v1", "kind": "Config", "current-context": "it", "users": [{"name": "it", "user": {}}],
        "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }

    def attempt(there, **values):
        there = rendered(*there) if there else None
        Cluster.answers[path] = there
        try:
            config.render(chart, {**ONE, **values}, name="wx", namespace="telephony", is_upgrade=True)
            return ""
        except helm.HelmRenderError as error:
            return str(error)

    def rendered(shards, wanted, running):
        """As the cluster has it: the chart's own StatefulSet, so that a renamed annotation is noticed."""
        one = Rendered(chart, {**ONE, "shards": shards}, name="wx", namespace="telephony").set
        return {**one, "spec": {**one["spec"], "replicas": wanted}, "status": {"replicas": running}}

    try:
        with helm.Config(kubeconfig_content=json.dumps(access), namespace="telephony", storage_driver="memory") as config, helm.Chart.load(CHART) as chart:
            for there, values, says in (
                (None, {"shards": 11}, ""),
                ((10, 10, 10), {"shards": 10}, ""),
                ((10, 10, 10), {"shards": 11}, "runs with 10 shards, and 11 are asked for"),
                ((10, 10, 10), {"shards": 9}, "runs with 10 shards, and 9 are asked for"),
                ((10, 10, 10), {"shards": 10, "paused": True}, ""),
                ((10, 10, 10), {"shards": 11, "paused": True}, ""),
                ((10, 0, 3), {"shards": 11}, "runs with 10 shards"),
                ((11, 0, 3), {"shards": 11}, "3 pods of wx-wolkvox-exporter are still ending"),
                ((10, 0, 0), {"shards": 11}, ""),
                ((10, 10, 0), {"shards": 11}, "runs with 10 shards"),
            ):
                said = attempt(there, **values)
                require(says in said and bool(says) == bool(said), f"{there} and {values}: {said or 'taken'}")
    finally:
        server.shutdown()
        server.server_close()
