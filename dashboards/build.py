#!/usr/bin/env python3
"""build.py [FOLDER]

Writes the Grafana dashboards to FOLDER, by default `wolkvox` next to this file. The JSON is committed: run this after changing
the file, a test compares. It needs only Python.

Rules that hold for every panel:
- Each selector has `job=~"$job", operation=~"$operation"`, and each result keeps `job` and `operation`: operations are shown side
  by side, never added up.
- Names are joined from the info series; links and variables use ids.
- Windows of `increase()` are those of the KPI (20m, 30m, 1h) and at least four polls long; a ratio needs a minimum volume, so
  that closed hours are gaps rather than noise.
- Current values are instant queries: the last point of a range query may be hours old.
"""

import json
import pathlib
import sys
from typing import Any

Json = dict[str, Any]

# ---- Queries -----------------------------------------------------------------------------------------------------------------

SCOPE = 'job=~"$job", operation=~"$operation"'


def sel(metric: str, *matchers: str) -> str:
    """A selector within the scope of the variables."""
    return f"{metric}{{{', '.join((SCOPE, *matchers))}}}"


def of_campaign(metric: str, *matchers: str) -> str:
    return sel(metric, 'campaign_id=~"$campaign"', *matchers)


def of_skill(metric: str, *matchers: str) -> str:
    return sel(metric, 'skill_id=~"$skill"', 'channel=~"$channel"', *matchers)


def of_rp(metric: str, *matchers: str) -> str:
    return sel(metric, 'rp_id=~"$rp"', *matchers)


def eq(label: str, value: str) -> str:
    """A matcher."""
    return f'{label}="{value}"'


def total(expr: str, *labels: str) -> str:
    """The sum by operation and the given labels."""
    return f"sum by ({', '.join(('job', 'operation', *labels))}) ({expr})"


def grown(series: str, window: str, *labels: str, offset: str = "") -> str:
    return total(f"increase({series}[{window}]{offset and ' offset ' + offset})", *labels)


def risen(series: str, window: str, *labels: str) -> str:
    """The rise of a gauge that counts up. A recycle resets it, which costs one window and never shows a fall."""
    return total(f"clamp_min(delta({series}[{window}]), 0)", *labels)


INFO = {
    "campaign": ("campaign_id", "wolkvox_campaign_info"),
    "skill": ("skill_id", "wolkvox_skill_info"),
    "routing_point": ("rp_id", "wolkvox_routing_point_info"),
}


def names(name: str) -> str:
    """The name of each id, once, even if several exporters show it."""
    key, info = INFO[name]
    return f"max by (job, operation, {key}, {name}) ({sel(info)})"


def named(expr: str, name: str) -> str:
    return f"({expr}) * on (job, operation, {INFO[name][0]}) group_left ({name}) {names(name)}"


def named_if_known(expr: str, name: str) -> str:
    """For ids that may have no info series; they show the id."""
    key, _ = INFO[name]
    unnamed = f"({expr}) unless on (job, operation, {key}) {names(name)}"
    return f'{named(expr, name)} or label_replace({unnamed}, "{name}", "$1", "{key}", "(.+)")'


# A rate needs answered calls too. Whether the report lists them is a property of the operation, so a single one since the start
# is enough: an hour in which really nobody was answered is 100 %.
LISTS_ANSWERED = "and on (job, operation) ({} > 0)".format(
    total(sel("wolkvox_skill_interactions_total", 'result="answered"'))
)
RATE_NOTE = (
    "Only for operations whose report lists answered calls too; otherwise there is no denominator, and nothing is shown."
)

ABANDONED = 'result="abandoned"'
INTERACTIONS = "wolkvox_skill_interactions_total"


def abandonment(series, window: str, *labels: str, least: str = "> 0", offset: str = "") -> str:
    """Abandoned / offered; `series` makes the selector."""
    abandoned = grown(series(INTERACTIONS, ABANDONED), window, *labels, offset=offset)
    offered = grown(series(INTERACTIONS), window, *labels, offset=offset)
    return f"{abandoned} / ({offered} {least}) {LISTS_ANSWERED}"


def quantile(q: float, buckets: str, window: str, *labels: str, least: int = 1) -> str:
    """A quantile of a histogram that is not empty: otherwise it would be NaN."""
    by = ", ".join(("job", "operation", *labels))
    count = grown(buckets.replace("_bucket{", "_count{"), window, *labels)
    return f"histogram_quantile({q}, {grown(buckets, window, *labels, 'le')}) and on ({by}) ({count} >= {least})"


def mean(metric: str, series, window: str, *labels: str) -> str:
    return f"{grown(series(metric + '_sum'), window, *labels)} / ({grown(series(metric + '_count'), window, *labels)} >= 5)"


# ---- Style -------------------------------------------------------------------------------------------------------------------

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, AMBER, RED, BLUE, GREY = "green", "orange", "red", "blue", "text"
CLOSED = "closed"

Steps = list[tuple[float | None, str]]
PLAIN: Steps = [(None, BLUE)]
ABANDON: Steps = [(None, GREEN), (0.05, AMBER), (0.15, RED)]
ABANDON_NOTE = "Green below 5 %, amber from 5 %, red from 15 %: the alerts' objective, and three times that."
MANY_BAD: Steps = [(None, GREEN), (1, RED)]
AGE: Steps = [(None, GREEN), (600, AMBER), (900, RED)]
AGE_NOTE = "Amber from 10 min, red from 15 min: two and three polls at the default interval of 5 min."

# The same thing has the same colour on every dashboard.
COLOURS = {
    "answered": "green", "answer": "green", "ok": "green", "counted": "green",
    "abandoned": "red", "hung up": "red", "invalid": "red", "busy, congestion, failed": "red",
    "answer machine": "purple", "no answer": "orange", "offered": "blue", "other": "#8e8e8e",
    "duplicate": "#8e8e8e", "late": "orange", "baseline": "light-blue", "ignored": "#5a5a5a",
    "today": "blue", "a week ago": "#8e8e8e",
    "voice": "blue", "chat": "green", "omni": "purple", "none": "#5a5a5a",
    "answer_machine": "purple", "no_answer": "orange", "busy": "yellow", "failed": "red",
    "0-5s": "red", "6-20s": "orange", "21-60s": "yellow", "61-120s": "light-green", "121s+": "green",
}


def thresholds(steps: Steps) -> Json:
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in steps]}


def colour(name: str) -> Json:
    return {"mode": "fixed", "fixedColor": COLOURS[name]}


