"""One function for each kind of panel."""

from typing import Any

from .style import DATASOURCE, GREY, PLAIN, Json, Steps, override, thresholds


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
         show: str = "auto", more_targets: tuple[Json, ...] = (), **more: Any) -> Json:
    defaults = {"unit": unit, "noValue": none, "thresholds": thresholds(steps), "color": {"mode": "thresholds"}, **more}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "colorMode": "value", "graphMode": "none", "justifyMode": "center", "textMode": show, "orientation": "horizontal",
        "wideLayout": True, "percentChangeColorMode": "standard", "showPercentChange": False,
        "reduceOptions": reduce_last(),
    }
    return panel("stat", title, description, [now(expr, legend), *more_targets], width, height, defaults, options, overrides)


def series(title: str, description: str, targets: list[Json], unit: str, *, width: int = 12, height: int = 8, stack: str = "none",
           bars: bool = False, steps: Steps | None = None, fill: int | None = None, maximum: float | None = None,
           decimals: int | None = None, none: str = "nothing in this time", overrides: list[Json] | None = None,
           legend: str = "list", minimum: float | None = 0, interval: str = "5m", sparse: bool = False, **more: Any) -> Json:
    """Time series. `sparse` ones have single points with gaps around them."""
    # Polls come every five minutes, and a window contains sometimes one more and sometimes one fewer of them. With a finer interval,
    # every increase would be a sawtooth.
    custom = {
        "drawStyle": "bars" if bars else "line", "lineInterpolation": "linear", "lineWidth": 0 if bars else 2 if stack == "none" else 1,
        "fillOpacity": fill if fill is not None else 70 if bars else 55 if stack != "none" else 8,
        "gradientMode": "none", "spanNulls": False, "showPoints": "always" if sparse else "auto", "pointSize": 5 if sparse else 4, "barAlignment": 0, "barWidthFactor": 0.8,
        "stacking": {"mode": stack, "group": "A"}, "axisPlacement": "auto", "axisBorderShow": False, "axisLabel": "",
        "axisCenteredZero": False, "axisColorMode": "text", "insertNulls": False, "scaleDistribution": {"type": "linear"},
        "hideFrom": {"legend": False, "tooltip": False, "viz": False}, "thresholdsStyle": {"mode": "dashed" if steps else "off"},
        **({"axisSoftMax": 1.1 * max(value or 0 for value, _ in steps)} if steps else {}),  # the lines are in the picture
    }
    defaults: Json = {"unit": unit, "noValue": none, "color": {"mode": "palette-classic"}, "custom": custom,
                      "thresholds": thresholds(steps or PLAIN)}
    # Half a call is none.
    if decimals is None and unit == "none" and stack != "percent":
        decimals = 0
    for key, value in (("min", minimum), ("max", maximum), ("decimals", decimals)):
        if value is not None:
            defaults[key] = value
    options = {
        "legend": {"displayMode": legend, "placement": "bottom" if legend == "list" else "right", "showLegend": True,
                   "calcs": [] if legend == "list" else ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": False},
    }
    return panel("timeseries", title, description, targets, width, height, defaults, options, overrides, interval=interval, **more)


def bar_gauge(title: str, description: str, expr: str, legend: str, unit: str, *, width: int = 12, height: int = 8,
              steps: Steps = PLAIN, maximum: float | None = None, decimals: int | None = None, none: str = "none", wall: bool = False) -> Json:
    """Bars, one for each result. `wall` is for those that are read from afar."""
    defaults: Json = {"unit": unit, "noValue": none, "thresholds": thresholds(steps), "color": {"mode": "thresholds"}, "min": 0}
    for key, value in (("max", maximum), ("decimals", decimals)):
        if value is not None:
            defaults[key] = value
    options = {
        "displayMode": "basic", "orientation": "horizontal", "valueMode": "text", "showUnfilled": True, "minVizHeight": 36 if wall else 16,
        "minVizWidth": 8, "maxVizHeight": 56 if wall else 32, "namePlacement": "left", "sizing": "manual",
        "text": {"titleSize": 22, "valueSize": 30} if wall else {"titleSize": 12, "valueSize": 16}, "reduceOptions": reduce_last(),
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


def heatmap(title: str, description: str, expr: str, *, width: int = 12, height: int = 8, scheme: str = "Oranges",
            none: str = "nothing in this time") -> Json:
    defaults = {"noValue": none, "unit": "none",
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
          order: list[str], sort: str, none: str = "nothing to list", footer: bool = False, down: bool = True) -> Json:
    """One row per set of labels: rows of the targets with equal labels are merged."""
    targets = [target(expr, "", instant=True, range=False, format="table") for expr in exprs]
    defaults = {"noValue": none, "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": False, "minWidth": 60}}
    options = {"showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": sort, "desc": down}],
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


def row(title: str) -> Json:
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": 24, "h": 1}}
