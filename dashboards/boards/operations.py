"""All operations: one row each, and what their calls cost."""

from .alerts import alerts_table
from .common import by_day
from .frame import ALERTS_SHOWN, FIRING, dashboard, link
from .kpis import DATA_AGE, FAILING, RUNNING, WAITING, available, stalled_count
from .panels import column, series, table, target, text_cell
from .queries import abandonment, grown, highest, sel, service_level, total
from .style import (
    ABANDON, ABANDON_NOTE, AGE, AGE_NOTE, AMBER, AT_LEAST_ONE_BAD, CLOCK, GREEN, LEVEL, LEVEL_NOTE, QUEUE, RATE_NOTE, RED,
    Json, Steps, needs,
)

BUDGET: Steps = [(None, GREEN), (0.8, AMBER), (0.95, RED)]


def operations() -> Json:
    used, limit = sel("wolkvox_api_calls_used"), sel("wolkvox_api_calls_limit")
    cost, billed = "wolkvox_calls_cost_total", "wolkvox_calls_billed_seconds_total"
    firing = f"count by (job, operation) ({FIRING.replace('$operation|', '$operation')})"
    columns = [
        (f"{firing} or 0 * {highest(limit)}", column("Value #A", "Alerts", "none", **text_cell(AT_LEAST_ONE_BAD))),
        (FAILING, column("Value #B", "Failing", "none", **text_cell(AT_LEAST_ONE_BAD))),
        (DATA_AGE, column("Value #C", "Age", CLOCK, **text_cell(AGE))),
        (WAITING, column("Value #D", "Waiting", "none", **text_cell(QUEUE))),
        (available(), column("Value #E", "Available", "none", **text_cell([(None, RED), (1, GREEN)]))),
        (service_level(sel, "1h"), column("Value #F", "Level", "percentunit", decimals=0, **text_cell(LEVEL))),
        (abandonment(sel, "1h", least=">= 5"), column("Value #G", "Abandoned", "percentunit", decimals=1, **text_cell(ABANDON))),
        (total(sel("wolkvox_campaign_status", RUNNING)), column("Value #H", "Campaigns", "none")),
        (stalled_count(sel), column("Value #I", "Stalled", "none", **text_cell(AT_LEAST_ONE_BAD))),
        (total(sel("wolkvox_campaign_calls_per_minute")), column("Value #J", "Dials/min", "none", decimals=0)),
        (highest(f"{used} / ({limit} > 0)"), column("Value #K", "API used", "percentunit", decimals=0, **text_cell(BUDGET))),
        (f"{grown(sel(billed), '24h')} / 60", column("Value #L", "Billed min", "locale", decimals=0)),
        (grown(sel(cost), "24h", "currency"), column("Value #M", "Cost", "locale", decimals=0)),
    ]
    values = [f"Value #{letter}" for letter in "ABCDEFGHIJKLM"]
    return dashboard(
        "operations", "All operations at a glance, one row each, and what their calls cost by day.", ["seconds"], [ALERTS_SHOWN],
        [
            table("Operations", "One row per operation; names link to what happens now. Failing: reports that fail. Age: of the oldest data. "
                  "Level: service level of the last hour, within the seconds that are chosen above. Abandoned: their share in the same hour. "
                  "Campaigns: those that run. Stalled: those that run, have records left, and have dialled nothing for 20 min. "
                  "API used: share of the day's calls. Billed min and cost: of the last 24 h, as Wolkvox bills them. "
                  f"Alerts, failing reports and stalled campaigns: red from 1. {AGE_NOTE} {LEVEL_NOTE} {ABANDON_NOTE} {RATE_NOTE} "
                  "Source: ALERTS, wolkvox_*.",
                  [expr for expr, _ in columns],
                  [column("operation", "Operation", custom__width=150, links=link("now", "Now")), column("currency", "Currency"),
                   *(one for _, one in columns)],
                  height=14, hidden=[], sort="Alerts", none="no operation",
                  order=["operation", *values, "currency"]),
            by_day("Cost by day", "What Wolkvox charges for the calls of each day, in the operation's currency; of today, so far. "
                   "Source: wolkvox_calls_cost_total.", cost, "locale", "currency", legend="{{operation}} {{currency}}", decimals=0),
            by_day("Billed minutes by day", "Minutes that Wolkvox bills, which rounds each call up; of today, so far. "
                   "Source: wolkvox_calls_billed_seconds_total.", billed, "locale", divided=" / 60", decimals=0),
            series("Abandonment by operation", f"Abandoned / offered in the hour before each point, with at least 10 offered. Lines: {ABANDON_NOTE} "
                   f"{RATE_NOTE} Source: wolkvox_skill_interactions_total.", [target(abandonment(sel, "1h", least=">= 10"), "{{operation}}")],
                   "percentunit", steps=ABANDON, width=8),
            series("Waiting by operation", "Calls and chats that wait. Source: wolkvox_skill_calls_in_queue.", [target(WAITING, "{{operation}}")],
                   "none", width=8, none=needs("skills"), interval="2m"),
            alerts_table(8, 8, FIRING),
        ])
