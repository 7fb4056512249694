"""Reads a body of /metrics line by line, and is stricter than Prometheus, which forgives much."""

import re
from dataclasses import dataclass, field

SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")  # the exporter sends no timestamps and no exemplars
LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

HISTOGRAM = ("_bucket", "_sum", "_count")
SUFFIXES = {
    "text": {"counter": ("",), "gauge": ("",), "histogram": HISTOGRAM},
    "openmetrics": {"counter": ("_total",), "gauge": ("",), "info": ("_info",), "histogram": HISTOGRAM},
}


@dataclass
class Family:
    kind: str
    series: set = field(default_factory=set)


def require(condition, message):
    if not condition:
        raise AssertionError(message)


def series(name, labels):
    """What makes a series: its name and its labels in any order."""
    return name, frozenset(labels.items())


def families(body, form):
    """The families of a body in the form `text` or `openmetrics`, by the name in `# TYPE`."""
    require(body.endswith("\n") and not body.endswith("\n\n"), "the body does not end with one line end")
    lines = body[:-1].split("\n")
    if form == "openmetrics":
        require(lines.pop() == "# EOF", "the last line is not # EOF")
    found, values, helped, name = {}, {}, None, None
    for line in lines:
        if line.startswith("# HELP "):
            require(helped is None, f"no TYPE follows the HELP of {helped}")
            helped, text = line.removeprefix("# HELP ").split(" ", 1)
            require(text.strip(), f"the HELP of {helped} is empty")
        elif line.startswith("# TYPE "):
            name, kind = line.removeprefix("# TYPE ").split(" ")
            require(helped == name, f"the TYPE of {name} follows the HELP of {helped}")
            require(name not in found, f"the family {name} is there twice")
            require(kind in SUFFIXES[form], f"{name} is of the type {kind}")
            found[name], helped = Family(kind), None
        else:
            require(helped is None, f"no TYPE follows the HELP of {helped}")
            add_sample(found[name] if name else None, name, line, form, values)
    for name, family in found.items():
        require(family.series, f"the family {name} has no series")
    return found


def add_sample(family, family_name, line, form, values):
    match = SAMPLE.fullmatch(line)
    require(match, f"not a sample: {line!r}")
    name, text, value = match.groups()
    require(family, f"{name} belongs to no family")
    allowed = [family_name + suffix for suffix in SUFFIXES[form][family.kind]]
    require(name in allowed, f"{name} stands in the family {family_name} of the type {family.kind}")
    require(float(value) == float(value), f"{name} is NaN")
    key = series(name, labels(text or ""))
    require(key not in values, f"a series is there twice: {line}")
    values[key] = value
    family.series.add(key)


def labels(text):
    found, end = {}, 0
    while end < len(text):
        match = LABEL.match(text, end)
        require(match, f"not labels: {text}")
        name, value = match.groups()
        require(name not in found, f"the label {name} is there twice: {text}")
        found[name] = re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], value)
        end = match.end()
    return found


def every_series(found):
    return set().union(*(family.series for family in found.values()))
