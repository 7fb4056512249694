"""Inbound: skills and abandonment."""

from .common import waits_heatmap
from .frame import ALERTS_SHOWN, dashboard, link
from .panels import OPERATION, bar_gauge, column, row, series, stat, table, target, text_cell
from .queries import ABANDONED, INTERACTIONS, LISTS_ANSWERED, RATE_NOTE, abandonment, eq, grown, named, of_skill, quantile, sel
from .style import ABANDON, ABANDON_NOTE, AGE, AGE_NOTE, AMBER, CLOSED, GREEN, RED, Json, by_operation, colour


def skills() -> Json:
    each = ("skill_id",)
    legend = "{{skill}} · {{operation}}"
    buckets = of_skill("wolkvox_abandon_time_seconds_bucket")
    short = of_skill("wolkvox_abandon_time_seconds_bucket", 'le="10.0"')
    count = of_skill("wolkvox_abandon_time_seconds_count")

    def without_short(*labels: str, least: str) -> str:
        gone = grown(short, "1h", *labels)
        return (f"clamp_min({grown(count, '1h', *labels)} - {gone}, 0) / "
                f"({grown(of_skill(INTERACTIONS), '1h', *labels)} - {gone} {least}) {LISTS_ANSWERED}")

    return dashboard(
        "skills", "Skills", "Inbound: who reaches a skill, who gives up waiting, and after how long.", ["skill", "channel"], [ALERTS_SHOWN],
        [
            stat("Offered, 1 h", "Calls and chats that reached the skills in the last hour. Source: wolkvox_skill_interactions_total.",
                 grown(of_skill(INTERACTIONS), "1h"), "none", none="no data", decimals=0),
            stat("Abandoned, 1 h", "Callers who gave up waiting in the last hour. Source: wolkvox_skill_interactions_total.",
                 grown(of_skill(INTERACTIONS, ABANDONED), "1h"), "none", none="no data", decimals=0),
            stat("Abandonment, 1 h", f"Abandoned / offered in the last hour, with at least 5 offered. {ABANDON_NOTE} {RATE_NOTE} "
                 "Source: wolkvox_skill_interactions_total.", abandonment(of_skill, "1h", least=">= 5"), "percentunit", steps=ABANDON, none=CLOSED,
                 decimals=1),
            stat("Without short, 1 h", "(Abandoned - abandoned within 10 s) / (offered - abandoned within 10 s) in the last hour, with at least 5. "
                 f"{ABANDON_NOTE} {RATE_NOTE} Source: wolkvox_abandon_time_seconds, wolkvox_skill_interactions_total.",
                 without_short(least=">= 5"), "percentunit", steps=ABANDON, none=CLOSED, decimals=1),
            stat("Abandonment, 24 h", f"Abandoned / offered in the last 24 h, with at least 20 offered. {ABANDON_NOTE} {RATE_NOTE} "
                 "Source: wolkvox_skill_interactions_total.", abandonment(of_skill, "24h", least=">= 20"), "percentunit", steps=ABANDON, none="too few",
                 decimals=1),
            stat("Median patience", "Half of the callers who gave up in the last hour had waited less. Amber from 1 min, red from 2 min. "
                 "Source: wolkvox_abandon_time_seconds.", quantile(0.5, buckets, "1h"), "s", steps=[(None, GREEN), (60, AMBER), (120, RED)],
                 none="nobody gave up", decimals=1),
            stat("Short abandons", "Abandoned within 10 s / abandoned in the last hour, with at least 5. Amber from 40 %, red from 60 %: wrong routing, robocalls, dead audio. "
                 "Source: wolkvox_abandon_time_seconds.", f"{grown(short, '1h')} / ({grown(count, '1h')} >= 5)", "percentunit",
                 steps=[(None, GREEN), (0.4, AMBER), (0.6, RED)], none="too few", decimals=0),
            stat("Data age", f"Time since the end of the window that the calls cover. {AGE_NOTE} Source: wolkvox_report_data_timestamp_seconds.",
                 f"max by (job, operation) (time() - {sel('wolkvox_report_data_timestamp_seconds', eq('report', 'abandoned_calls'))})", "s", steps=AGE,
                 none="never read", decimals=1),
            series("Abandonment by skill", "Abandoned / offered in the hour before each point, with at least 10 offered; closed hours are gaps. Lines at 5 % (objective) and 15 % (alert). "
                   f"{RATE_NOTE} Source: wolkvox_skill_interactions_total.",
                   [target(named(abandonment(of_skill, "1h", *each, least=">= 10"), "skill"), legend)], "percentunit", steps=ABANDON, height=9),
            bar_gauge("Abandonment now, worst first", f"Abandoned / offered in the last hour, with at least 5 offered. {ABANDON_NOTE} {RATE_NOTE} "
                      "Source: wolkvox_skill_interactions_total.",
                      f"sort_desc({named(abandonment(of_skill, '1h', *each, least='>= 5'), 'skill')})", legend, "percentunit", steps=ABANDON, height=9,
                      none=CLOSED, decimals=1),
            series("Abandoned per hour, against last week", "Callers who gave up in the hour before each point; dashed grey: the same time a week ago. "
                   "Also works where the report lists no answered calls. Source: wolkvox_skill_interactions_total.",
                   [target(f"{grown(of_skill(INTERACTIONS, ABANDONED), '1h')} > 0", "today · {{operation}}"),
                    target(f"{grown(of_skill(INTERACTIONS, ABANDONED), '1h', offset='1w')} > 0", "a week ago · {{operation}}")], "none", decimals=0,
                   overrides=[by_operation("a week ago", color=colour("a week ago"), custom__lineStyle={"fill": "dash", "dash": [6, 6]},
                                           custom__fillOpacity=0, custom__lineWidth=1)]),
            waits_heatmap(of_skill),
            series("Wait before abandoning, 90 %", "90 % of the callers who gave up in the hour before each point had waited less, with at least 5. "
                   "Source: wolkvox_abandon_time_seconds.", [target(named(quantile(0.9, buckets, "1h", *each, least=5), "skill"), legend)], "dthms", width=8),
            series("Short abandons among all", "Abandoned within 10 s / abandoned, in the hour before each point, with at least 5. A surge rarely means too few agents: "
                   "wrong routing, robocalls, dead audio. Source: wolkvox_abandon_time_seconds.",
                   [target(named(f"{grown(short, '1h', *each)} / ({grown(count, '1h', *each)} >= 5)", "skill"), legend)], "percentunit", width=8, maximum=1),
            series("Abandonment without short ones", "(Abandoned - abandoned within 10 s) / (offered - abandoned within 10 s) in the hour before each point, with at least 10. "
                   f"{ABANDON_NOTE} {RATE_NOTE} Source: wolkvox_abandon_time_seconds, wolkvox_skill_interactions_total.",
                   [target(named(without_short(*each, least=">= 10"), "skill"), legend)], "percentunit", steps=ABANDON, width=8),
            series("Offered by skill, per 20 min", "Calls and chats that reached a skill in the 20 min before each point. Source: wolkvox_skill_interactions_total.",
                   [target(named(f"{grown(of_skill(INTERACTIONS), '20m', *each)} > 0", "skill"), legend)], "none", stack="normal", width=12),
            series("Offered by channel, per 20 min", "Calls and chats that reached a skill in the 20 min before each point, by channel. "
                   "Source: wolkvox_skill_interactions_total.",
                   [target(f"{grown(of_skill(INTERACTIONS), '20m', 'channel')} > 0", "{{channel}} · {{operation}}")], "none", stack="normal", width=12,
                   overrides=[by_operation(one, color=colour(one)) for one in ("voice", "chat", "omni", "none", "other")]),
            table("Skills, last 24 h", f"One row per skill. {ABANDON_NOTE} {RATE_NOTE} Source: wolkvox_skill_interactions_total, wolkvox_abandon_time_seconds.",
                  [named(grown(of_skill(INTERACTIONS), "24h", *each), "skill"),
                   *(grown(of_skill(INTERACTIONS, f'result="{result}"'), "24h", *each) for result in ("answered", "abandoned")),
                   abandonment(of_skill, "24h", *each), f"{grown(short, '24h', *each)} / ({grown(count, '24h', *each)} > 0)",
                   quantile(0.5, buckets, "24h", *each), quantile(0.9, buckets, "24h", *each)],
                  [column("skill", "Skill", links=link("wolkvox-skills", "Only this skill", "skill=skill_id")), OPERATION,
                   column("skill_id", "Id", custom__width=70), column("Value #A", "Offered", "none", decimals=0), column("Value #B", "Answered", "none", decimals=0),
                   column("Value #C", "Abandoned", "none", decimals=0), column("Value #D", "Rate", "percentunit", decimals=1, **text_cell(ABANDON)),
                   column("Value #E", "Short", "percentunit", decimals=0), column("Value #F", "Half gave up within", "s", decimals=1),
                   column("Value #G", "90 % gave up within", "s", decimals=1)],
                  height=6, hidden=[], sort="Rate", order=["skill", "operation", "skill_id", *(f"Value #{letter}" for letter in "ABCDEFG")]),
        ])
