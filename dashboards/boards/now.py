"""The wall: what happens now, readable from five metres."""

from .alerts import alerts_wall
from .common import agents_by_state
from .frame import BUSINESS_ALERTS_SHOWN, dashboard
from .kpis import WAITING, available, not_empty_for
from .panels import bar_gauge, series, stat, target
from .queries import abandonment, grown, named, sel, service_level, total, vendors_level
from .style import (
    ABANDON, ABANDON_NOTE, AMBER, CLOCK, CLOSED, GREEN, LEVEL, LEVEL_NOTE, OF, QUEUE, QUEUE_NOTE, RATE_NOTE, RED, Json, needs,
)


def now() -> Json:
    level = f"{service_level(sel, '30m')} or on (job, operation) {vendors_level(sel)}"
    by_skill = total(sel("wolkvox_skill_calls_in_queue"), "skill_id")
    return dashboard(
        "now", "For the wall: who waits, who is there to answer, how well it goes, and what is wrong.", ["seconds"],
        [BUSINESS_ALERTS_SHOWN],
        [
            stat("Waiting now", f"Calls and chats that wait for a skill. {QUEUE_NOTE} Source: wolkvox_skill_calls_in_queue.", WAITING,
                 "none", steps=QUEUE, width=4, height=7, none=needs("skills")),
            stat("Queue not empty for", "Since when the queue of a skill has not been empty, of the skill where that is longest; 3 h at most. "
                 "Amber from 2 min, red from 5 min. Source: wolkvox_skill_calls_in_queue.", not_empty_for(sel), CLOCK,
                 steps=[(None, GREEN), (120, AMBER), (300, RED)], width=4, height=7, none=needs("skills")),
            stat("Agents available", "Agents who are ready for the next call; nothing is shown while nobody is logged in. Red at 0, amber at 1. "
                 "Source: wolkvox_agents.", available(), "none", steps=[(None, RED), (1, AMBER), (2, GREEN)], width=4, height=7,
                 none="nobody, or needs the report agents"),
            stat("Service level, 30 min", "Calls answered within the seconds that are chosen above / calls answered or abandoned in the last 30 min, "
                 "with at least 5. Without answered calls it is the figure of Wolkvox's own board, of calls and chats. "
                 f"{LEVEL_NOTE} Source: wolkvox_answer_time_seconds, wolkvox_abandon_time_seconds, wolkvox_skill_service_level_ratio.",
                 level, "percentunit", steps=LEVEL, width=4, height=7, none="no calls, or needs the report answered_calls", decimals=0),
            stat("Abandonment, 30 min", f"Abandoned / offered to skills in the last 30 min, with at least 5 offered. {ABANDON_NOTE} {RATE_NOTE} "
                 "Source: wolkvox_skill_interactions_total.", abandonment(sel, "30m", least=">= 5"), "percentunit", steps=ABANDON, width=4,
                 height=7, none=CLOSED, decimals=1),
            stat("Offered, 30 min", "Calls and chats that reached a skill in the last 30 min. Source: wolkvox_skill_interactions_total.",
                 grown(sel("wolkvox_skill_interactions_total"), "30m"), "none", width=4, height=7, none="no data", decimals=0),
            agents_by_state(12, 9),
            series("Waiting by skill", "Calls and chats that wait, by skill. Source: wolkvox_skill_calls_in_queue.",
                   [target(f"{named(by_skill, 'skill')} > 0", f"{{{{skill}}}}{OF}")], "none", stack="normal", bars=True, height=9,
                   none="nobody waited, or needs the report skills", interval="2m"),
            bar_gauge("Waiting now, worst skills first", f"Calls and chats that wait, of the six skills with most. {QUEUE_NOTE} "
                      "Source: wolkvox_skill_calls_in_queue.", f"sort_desc(topk(6, {named(by_skill, 'skill')}))", f"{{{{skill}}}}{OF}", "none",
                      width=8, height=9, steps=QUEUE, none=needs("skills"), decimals=0, wall=True),
            bar_gauge("Service level, worst skills first", "Calls answered within the seconds that are chosen above / calls answered or abandoned in "
                      f"the last 30 min, of the six skills where it is lowest, with at least 5 calls. {LEVEL_NOTE} "
                      "Source: wolkvox_answer_time_seconds, wolkvox_abandon_time_seconds.",
                      f"sort(bottomk(6, {named(service_level(sel, '30m', 'skill_id'), 'skill')}))", f"{{{{skill}}}}{OF}", "percentunit", width=8,
                      height=9, steps=LEVEL, maximum=1, none="no calls, or needs the report answered_calls", decimals=0, wall=True),
            alerts_wall(8, 9),
        ], since="now/d")
