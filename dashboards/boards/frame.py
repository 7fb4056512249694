"""A whole dashboard: layout, variables, annotations, links."""

import json
from typing import Any

from .queries import INFO, named, sel
from .style import DATASOURCE, OF, RED, Json

# All dashboards in the order of the menu: the last part of the uid, and the title.
MENU = {
    "now": "Now", "overview": "Overview", "operations": "Operations", "campaigns": "Campaigns", "skills": "Skills",
    "agents": "Agents", "ivr": "IVR", "exporter": "Exporter",
}


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


def query_variable(name: str, label: str, query: str, regex: str = "", **more: Any) -> Json:
    kind = 1 if query.startswith("label_values(") else 3  # as Grafana's editor numbers them: label values, query result
    return {
        "type": "query", "name": name, "label": label, "datasource": DATASOURCE,
        "query": {"qryType": kind, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "regex": regex, "multi": True, "includeAll": True, "allValue": ".+", "refresh": 2, "sort": 5, "hide": 0,
        "skipUrlSync": False, "current": {"text": ["All"], "value": ["$__all"], "selected": True}, "options": [], **more,
    }


def name_variable(name: str, label: str, of: str) -> Json:
    """People pick names, queries get ids. Anything seen at any time in the range can be picked."""
    key, info = INFO[of]
    # Labels in a result are sorted, and Grafana does not escape quotes in values: hence the greedy name.
    query = f"query_result(max by ({key}, {of}) (last_over_time({sel(info)}[$__range])))"
    return query_variable(name, label, query, f'/\\{{{of}="(?<text>.*)",\\s*{key}="(?<value>[^"]+)"\\}}/')


def operation_in_legends() -> Json:
    """What legends end with: the operation if several are shown, and otherwise nothing, which is a space without a width, since
    Grafana offers no empty value. Grafana replaces variables in a legend before labels."""
    several = f"count(count by (job, operation) (last_over_time({sel('wolkvox_up')}[$__range]))) > 1"

    def labelled(value: str) -> str:
        return f'label_replace(vector(1), "of", "{value}", "", "")'

    query = f"query_result({labelled(' · {{operation}}')} and on () ({several}) or on () {labelled(chr(0x200B))})"
    return query_variable("of", "", query, '/of="([^"]*)"/', multi=False, includeAll=False, allValue=None, hide=2, sort=0,
                          skipUrlSync=True, current={})


def choice(name: str, label: str, chosen: str, values: str, unit: str) -> Json:
    """A variable with fixed values."""
    options = [{"text": f"{value} {unit}".strip(), "value": value, "selected": value == chosen} for value in values.split()]
    current = next(one for one in options if one["selected"])
    return {
        "type": "custom", "name": name, "label": label, "query": ", ".join(f"{one['text']} : {one['value']}" for one in options),
        "multi": False, "includeAll": False, "hide": 0, "skipUrlSync": False, "options": options, "current": current,
    }


VARIABLES = {
    "datasource": {
        "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "regex": "", "multi": False,
        "includeAll": False, "refresh": 1, "hide": 0, "skipUrlSync": False, "options": [], "current": {},
    },
    "job": query_variable("job", "Job", "label_values(wolkvox_report_polls_total, job)"),
    "operation": query_variable("operation", "Operation", 'label_values(wolkvox_report_polls_total{job=~"$job"}, operation)'),
    "of": operation_in_legends(),
    "campaign": name_variable("campaign", "Campaign", "campaign"),
    "skill": name_variable("skill", "Skill", "skill"),
    "rp": name_variable("rp", "Routing point", "routing_point"),
    # The bounds that answer_time and Wolkvox's own board have in common come first.
    "seconds": choice("seconds", "Service level within", "20", "10 20 30 45 60", "s"),
    "target": choice("target", "Penetration target", "80", "50 60 70 80 90 100 120 150", "%"),
    "first": choice("first", "Dialling from", "8", " ".join(map(str, range(6, 13))), "h"),
    "last": choice("last", "Dialling until", "18", " ".join(map(str, range(14, 23))), "h"),
}

# Some alerts are about the exporter as a whole and have no operation, hence the empty alternative.
ALERTS = 'ALERTS{{alertname=~"Wolkvox.*", alertstate="firing", job=~"$job", operation=~"$operation|"{}}}'
FIRING = ALERTS.format("")
# What the people in charge of calls can do something about.
OF_BUSINESS = 'audience!="exporter"'
FIRING_BUSINESS = ALERTS.format(f", {OF_BUSINESS}")
RECYCLED = f"changes({sel('wolkvox_campaign_recycles')}[5m]) > 0"


def annotation(name: str, expr: str, color: str, title: str, body: str, tags: str = "") -> Json:
    return {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expr, "step": "60s",
            "titleFormat": title, "textFormat": body, "tagKeys": tags, "useValueForTime": False}


def alerts_shown(firing: str) -> Json:
    about = "{{operation}} {{skill}} {{campaign}} {{report}}"
    return annotation("Alerts firing", firing, RED, "{{alertname}}", about, "severity")


ALERTS_SHOWN, BUSINESS_ALERTS_SHOWN = alerts_shown(FIRING), alerts_shown(FIRING_BUSINESS)
RECYCLES_SHOWN = annotation("Lists recycled", named(RECYCLED, "campaign"), "purple", "List recycled", "{{campaign}} · {{operation}}")


def link(name: str, title: str, *variables: str) -> list[Json]:
    """A link from a table row to a dashboard, which shows what the row's labels select."""
    # Everything else keeps its current selection.
    pairs = ["${datasource:queryparam}", "${job:queryparam}", "var-operation=${__data.fields.operation}"]
    pairs += [f"var-{name}=${{__data.fields.{field}}}" for name, field in (pair.split("=") for pair in variables)]
    return [{"title": title, "url": f"/d/wolkvox-{name}?${{__url_time_range}}&{'&'.join(pairs)}", "targetBlank": False}]


def menu(name: str) -> list[Json]:
    """Links to the other dashboards, always in the same order. The wall has its own time."""
    return [
        {"type": "link", "title": title, "url": f"/d/wolkvox-{other}", "icon": "dashboard", "includeVars": True,
         "keepTime": "now" not in (name, other), "targetBlank": False, "asDropdown": False, "tags": [], "tooltip": ""}
        for other, title in MENU.items() if other != name
    ]


def dashboard(name: str, description: str, variables: list[str], annotations: list[Json], panels: list[Json],
              since: str = "now-12h") -> Json:
    shared = ["datasource", "job", "operation", *(["of"] if OF in json.dumps(panels) else [])]
    return {
        "id": None, "uid": f"wolkvox-{name}", "title": f"Wolkvox / {MENU[name]}", "description": description, "tags": ["wolkvox"],
        "schemaVersion": 41, "editable": False, "graphTooltip": 1, "refresh": "1m", "time": {"from": since, "to": "now"},
        "timezone": "browser", "timepicker": {}, "fiscalYearStartMonth": 0, "weekStart": "", "preload": False, "liveNow": False,
        "templating": {"list": [VARIABLES[variable] for variable in (*shared, *variables)]},
        "annotations": {"list": annotations},
        "links": menu(name),
        "panels": laid_out(panels),
    }
