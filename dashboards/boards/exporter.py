"""The exporter itself."""

from .alerts import alerts_table
from .common import REPORTS_UP, data_age, failing
from .frame import ALERTS_SHOWN, FIRING, dashboard
from .panels import OPERATION, column, series, stat, state_timeline, table, target
from .queries import eq, grown, highest, quantile, sel, total
from .style import AGE, AGE_NOTE, AMBER, CLOCK, GREEN, OF, RED, Json, coloured, every, needs


def exporter() -> Json:
    report = f"{{{{report}}}}{OF}"
    used, limit = sel("wolkvox_api_calls_used"), sel("wolkvox_api_calls_limit")
    return dashboard(
        "exporter", "The exporter itself: whether every report is read, the budget is kept, and the state is saved.", [], [ALERTS_SHOWN],
        [
            failing(),
            data_age(),
            stat("API calls used", "Calls on the operation's local day / the configured budget. Amber from 80 %, red from 95 %. "
                 "Source: wolkvox_api_calls_used, wolkvox_api_calls_limit.", f"max by (job, operation) ({used} / ({limit} > 0))", "percentunit",
                 steps=[(None, GREEN), (0.8, AMBER), (0.95, RED)], none="no exporter", decimals=0),
            stat("API failures, 1 h", "Requests that failed in the last hour, including retries. Amber from 1, red from 10. "
                 "Source: wolkvox_api_request_failures_total.", grown(sel("wolkvox_api_request_failures_total"), "1h"), "none",
                 steps=[(None, GREEN), (0.5, AMBER), (9.5, RED)], none="no exporter", decimals=0),
            stat("Last commit", "Time since the state was last written to disk. Amber from 10 min, red from 15 min: two and three polls at 5 min. "
                 "Source: wolkvox_exporter_state_last_commit_timestamp_seconds.",
                 f"max by (job, operation) (time() - {sel('wolkvox_exporter_state_last_commit_timestamp_seconds')})", CLOCK, steps=AGE, none="never"),
            stat("Invalid rows, 24 h", "Rows that could not be read / all rows in the last 24 h. Amber from 0.1 %, red from 1 %: the vendor probably changed a format. "
                 "Source: wolkvox_report_rows_total.",
                 f"{grown(sel('wolkvox_report_rows_total', eq('outcome', 'invalid')), '24h')} / ({grown(sel('wolkvox_report_rows_total'), '24h')} > 0)",
                 "percentunit", steps=[(None, GREEN), (0.001, AMBER), (0.01, RED)], none="no rows", decimals=2),
            stat("Series left out, 24 h", "Rows folded into _other or left out because of series_limit in the last 24 h. Red from 1. "
                 "Source: wolkvox_exporter_series_dropped_total.", grown(sel("wolkvox_exporter_series_dropped_total"), "24h"), "none",
                 steps=[(None, GREEN), (0.5, RED)], none="no exporter", decimals=0),
            stat("Version", "The running version. Source: wolkvox_exporter_build_info.",
                 'max by (job, version) (wolkvox_exporter_build_info{job=~"$job"})', "none", none="no exporter", show="name", legend="{{version}}"),
            stat("Calls left, by Wolkvox", "API calls of the token that are left today, as Wolkvox counts them, by all programs. Amber below 2000, red below 500. "
                 "Source: wolkvox_token_calls_left.", highest(sel("wolkvox_token_calls_left")), "locale", width=4,
                 steps=[(None, RED), (500, AMBER), (2000, GREEN)], none=needs("quota"), decimals=0),
            stat("Calls by other programs", "API calls of the operation today that are not this exporter's. Amber from 200, the alert's limit. "
                 "Source: wolkvox_operation_calls_used_by_others.", highest(sel("wolkvox_operation_calls_used_by_others")), "locale", width=4,
                 steps=[(None, GREEN), (200, AMBER)], none=needs("quota"), decimals=0),
            stat("Late rows, 24 h", "Rows too old to know whether they were counted, so they were not. Red from 1. "
                 "Source: wolkvox_report_rows_total.", grown(sel("wolkvox_report_rows_total", eq("outcome", "late")), "24h"), "none", width=4,
                 steps=[(None, GREEN), (0.5, RED)], none="no exporter", decimals=0),
            stat("Unknown words", "Words of the last 24 h that are in no list of their field; the table below names them. Amber from 1. "
                 "Source: wolkvox_report_unknown_word.", f"{total(sel('wolkvox_report_unknown_word'))} or 0 * {highest(limit)}", "none", width=4,
                 steps=[(None, GREEN), (1, AMBER)], none="no exporter"),
            stat("Assumptions broken, 24 h", "What the exporter takes for granted about the API and was not so; the table below says what. Amber from 1. "
                 "Source: wolkvox_report_assumption_violations_total.", grown(sel("wolkvox_report_assumption_violations_total"), "24h"), "none",
                 width=4, steps=[(None, GREEN), (0.5, AMBER)], none="no exporter", decimals=0),
            stat("Last reread, oldest", "Time since old rows or days of a report were last read again to the end, of the report where that is longest. "
                 "Red from two days, the alert's limit. Source: wolkvox_report_last_reread_timestamp_seconds.",
                 highest(f"time() - {sel('wolkvox_report_last_reread_timestamp_seconds')}"), CLOCK, width=4,
                 steps=[(None, GREEN), (172800, RED)], none="never"),
            state_timeline("Reports, read or failed", "Whether the last poll of each report succeeded. A gap means that the exporter was down. Source: wolkvox_up.",
                           f"max by (job, operation, report) ({sel('wolkvox_up')})", report, REPORTS_UP, height=9),
            series("Age of each report's data", f"Time since the end of the window that the data covers; lines: {AGE_NOTE} "
                   "Source: wolkvox_report_data_timestamp_seconds.",
                   [target(f"max by (job, operation, report) (time() - {sel('wolkvox_report_data_timestamp_seconds')})", report)], CLOCK, steps=AGE, height=9),
            series("API requests, per hour", "Requests in the hour before each point, including retries. Source: wolkvox_api_requests_total.",
                   [target(grown(sel("wolkvox_api_requests_total"), "1h", "report"), report)], "none", stack="normal", width=8),
            series("Polls failed or skipped, per hour", "Polls that failed, by reason, and polls skipped to keep the budget or because the quota is used up, in the hour before each point. "
                   "Source: wolkvox_report_poll_failures_total, wolkvox_report_polls_skipped_total.",
                   [target(f"{grown(sel('wolkvox_report_poll_failures_total'), '1h', 'report', 'reason')} > 0", f"{{{{reason}}}} · {{{{report}}}}{OF}"),
                    target(f"{grown(sel('wolkvox_report_polls_skipped_total'), '1h', 'report', 'reason')} > 0", f"skipped · {{{{reason}}}} · {{{{report}}}}{OF}")],
                   "none", stack="normal", width=8, none="no poll failed or was skipped"),
            series("API calls used today", "Calls on the operation's local day, and its budget (dashed). Source: wolkvox_api_calls_used, wolkvox_api_calls_limit.",
                   [target(f"max by (job, operation) ({used})", f"used{OF}"), target(f"max by (job, operation) ({limit})", f"budget{OF}")],
                   "none", width=8,
                   overrides=[every("budget", color={"mode": "fixed", "fixedColor": "red"}, custom__fillOpacity=0,
                                           custom__lineStyle={"fill": "dash", "dash": [6, 6]})]),
            series("Time to answer, 90 %", "90 % of the API's answers in the hour before each point took less. Source: wolkvox_api_request_duration_seconds.",
                   [target(quantile(0.9, sel("wolkvox_api_request_duration_seconds_bucket"), "1h", "report"), report)], "s", width=8),
            series("Length of the last poll", "All requests of a poll, including the wait for the token. Source: wolkvox_report_poll_duration_seconds.",
                   [target(f"max by (job, operation, report) ({sel('wolkvox_report_poll_duration_seconds')})", report)], "s", width=8),
            series("Rows by outcome, per hour", "Rows in the hour before each point: counted, duplicate (seen before), baseline (older than the first poll), late, ignored, invalid. "
                   "Source: wolkvox_report_rows_total.",
                   [target(f"{grown(sel('wolkvox_report_rows_total', eq('outcome', one)), '1h')} > 0", f"{one}{OF}")
                    for one in ("counted", "duplicate", "baseline", "late", "ignored", "invalid")], "short", stack="normal", width=8,
                   overrides=coloured("counted", "duplicate", "baseline", "late", "ignored", "invalid")),
            series("Odd rows and fields, per hour", "Invalid fields by name, day totals that fell, windows cut by the record limit, and rows counted long after they happened, "
                   "in the hour before each point. Source: wolkvox_report_invalid_fields_total, _corrections_total, _capped_windows_total, _backlog_rows_total.",
                   [target(f"{grown(sel('wolkvox_report_invalid_fields_total'), '1h', 'report', 'field')} > 0", f"{{{{field}}}} · {{{{report}}}}{OF}"),
                    target(f"{grown(sel('wolkvox_report_corrections_total'), '1h')} > 0", f"day totals that fell{OF}"),
                    target(f"{grown(sel('wolkvox_report_capped_windows_total'), '1h')} > 0", f"windows cut{OF}"),
                    target(f"{grown(sel('wolkvox_report_backlog_rows_total'), '1h')} > 0", f"rows counted late{OF}")], "none", width=12,
                   none="nothing odd"),
            series("Age of rows when counted, 90 %", "90 % of the rows that were first counted in the hour before each point were younger. Source: wolkvox_report_row_lateness_seconds.",
                   [target(quantile(0.9, sel("wolkvox_report_row_lateness_seconds_bucket"), "1h", "report"), report)], CLOCK, width=12),
            alerts_table(12, 8, FIRING),
            series("Calls of the token", "API calls of the token today as Wolkvox counts them, by all programs, and what it may make (dashed). "
                   "Source: wolkvox_token_calls_used, wolkvox_token_calls_limit.",
                   [target(highest(sel("wolkvox_token_calls_used")), f"used{OF}"), target(highest(sel("wolkvox_token_calls_limit")), f"limit{OF}")], "locale",
                   width=12, none=needs("quota"), interval="15m", decimals=0,
                   overrides=[every("limit", color={"mode": "fixed", "fixedColor": "red"}, custom__fillOpacity=0,
                                    custom__lineStyle={"fill": "dash", "dash": [6, 6]})]),
            series("Newest row, before the end of what was read", "From the date of each report's newest row to the end of the window that was read. It grows while nobody "
                   "calls. If it stays above 45 min (the line, and the alert's limit) while people call, the time zone is wrong or Wolkvox is late; below 0, rows are dated "
                   "in the future. Source: wolkvox_report_newest_row_timestamp_seconds, wolkvox_report_data_timestamp_seconds.",
                   [target("max by (job, operation, report) "
                           f"({sel('wolkvox_report_data_timestamp_seconds')} - {sel('wolkvox_report_newest_row_timestamp_seconds')})", report)], CLOCK,
                   steps=[(None, GREEN), (2700, AMBER)], minimum=None),
            table("Broken assumptions, 24 h", "What the exporter takes for granted about the API and was not so in the last 24 h: how often, and the words that it does not know. "
                  "The status page says what it means. Source: wolkvox_report_assumption_violations_total, wolkvox_report_unknown_word.",
                  [f"{grown(sel('wolkvox_report_assumption_violations_total'), '24h', 'report', 'assumption')} > 0",
                   f"max by (job, operation, report, assumption, field, word) (label_replace({sel('wolkvox_report_unknown_word')}, \"assumption\", \"known_words\", \"\", \"\"))"],
                  [column("report", "Report"), column("assumption", "Assumption"), column("Value #A", "Times", "none", decimals=0), column("field", "Field"),
                   column("word", "Unknown word"), OPERATION],
                  width=12, height=8, hidden=["Value #B"], sort="Times", order=["report", "assumption", "Value #A", "field", "word", "operation"],
                  none="all assumptions held"),
            series("Memory and state", "Resident memory of the exporter, and the size of each operation's state file if there is a state path. "
                   "Source: process_resident_memory_bytes, wolkvox_exporter_state_size_bytes.",
                   [target('process_resident_memory_bytes{job=~"$job"}', "memory · {{instance}}"),
                    target(f"max by (job, operation) ({sel('wolkvox_exporter_state_size_bytes')})", f"state{OF}")], "bytes", width=6),
            series("CPU", "Seconds of CPU per second. Source: process_cpu_seconds_total.",
                   [target('rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval])', "{{job}} · {{instance}}")], "percentunit", width=6, interval="1m"),
            series("Scrapes: time", "Duration of Prometheus's scrapes. Source: scrape_duration_seconds.",
                   [target('scrape_duration_seconds{job=~"$job"}', "{{job}} · {{instance}}")], "s", width=6, interval="1m"),
            series("Scrapes: samples", "Samples per scrape. Source: scrape_samples_scraped.",
                   [target('scrape_samples_scraped{job=~"$job"}', "{{job}} · {{instance}}")], "short", width=6, interval="1m"),
        ])
