"""Rules for dashboards: those of Grafana's dashboard-linter, and our own. Each yields what it finds wrong."""

import json
import re

# What the rules let pass, each with its reason: (rule, dashboard, title of the panel).
EXCEPTIONS = {
    ("scope", "wolkvox-exporter", "Version"): "the build has no operation",
    ("scope", "wolkvox-exporter", "Memory and state"): "a process has no operation",
    ("scope", "wolkvox-exporter", "CPU"): "a process has no operation",
    ("scope", "wolkvox-exporter", "Scrapes: time"): "a scrape has no operation",
    ("scope", "wolkvox-exporter", "Scrapes: samples"): "a scrape has no operation",
    ("grouping", "wolkvox-exporter", "Version"): "the build has no operation",
    ("grouping", "wolkvox-overview", "Wait before abandoning"): "a heatmap shows one histogram, so operations are added up",
    ("grouping", "wolkvox-skills", "Wait before abandoning"): "a heatmap shows one histogram, so operations are added up",
    ("grouping", "wolkvox-skills", "Wait before the answer"): "a heatmap shows one histogram, so operations are added up",
    ("grouping", "wolkvox-ivr", "Time in the menu"): "a heatmap shows one histogram, so operations are added up",
    ("divisors", "wolkvox-campaigns", "Penetration, against the target"): "hours of dialling, and seconds of an hour, are never 0",
}

# Windows of functions over time. Polls come every five minutes, so nothing shorter than four of them.
WINDOWS = {
    "20m": "a KPI's shortest window: four polls",
    "30m": "a KPI's window",
    "1h": "a KPI's window",
    "24h": "a KPI's day",
    "1d": "a bar of a day",
    "$__rate_interval": "series that change with each scrape",
    "$__range": "names in a variable: all of the shown time",
}
# Of a recycle the time matters, not a rate, and it shows in one poll.
CHANGES_WINDOW = "5m"

# Since when a queue has not been empty: the queue is read every two minutes.
SUBQUERY = "[3h:1m]"
OFFSETS = {"1w": "the same time a week ago", "1d": "the same time yesterday", "-1d": "a bar begins where its day begins"}

# People wait seconds for a call and hours for a chat: what shows waits has only one of them.
ONE_CHANNEL = re.compile(r'channel(?:=~|!~)"chat\|omni"')
WAITS = re.compile(r"wolkvox_(answer|abandon)_time_seconds_(bucket|sum)")

# Seen ever, not how often: whether an operation's report lists answered calls at all.
LISTS_ANSWERED = (
    "and on (job, operation) (sum by (job, operation) "
    '(wolkvox_skill_interactions_total{job=~"$job", operation=~"$operation", result="answered"}) > 0)'
)
RATE_NOTE = "Only for operations whose report lists answered calls"

SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}")
COUNTER = re.compile(r"\w+(_total|_count|_sum|_bucket)$")
WITH_UNIT = {"stat", "timeseries", "bargauge"}
OF_NOW = {"stat", "bargauge", "table"}


def panels(dashboard):
    return [inner for outer in dashboard["panels"] for inner in (outer, *outer.get("panels", []))]


def targets(dashboard):
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel, target["expr"]


def expressions(dashboard):
    """All PromQL with where it is: of panels, annotations and variables."""
    for panel, expression in targets(dashboard):
        yield panel["title"], expression
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"]
    for variable in dashboard["templating"]["list"]:
        query = variable["query"]
        if isinstance(query, dict) and (found := re.fullmatch(r"query_result\((.*)\)", query["query"])):
            yield f"variable {variable['name']}", found[1]


def inside(text, start):
    """What is between the parenthesis at `start` and its counterpart."""
    depth = 0
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return text[start + 1 : position]
    raise AssertionError(f"a parenthesis is not closed: {text[start:]}")


def top_level(text):
    """`text` without what is in parentheses."""
    kept, depth = [], 0
    for letter in text:
        depth += letter == "("
        kept.append(letter if depth == 0 else "")
        depth -= letter == ")"
    return "".join(kept)


# The rules: what each finds, as (title of the panel or "", what is wrong).


