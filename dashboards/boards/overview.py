"""The day at a glance."""

from .alerts import alerts_table
from .common import CAMPAIGN_STATES, DIALS, LENGTHS, abandon_heatmap, data_age, failing, lengths
from .frame import BUSINESS_ALERTS_SHOWN, RECYCLES_SHOWN, dashboard, link
from .kpis import RUNNING, result_share, speed
from .panels import OPERATION, column, series, stat, table, target, text_cell, unseen
from .queries import ABANDONED, CALLS, INTERACTIONS, abandonment, grown, named, names, quantile, sel, total
from .style import ABANDON, ABANDON_NOTE, CLOCK, CLOSED, OF, PATIENCE, PATIENCE_NOTE, RATE_NOTE, Json, coloured, dashed


def overview() -> Json:
    per_skill = ("skill_id",)
    return dashboard(
        "overview", "The day: what is running, who gives up waiting, and whether the data is up to date.", [],
        [BUSINESS_ALERTS_SHOWN, RECYCLES_SHOWN],
        [
            stat("Campaigns running", "Campaigns in the state started. Source: wolkvox_campaign_status.",
                 total(sel("wolkvox_campaign_status", RUNNING)), "none", none="no data"),
            stat("Dials per minute", "Sum over all campaigns, as reported by Wolkvox. Source: wolkvox_campaign_calls_per_minute.",
                 total(sel("wolkvox_campaign_calls_per_minute")), "none", none="no data", decimals=0),
            stat("Contact rate, 30 min", "Dials that a person answered: results `answer` / all results added in the last 30 min, with at least 20 dials. "
                 "Source: wolkvox_campaign_results.", result_share(sel, "answer"), "percentunit", none=CLOSED, decimals=1),
            stat("Offered, 1 h", "Calls and chats that reached a skill in the last hour. Source: wolkvox_skill_interactions_total.",
                 grown(sel(INTERACTIONS), "1h"), "none", none="no data", decimals=0),
            stat("Abandonment, 1 h", f"Abandoned / offered to skills in the last hour, with at least 5. {ABANDON_NOTE} {RATE_NOTE} "
                 "Source: wolkvox_skill_interactions_total.", abandonment(sel, "1h", least=">= 5"), "percentunit",
                 steps=ABANDON, none=CLOSED, decimals=1),
            stat("Time to abandon, median", f"Half of the callers who gave up in the last hour had waited less. Calls only. {PATIENCE_NOTE} "
                 "Source: wolkvox_abandon_time_seconds.", quantile(0.5, sel("wolkvox_abandon_time_seconds_bucket", CALLS), "1h"), CLOCK,
                 steps=PATIENCE, none="nobody gave up"),
            failing(),
            data_age(),
            series("Abandonment, against last week", "Abandoned / offered in the last 30 min, with at least 10 offered; dashed grey: the same time a week ago. "
                   f"Lines at 5 % (objective) and 15 % (alert). {RATE_NOTE} Source: wolkvox_skill_interactions_total.",
                   [target(abandonment(sel, "30m", least=">= 10"), f"today{OF}"),
                    target(abandonment(sel, "30m", least=">= 10", offset="1w"), f"a week ago{OF}")], "percentunit", steps=ABANDON,
                   overrides=[dashed("a week ago")]),
            abandon_heatmap(sel),
            series("Dials per minute by campaign", "As reported by Wolkvox, for running campaigns. Source: wolkvox_campaign_calls_per_minute.",
                   [target(named(speed(sel), "campaign"), f"{{{{campaign}}}}{OF}")], "none",
                   stack="normal"),
            series("Offered and abandoned, per 20 min", "Calls and chats offered to skills, and those abandoned, in the 20 min before each point. "
                   "Source: wolkvox_skill_interactions_total.",
                   [target(f"{grown(sel(INTERACTIONS), '20m')} > 0", f"offered{OF}"),
                    target(f"{grown(sel(INTERACTIONS, ABANDONED), '20m')} > 0", f"abandoned{OF}")], "none", fill=25,
                   overrides=coloured("offered", "abandoned")),
            table("Skills, last hour", "Offered and abandoned in the last hour, the rate, and the wait that 90 % of the callers who gave up stayed below; "
                  f"names link to the skills dashboard. {ABANDON_NOTE} {RATE_NOTE} Source: wolkvox_skill_interactions_total, wolkvox_abandon_time_seconds.",
                  [named(grown(sel(INTERACTIONS), "1h", *per_skill), "skill"), grown(sel(INTERACTIONS, ABANDONED), "1h", *per_skill),
                   abandonment(sel, "1h", *per_skill), quantile(0.9, sel("wolkvox_abandon_time_seconds_bucket", CALLS), "1h", *per_skill)],
                  [column("skill", "Skill", custom__width=190, links=link("skills", "This skill", "skill=skill_id")), OPERATION,
                   unseen("skill_id"), column("Value #A", "Offered", "none", decimals=0),
                   column("Value #B", "Abandoned", "none", decimals=0),
                   column("Value #C", "Rate", "percentunit", decimals=1, **text_cell(ABANDON)), column("Value #D", "90 % gave up within", CLOCK)],
                  width=12, height=8, hidden=[], sort="Rate",
                  order=["skill", "operation", "skill_id", "Value #A", "Value #B", "Value #C", "Value #D"]),
            table("Campaigns", "State, speed and what is left of each list; names link to the campaigns dashboard. A running campaign that dials nothing has a red 0. "
                  "Source: wolkvox_campaign_info, _status, _calls_per_minute, _clean_records, _penetration_day_ratio.",
                  [names("campaign"), total(sel("wolkvox_campaign_status", RUNNING), "campaign_id"),
                   total(speed(sel), "campaign_id"), total(sel("wolkvox_campaign_clean_records"), "campaign_id"),
                   total(sel("wolkvox_campaign_penetration_day_ratio"), "campaign_id")],
                  [column("campaign", "Campaign", custom__width=215, links=link("campaigns", "This campaign", "campaign=campaign_id")),
                   OPERATION, unseen("campaign_id"),
                   column("Value #B", "State", mappings=CAMPAIGN_STATES, custom__cellOptions={"type": "color-text"}),
                   column("Value #C", "Dials/min", "none", **text_cell(DIALS)), column("Value #D", "Fresh records", "locale"),
                   column("Value #E", "Penetration", "percentunit", decimals=0)],
                  width=12, height=8, hidden=["Value #A"], sort="Dials/min",
                  order=["campaign", "operation", "campaign_id", "Value #B", "Value #C", "Value #D", "Value #E"]),
            series("IVR calls by outcome, per hour", "Calls that ended in a routing point, in the hour before each point: `ok` continued, `hung up` did not. "
                   "Source: wolkvox_ivr_calls_total.",
                   [target(f"{grown(sel('wolkvox_ivr_calls_total', matcher), '1h')} > 0", f"{name}{OF}")
                    for matcher, name in (('result="ok"', "ok"), ('result="hung_up"', "hung up"), ('result="other"', "other"))], "none",
                   stack="normal", width=7, height=7, overrides=coloured("ok", "hung up", "other")),
            series("Length of calls, share of the last 30 min", "Calls by billed length; many very short ones mean dead air or a bad list. "
                   "Source: wolkvox_calls_total.",
                   lengths(), "none", stack="percent", width=7, height=7,
                   overrides=coloured(*LENGTHS.values())),
            alerts_table(10, 7),
        ])
