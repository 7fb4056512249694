"""Agents: what they do, how busy they are, and how well they are connected."""

from .alerts import alerts_table
from .common import agents_by_state
from .frame import BUSINESS_ALERTS_SHOWN, dashboard
from .kpis import AT_WORK, agents as agents_in, available, occupancy
from .panels import bar_gauge, row, series, stat, target
from .queries import eq, highest, sel, total
from .style import AMBER, CLOCK, GREEN, OF, RED, Json, Steps, coloured, needs

OCCUPANCY: Steps = [(None, GREEN), (0.85, AMBER), (0.9, RED)]
OCCUPANCY_NOTE = "Amber from 85 %, red from 90 %, which people do not keep up for long."
BANDS = {"0-150ms": "up to 150 ms", "151-400ms": "151-400 ms", "401-500ms": "401-500 ms", "501ms+": "over 500 ms"}
ACTIVITIES = {
    "inbound": "inbound", "outbound": "outbound", "acw": "after-call work", "ring": "ringing", "ready": "available", "aux": "paused",
}


def longest(state: str) -> str:
    return highest(sel("wolkvox_agents_longest_state_seconds", eq("state", state)))


def agents() -> Json:
    off = needs("agents")
    spent = "wolkvox_agents_stat_seconds"
    login = total(sel(spent, eq("activity", "login")))
    shares = [target(f"{total(sel(spent, eq('activity', activity)))} / ({login} > 0)", f"{name}{OF}") for activity, name in ACTIVITIES.items()]
    connected = "wolkvox_agents_connected"
    return dashboard(
        "agents", "What the agents do over the day, how busy they are, and how well they are connected. No agent is named.", [],
        [BUSINESS_ALERTS_SHOWN],
        [
            stat("Logged in", "Agents who are not logged out. Source: wolkvox_agents.", agents_in(AT_WORK), "none", none=off),
            stat("Available", "Agents who are ready for the next call; nothing is shown while nobody is logged in. Red at 0, amber at 1. "
                 "Source: wolkvox_agents.", available(), "none", steps=[(None, RED), (1, AMBER), (2, GREEN)],
                 none="nobody, or needs the report agents"),
            stat("Talking", "Agents in a call. Source: wolkvox_agents.", agents_in(eq("state", "talk")), "none", none=off),
            stat("After-call work", "Agents who finish a call. Source: wolkvox_agents.", agents_in(eq("state", "acw")), "none", none=off),
            stat("Paused", "Agents in an auxiliary state. Source: wolkvox_agents.", agents_in(eq("state", "aux")), "none", none=off),
            stat("Occupancy today", f"(inbound + outbound + after-call work) / (logged in - paused), of the day and all agents. {OCCUPANCY_NOTE} "
                 "Source: wolkvox_agents_stat_seconds.", occupancy(), "percentunit", steps=OCCUPANCY,
                 none="nobody, or needs the report agents", decimals=0),
            stat("After-call, longest", "The agent who has been in after-call work for longest. Amber from 5 min, red from 10 min. "
                 "Source: wolkvox_agents_longest_state_seconds.", longest("acw"), CLOCK, steps=[(None, GREEN), (300, AMBER), (600, RED)],
                 none="nobody, or needs the report agents"),
            stat("Pause, longest", "The agent who has been in an auxiliary state for longest. Amber from 30 min, red from 1 h. "
                 "Source: wolkvox_agents_longest_state_seconds.", longest("aux"), CLOCK, steps=[(None, GREEN), (1800, AMBER), (3600, RED)],
                 none="nobody, or needs the report agents"),
            agents_by_state(16, 9),
            bar_gauge("Paused now, by reason", "Agents in each auxiliary state, as the operation named them. Source: wolkvox_agents_in_aux.",
                      f"sort_desc({total(sel('wolkvox_agents_in_aux'), 'aux')})", f"{{{{aux}}}}{OF}", "none", width=8, height=9, decimals=0,
                      none="nobody, or needs the report agents"),
            series("Paused, by reason", "Agents in each auxiliary state, as the operation named them. Source: wolkvox_agents_in_aux.",
                   [target(total(sel("wolkvox_agents_in_aux"), "aux"), f"{{{{aux}}}}{OF}")], "none", stack="normal",
                   none="nobody, or needs the report agents", interval="2m"),
            series("Longest in a state", "The agent who has been in the state for longest. Source: wolkvox_agents_longest_state_seconds.",
                   [target(longest(state), f"{name}{OF}") for state, name in (
                       ("talk", "talking"), ("acw", "after-call work"), ("aux", "paused"), ("ring", "ringing"))], CLOCK,
                   none=off, overrides=coloured("talking", "after-call work", "paused", "ringing"), interval="2m"),
            series("Occupancy, of the day so far", "(inbound + outbound + after-call work) / (logged in - paused), of all agents since the day began. "
                   f"Lines: {OCCUPANCY_NOTE} Source: wolkvox_agents_stat_seconds.", [target(occupancy(), f"occupancy{OF}")], "percentunit",
                   steps=OCCUPANCY, width=8, maximum=1, none=off),
            series("Time of the day, by activity", "How the time since login was spent, of all agents since the day began. "
                   "Source: wolkvox_agents_stat_seconds.", shares, "percentunit", stack="normal", width=8, maximum=1, none=off,
                   overrides=coloured(*ACTIVITIES.values())),
            series("Calls of the day", "Calls of all agents since the day began. Source: wolkvox_agents_stat_calls.",
                   [target(total(sel("wolkvox_agents_stat_calls", eq("direction", one))), f"{one}{OF}")
                    for one in ("inbound", "outbound", "internal")], "none", width=8, none=off,
                   overrides=coloured("inbound", "outbound", "internal")),
            row("Connections"),
            series("Agents by latency", "Connected agents by the latency of their connection: up to 150 ms is good, up to 400 ms acceptable. "
                   "Source: wolkvox_agents_by_latency.",
                   [target(total(sel("wolkvox_agents_by_latency", eq("latency", band))), f"{name}{OF}") for band, name in BANDS.items()],
                   "none", stack="normal", width=8, none=needs("latency"), overrides=coloured(*BANDS.values())),
            series("Wi-Fi against cable", "Connected agents by the kind of their connection. Source: wolkvox_agents_connected.",
                   [target(total(sel(connected, eq("connection", kind))), f"{name}{OF}") for kind, name in (
                       ("ethernet", "cable"), ("wifi", "Wi-Fi"), ("other", "other"))], "none", stack="normal", width=8,
                   none=needs("latency"), overrides=coloured("cable", "Wi-Fi", "other")),
            series("Bad connections", "Connected agents who lose more than 1 % of their packets in either direction, and those whose network "
                   "rejects calls. Source: wolkvox_agents_with_packet_loss, wolkvox_agents_rejecting_calls.",
                   [target(total(sel("wolkvox_agents_with_packet_loss", eq("direction", "tx"))), f"lose what they send{OF}"),
                    target(total(sel("wolkvox_agents_with_packet_loss", eq("direction", "rx"))), f"lose what they receive{OF}"),
                    target(total(sel("wolkvox_agents_rejecting_calls")), f"reject calls{OF}")], "none", width=8, none=needs("latency")),
            series("Latency", "Mean and highest latency of the connected agents. Source: wolkvox_agents_latency_mean_seconds, "
                   "wolkvox_agents_latency_max_seconds.",
                   [target(highest(sel("wolkvox_agents_latency_mean_seconds")), f"mean{OF}"),
                    target(highest(sel("wolkvox_agents_latency_max_seconds")), f"highest{OF}")], "s", none=needs("latency"),
                   overrides=coloured("mean", "highest")),
            alerts_table(12, 8),
        ], since="now/d")
