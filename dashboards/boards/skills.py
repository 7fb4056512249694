"""Inbound: who reaches a skill, who is answered in time, who gives up."""

from .alerts import alerts_table
from .common import abandon_heatmap, data_age_stat
from .frame import BUSINESS_ALERTS_SHOWN, dashboard, link
from .panels import OPERATION, bar_gauge, column, heatmap, row, series, stat, table, target, text_cell, unseen
from .queries import (
    ABANDONED, CALLS, CHATS, INTERACTIONS, LISTS_ANSWERED, abandonment, eq, grown, named, of_skill, quantile, service_level,
    total,
)
from .style import (
    ABANDON, ABANDON_NOTE, CLOCK, CLOSED, LEVEL, LEVEL_NOTE, OF, PATIENCE, PATIENCE_NOTE, QUEUE, QUEUE_NOTE, RATE_NOTE, Json,
    coloured, dashed, needs,
)

ANSWER, ABANDON_TIME = "wolkvox_answer_time_seconds", "wolkvox_abandon_time_seconds"
NO_ANSWERS = "no calls, or needs the report answered_calls"
LEVEL_TEXT = "Calls answered within the seconds that are chosen above / calls answered or abandoned"


def without_short(*labels: str, least: str) -> str:
    gone = grown(of_skill(f"{ABANDON_TIME}_bucket", 'le="10.0"'), "1h", *labels)
    return (f"clamp_min({grown(of_skill(f'{ABANDON_TIME}_count'), '1h', *labels)} - {gone}, 0) / "
            f"({grown(of_skill(INTERACTIONS), '1h', *labels)} - {gone} {least}) {LISTS_ANSWERED}")


