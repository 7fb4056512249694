"""Outbound: campaigns and their lists."""

from .alerts import alerts_table
from .common import CAMPAIGN_STATES, DIALS, LENGTHS, data_age_stat, lengths
from .frame import BUSINESS_ALERTS_SHOWN, RECYCLES_SHOWN, dashboard, link
from .kpis import RUNNING, dialled, result_share, speed, stalled_count, where_enough
from .panels import OPERATION, bar_gauge, column, row, series, stat, state_timeline, table, target, text_cell, unseen
from .queries import eq, grown, mean, named, named_if_known, of_campaign, risen, sel, total
from .style import AMBER, AT_LEAST_ONE_BAD, CLOCK, CLOSED, GREEN, OF, RED, Json, colour, coloured, dashed, every, needs

# Hours since midnight, in the browser's zone.
HOUR = "(time() - $__from / 1000 + ${__from:date:H} * 3600 + ${__from:date:m} * 60) / 3600 % 24"
TARGET = f"clamp(vector(({HOUR} - $first) / ($last - $first)), 0, 1) * $target / 100"


def campaigns() -> Json:
    each = ("campaign_id",)
    legend = f"{{{{campaign}}}}{OF}"
    left = of_campaign("wolkvox_campaign_clean_records")
    preview = of_campaign("wolkvox_preview_calls_total")

    def shares(title: str, result: str, what: str, why: str) -> Json:
        return series(title, f"Dials with the result `{what}` / all dials added in the 30 min before each point, with at least 20 dials. {why} "
                      "Source: wolkvox_campaign_results.", [target(named(result_share(of_campaign, result, *each), "campaign"), legend)], "percentunit",
                      width=8, maximum=1)

    return dashboard(
        "campaigns", "Outbound: what each campaign dials, with what result, and how long its list lasts.", ["campaign", "target", "first", "last"],
        [BUSINESS_ALERTS_SHOWN, RECYCLES_SHOWN],
        [
            stat("Running", "Campaigns in the state started. Source: wolkvox_campaign_status.", total(of_campaign("wolkvox_campaign_status", RUNNING)),
                 "none", none="no data"),
            stat("Stalled", "Running campaigns with records left that have dialled nothing for 20 min. Red from 1. "
                 "Source: wolkvox_campaign_calls_per_minute, wolkvox_campaign_clean_records, wolkvox_campaign_status.",
                 stalled_count(of_campaign), "none", steps=AT_LEAST_ONE_BAD, none="no data"),
            stat("Dials per minute", "Sum over the campaigns, as reported by Wolkvox. Source: wolkvox_campaign_calls_per_minute.",
                 total(of_campaign("wolkvox_campaign_calls_per_minute")), "none", none="no data", decimals=0),
            stat("Dials, 1 h", "Results added in the last hour. Source: wolkvox_campaign_results.",
                 dialled(of_campaign, "1h"), "none", none="no data", decimals=0),
            stat("Contact rate, 30 min", "Dials that a person answered: results `answer` / all results added in the last 30 min, with at least 20 dials. Source: wolkvox_campaign_results.",
                 result_share(of_campaign, "answer"), "percentunit", none=CLOSED, decimals=1),
            stat("Hits, 1 h", "Hits added in the last hour. Source: wolkvox_campaign_hits.",
                 risen(of_campaign("wolkvox_campaign_hits"), "1h"), "none", none="no data", decimals=0),
            stat("Lists that end soon", "Running campaigns whose fresh records last less than 2 h at the speed of the last hour. Amber from 1. "
                 "Source: wolkvox_campaign_clean_records, _status.",
                 f"count by (job, operation) ({left} / (-deriv({left}[1h]) > 0) < 7200 and on (job, operation, campaign_id) "
                 f"{of_campaign('wolkvox_campaign_status', RUNNING)} == 1) or 0 * {total(of_campaign('wolkvox_campaign_status'))}",
                 "none", steps=[(None, GREEN), (1, AMBER)], none="no data"),
            data_age_stat("campaigns"),
            table("Campaigns", "One row per campaign, current values. A running campaign that dials nothing has a red 0. "
                  "Penetration above 100 % means that records are dialled more than once. "
                  "`Contact rate` and `Machine` are shares of the results since the list was loaded or recycled. Source: wolkvox_campaign_*.",
                  [f"max by (job, operation, campaign_id, campaign, strategy) ({of_campaign('wolkvox_campaign_info')})",
                   total(of_campaign("wolkvox_campaign_status", RUNNING), *each), total(speed(of_campaign), *each),
                   total(of_campaign("wolkvox_campaign_speed_ratio"), *each), total(of_campaign("wolkvox_campaign_records"), *each), total(left, *each),
                   total(of_campaign("wolkvox_campaign_penetration_day_ratio"), *each),
                   *(f"{total(of_campaign('wolkvox_campaign_results', eq('result', result)), *each)} / "
                     f"({total(of_campaign('wolkvox_campaign_results'), *each)} > 0)" for result in ("answer", "answer_machine")),
                   total(of_campaign("wolkvox_campaign_hits"), *each), total(of_campaign("wolkvox_campaign_recycles"), *each)],
                  [column("campaign", "Campaign", links=link("campaigns", "Only this campaign", "campaign=campaign_id"), custom__width=240),
                   OPERATION, unseen("campaign_id"), column("strategy", "Telephones", custom__width=190),
                   column("Value #B", "State", mappings=CAMPAIGN_STATES, custom__cellOptions={"type": "color-text"}),
                   column("Value #C", "Dials/min", "none", **text_cell(DIALS)), column("Value #D", "Speed", "percentunit", decimals=0), column("Value #E", "Records", "locale"),
                   column("Value #F", "Fresh", "locale"), column("Value #G", "Penetration", "percentunit", decimals=0, min=0, max=1),
                   column("Value #H", "Contact rate", "percentunit", decimals=0), column("Value #I", "Machine", "percentunit", decimals=0),
                   column("Value #J", "Hits", "none"), column("Value #K", "Recycled", "none")],
                  height=7, hidden=["Value #A"], sort="Dials/min",
                  order=["campaign", "operation", "campaign_id", "strategy", *(f"Value #{letter}" for letter in "BCDEFGHIJK")]),
            series("Dials per minute by campaign", "As reported by Wolkvox, for running campaigns. Source: wolkvox_campaign_calls_per_minute.",
                   [target(named(speed(of_campaign), "campaign"), legend)], "none", stack="normal"),
            state_timeline("State", "Running or stopped. A gap means that the report was not read. Source: wolkvox_campaign_status.",
                           named(of_campaign("wolkvox_campaign_status", RUNNING), "campaign"), legend, CAMPAIGN_STATES),
            series("Penetration, against the target", "Records dialled today / records of the list; the dashed line is the target, which grows evenly between the "
                   "hours of dialling that are chosen above, in the browser's zone. Source: wolkvox_campaign_penetration_day_ratio.",
                   [target(named(total(of_campaign("wolkvox_campaign_penetration_day_ratio"), *each), "campaign"), legend),
                    target(TARGET, "target")], "percentunit", overrides=[dashed("target")]),
            series("Hits per hour, against yesterday", "Hits added in the hour before each point; dashed grey: the same time yesterday. Hits are the codes that the "
                   "operation flags. Source: wolkvox_campaign_hits.",
                   [target(risen(of_campaign("wolkvox_campaign_hits"), "1h"), f"today{OF}"),
                    target(risen(of_campaign("wolkvox_campaign_hits"), "1h", offset="1d"), f"yesterday{OF}")], "none",
                   overrides=[*coloured("today"), dashed("yesterday")]),
            series("Fresh records left", "Records not dialled yet. A jump up means a new list or a recycle. Source: wolkvox_campaign_clean_records.",
                   [target(named(left, "campaign"), legend)], "locale", decimals=0, width=8),
            bar_gauge("Time until the list is used up", "Fresh records / the speed at which they were used in the last hour, for campaigns whose lists are shrinking. "
                      "Red below 1 h, amber below 3 h. Source: wolkvox_campaign_clean_records.",
                      f"sort({named(f'{left} / (-deriv({left}[1h]) > 0) < 86400', 'campaign')})", legend, CLOCK, width=8,
                      steps=[(None, RED), (3600, AMBER), (10800, GREEN)], none="no list is shrinking"),
            alerts_table(8, 8),
            row("Results"),
            shares("Contact rate", "answer", "answer", "If it suddenly halves, the number may be flagged as spam or machine detection may be broken."),
            shares("Answering machines", "answer_machine", "answer_machine", "A rise without a new list points to machine detection."),
            shares("Busy, congestion, failed", "busy_congestion_failed", "busy_congestion_failed", "Above 40 %, suspect the trunk or the numbers."),
            series("Results, share of the last 30 min", "All dials in the 30 min before each point by result, over all campaigns. Source: wolkvox_campaign_results.",
                   [target(where_enough(risen(of_campaign('wolkvox_campaign_results', eq('result', key)), '30m'), dialled(of_campaign)), f"{name}{OF}")
                    for key, name in (("answer", "answer"), ("no_answer", "no answer"), ("answer_machine", "answer machine"),
                                      ("busy_congestion_failed", "busy, congestion, failed"))], "none", stack="percent", width=8,
                   overrides=coloured("answer", "no answer", "answer machine", "busy, congestion, failed")),
            series("Dials for one answer", "All results / results `answer` in the 30 min before each point, with at least 20 dials. Source: wolkvox_campaign_results.",
                   [target(named(f"({dialled(of_campaign, '30m', *each)} >= 20) / ({risen(of_campaign('wolkvox_campaign_results', eq('result', 'answer')), '30m', *each)} > 0)",
                                 "campaign"), legend)], "none", width=8, decimals=1),
            series("Hit rate", "Hits / results `answer` added in the hour before each point, with at least 10 answers; hits are the codes that the operation flags. "
                   "Source: wolkvox_campaign_hits, wolkvox_campaign_results.",
                   [target(named(f"{risen(of_campaign('wolkvox_campaign_hits'), '1h', *each)} / "
                                 f"({risen(of_campaign('wolkvox_campaign_results', eq('result', 'answer')), '1h', *each)} >= 10)", "campaign"), legend)],
                   "percentunit", width=8),
            series("Calls that do not connect, per hour", "Calls that did not connect in the hour before each point, by reason, of all campaigns. A rise of congestion "
                   "and chanunavail is a trunk or carrier that fails. Source: wolkvox_call_results_total.",
                   [target(grown(sel("wolkvox_call_results_total"), "1h", "result"), f"{{{{result}}}}{OF}")], "none", stack="normal", width=12,
                   none=needs("call_results"), interval="15m"),
            series("Length of calls, share of the last 30 min", "Calls by billed length; many very short ones mean dead air or a bad list. "
                   "Source: wolkvox_calls_total.", lengths(), "none", stack="percent", width=12, overrides=coloured(*LENGTHS.values())),
            row("Preview"),
            series("Preview calls by result, per hour", "Calls of preview campaigns in the hour before each point. Source: wolkvox_preview_calls_total.",
                   [target(f"{grown(preview, '1h', 'call_result')} > 0", f"{{{{call_result}}}}{OF}")], "none", stack="normal", width=8),
            series("Mean length of preview calls", "Seconds of calls / calls, in the hour before each point, with at least 5. Source: wolkvox_preview_call_duration_seconds.",
                   [target(named_if_known(mean("wolkvox_preview_call_duration_seconds", of_campaign, "1h", *each), "campaign"), legend)], CLOCK, width=8),
            bar_gauge("Codes set by agents, 24 h", "The ten most frequent activity codes in the last 24 h. Source: wolkvox_preview_codes_total.",
                      f"topk(10, {grown(of_campaign('wolkvox_preview_codes_total'), '24h', 'code')} > 0)", f"{{{{code}}}}{OF}", "none", width=8,
                      decimals=0, none="no codes"),
        ])
