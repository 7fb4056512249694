"""Colours, thresholds, and properties of single fields."""

import re
from typing import Any

Json = dict[str, Any]

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, AMBER, RED, BLUE, GREY = "green", "orange", "red", "blue", "text"
CLOSED = "closed"

Steps = list[tuple[float | None, str]]
PLAIN: Steps = [(None, BLUE)]
ABANDON: Steps = [(None, GREEN), (0.05, AMBER), (0.15, RED)]
ABANDON_NOTE = "Green below 5 %, amber from 5 %, red from 15 %: the alerts' objective, and three times that."
LEVEL: Steps = [(None, RED), (0.7, AMBER), (0.8, GREEN)]
LEVEL_NOTE = "Green from 80 %, amber from 70 %, red below."
QUEUE: Steps = [(None, GREEN), (1, AMBER), (10, RED)]
QUEUE_NOTE = "Amber from 1, red from 10."
PATIENCE: Steps = [(None, GREEN), (60, AMBER), (120, RED)]
PATIENCE_NOTE = "Amber from 1 min, red from 2 min: the queue is jammed."
AT_LEAST_ONE_BAD: Steps = [(None, GREEN), (1, RED)]
AGE: Steps = [(None, GREEN), (600, AMBER), (900, RED)]
AGE_NOTE = "Amber from 10 min, red from 15 min: two and three polls at the default interval of 5 min."
RATE_NOTE = (
    "Only for operations whose report lists answered calls too; otherwise there is no denominator, and nothing is shown."
)

# Durations as people in contact centres read them, and in every language: 00:01:30.
CLOCK = "dthms"

# The same thing has the same colour on every dashboard.
COLOURS = {
    "answered": "green", "answer": "green", "ok": "green", "counted": "green",
    "abandoned": "red", "hung up": "red", "invalid": "red", "busy, congestion, failed": "red",
    "answer machine": "purple", "no answer": "orange", "offered": "blue", "other": "#8e8e8e",
    "duplicate": "#8e8e8e", "late": "orange", "baseline": "light-blue", "ignored": "#5a5a5a",
    "today": "blue", "a week ago": "#8e8e8e", "yesterday": "#8e8e8e", "target": "green",
    "calls": "blue", "chats": "green", "omnichannel": "purple", "unknown": "#5a5a5a", "busy": "yellow", "failed": "red",
    "0-5 s": "red", "6-20 s": "orange", "21-60 s": "yellow", "61-120 s": "light-green", "over 120 s": "green",
    "available": "green", "ringing": "light-blue", "talking": "blue", "after-call work": "purple", "paused": "orange",
    "median": "blue", "80 %": "orange", "90 %": "orange", "95 %": "red", "mean": "blue", "highest": "red",
    "up to 150 ms": "green", "151-400 ms": "yellow", "401-500 ms": "orange", "over 500 ms": "red",
    "cable": "blue", "Wi-Fi": "orange", "inbound": "blue", "outbound": "green", "internal": "purple",
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


# Ends each legend: the operation, or nothing while only one is shown. See the variable of this name.
OF = "$of"


def legend(field: str) -> str:
    """Matches a legend that begins with `field` and ends with the operation or not at all."""
    return f"/^{re.escape(field)}( · |\u200b|$)/"


def every(field: str, **properties: Any) -> Json:
    """Like `override`, for a field of every operation, by its legend."""
    return {
        "matcher": {"id": "byRegexp", "options": legend(field)},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def coloured(*fields: str) -> list[Json]:
    return [every(field, color=colour(field)) for field in fields]


def dashed(field: str) -> Json:
    """A line to compare with."""
    dash = {"fill": "dash", "dash": [6, 6]}
    return every(field, color=colour(field), custom__lineStyle=dash, custom__fillOpacity=0, custom__lineWidth=1)


def mappings(**texts: tuple[str, str]) -> list[Json]:
    """Texts and colours of values; a keyword is the value after an underscore."""
    options = {key[1:]: {"text": text, "color": color, "index": i} for i, (key, (text, color)) in enumerate(texts.items())}
    return [{"type": "value", "options": options}]


def needs(*reports: str) -> str:
    """For panels that are empty where their reports are not read."""
    return f"needs the report {' and '.join(reports)}"