def skills() -> Json:
    each = ("skill_id",)
    legend = f"{{{{skill}}}}{OF}"
    waits, answers = of_skill(f"{ABANDON_TIME}_bucket", CALLS), of_skill(f"{ANSWER}_bucket", CALLS)
    short, count = of_skill(f"{ABANDON_TIME}_bucket", 'le="10.0"'), of_skill(f"{ABANDON_TIME}_count")
    chats = of_skill(f"{ANSWER}_bucket", CHATS), of_skill(f"{ABANDON_TIME}_bucket", CHATS)
    percentiles = ((0.5, "median"), (0.8, "80 %"), (0.95, "95 %"))
    return dashboard(
        "skills", "Inbound: who reaches a skill, who is answered in time, who gives up, and after how long.", ["skill", "seconds"],
        [BUSINESS_ALERTS_SHOWN],
        [
            stat("Waiting now", f"Calls and chats that wait for the skills. {QUEUE_NOTE} Source: wolkvox_skill_calls_in_queue.",
                 total(of_skill("wolkvox_skill_calls_in_queue")), "none", steps=QUEUE, none=needs("skills")),
            stat("Service level, 1 h", f"{LEVEL_TEXT} in the last hour, with at least 5. {LEVEL_NOTE} "
                 f"Source: {ANSWER}, {ABANDON_TIME}.", service_level(of_skill, "1h"), "percentunit", steps=LEVEL, none=NO_ANSWERS, decimals=0),
            stat("Time to answer, median", "Half of the calls that were answered in the last hour had waited less. Calls only: chats wait for hours. "
                 f"Source: {ANSWER}.", quantile(0.5, answers, "1h"), CLOCK, none=NO_ANSWERS),
            stat("Offered, 1 h", f"Calls and chats that reached the skills in the last hour. Source: {INTERACTIONS}.",
                 grown(of_skill(INTERACTIONS), "1h"), "none", none="no data", decimals=0),
            stat("Abandonment, 1 h", f"Abandoned / offered in the last hour, with at least 5 offered. {ABANDON_NOTE} {RATE_NOTE} "
                 f"Source: {INTERACTIONS}.", abandonment(of_skill, "1h", least=">= 5"), "percentunit", steps=ABANDON, none=CLOSED, decimals=1),
            stat("Without short, 1 h", "(Abandoned - abandoned within 10 s) / (offered - abandoned within 10 s) in the last hour, with at least 5. "
                 f"{ABANDON_NOTE} {RATE_NOTE} Source: {ABANDON_TIME}, {INTERACTIONS}.", without_short(least=">= 5"), "percentunit",
                 steps=ABANDON, none=CLOSED, decimals=1),
            stat("Time to abandon, median", f"Half of the callers who gave up in the last hour had waited less. Calls only. {PATIENCE_NOTE} "
                 f"Source: {ABANDON_TIME}.", quantile(0.5, waits, "1h"), CLOCK, steps=PATIENCE, none="nobody gave up"),
            data_age_stat("abandoned_calls"),
            series("Service level by skill", f"{LEVEL_TEXT} in the hour before each point, with at least 10; closed hours are gaps. Lines: {LEVEL_NOTE} "
                   f"Source: {ANSWER}, {ABANDON_TIME}.", [target(named(service_level(of_skill, "1h", *each, least=10), "skill"), legend)],
                   "percentunit", steps=LEVEL, maximum=1, none=NO_ANSWERS),
            bar_gauge("Service level now, worst first", f"{LEVEL_TEXT} in the last hour, with at least 5. {LEVEL_NOTE} "
                      f"Source: {ANSWER}, {ABANDON_TIME}.", f"sort({named(service_level(of_skill, '1h', *each), 'skill')})", legend,
                      "percentunit", steps=LEVEL, maximum=1, none=NO_ANSWERS, decimals=0),
            series("Abandonment by skill", "Abandoned / offered in the hour before each point, with at least 10 offered; closed hours are gaps. "
                   f"Lines at 5 % (objective) and 15 % (alert). {RATE_NOTE} Source: {INTERACTIONS}.",
                   [target(named(abandonment(of_skill, "1h", *each, least=">= 10"), "skill"), legend)], "percentunit", steps=ABANDON),
            bar_gauge("Abandonment now, worst first", f"Abandoned / offered in the last hour, with at least 5 offered. {ABANDON_NOTE} {RATE_NOTE} "
                      f"Source: {INTERACTIONS}.", f"sort_desc({named(abandonment(of_skill, '1h', *each, least='>= 5'), 'skill')})", legend,
                      "percentunit", steps=ABANDON, none=CLOSED, decimals=1),
            row("Calls: how long they wait"),
            series("Time to answer", "Half, 80 % and 95 % of the calls that were answered in the hour before each point had waited less, with at least 5. "
                   f"Source: {ANSWER}.", [target(quantile(q, answers, "1h", least=5), f"{name}{OF}") for q, name in percentiles], CLOCK, width=8,
                   none=NO_ANSWERS, overrides=coloured("median", "80 %", "95 %")),
            series("Time to answer by skill, 90 %", "90 % of the calls that were answered in the hour before each point had waited less, with at least 5. "
                   f"Source: {ANSWER}.", [target(named(quantile(0.9, answers, "1h", *each, least=5), "skill"), legend)], CLOCK, width=8,
                   none=NO_ANSWERS),
            series("90 % gave up within", "90 % of the callers who gave up in the hour before each point had waited less, with at least 5. "
                   f"Source: {ABANDON_TIME}.", [target(named(quantile(0.9, waits, "1h", *each, least=5), "skill"), legend)], CLOCK, width=8,
                   sparse=True),
            heatmap("Wait before the answer", "How long callers waited until an agent answered: each cell is how many waited that long in half an hour. "
                    "Calls only: chats wait for hours. Operations are added up here, since a heatmap shows one histogram. "
                    f"Source: {ANSWER}.", f"sum by (le) (increase({answers}[30m]))", scheme="Blues", none=NO_ANSWERS),
            abandon_heatmap(of_skill),
            row("Chats: how long they wait"),
            series("Chats: time to answer", "Half and 90 % of the chats that were answered in the hour before each point had waited less. "
                   f"Source: {ANSWER}.", [target(quantile(q, chats[0], "1h"), f"{name}{OF}") for q, name in ((0.5, "median"), (0.9, "90 %"))],
                   CLOCK, sparse=True, none="no chats, or needs the report answered_calls", overrides=coloured("median", "90 %"), height=7),
            series("Chats: time to abandon", "Half and 90 % of the chats that were abandoned in the hour before each point had waited less. "
                   f"Source: {ABANDON_TIME}.", [target(quantile(q, chats[1], "1h"), f"{name}{OF}") for q, name in ((0.5, "median"), (0.9, "90 %"))],
                   CLOCK, sparse=True, none="no chat was abandoned", overrides=coloured("median", "90 %"), height=7),
            row("Volume, and callers who give up at once"),
            series("Offered by skill, per 20 min", f"Calls and chats that reached a skill in the 20 min before each point. Source: {INTERACTIONS}.",
                   [target(named(f"{grown(of_skill(INTERACTIONS), '20m', *each)} > 0", "skill"), legend)], "none", stack="normal", width=8),
            series("Offered by channel, per 20 min", "Calls and chats that reached a skill in the 20 min before each point, by channel. "
                   f"Source: {INTERACTIONS}.",
                   [target(f"{grown(of_skill(INTERACTIONS, eq('channel', channel)), '20m')} > 0", f"{name}{OF}")
                    for channel, name in (("voice", "calls"), ("chat", "chats"), ("omni", "omnichannel"), ("none", "unknown"), ("other", "other"))],
                   "none", stack="normal", width=8, overrides=coloured("calls", "chats", "omnichannel", "unknown", "other")),
            series("Waiting by skill", "Calls and chats that wait, by skill. Source: wolkvox_skill_calls_in_queue.",
                   [target(f"{named(total(of_skill('wolkvox_skill_calls_in_queue'), *each), 'skill')} > 0", legend)], "none", stack="normal",
                   bars=True, width=8, none="nobody waited, or needs the report skills", interval="2m"),
            series("Abandoned per hour, against last week", "Callers who gave up in the hour before each point; dashed grey: the same time a week ago. "
                   f"Also works where the report lists no answered calls. Source: {INTERACTIONS}.",
                   [target(f"{grown(of_skill(INTERACTIONS, ABANDONED), '1h')} > 0", f"today{OF}"),
                    target(f"{grown(of_skill(INTERACTIONS, ABANDONED), '1h', offset='1w')} > 0", f"a week ago{OF}")], "none", width=8,
                   overrides=[*coloured("today"), dashed("a week ago")]),
            series("Short abandons among all", "Abandoned within 10 s / abandoned, in the hour before each point, with at least 5. A surge rarely means too "
                   f"few agents: wrong routing, robocalls, dead audio. Source: {ABANDON_TIME}.",
                   [target(named(f"{grown(short, '1h', *each)} / ({grown(count, '1h', *each)} >= 5)", "skill"), legend)], "percentunit", width=8,
                   maximum=1, sparse=True),
            series("Abandonment without short ones", "(Abandoned - abandoned within 10 s) / (offered - abandoned within 10 s) in the hour before each point, "
                   f"with at least 10. {ABANDON_NOTE} {RATE_NOTE} Source: {ABANDON_TIME}, {INTERACTIONS}.",
                   [target(named(without_short(*each, least=">= 10"), "skill"), legend)], "percentunit", steps=ABANDON, width=8),
            table("Skills, last 24 h", f"One row per skill; the service level and the waits are of calls. {ABANDON_NOTE} {LEVEL_NOTE} {RATE_NOTE} "
                  f"Source: {INTERACTIONS}, {ABANDON_TIME}, {ANSWER}.",
                  [named(grown(of_skill(INTERACTIONS), "24h", *each), "skill"),
                   *(grown(of_skill(INTERACTIONS, f'result="{result}"'), "24h", *each) for result in ("answered", "abandoned")),
                   abandonment(of_skill, "24h", *each), service_level(of_skill, "24h", *each), quantile(0.5, answers, "24h", *each),
                   quantile(0.5, waits, "24h", *each), quantile(0.9, waits, "24h", *each)],
                  [column("skill", "Skill", links=link("skills", "Only this skill", "skill=skill_id")), OPERATION, unseen("skill_id"),
                   column("Value #A", "Offered", "none", decimals=0), column("Value #B", "Answered", "none", decimals=0),
                   column("Value #C", "Abandoned", "none", decimals=0),
                   column("Value #D", "Abandonment", "percentunit", decimals=1, **text_cell(ABANDON)),
                   column("Value #E", "Service level", "percentunit", decimals=0, **text_cell(LEVEL)),
                   column("Value #F", "Half answered within", CLOCK), column("Value #G", "Half gave up within", CLOCK),
                   column("Value #H", "90 % gave up within", CLOCK)],
                  width=16, height=7, hidden=[], sort="Abandonment",
                  order=["skill", "operation", "skill_id", *(f"Value #{letter}" for letter in "ABCDEFGH")]),
            alerts_table(8, 7),
        ])