def override(field: str, **properties: Any) -> Json:
    """Properties of one field by its name; `__` in a keyword is a dot."""
    return {
        "matcher": {"id": "byName", "options": field},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def by_operation(field: str, **properties: Any) -> Json:
    """Like `override`, for a legend of the form `field · operation`."""
    return {
        "matcher": {"id": "byRegexp", "options": f"/^{field} · /"},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def mappings(**texts: tuple[str, str]) -> list[Json]:
    """Texts and colours of values; a keyword is the value after an underscore."""
    options = {key[1:]: {"text": text, "color": color, "index": i} for i, (key, (text, color)) in enumerate(texts.items())}
    return [{"type": "value", "options": options}]


# ---- Panels ------------------------------------------------------------------------------------------------------------------


def target(expr: str, legend: str, **more: Any) -> Json:
    return {"datasource": DATASOURCE, "expr": expr, "legendFormat": legend, "editorMode": "code", "range": True, **more}


def now(expr: str, legend: str) -> Json:
    return target(expr, legend, instant=True, range=False)


def panel(kind: str, title: str, description: str, targets: list[Json], width: int, height: int, defaults: Json, options: Json,
          overrides: list[Json] | None = None, **more: Any) -> Json:
    for ref, one in zip("ABCDEFGHIJKLMN", targets):
        one["refId"] = ref
    return {
        "type": kind, "title": title, "description": description, "datasource": DATASOURCE,
        "gridPos": {"w": width, "h": height}, "targets": targets, "options": options,
        "fieldConfig": {"defaults": {"noValue": "no data", "thresholds": thresholds(PLAIN)} | defaults, "overrides": overrides or []},
        **more,
    }


def reduce_last() -> Json:
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def stat(title: str, description: str, expr: str, unit: str, *, steps: Steps = PLAIN, width: int = 3, height: int = 4,
         decimals: int | None = None, none: str = "none", legend: str = "{{operation}}", overrides: list[Json] | None = None,
         show: str = "auto", **more: Any) -> Json:
    defaults = {"unit": unit, "noValue": none, "thresholds": thresholds(steps), "color": {"mode": "thresholds"}, **more}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "colorMode": "value", "graphMode": "none", "justifyMode": "center", "textMode": show, "orientation": "horizontal",
        "wideLayout": True, "percentChangeColorMode": "standard", "showPercentChange": False,
        "reduceOptions": reduce_last(),
    }
    return panel("stat", title, description, [now(expr, legend)], width, height, defaults, options, overrides)


def series(title: str, description: str, targets: list[Json], unit: str, *, width: int = 12, height: int = 8, stack: str = "none",
           bars: bool = False, steps: Steps | None = None, fill: int | None = None, maximum: float | None = None,
           decimals: int | None = None, none: str = "nothing in this time", overrides: list[Json] | None = None,
           legend: str = "list", minimum: float | None = 0, interval: str = "5m") -> Json:
    # Polls come every five minutes, and a window contains sometimes one more and sometimes one fewer of them. With a finer interval,
    # every increase would be a sawtooth.
    custom = {
        "drawStyle": "bars" if bars else "line", "lineInterpolation": "linear", "lineWidth": 0 if bars else 2 if stack == "none" else 1,
        "fillOpacity": fill if fill is not None else 70 if bars else 55 if stack != "none" else 8,
        "gradientMode": "none", "spanNulls": False, "showPoints": "auto", "pointSize": 4, "barAlignment": 0, "barWidthFactor": 0.8,
        "stacking": {"mode": stack, "group": "A"}, "axisPlacement": "auto", "axisBorderShow": False, "axisLabel": "",
        "axisCenteredZero": False, "axisColorMode": "text", "insertNulls": False, "scaleDistribution": {"type": "linear"},
        "hideFrom": {"legend": False, "tooltip": False, "viz": False}, "thresholdsStyle": {"mode": "dashed" if steps else "off"},
        **({"axisSoftMax": 1.1 * max(value or 0 for value, _ in steps)} if steps else {}),  # the lines are in the picture
    }
    defaults: Json = {"unit": unit, "noValue": none, "color": {"mode": "palette-classic"}, "custom": custom,
                      "thresholds": thresholds(steps or PLAIN)}
    for key, value in (("min", minimum), ("max", maximum), ("decimals", decimals)):
        if value is not None:
            defaults[key] = value
    options = {
        "legend": {"displayMode": legend, "placement": "bottom" if legend == "list" else "right", "showLegend": True,
                   "calcs": [] if legend == "list" else ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": False},
    }
    return panel("timeseries", title, description, targets, width, height, defaults, options, overrides, interval=interval)


def bar_gauge(title: str, description: str, expr: str, legend: str, unit: str, *, width: int = 12, height: int = 8,
              steps: Steps = PLAIN, maximum: float | None = None, decimals: int | None = None, none: str = "none") -> Json:
    defaults: Json = {"unit": unit, "noValue": none, "thresholds": thresholds(steps), "color": {"mode": "thresholds"}, "min": 0}
    for key, value in (("max", maximum), ("decimals", decimals)):
        if value is not None:
            defaults[key] = value
    options = {
        "displayMode": "basic", "orientation": "horizontal", "valueMode": "text", "showUnfilled": True, "minVizHeight": 16,
        "minVizWidth": 8, "maxVizHeight": 32, "namePlacement": "left", "sizing": "manual", "text": {"titleSize": 12, "valueSize": 16}, "reduceOptions": reduce_last(),
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
    }
    return panel("bargauge", title, description, [now(expr, legend)], width, height, defaults, options)


def state_timeline(title: str, description: str, expr: str, legend: str, states: list[Json], *, width: int = 12, height: int = 8) -> Json:
    defaults = {
        "noValue": "nothing in this time", "mappings": states, "color": {"mode": "thresholds"}, "thresholds": thresholds([(None, GREY)]),
        "custom": {"fillOpacity": 75, "lineWidth": 0,
                   "hideFrom": {"legend": False, "tooltip": False, "viz": False}},
    }
    options = {
        "alignValue": "left", "mergeValues": True, "rowHeight": 0.8, "showValue": "never",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none", "hideZeros": False},
    }
    return panel("state-timeline", title, description, [target(expr, legend)], width, height, defaults, options, interval="1m")


def heatmap(title: str, description: str, expr: str, *, width: int = 12, height: int = 8, scheme: str = "Oranges") -> Json:
    defaults = {"noValue": "nothing in this time", "unit": "none",
                "custom": {"hideFrom": {"legend": False, "tooltip": False, "viz": False}, "scaleDistribution": {"type": "linear"}}}
    options = {
        "calculate": False, "cellGap": 1, "cellValues": {"unit": "none", "decimals": 1}, "showValue": "never",
        "color": {"mode": "scheme", "scheme": scheme, "scale": "exponential", "exponent": 0.5, "steps": 64, "reverse": False, "fill": "dark-orange"},
        "yAxis": {"unit": "s", "axisPlacement": "left", "reverse": False}, "rowsFrame": {"layout": "auto"},
        "filterValues": {"le": 0.05}, "legend": {"show": True}, "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
    }
    # As wide as the window of the increase, so that each call is in one cell.
    return panel("heatmap", title, description, [target(expr, "{{le}}", format="heatmap")], width, height, defaults, options,
                 interval="30m")


def table(title: str, description: str, exprs: list[str], columns: list[Json], *, width: int = 24, height: int = 8, hidden: list[str],
          order: list[str], sort: str, none: str = "nothing to list", footer: bool = False) -> Json:
    """One row per set of labels: rows of the targets with equal labels are merged."""
    targets = [target(expr, "", instant=True, range=False, format="table") for expr in exprs]
    defaults = {"noValue": none, "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": False, "minWidth": 60}}
    options = {"showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": sort, "desc": True}],
               "footer": {"show": footer, "reducer": ["sum"], "countRows": False, "fields": ""}}
    transformations = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {name: True for name in ["Time", "job", *hidden]},
            "indexByName": {name: i for i, name in enumerate(order)},
            "includeByName": {}, "renameByName": {}}},
    ]
    return panel("table", title, description, targets, width, height, defaults, options, columns, transformations=transformations)


def column(field: str, title: str, unit: str = "", **properties: Any) -> Json:
    # Without this, empty cells would show the text for an empty table.
    return override(field, displayName=title, noValue="–", **({"unit": unit} if unit else {}), **properties)


def unseen(field: str) -> Json:
    """A hidden field that links need. One key is for Grafana 11, the other for later versions."""
    return override(field, custom__hidden=True, custom__hideFrom={"legend": True, "tooltip": True, "viz": True})


