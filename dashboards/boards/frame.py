"""A whole dashboard: layout, variables, annotations, links."""

from .panels import text
from .queries import INFO, INTERACTIONS, named, sel
from .style import DATASOURCE, RED, Json


def laid_out(panels: list[Json]) -> list[Json]:
    """Places panels from left to right in lines of width 24, with panels of equal height."""
    x = y = height = 0
    for number, one in enumerate(panels, 1):
        place = one["gridPos"]
        if x + place["w"] > 24:
            raise ValueError(f"{one['title']} does not fit into its line")
        if x and place["h"] != height:
            raise ValueError(f"{one['title']} is not as high as its line")
        one["id"], one["gridPos"] = number, {"x": x, "y": y, "w": place["w"], "h": place["h"]}
        height, x = place["h"], x + place["w"]
        if x == 24:
            x, y = 0, y + height
    if x:
        raise ValueError("the last line is not full")
    return panels


def query_variable(name: str, label: str, query: str, regex: str = "") -> Json:
    kind = 1 if query.startswith("label_values(") else 3  # as Grafana's editor numbers them: label values, query result
    return {
        "type": "query", "name": name, "label": label, "datasource": DATASOURCE,
        "query": {"qryType": kind, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "regex": regex, "multi": True, "includeAll": True, "allValue": ".+", "refresh": 2, "sort": 5, "hide": 0, "skipUrlSync": False,
        "current": {"text": ["All"], "value": ["$__all"], "selected": True}, "options": [],
    }


def name_variable(name: str, label: str, of: str) -> Json:
    """People pick names, queries get ids. Anything seen at any time in the range can be picked."""
    key, info = INFO[of]
    # Labels in a result are sorted, and Grafana does not escape quotes in values: hence the greedy name.
    query = f"query_result(max by ({key}, {of}) (last_over_time({sel(info)}[$__range])))"
    return query_variable(name, label, query, f'/\\{{{of}="(?<text>.*)",\\s*{key}="(?<value>[^"]+)"\\}}/')


VARIABLES = {
    "datasource": {
        "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "regex": "", "multi": False,
        "includeAll": False, "refresh": 1, "hide": 0, "skipUrlSync": False, "options": [], "current": {},
    },
    "job": query_variable("job", "Job", "label_values(wolkvox_report_polls_total, job)"),
    "operation": query_variable("operation", "Operation", 'label_values(wolkvox_report_polls_total{job=~"$job"}, operation)'),
    "campaign": name_variable("campaign", "Campaign", "campaign"),
    "skill": name_variable("skill", "Skill", "skill"),
    "channel": query_variable("channel", "Channel", f"label_values({sel(INTERACTIONS)}, channel)"),
    "rp": name_variable("rp", "Routing point", "routing_point"),
}

# Some alerts are about the exporter as a whole and have no operation, hence the empty alternative.
FIRING = 'ALERTS{alertname=~"Wolkvox.*", alertstate="firing", job=~"$job", operation=~"$operation|"}'
RECYCLED = f"changes({sel('wolkvox_campaign_recycles')}[5m]) > 0"


def annotation(name: str, expr: str, color: str, title: str, body: str, tags: str = "") -> Json:
    return {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expr, "step": "60s",
            "titleFormat": title, "textFormat": body, "tagKeys": tags, "useValueForTime": False}


ALERTS_SHOWN = annotation("Alerts firing", FIRING, RED, "{{alertname}}", "{{operation}} {{skill}} {{campaign}} {{report}}", "severity")
RECYCLES_SHOWN = annotation("Lists recycled", named(RECYCLED, "campaign"), "purple", "List recycled", "{{campaign}} · {{operation}}")


def link(uid: str, title: str, *variables: str) -> list[Json]:
    """A link from a table row to a dashboard, which shows what the row's labels select."""
    # Everything else keeps its current selection.
    pairs = ["${datasource:queryparam}", "${job:queryparam}", "var-operation=${__data.fields.operation}"]
    pairs += [f"var-{name}=${{__data.fields.{field}}}" for name, field in (pair.split("=") for pair in variables)]
    return [{"title": title, "url": f"/d/{uid}?${{__url_time_range}}&{'&'.join(pairs)}", "targetBlank": False}]


def dashboard(name: str, title: str, description: str, variables: list[str], annotations: list[Json], panels: list[Json],
              since: str = "now-12h") -> Json:
    return {
        "id": None, "uid": f"wolkvox-{name}", "title": f"Wolkvox / {title}", "description": description, "tags": ["wolkvox"],
        "schemaVersion": 41, "editable": False, "graphTooltip": 1, "refresh": "1m", "time": {"from": since, "to": "now"},
        "timezone": "browser", "timepicker": {}, "fiscalYearStartMonth": 0, "weekStart": "", "preload": False, "liveNow": False,
        "templating": {"list": [VARIABLES[variable] for variable in ("datasource", "job", "operation", *variables)]},
        "annotations": {"list": annotations},
        "links": [{"type": "dashboards", "title": "Wolkvox", "tags": ["wolkvox"], "asDropdown": True, "includeVars": True,
                   "keepTime": True, "targetBlank": False, "icon": "external link", "tooltip": "", "url": ""}],
        "panels": laid_out(panels),
    }
