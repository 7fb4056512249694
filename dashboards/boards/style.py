"""Colours, thresholds, and properties of single fields."""

from typing import Any

Json = dict[str, Any]

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