def model(dashboard):
    """Classic JSON that Grafana 11 and later import, nobody edits in place, and links find."""
    wanted = {"id": None, "editable": False, "graphTooltip": 1, "refresh": "1m", "tags": ["wolkvox"]}
    for key, value in wanted.items():
        if key not in dashboard or dashboard[key] != value:
            yield "", f"{key} is not {value!r}"
    if not 39 <= dashboard["schemaVersion"] <= 41:
        yield "", f"schemaVersion {dashboard['schemaVersion']}"
    if not re.fullmatch(r"wolkvox-[a-z]+", dashboard["uid"]):
        yield "", f"uid {dashboard['uid']!r}"
    for key in ("version", "__inputs", "__requires"):
        if key in dashboard:
            yield "", f"{key} is not for provisioned dashboards"
    if len(dashboard["links"]) != 7 or not all(link["includeVars"] for link in dashboard["links"]):
        yield "", "no links to the seven other dashboards"


def variables(dashboard):
    found = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    sources = [variable for variable in found.values() if variable["type"] == "datasource"]
    if [(one["name"], one["label"]) for one in sources] != [("datasource", "Data source")]:
        yield "", "needs exactly one data source variable, datasource"
    for name in ("job", "operation"):
        if name not in found:
            yield "", f"no variable {name}"
    for name, variable in found.items():
        if variable["type"] == "custom":
            if variable["current"] not in variable["options"]:
                yield "", f"variable {name}: what is chosen is no option"
        if variable["type"] != "query":
            continue
        if name != "of" and not (variable["multi"] and variable["includeAll"] and variable["allValue"] == ".+"):
            yield "", f"variable {name}: not multi, without All, or All is not .+"
        if variable["refresh"] != 2:
            yield "", f"variable {name} is not read again when the time changes"
        if variable["datasource"]["uid"] != "${datasource}":
            yield "", f"variable {name}: another data source"
        if not re.match(r"(label_values|query_result)\(", variable["query"]["query"]):
            yield "", f"variable {name}: neither label_values nor query_result"
    everything = json.dumps([dashboard["panels"], dashboard["annotations"], [one["query"] for one in found.values()]])
    used = set(re.findall(r"\$\{?([a-z]+)\b", everything))
    for name in used - set(found):
        yield "", f"${name} is no variable"
    for name in set(found) - used:
        yield "", f"variable {name} is not used"


def described(dashboard):
    for panel in panels(dashboard):
        if panel["type"] != "row" and not (panel["title"] and panel.get("description")):
            yield panel["title"], "no title or description"
        if panel["type"] not in ("row", "text") and "Source: " not in panel["description"]:
            yield panel["title"], "the description does not name the source"


def shown(dashboard):
    """Data source, unit, text for nothing; gaps stay gaps; what is of now is asked for now."""
    for panel in panels(dashboard):
        if panel["type"] in ("row", "text"):
            continue
        defaults = panel["fieldConfig"]["defaults"]
        if not panel.get("targets"):
            yield panel["title"], "no targets"
        if any(one["datasource"]["uid"] != "${datasource}" for one in (panel, *panel["targets"])):
            yield panel["title"], "another data source"
        if panel["type"] in WITH_UNIT and not defaults.get("unit") and not defaults.get("mappings"):
            yield panel["title"], "no unit"
        if panel["type"] == "table":
            for override in panel["fieldConfig"]["overrides"]:
                keys = {one["id"] for one in override["properties"]}
                if override["matcher"]["options"].startswith("Value") and not keys & {"unit", "mappings"}:
                    yield panel["title"], f"no unit for {override['matcher']['options']}"
        if not defaults.get("noValue"):
            yield panel["title"], "no text for no value"
        steps = defaults.get("thresholds", {}).get("steps", [{"value": None}])
        if steps[0]["value"] is not None:
            yield panel["title"], "the first threshold is not null"
        colours = {step["color"] for step in steps}
        if "red" in colours and not re.search(r"\bred\b|Lines? at|lines:|Lines:|Red", panel["description"], re.IGNORECASE):
            yield panel["title"], "the thresholds are not explained"
        if panel["type"] == "timeseries" and defaults["custom"]["spanNulls"] is not False:
            yield panel["title"], "draws lines over gaps"
        if panel["type"] in OF_NOW and not all(one.get("instant") for one in panel["targets"]):
            yield panel["title"], "shows the last value of the range, however old"


def scope(dashboard):
    for title, expression in expressions(dashboard):
        for metric, matchers in SELECTOR.findall(expression):
            if 'job=~"$job"' not in matchers:
                yield title, f"{metric} without the job"
            if not re.search(r'operation=~"\$operation\|?"', matchers):
                yield title, f"{metric} without the operation"
        bare = re.search(r"\b(wolkvox|process|scrape)_\w+(?![\w{])", re.sub(r'"[^"]*"', '""', expression))
        if bare:
            yield title, f"{bare[0]} without matchers"


