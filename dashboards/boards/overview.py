"""The day at a glance."""

from .common import CAMPAIGN_STATES, RUNNING, alerts_table, data_age, failing, result_share, speed, waits_heatmap, where_enough
from .frame import ALERTS_SHOWN, RECYCLES_SHOWN, dashboard, link
from .panels import OPERATION, column, series, stat, table, target, text_cell, unseen
from .queries import ABANDONED, INTERACTIONS, RATE_NOTE, abandonment, eq, grown, named, names, quantile, sel, total
from .style import ABANDON, ABANDON_NOTE, AMBER, CLOSED, GREEN, RED, Json, by_operation, colour, mappings


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