OPERATION = column("operation", "Operation", custom__width=110)


def text_cell(steps: Steps) -> Json:
    return {"thresholds": thresholds(steps), "custom__cellOptions": {"type": "color-text"}}


def gauge_cell() -> Json:
    return {"custom__cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}}


def text(title: str, content: str, *, width: int = 24, height: int = 4) -> Json:
    return {"type": "text", "title": title, "description": "The formulas behind this dashboard.", "transparent": True,
            "gridPos": {"w": width, "h": height}, "options": {"mode": "markdown", "content": content, "code": {
                "language": "plaintext", "showLineNumbers": False, "showMiniMap": False}}}


def row(title: str) -> Json:
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": 24, "h": 1}}


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


# ---- Variables, annotations, links -------------------------------------------------------------------------------------------


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


# ---- What several dashboards show --------------------------------------------------------------------------------------------

RUNNING = 'status="started"'


def speed(series_of) -> str:
    """Dials per minute of running campaigns: a stopped one is a gap, not a line at 0."""
    running = series_of("wolkvox_campaign_status", RUNNING)
    return f"{series_of('wolkvox_campaign_calls_per_minute')} and on (job, operation, campaign_id) {running} == 1"


def where_enough(expr: str, all_of_it: str) -> str:
    """Leaves out shares of very few, which are noise."""
    return f"({expr} > 0) and on (job, operation) ({all_of_it} >= 20)"


def dialled(series_of, window: str = "30m", *labels: str) -> str:
    return risen(series_of("wolkvox_campaign_results"), window, *labels)


def result_share(series_of, result: str, *labels: str, least: str = ">= 20") -> str:
    """The share of one result among the dials of the last half hour."""
    one = risen(series_of("wolkvox_campaign_results", f'result="{result}"'), "30m", *labels)
    return f"{one} / ({dialled(series_of, '30m', *labels)} {least})"


def waits_heatmap(series_of, **more: Any) -> Json:
    return heatmap(
        "Wait before abandoning",
        "How long callers waited before they gave up: each cell is how many waited that long in half an hour. "
        "Operations are added up here, since a heatmap shows one histogram. Source: wolkvox_abandon_time_seconds.",
        f"sum by (le) (increase({series_of('wolkvox_abandon_time_seconds_bucket')}[30m]))", **more)


DATA_AGE = f"max by (job, operation) (time() - {sel('wolkvox_report_data_timestamp_seconds')})"
FAILING = f"sum by (job, operation) ({sel('wolkvox_up')} == bool 0)"
REPORTS_UP = mappings(_1=("read", GREEN), _0=("failed", RED))
CAMPAIGN_STATES = mappings(_1=("running", GREEN), _0=("stopped", "#6e6e6e"))


def data_age(width: int = 3) -> Json:
    return stat("Data age, oldest", f"Time since the end of the window that the data covers, for the oldest report. {AGE_NOTE} "
                "Source: wolkvox_report_data_timestamp_seconds.", DATA_AGE, "s", steps=AGE, none="never read", width=width, decimals=1)


def failing(width: int = 3) -> Json:
    return stat("Reports failing", "Reports whose last poll failed. Red from 1. Source: wolkvox_up.", FAILING, "none",
                steps=MANY_BAD, none="no exporter", width=width)


def alerts_table(width: int, height: int) -> Json:
    return table(
        "Alerts firing", "Firing alerts of the exporter's rules, including those without an operation. Source: ALERTS.",
        [f'label_replace(label_join({FIRING}, "about", " ", "campaign", "skill", "routing_point", "report", "assumption"), '
         '"alert", "$1", "alertname", "Wolkvox(.+)")'],
        [column("alert", "Alert", custom__width=190), column("about", "About"), column("severity", "Severity", custom__width=85), OPERATION],
        width=width, height=height, order=["alert", "about", "severity", "operation"],
        hidden=["Value", "__name__", "alertname", "alertstate", "instance", "campaign", "campaign_id", "skill", "skill_id", "routing_point", "rp_id",
                "report", "assumption", "channel", "reason", "field", "result"],
        sort="Severity", none="no alert is firing")


# ---- The dashboards ----------------------------------------------------------------------------------------------------------


def overview() -> Json:
    per_skill = ("skill_id",)
    return dashboard(
        "overview", "Overview", "The wall board: what is running, who gives up waiting, and whether the data is up to date.", [],
        [ALERTS_SHOWN, RECYCLES_SHOWN],
        [
            stat("Campaigns running", "Campaigns in the state started. Source: wolkvox_campaign_status.",
                 total(sel("wolkvox_campaign_status", RUNNING)), "none", none="no data"),
            stat("Dials per minute", "Sum over all campaigns, as reported by Wolkvox. Source: wolkvox_campaign_calls_per_minute.",
                 total(sel("wolkvox_campaign_calls_per_minute")), "none", none="no data", decimals=0),
            stat("Answered, 30 min", "Contact rate: results `answer` / all results added in the last 30 min, with at least 20 dials. "
                 "Source: wolkvox_campaign_results.", result_share(sel, "answer"), "percentunit", none=CLOSED, decimals=1),
            stat("Offered, 1 h", "Calls and chats that reached a skill in the last hour. Source: wolkvox_skill_interactions_total.",
                 grown(sel(INTERACTIONS), "1h"), "none", none="no data", decimals=0),
            stat("Abandonment, 1 h", f"Abandoned / offered to skills in the last hour, with at least 5. {ABANDON_NOTE} {RATE_NOTE} "
                 "Source: wolkvox_skill_interactions_total.", abandonment(sel, "1h", least=">= 5"), "percentunit",
                 steps=ABANDON, none=CLOSED, decimals=1),
            stat("Median patience", "Half of the callers who gave up in the last hour had waited less. Amber from 1 min, red from 2 min: the queue is jammed. "
                 "Source: wolkvox_abandon_time_seconds.", quantile(0.5, sel("wolkvox_abandon_time_seconds_bucket"), "1h"), "s",
                 steps=[(None, GREEN), (60, AMBER), (120, RED)], none="nobody gave up", decimals=1),
            failing(),
            data_age(),
            series("Abandonment, against last week", "Abandoned / offered in the last 30 min, with at least 10 offered; dashed grey: the same time a week ago. "
                   f"Lines at 5 % (objective) and 15 % (alert). {RATE_NOTE} Source: wolkvox_skill_interactions_total.",
                   [target(abandonment(sel, "30m", least=">= 10"), "today · {{operation}}"),
                    target(abandonment(sel, "30m", least=">= 10", offset="1w"), "a week ago · {{operation}}")], "percentunit", steps=ABANDON,
                   overrides=[by_operation("a week ago", color=colour("a week ago"), custom__lineStyle={"fill": "dash", "dash": [6, 6]},
                                           custom__fillOpacity=0, custom__lineWidth=1)]),
            waits_heatmap(sel),
            series("Dials per minute by campaign", "As reported by Wolkvox, for running campaigns. Source: wolkvox_campaign_calls_per_minute.",
                   [target(named(speed(sel), "campaign"), "{{campaign}} · {{operation}}")], "none",
                   stack="normal"),
            series("Offered and abandoned, per 20 min", "Calls and chats offered to skills, and those abandoned, in the 20 min before each point. "
                   "Source: wolkvox_skill_interactions_total.",
                   [target(f"{grown(sel(INTERACTIONS), '20m')} > 0", "offered · {{operation}}"),
                    target(f"{grown(sel(INTERACTIONS, ABANDONED), '20m')} > 0", "abandoned · {{operation}}")], "none", fill=25,
                   overrides=[by_operation(one, color=colour(one)) for one in ("offered", "abandoned")]),
            table("Skills, last hour", "Offered and abandoned in the last hour, the rate, and the wait that 90 % of those who gave up stayed below; "
                  f"names link to the skills dashboard. {ABANDON_NOTE} {RATE_NOTE} Source: wolkvox_skill_interactions_total, wolkvox_abandon_time_seconds.",
                  [named(grown(sel(INTERACTIONS), "1h", *per_skill), "skill"), grown(sel(INTERACTIONS, ABANDONED), "1h", *per_skill),
                   abandonment(sel, "1h", *per_skill), quantile(0.9, sel("wolkvox_abandon_time_seconds_bucket"), "1h", *per_skill)],
                  [column("skill", "Skill", custom__width=190, links=link("wolkvox-skills", "This skill", "skill=skill_id")), OPERATION,
                   unseen("skill_id"), column("Value #A", "Offered", "none", decimals=0),
                   column("Value #B", "Abandoned", "none", decimals=0),
                   column("Value #C", "Rate", "percentunit", decimals=1, **text_cell(ABANDON)), column("Value #D", "90 % within", "s", decimals=1)],
                  width=12, height=8, hidden=[], sort="Rate",
                  order=["skill", "operation", "skill_id", "Value #A", "Value #B", "Value #C", "Value #D"]),
            table("Campaigns", "State, speed and what is left of each list; names link to the campaigns dashboard. "
                  "Source: wolkvox_campaign_info, _status, _calls_per_minute, _clean_records, _penetration_day_ratio.",
                  [names("campaign"), total(sel("wolkvox_campaign_status", RUNNING), "campaign_id"),
                   total(sel("wolkvox_campaign_calls_per_minute"), "campaign_id"), total(sel("wolkvox_campaign_clean_records"), "campaign_id"),
                   total(sel("wolkvox_campaign_penetration_day_ratio"), "campaign_id")],
                  [column("campaign", "Campaign", custom__width=215, links=link("wolkvox-campaigns", "This campaign", "campaign=campaign_id")),
                   OPERATION, unseen("campaign_id"),
                   column("Value #B", "State", mappings=CAMPAIGN_STATES, custom__cellOptions={"type": "color-text"}),
                   column("Value #C", "Dials/min", "none"), column("Value #D", "Fresh records", "none"),
                   column("Value #E", "Penetration", "percentunit", decimals=0)],
                  width=12, height=8, hidden=["Value #A"], sort="Dials/min",
                  order=["campaign", "operation", "campaign_id", "Value #B", "Value #C", "Value #D", "Value #E"]),
            series("IVR calls by outcome, per hour", "Calls that ended in a routing point, in the hour before each point: `ok` continued, `hung up` did not. "
                   "Source: wolkvox_ivr_calls_total.",
                   [target(f"{grown(sel('wolkvox_ivr_calls_total', matcher), '1h')} > 0", f"{name} · {{{{operation}}}}")
                    for matcher, name in (('result="ok"', "ok"), ('result="hung_up"', "hung up"), ('result="other"', "other"))], "none",
                   stack="normal", width=7, height=7, overrides=[by_operation(one, color=colour(one)) for one in ("ok", "hung up", "other")]),
            series("Length of calls, share of the last 30 min", "Calls by billed length; many very short ones mean dead air or a bad list. "
                   "Source: wolkvox_calls_total.",
                   [target(where_enough(grown(sel('wolkvox_calls_total', eq('duration', name)), '30m'), grown(sel('wolkvox_calls_total'), '30m')), f"{name} · {{{{operation}}}}")
                    for name in ("0-5s", "6-20s", "21-60s", "61-120s", "121s+")], "none", stack="percent", width=7, height=7,
                   overrides=[by_operation(one.replace("+", "\\+"), color=colour(one)) for one in ("0-5s", "6-20s", "21-60s", "61-120s", "121s+")]),
            alerts_table(10, 7),
        ])


def campaigns() -> Json:
    each = ("campaign_id",)
    legend = "{{campaign}} · {{operation}}"
    left = of_campaign("wolkvox_campaign_clean_records")
    preview = of_campaign("wolkvox_preview_calls_total")

    def shares(title: str, result: str, what: str, why: str) -> Json:
        return series(title, f"Dials with the result `{what}` / all dials added in the 30 min before each point, with at least 20 dials. {why} "
                      "Source: wolkvox_campaign_results.", [target(named(result_share(of_campaign, result, *each), "campaign"), legend)], "percentunit",
                      width=8, maximum=1)

    return dashboard(
        "campaigns", "Campaigns", "Outbound: what each campaign dials, with what result, and how long its list lasts.", ["campaign"],
        [ALERTS_SHOWN, RECYCLES_SHOWN],
        [
            stat("Running", "Campaigns in the state started. Source: wolkvox_campaign_status.", total(of_campaign("wolkvox_campaign_status", RUNNING)),
                 "none", none="no data"),
            stat("Dials per minute", "Sum over the campaigns, as reported by Wolkvox. Source: wolkvox_campaign_calls_per_minute.",
                 total(of_campaign("wolkvox_campaign_calls_per_minute")), "none", none="no data", decimals=0),
            stat("Dials, 1 h", "Results added in the last hour. Source: wolkvox_campaign_results.",
                 dialled(of_campaign, "1h"), "none", none="no data", decimals=0),
            stat("Answered, 30 min", "Contact rate: results `answer` / all results added in the last 30 min, with at least 20 dials. Source: wolkvox_campaign_results.",
                 result_share(of_campaign, "answer"), "percentunit", none=CLOSED, decimals=1),
            stat("Hits, 1 h", "Hits added in the last hour. Source: wolkvox_campaign_hits.",
                 risen(of_campaign("wolkvox_campaign_hits"), "1h"), "none", none="no data", decimals=0),
            stat("Fresh records", "Records not dialled yet, in all campaigns. Source: wolkvox_campaign_clean_records.", total(left), "short",
                 none="no data"),
            stat("Lists that end soon", "Running campaigns whose fresh records last less than 2 h at the speed of the last hour. Amber from 1. "
                 "Source: wolkvox_campaign_clean_records, _status.",
                 f"count by (job, operation) ({left} / (-deriv({left}[1h]) > 0) < 7200 and on (job, operation, campaign_id) "
                 f"{of_campaign('wolkvox_campaign_status', RUNNING)} == 1) or 0 * {total(of_campaign('wolkvox_campaign_status'))}",
                 "none", steps=[(None, GREEN), (1, AMBER)], none="no data"),
            stat("Data age", f"Time since the campaigns were read. {AGE_NOTE} Source: wolkvox_report_data_timestamp_seconds.",
                 f"max by (job, operation) (time() - {sel('wolkvox_report_data_timestamp_seconds', eq('report', 'campaigns'))})", "s", steps=AGE,
                 none="never read", decimals=1),
            table("Campaigns", "One row per campaign, current values. Penetration above 100 % means that records are dialled more than once. "
                  "`Answered` and `Machine` are shares of the results since the list was loaded or recycled. Source: the wolkvox_campaign_* metrics.",
                  [f"max by (job, operation, campaign_id, campaign, strategy) ({of_campaign('wolkvox_campaign_info')})",
                   total(of_campaign("wolkvox_campaign_status", RUNNING), *each), total(of_campaign("wolkvox_campaign_calls_per_minute"), *each),
                   total(of_campaign("wolkvox_campaign_speed_ratio"), *each), total(of_campaign("wolkvox_campaign_records"), *each), total(left, *each),
                   total(of_campaign("wolkvox_campaign_penetration_day_ratio"), *each),
                   *(f"{total(of_campaign('wolkvox_campaign_results', eq('result', result)), *each)} / "
                     f"({total(of_campaign('wolkvox_campaign_results'), *each)} > 0)" for result in ("answer", "answer_machine")),
                   total(of_campaign("wolkvox_campaign_hits"), *each), total(of_campaign("wolkvox_campaign_recycles"), *each)],
                  [column("campaign", "Campaign", links=link("wolkvox-campaigns", "Only this campaign", "campaign=campaign_id"), custom__width=240),
                   OPERATION, column("campaign_id", "Id", custom__width=70), column("strategy", "Telephones", custom__width=190),
                   column("Value #B", "State", mappings=CAMPAIGN_STATES, custom__cellOptions={"type": "color-text"}),
                   column("Value #C", "Dials/min", "none"), column("Value #D", "Speed", "percentunit", decimals=0), column("Value #E", "Records", "none"),
                   column("Value #F", "Fresh", "none"), column("Value #G", "Penetration", "percentunit", decimals=0, min=0, max=1),
                   column("Value #H", "Answered", "percentunit", decimals=0), column("Value #I", "Machine", "percentunit", decimals=0),
                   column("Value #J", "Hits", "none"), column("Value #K", "Recycled", "none")],
                  height=7, hidden=["Value #A"], sort="Dials/min",
                  order=["campaign", "operation", "campaign_id", "strategy", *(f"Value #{letter}" for letter in "BCDEFGHIJK")]),
            series("Dials per minute by campaign", "As reported by Wolkvox, for running campaigns. Source: wolkvox_campaign_calls_per_minute.",
                   [target(named(speed(of_campaign), "campaign"), legend)], "none", stack="normal"),
            state_timeline("State", "Running or stopped. A gap means that the report was not read. Source: wolkvox_campaign_status.",
                           named(of_campaign("wolkvox_campaign_status", RUNNING), "campaign"), legend, CAMPAIGN_STATES),
            series("Fresh records left", "Records not dialled yet. A jump up means a new list or a recycle. Source: wolkvox_campaign_clean_records.",
                   [target(named(left, "campaign"), legend)], "short"),
            bar_gauge("Time until the list is used up", "Fresh records / the speed at which they were used in the last hour, for campaigns whose lists are shrinking. "
                      "Red below 1 h, amber below 3 h. Source: wolkvox_campaign_clean_records.",
                      f"sort({named(f'{left} / (-deriv({left}[1h]) > 0) < 86400', 'campaign')})", legend, "s",
                      steps=[(None, RED), (3600, AMBER), (10800, GREEN)], none="no list is shrinking", decimals=1),
            row("Results"),
            shares("Answered", "answer", "answer", "The contact rate; if it suddenly halves, the number may be flagged as spam or machine detection may be broken."),
            shares("Answering machines", "answer_machine", "answer_machine", "A rise without a new list points to machine detection."),
            shares("Busy, congestion, failed", "busy_congestion_failed", "busy_congestion_failed", "Above 40 %, suspect the trunk or the numbers."),
            series("Results, share of the last 30 min", "All dials in the 30 min before each point by result, over all campaigns. Source: wolkvox_campaign_results.",
                   [target(where_enough(risen(of_campaign('wolkvox_campaign_results', eq('result', key)), '30m'), dialled(of_campaign)), f"{name} · {{{{operation}}}}")
                    for key, name in (("answer", "answer"), ("no_answer", "no answer"), ("answer_machine", "answer machine"),
                                      ("busy_congestion_failed", "busy, congestion, failed"))], "none", stack="percent", width=8,
                   overrides=[by_operation(one, color=colour(one)) for one in ("answer", "no answer", "answer machine", "busy, congestion, failed")]),
            series("Dials for one answer", "All results / results `answer` in the 30 min before each point, with at least 20 dials. Source: wolkvox_campaign_results.",
                   [target(named(f"({dialled(of_campaign, '30m', *each)} >= 20) / ({risen(of_campaign('wolkvox_campaign_results', eq('result', 'answer')), '30m', *each)} > 0)",
                                 "campaign"), legend)], "none", width=8, decimals=1),
            series("Hit rate", "Hits / results `answer` added in the hour before each point, with at least 10 answers; hits are the codes that the operation flags. "
                   "Source: wolkvox_campaign_hits, wolkvox_campaign_results.",
                   [target(named(f"{risen(of_campaign('wolkvox_campaign_hits'), '1h', *each)} / "
                                 f"({risen(of_campaign('wolkvox_campaign_results', eq('result', 'answer')), '1h', *each)} >= 10)", "campaign"), legend)],
                   "percentunit", width=8),
            row("Preview"),
            series("Preview calls by result, per hour", "Calls of preview campaigns in the hour before each point. Source: wolkvox_preview_calls_total.",
                   [target(f"{grown(preview, '1h', 'call_result')} > 0", "{{call_result}} · {{operation}}")], "none", stack="normal", width=8,
                   overrides=[by_operation(one, color=colour(one)) for one in ("answer", "no_answer", "answer_machine", "busy", "failed")]),
            series("Mean length of preview calls", "Seconds of calls / calls, in the hour before each point, with at least 5. Source: wolkvox_preview_call_duration_seconds.",
                   [target(named_if_known(mean("wolkvox_preview_call_duration_seconds", of_campaign, "1h", *each), "campaign"), legend)], "dthms", width=8),
            bar_gauge("Codes set by agents, 24 h", "The ten most frequent activity codes in the last 24 h. Source: wolkvox_preview_codes_total.",
                      f"topk(10, {grown(of_campaign('wolkvox_preview_codes_total'), '24h', 'code')} > 0)", "{{code}} · {{operation}}", "none", width=8,
                      decimals=0, none="no codes"),
        ])


def skills() -> Json:
    each = ("skill_id",)
    legend = "{{skill}} · {{operation}}"
    buckets = of_skill("wolkvox_abandon_time_seconds_bucket")
    short = of_skill("wolkvox_abandon_time_seconds_bucket", 'le="10.0"')
    count = of_skill("wolkvox_abandon_time_seconds_count")

    def without_short(*labels: str, least: str) -> str:
        gone = grown(short, "1h", *labels)
        return (f"clamp_min({grown(count, '1h', *labels)} - {gone}, 0) / "
                f"({grown(of_skill(INTERACTIONS), '1h', *labels)} - {gone} {least}) {LISTS_ANSWERED}")

    return dashboard(
        "skills", "Skills", "Inbound: who reaches a skill, who gives up waiting, and after how long.", ["skill", "channel"], [ALERTS_SHOWN],
        [
            stat("Offered, 1 h", "Calls and chats that reached the skills in the last hour. Source: wolkvox_skill_interactions_total.",
                 grown(of_skill(INTERACTIONS), "1h"), "none", none="no data", decimals=0),
            stat("Abandoned, 1 h", "Callers who gave up waiting in the last hour. Source: wolkvox_skill_interactions_total.",
                 grown(of_skill(INTERACTIONS, ABANDONED), "1h"), "none", none="no data", decimals=0),
            stat("Abandonment, 1 h", f"Abandoned / offered in the last hour, with at least 5 offered. {ABANDON_NOTE} {RATE_NOTE} "
                 "Source: wolkvox_skill_interactions_total.", abandonment(of_skill, "1h", least=">= 5"), "percentunit", steps=ABANDON, none=CLOSED,
                 decimals=1),
            stat("Without short, 1 h", "(Abandoned - abandoned within 10 s) / (offered - abandoned within 10 s) in the last hour, with at least 5. "
                 f"{ABANDON_NOTE} {RATE_NOTE} Source: wolkvox_abandon_time_seconds, wolkvox_skill_interactions_total.",
                 without_short(least=">= 5"), "percentunit", steps=ABANDON, none=CLOSED, decimals=1),
            stat("Abandonment, 24 h", f"Abandoned / offered in the last 24 h, with at least 20 offered. {ABANDON_NOTE} {RATE_NOTE} "
                 "Source: wolkvox_skill_interactions_total.", abandonment(of_skill, "24h", least=">= 20"), "percentunit", steps=ABANDON, none="too few",
                 decimals=1),
            stat("Median patience", "Half of the callers who gave up in the last hour had waited less. Amber from 1 min, red from 2 min. "
                 "Source: wolkvox_abandon_time_seconds.", quantile(0.5, buckets, "1h"), "s", steps=[(None, GREEN), (60, AMBER), (120, RED)],
                 none="nobody gave up", decimals=1),
            stat("Short abandons", "Abandoned within 10 s / abandoned in the last hour, with at least 5. Amber from 40 %, red from 60 %: wrong routing, robocalls, dead audio. "
                 "Source: wolkvox_abandon_time_seconds.", f"{grown(short, '1h')} / ({grown(count, '1h')} >= 5)", "percentunit",
                 steps=[(None, GREEN), (0.4, AMBER), (0.6, RED)], none="too few", decimals=0),
            stat("Data age", f"Time since the end of the window that the calls cover. {AGE_NOTE} Source: wolkvox_report_data_timestamp_seconds.",
                 f"max by (job, operation) (time() - {sel('wolkvox_report_data_timestamp_seconds', eq('report', 'abandoned_calls'))})", "s", steps=AGE,
                 none="never read", decimals=1),
            series("Abandonment by skill", "Abandoned / offered in the hour before each point, with at least 10 offered; closed hours are gaps. Lines at 5 % (objective) and 15 % (alert). "
                   f"{RATE_NOTE} Source: wolkvox_skill_interactions_total.",
                   [target(named(abandonment(of_skill, "1h", *each, least=">= 10"), "skill"), legend)], "percentunit", steps=ABANDON, height=9),
            bar_gauge("Abandonment now, worst first", f"Abandoned / offered in the last hour, with at least 5 offered. {ABANDON_NOTE} {RATE_NOTE} "
                      "Source: wolkvox_skill_interactions_total.",
                      f"sort_desc({named(abandonment(of_skill, '1h', *each, least='>= 5'), 'skill')})", legend, "percentunit", steps=ABANDON, height=9,
                      none=CLOSED, decimals=1),
            series("Abandoned per hour, against last week", "Callers who gave up in the hour before each point; dashed grey: the same time a week ago. "
                   "Also works where the report lists no answered calls. Source: wolkvox_skill_interactions_total.",
                   [target(f"{grown(of_skill(INTERACTIONS, ABANDONED), '1h')} > 0", "today · {{operation}}"),
                    target(f"{grown(of_skill(INTERACTIONS, ABANDONED), '1h', offset='1w')} > 0", "a week ago · {{operation}}")], "none", decimals=0,
                   overrides=[by_operation("a week ago", color=colour("a week ago"), custom__lineStyle={"fill": "dash", "dash": [6, 6]},
                                           custom__fillOpacity=0, custom__lineWidth=1)]),
            waits_heatmap(of_skill),
            series("Wait before abandoning, 90 %", "90 % of the callers who gave up in the hour before each point had waited less, with at least 5. "
                   "Source: wolkvox_abandon_time_seconds.", [target(named(quantile(0.9, buckets, "1h", *each, least=5), "skill"), legend)], "dthms", width=8),
            series("Short abandons among all", "Abandoned within 10 s / abandoned, in the hour before each point, with at least 5. A surge rarely means too few agents: "
                   "wrong routing, robocalls, dead audio. Source: wolkvox_abandon_time_seconds.",
                   [target(named(f"{grown(short, '1h', *each)} / ({grown(count, '1h', *each)} >= 5)", "skill"), legend)], "percentunit", width=8, maximum=1),
            series("Abandonment without short ones", "(Abandoned - abandoned within 10 s) / (offered - abandoned within 10 s) in the hour before each point, with at least 10. "
                   f"{ABANDON_NOTE} {RATE_NOTE} Source: wolkvox_abandon_time_seconds, wolkvox_skill_interactions_total.",
                   [target(named(without_short(*each, least=">= 10"), "skill"), legend)], "percentunit", steps=ABANDON, width=8),
            series("Offered by skill, per 20 min", "Calls and chats that reached a skill in the 20 min before each point. Source: wolkvox_skill_interactions_total.",
                   [target(named(f"{grown(of_skill(INTERACTIONS), '20m', *each)} > 0", "skill"), legend)], "none", stack="normal", width=12),
            series("Offered by channel, per 20 min", "Calls and chats that reached a skill in the 20 min before each point, by channel. "
                   "Source: wolkvox_skill_interactions_total.",
                   [target(f"{grown(of_skill(INTERACTIONS), '20m', 'channel')} > 0", "{{channel}} · {{operation}}")], "none", stack="normal", width=12,
                   overrides=[by_operation(one, color=colour(one)) for one in ("voice", "chat", "omni", "none", "other")]),
            table("Skills, last 24 h", f"One row per skill. {ABANDON_NOTE} {RATE_NOTE} Source: wolkvox_skill_interactions_total, wolkvox_abandon_time_seconds.",
                  [named(grown(of_skill(INTERACTIONS), "24h", *each), "skill"),
                   *(grown(of_skill(INTERACTIONS, f'result="{result}"'), "24h", *each) for result in ("answered", "abandoned")),
                   abandonment(of_skill, "24h", *each), f"{grown(short, '24h', *each)} / ({grown(count, '24h', *each)} > 0)",
                   quantile(0.5, buckets, "24h", *each), quantile(0.9, buckets, "24h", *each)],
                  [column("skill", "Skill", links=link("wolkvox-skills", "Only this skill", "skill=skill_id")), OPERATION,
                   column("skill_id", "Id", custom__width=70), column("Value #A", "Offered", "none", decimals=0), column("Value #B", "Answered", "none", decimals=0),
                   column("Value #C", "Abandoned", "none", decimals=0), column("Value #D", "Rate", "percentunit", decimals=1, **text_cell(ABANDON)),
                   column("Value #E", "Short", "percentunit", decimals=0), column("Value #F", "Half gave up within", "s", decimals=1),
                   column("Value #G", "90 % gave up within", "s", decimals=1)],
                  height=6, hidden=[], sort="Rate", order=["skill", "operation", "skill_id", *(f"Value #{letter}" for letter in "ABCDEFG")]),
        ])


def ivr() -> Json:
    each = ("rp_id",)
    legend = "{{routing_point}} · {{operation}}"
    calls, hung_up = of_rp("wolkvox_ivr_calls_total"), of_rp("wolkvox_ivr_calls_total", 'result="hung_up"')
    choices = of_rp("wolkvox_ivr_selections_total")
    silent = of_rp("wolkvox_ivr_selections_total", 'option="none"')
    chosen = f"topk(12, {grown(choices, '24h', 'rp_id', 'option')} > 0)"
    hang_ups: Steps = [(None, GREEN), (0.3, AMBER), (0.5, RED)]
    note = "Green below 30 %, amber from 30 %, red from 50 % (the alert)."
    return dashboard(
        "ivr", "IVR", "What callers do in the menus: where they go, where they hang up, and how long it takes.", ["rp"], [ALERTS_SHOWN],
        [
            stat("IVR calls, 1 h", "Calls that ended in a routing point in the last hour. Source: wolkvox_ivr_calls_total.", grown(calls, "1h"), "none",
                 none="no data", decimals=0, width=4),
            stat("Hung up, 1 h", f"Calls with the result `hung up` / all calls in the last hour, with at least 5. {note} Source: wolkvox_ivr_calls_total.",
                 f"{grown(hung_up, '1h')} / ({grown(calls, '1h')} >= 5)", "percentunit", steps=hang_ups, none=CLOSED, decimals=1, width=4),
            stat("No key, 1 h", "Steps without a choice / all steps in the last hour, with at least 5. Amber from 25 %, red from 40 % (the alert). "
                 "Source: wolkvox_ivr_selections_total.", f"{grown(silent, '1h')} / ({grown(choices, '1h')} >= 5)", "percentunit",
                 steps=[(None, GREEN), (0.25, AMBER), (0.4, RED)], none=CLOSED, decimals=1, width=4),
            stat("Median time in the menu", "Half of the calls in the last hour took less. Source: wolkvox_ivr_time_seconds.",
                 quantile(0.5, of_rp("wolkvox_ivr_time_seconds_bucket"), "1h"), "s", none=CLOSED, decimals=1, width=4),
            stat("Transfers, 1 h", "Steps that led to a transfer in the last hour. Source: wolkvox_ivr_transfers_total.",
                 grown(of_rp("wolkvox_ivr_transfers_total"), "1h"), "none", none="no data", decimals=0, width=4),
            stat("Data age", f"Time since the end of the window that the calls cover. {AGE_NOTE} Source: wolkvox_report_data_timestamp_seconds.",
                 f"max by (job, operation) (time() - {sel('wolkvox_report_data_timestamp_seconds', eq('report', 'ivr'))})", "s", steps=AGE,
                 none="never read", decimals=1, width=4),
            series("Calls by routing point, per hour", "Calls that ended in a routing point, in the hour before each point. Source: wolkvox_ivr_calls_total.",
                   [target(named(f"{grown(calls, '1h', *each)} > 0", "routing_point"), legend)], "none", stack="normal"),
            series("Outcome, share of the last hour", "Calls in the hour before each point by outcome. Source: wolkvox_ivr_calls_total.",
                   [target(where_enough(grown(of_rp('wolkvox_ivr_calls_total', matcher), '1h'), grown(calls, '1h')), f"{name} · {{{{operation}}}}")
                    for matcher, name in (('result="ok"', "ok"), ('result="hung_up"', "hung up"), ('result="other"', "other"))], "none", stack="percent",
                   overrides=[by_operation(one, color=colour(one)) for one in ("ok", "hung up", "other")]),
            series("Hung up in the menu", f"Calls with the result `hung up` / all calls in the hour before each point, with at least 10. Not containment: the report does not say "
                   f"whether a caller was served or gave up. Lines: {note} Source: wolkvox_ivr_calls_total.",
                   [target(named(f"{grown(hung_up, '1h', *each)} / ({grown(calls, '1h', *each)} >= 10)", "routing_point"), legend)], "percentunit",
                   steps=hang_ups, maximum=1),
            series("No key pressed", "Steps without a choice / all steps in the hour before each point, with at least 10. A rise points to broken audio or tones. "
                   "Source: wolkvox_ivr_selections_total.",
                   [target(named(f"{grown(silent, '1h', *each)} / ({grown(choices, '1h', *each)} >= 10)", "routing_point"), legend)], "percentunit", maximum=1),
            heatmap("Time in the menu", "Calls in half an hour by the time that they spent in the menu. Operations are added up here, since a heatmap shows one histogram. "
                    "Source: wolkvox_ivr_time_seconds.", f"sum by (le) (increase({of_rp('wolkvox_ivr_time_seconds_bucket')}[30m]))", scheme="Blues"),
            series("Mean time in the menu", "Seconds in the menu / calls, in the hour before each point, with at least 5. Source: wolkvox_ivr_time_seconds.",
                   [target(named(mean("wolkvox_ivr_time_seconds", of_rp, "1h", *each), "routing_point"), legend)], "dthms"),
            bar_gauge("Options chosen, 24 h", "The twelve most frequent choices in the last 24 h; `none`: no key was pressed. Source: wolkvox_ivr_selections_total.",
                      f"sort_desc({named(chosen, 'routing_point')})",
                      "{{option}} — {{routing_point}} · {{operation}}", "none", height=10, decimals=0),
            bar_gauge("Transfers by target, 24 h", "The twelve most frequent targets in the last 24 h. Source: wolkvox_ivr_transfers_total.",
                      f"sort_desc(topk(12, {grown(of_rp('wolkvox_ivr_transfers_total'), '24h', 'dn_transfer')} > 0))", "{{dn_transfer}} · {{operation}}",
                      "none", height=10, decimals=0),
        ])


def exporter() -> Json:
    report = "{{report}} · {{operation}}"
    used, limit = sel("wolkvox_api_calls_used"), sel("wolkvox_api_calls_limit")
    return dashboard(
        "exporter", "Exporter", "The exporter itself: whether every report is read, the budget is kept, and the state is saved.", [], [ALERTS_SHOWN],
        [
            failing(),
            data_age(),
            stat("API calls used", "Calls on the operation's local day / the configured budget. Amber from 80 %, red from 95 %. "
                 "Source: wolkvox_api_calls_used, wolkvox_api_calls_limit.", f"max by (job, operation) ({used} / ({limit} > 0))", "percentunit",
                 steps=[(None, GREEN), (0.8, AMBER), (0.95, RED)], none="no exporter", decimals=0),
            stat("API failures, 1 h", "Requests that failed in the last hour, including retries. Amber from 1, red from 10. "
                 "Source: wolkvox_api_request_failures_total.", grown(sel("wolkvox_api_request_failures_total"), "1h"), "none",
                 steps=[(None, GREEN), (0.5, AMBER), (9.5, RED)], none="no exporter", decimals=0),
            stat("Last commit", "Time since the state was last written to disk. Amber from 10 min, red from 15 min: two and three polls at 5 min. "
                 "Source: wolkvox_exporter_state_last_commit_timestamp_seconds.",
                 f"max by (job, operation) (time() - {sel('wolkvox_exporter_state_last_commit_timestamp_seconds')})", "s", steps=AGE, none="never", decimals=1),
            stat("Invalid rows, 24 h", "Rows that could not be read / all rows in the last 24 h. Amber from 0.1 %, red from 1 %: the vendor probably changed a format. "
                 "Source: wolkvox_report_rows_total.",
                 f"{grown(sel('wolkvox_report_rows_total', eq('outcome', 'invalid')), '24h')} / ({grown(sel('wolkvox_report_rows_total'), '24h')} > 0)",
                 "percentunit", steps=[(None, GREEN), (0.001, AMBER), (0.01, RED)], none="no rows", decimals=2),
            stat("Series left out, 24 h", "Rows folded into _other or left out because of series_limit in the last 24 h. Red from 1. "
                 "Source: wolkvox_exporter_series_dropped_total.", grown(sel("wolkvox_exporter_series_dropped_total"), "24h"), "none",
                 steps=[(None, GREEN), (0.5, RED)], none="no exporter", decimals=0),
            stat("Version", "The running version. Source: wolkvox_exporter_build_info.",
                 'max by (job, version) (wolkvox_exporter_build_info{job=~"$job"})', "none", none="no exporter", show="name", legend="{{version}}"),
            state_timeline("Reports", "Whether the last poll of each report succeeded. A gap means that the exporter was down. Source: wolkvox_up.",
                           f"max by (job, operation, report) ({sel('wolkvox_up')})", report, REPORTS_UP, height=9),
            series("Age of each report's data", f"Time since the end of the window that the data covers; lines: {AGE_NOTE} "
                   "Source: wolkvox_report_data_timestamp_seconds.",
                   [target(f"max by (job, operation, report) (time() - {sel('wolkvox_report_data_timestamp_seconds')})", report)], "dthms", steps=AGE, height=9),
            series("API requests, per hour", "Requests in the hour before each point, including retries. Source: wolkvox_api_requests_total.",
                   [target(grown(sel("wolkvox_api_requests_total"), "1h", "report"), report)], "none", stack="normal", width=8),
            series("Polls failed or skipped, per hour", "Polls that failed, by reason, and polls skipped to keep the budget or because the quota is used up, in the hour before each point. "
                   "Source: wolkvox_report_poll_failures_total, wolkvox_report_polls_skipped_total.",
                   [target(f"{grown(sel('wolkvox_report_poll_failures_total'), '1h', 'report', 'reason')} > 0", "{{reason}} · {{report}} · {{operation}}"),
                    target(f"{grown(sel('wolkvox_report_polls_skipped_total'), '1h', 'report', 'reason')} > 0", "skipped, {{reason}} · {{report}} · {{operation}}")],
                   "none", stack="normal", width=8, none="no poll failed or was skipped"),
            series("API calls used today", "Calls on the operation's local day, and its budget (dashed). Source: wolkvox_api_calls_used, wolkvox_api_calls_limit.",
                   [target(f"max by (job, operation) ({used})", "used · {{operation}}"), target(f"max by (job, operation) ({limit})", "budget · {{operation}}")],
                   "none", width=8,
                   overrides=[by_operation("budget", color={"mode": "fixed", "fixedColor": "red"}, custom__fillOpacity=0,
                                           custom__lineStyle={"fill": "dash", "dash": [6, 6]})]),
            series("Time to answer, 90 %", "90 % of the API's answers in the hour before each point took less. Source: wolkvox_api_request_duration_seconds.",
                   [target(quantile(0.9, sel("wolkvox_api_request_duration_seconds_bucket"), "1h", "report"), report)], "s", width=8),
            series("Length of the last poll", "All requests of a poll, including the wait for the token. Source: wolkvox_report_poll_duration_seconds.",
                   [target(f"max by (job, operation, report) ({sel('wolkvox_report_poll_duration_seconds')})", report)], "s", width=8),
            series("Rows by outcome, per hour", "Rows in the hour before each point: counted, duplicate (seen before), baseline (older than the first poll), late, ignored, invalid. "
                   "Source: wolkvox_report_rows_total.",
                   [target(f"{grown(sel('wolkvox_report_rows_total', eq('outcome', one)), '1h')} > 0", f"{one} · {{{{operation}}}}")
                    for one in ("counted", "duplicate", "baseline", "late", "ignored", "invalid")], "short", stack="normal", width=8,
                   overrides=[by_operation(one, color=colour(one)) for one in ("counted", "duplicate", "baseline", "late", "ignored", "invalid")]),
            series("Odd rows and fields, per hour", "Invalid fields by name, day totals that fell, windows cut by the record limit, and rows counted long after they happened, "
                   "in the hour before each point. Source: wolkvox_report_invalid_fields_total, _corrections_total, _capped_windows_total, _backlog_rows_total.",
                   [target(f"{grown(sel('wolkvox_report_invalid_fields_total'), '1h', 'report', 'field')} > 0", "{{field}} of {{report}} · {{operation}}"),
                    target(f"{grown(sel('wolkvox_report_corrections_total'), '1h')} > 0", "day totals that fell · {{operation}}"),
                    target(f"{grown(sel('wolkvox_report_capped_windows_total'), '1h')} > 0", "windows cut · {{operation}}"),
                    target(f"{grown(sel('wolkvox_report_backlog_rows_total'), '1h')} > 0", "rows counted late · {{operation}}")], "none", width=12,
                   none="nothing odd"),
            alerts_table(12, 8),
            series("Newest row, before the end of what was read", "From the date of each report's newest row to the end of the window that was read. It grows while nobody "
                   "calls. If it stays above 45 min (the line, and the alert's limit) while people call, the time zone is wrong or Wolkvox is late; below 0, rows are dated "
                   "in the future. Source: wolkvox_report_newest_row_timestamp_seconds, wolkvox_report_data_timestamp_seconds.",
                   [target("max by (job, operation, report) "
                           f"({sel('wolkvox_report_data_timestamp_seconds')} - {sel('wolkvox_report_newest_row_timestamp_seconds')})", report)], "dthms",
                   steps=[(None, GREEN), (2700, AMBER)], minimum=None),
            table("Broken assumptions, 24 h", "What the exporter takes for granted about the API and was not so in the last 24 h: how often, and the words that it does not know. "
                  "The status page says what it means. Source: wolkvox_report_assumption_violations_total, wolkvox_report_unknown_word.",
                  [f"{grown(sel('wolkvox_report_assumption_violations_total'), '24h', 'report', 'assumption')} > 0",
                   f"max by (job, operation, report, assumption, field, word) (label_replace({sel('wolkvox_report_unknown_word')}, \"assumption\", \"known_words\", \"\", \"\"))"],
                  [column("report", "Report"), column("assumption", "Assumption"), column("Value #A", "Times", "none", decimals=0), column("field", "Field"),
                   column("word", "Unknown word"), OPERATION],
                  width=12, height=8, hidden=["Value #B"], sort="Times", order=["report", "assumption", "Value #A", "field", "word", "operation"],
                  none="all assumptions held"),
            series("Memory and state", "Resident memory of the exporter, and the size of each operation's state file if there is a state path. "
                   "Source: process_resident_memory_bytes, wolkvox_exporter_state_size_bytes.",
                   [target('process_resident_memory_bytes{job=~"$job"}', "memory · {{instance}}"),
                    target(f"max by (job, operation) ({sel('wolkvox_exporter_state_size_bytes')})", "state · {{operation}}")], "bytes", width=6),
            series("CPU", "Seconds of CPU per second. Source: process_cpu_seconds_total.",
                   [target('rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval])', "{{job}} · {{instance}}")], "percentunit", width=6, interval="1m"),
            series("Scrapes: time", "Duration of Prometheus's scrapes. Source: scrape_duration_seconds.",
                   [target('scrape_duration_seconds{job=~"$job"}', "{{job}} · {{instance}}")], "s", width=6, interval="1m"),
            series("Scrapes: samples", "Samples per scrape. Source: scrape_samples_scraped.",
                   [target('scrape_samples_scraped{job=~"$job"}', "{{job}} · {{instance}}")], "short", width=6, interval="1m"),
        ])


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("wolkvox")
    folder.mkdir(parents=True, exist_ok=True)
    for make in (overview, campaigns, skills, ivr, exporter):
        written = json.dumps(make(), indent=2, ensure_ascii=False) + "\n"
        (folder / f"{make.__name__}.json").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
