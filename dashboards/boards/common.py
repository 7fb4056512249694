"""What several dashboards show."""

from typing import Any

from .frame import FIRING
from .panels import OPERATION, column, heatmap, stat, table
from .queries import risen, sel
from .style import AGE, AGE_NOTE, GREEN, MANY_BAD, RED, Json, mappings


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
