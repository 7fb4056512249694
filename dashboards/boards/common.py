"""Panels that several dashboards show."""

from typing import Any

from .kpis import DATA_AGE, FAILING, agents, data_age_of, of_day, where_enough
from .panels import heatmap, series, stat, target
from .queries import CALLS, Select, eq, grown, sel
from .style import AGE, AGE_NOTE, AT_LEAST_ONE_BAD, CLOCK, GREEN, GREY, OF, RED, Json, Steps, coloured, mappings, needs

REPORTS_UP = mappings(_1=("read", GREEN), _0=("failed", RED))
CAMPAIGN_STATES = mappings(_1=("running", GREEN), _0=("stopped", "#6e6e6e"))
# Agents by state: label, legend. Without those who are not there.
STATES = {"talk": "talking", "ring": "ringing", "acw": "after-call work", "ready": "available", "aux": "paused", "other": "other"}

# A running campaign that dials nothing.
DIALS: Steps = [(None, RED), (0.5, GREY)]
LENGTHS = {"0-5s": "0-5 s", "6-20s": "6-20 s", "21-60s": "21-60 s", "61-120s": "61-120 s", "121s+": "over 120 s"}


def lengths() -> list[Json]:
    """Calls by length, as shares."""
    calls = "wolkvox_calls_total"
    return [target(where_enough(grown(sel(calls, eq("duration", band)), "30m"), grown(sel(calls), "30m")), f"{name}{OF}")
            for band, name in LENGTHS.items()]


def data_age(width: int = 3) -> Json:
    return stat("Data age, oldest", f"Time since the end of the window that the data covers, for the oldest report; call_results and quota, which are polled less often, do not count. {AGE_NOTE} "
                "Source: wolkvox_report_data_timestamp_seconds.", DATA_AGE, CLOCK, steps=AGE, none="never read", width=width)


def data_age_stat(report: str, width: int = 3) -> Json:
    return stat("Data age", f"Time since the end of the window that the data covers. {AGE_NOTE} "
                "Source: wolkvox_report_data_timestamp_seconds.", data_age_of(report), CLOCK, steps=AGE, none="never read", width=width)


def failing(width: int = 3) -> Json:
    return stat("Reports failing", "Reports whose last poll failed. Red from 1. Source: wolkvox_up.", FAILING, "none",
                steps=AT_LEAST_ONE_BAD, none="no exporter", width=width)


def abandon_heatmap(series_of: Select, **more: Any) -> Json:
    return heatmap(
        "Wait before abandoning", "How long callers waited before they gave up: each cell is how many waited that long in half an hour. "
        "Calls only: chats wait for hours. Operations are added up here, since a heatmap shows one histogram. "
        "Source: wolkvox_abandon_time_seconds.",
        f"sum by (le) (increase({series_of('wolkvox_abandon_time_seconds_bucket', CALLS)}[30m]))", **more)


def agents_by_state(width: int, height: int) -> Json:
    return series(
        "Agents by state", "Agents who are logged in, by what they do. Source: wolkvox_agents.",
        [target(agents(eq("state", state)), f"{name}{OF}") for state, name in STATES.items()],
        "none", stack="normal", width=width, height=height, none=needs("agents"), overrides=coloured(*STATES.values()), interval="2m")


def by_day(title: str, description: str, metric: str, unit: str, *labels: str, divided: str = "", legend: str = "{{operation}}",
           **more: Any) -> Json:
    """Bars of whole days. Grafana lets a day begin at midnight of the browser's zone."""
    bars = f"{of_day(sel(metric), *labels)}{divided}"
    return series(title, description, [target(bars, legend)], unit, bars=True, interval="1d", timeFrom="8d", hideTimeOverride=False, **more)