def grouping(dashboard):
    """Operations are not mixed, and joins stay within one."""
    for title, expression in expressions(dashboard):
        if title.startswith("variable "):
            continue  # names to pick, of all the operations that are chosen
        for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
            if labels.split(", ")[:2] != ["job", "operation"]:
                yield title, f"by or on ({labels})"
        if re.search(r"\b(without|ignoring)\b|\b(sum|count|max|min|avg)\s*\(", expression):
            yield title, "an aggregation without by (job, operation, …)"


def rates(dashboard):
    """Counters are only looked at through increase or rate, over windows that are meant."""
    for title, expression in expressions(dashboard):
        kept = expression.replace(LISTS_ANSWERED, "")
        for found in SELECTOR.finditer(kept):
            if COUNTER.match(found[1]) and not re.search(r"\b(increase|rate)\($", kept[: found.start()]):
                yield title, f"{found[1]} without increase or rate"
        expression = expression.replace(SUBQUERY, "")
        for function, window in re.findall(r"(\w+)\(\w+\{[^}]*\}\[([^\]:]+)\]", expression):
            if window not in WINDOWS and (function, window) != ("changes", CHANGES_WINDOW):
                yield title, f"{function} over {window}"
        if expression.count("[") != len(re.findall(r"\w+\(\w+\{[^}]*\}\[[^\]:]+\]", expression)):
            yield title, "a window outside of a function"
        for offset in re.findall(r"offset (\S+?)[)\s]", expression):
            if offset not in OFFSETS:
                yield title, f"offset {offset}"


def divisors(dashboard):
    """Nothing is divided by nothing: 0/0 is NaN, and one of two is no rate."""
    for title, expression in expressions(dashboard):
        for found in re.finditer(r" / (.)", expression):
            if found[1] == "(":
                divisor = inside(expression, found.start(1))
                if not re.search(r" >=? ?\d", top_level(divisor)):
                    yield title, f"a divisor without a least value: {divisor[:60]}"
            elif not found[1].isdigit():
                yield title, "a divisor that is not in parentheses"


def abandonment(dashboard):
    """A rate of abandoned calls is shown only where answered ones are listed, and says so."""
    for panel, expression in targets(dashboard):
        divided = [inside(expression, found.end() - 1) for found in re.finditer(r" / \(", expression)]
        if not any("wolkvox_skill_interactions_total" in one for one in divided):
            continue
        if LISTS_ANSWERED not in expression:
            yield panel["title"], "a rate without a look for answered calls"
        if RATE_NOTE not in panel["description"]:
            yield panel["title"], "does not say that answered calls are needed"


def waits(dashboard):
    """Calls and chats never share a figure of waits. Short abandons are counted, not measured."""
    for title, expression in expressions(dashboard):
        for found in re.finditer(WAITS.pattern + r"\{([^}]*)\}", expression):
            if not ONE_CHANNEL.search(found[3]) and 'le="10.0"' not in found[3]:
                yield title, f"{found[0]} of calls and chats"


def legends(dashboard):
    """The operation ends a legend where several are shown, and is left out where one is."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            text = target["legendFormat"]
            if " · {{operation}}" in text:
                yield panel["title"], f"the legend {text} always has the operation"


def layout(dashboard):
    taken, ids = {}, set()
    for panel in panels(dashboard):
        if panel["id"] in ids:
            yield panel["title"], "its id is not its own"
        ids.add(panel["id"])
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            yield panel["title"], "over the edge"
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])):
            if taken.setdefault(cell, panel["id"]) != panel["id"]:
                yield panel["title"], f"lies over panel {taken[cell]}"
                break
    titles = [panel["title"] for panel in panels(dashboard)]
    for title in {title for title in titles if titles.count(title) > 1}:
        yield title, "two panels have this title"


RULES = (model, variables, described, shown, scope, grouping, rates, divisors, abandonment, waits, legends, layout)


def findings(dashboard):
    """What the rules find, without the exceptions; and the exceptions that were needed."""
    found, needed = [], set()
    for rule in RULES:
        for title, what in rule(dashboard):
            key = (rule.__name__, dashboard["uid"], title)
            if key in EXCEPTIONS:
                needed.add(key)
            else:
                found.append(f"{rule.__name__}: {dashboard['uid']}: {title}: {what}")
    return found, needed
