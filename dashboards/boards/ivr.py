"""The menus."""

from .alerts import alerts_table
from .common import data_age_stat
from .frame import BUSINESS_ALERTS_SHOWN, dashboard
from .kpis import where_enough
from .panels import bar_gauge, heatmap, series, stat, target
from .queries import grown, mean, named, of_rp, quantile
from .style import AMBER, CLOCK, CLOSED, GREEN, OF, RED, Json, Steps, coloured


def ivr() -> Json:
    each = ("rp_id",)
    legend = f"{{{{routing_point}}}}{OF}"
    calls, hung_up = of_rp("wolkvox_ivr_calls_total"), of_rp("wolkvox_ivr_calls_total", 'result="hung_up"')
    choices = of_rp("wolkvox_ivr_selections_total")
    silent = of_rp("wolkvox_ivr_selections_total", 'option="none"')
    chosen = f"topk(12, {grown(choices, '24h', 'rp_id', 'option')} > 0)"
    hang_ups: Steps = [(None, GREEN), (0.3, AMBER), (0.5, RED)]
    note = "Green below 30 %, amber from 30 %, red from 50 % (the alert)."
    return dashboard(
        "ivr", "What callers do in the menus: where they go, where they hang up, and how long it takes.", ["rp"], [BUSINESS_ALERTS_SHOWN],
        [
            stat("IVR calls, 1 h", "Calls that ended in a routing point in the last hour. Source: wolkvox_ivr_calls_total.", grown(calls, "1h"), "none",
                 none="no data", decimals=0, width=4),
            stat("Hung up, 1 h", f"Calls with the result `hung up` / all calls in the last hour, with at least 5. {note} Source: wolkvox_ivr_calls_total.",
                 f"{grown(hung_up, '1h')} / ({grown(calls, '1h')} >= 5)", "percentunit", steps=hang_ups, none=CLOSED, decimals=1, width=4),
            stat("No key, 1 h", "Steps without a choice / all steps in the last hour, with at least 5. Amber from 25 %, red from 40 % (the alert). "
                 "Source: wolkvox_ivr_selections_total.", f"{grown(silent, '1h')} / ({grown(choices, '1h')} >= 5)", "percentunit",
                 steps=[(None, GREEN), (0.25, AMBER), (0.4, RED)], none=CLOSED, decimals=1, width=4),
            stat("Median time in the menu", "Half of the calls in the last hour took less. Source: wolkvox_ivr_time_seconds.",
                 quantile(0.5, of_rp("wolkvox_ivr_time_seconds_bucket"), "1h"), CLOCK, none=CLOSED, width=4),
            stat("Transfers, 1 h", "Steps that led to a transfer in the last hour. Source: wolkvox_ivr_transfers_total.",
                 grown(of_rp("wolkvox_ivr_transfers_total"), "1h"), "none", none="no data", decimals=0, width=4),
            data_age_stat("ivr", 4),
            series("Calls by routing point, per hour", "Calls that ended in a routing point, in the hour before each point. Source: wolkvox_ivr_calls_total.",
                   [target(named(f"{grown(calls, '1h', *each)} > 0", "routing_point"), legend)], "none", stack="normal"),
            series("Outcome, share of the last hour", "Calls in the hour before each point by outcome. Source: wolkvox_ivr_calls_total.",
                   [target(where_enough(grown(of_rp('wolkvox_ivr_calls_total', matcher), '1h'), grown(calls, '1h')), f"{name}{OF}")
                    for matcher, name in (('result="ok"', "ok"), ('result="hung_up"', "hung up"), ('result="other"', "other"))], "none", stack="percent",
                   overrides=coloured("ok", "hung up", "other")),
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
                   [target(named(mean("wolkvox_ivr_time_seconds", of_rp, "1h", *each), "routing_point"), legend)], CLOCK),
            bar_gauge("Options chosen, 24 h", "The twelve most frequent choices in the last 24 h; `none`: no key was pressed. Source: wolkvox_ivr_selections_total.",
                      f"sort_desc({named(chosen, 'routing_point')})",
                      f"{{{{option}}}} — {{{{routing_point}}}}{OF}", "none", width=8, height=10, decimals=0),
            bar_gauge("Transfers by target, 24 h", "The twelve most frequent targets in the last 24 h. Source: wolkvox_ivr_transfers_total.",
                      f"sort_desc(topk(12, {grown(of_rp('wolkvox_ivr_transfers_total'), '24h', 'dn_transfer')} > 0))", f"{{{{dn_transfer}}}}{OF}",
                      "none", width=8, height=10, decimals=0),
            alerts_table(8, 10),
        ])
