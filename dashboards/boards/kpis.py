"""Figures that several dashboards show, as PromQL."""

from .queries import Select, eq, grown, highest, risen, sel, total

RUNNING = 'status="started"'
AT_WORK = 'state!="logout"'


def speed(series_of: Select) -> str:
    """Dials per minute of running campaigns: a stopped one is a gap, not a line at 0."""
    running = series_of("wolkvox_campaign_status", RUNNING)
    return f"{series_of('wolkvox_campaign_calls_per_minute')} and on (job, operation, campaign_id) {running} == 1"


def stalled(series_of: Select) -> str:
    """1 for each campaign that runs, has records left, and has dialled nothing for 20 minutes."""
    still = f"max_over_time({series_of('wolkvox_campaign_calls_per_minute')}[20m]) == bool 0"
    left = f"{series_of('wolkvox_campaign_clean_records')} > 0"
    running = f"{series_of('wolkvox_campaign_status', RUNNING)} == 1"
    return f"({still}) and on (job, operation, campaign_id) {left} and on (job, operation, campaign_id) {running}"


def stalled_count(series_of: Select) -> str:
    """With 0 where all is well."""
    return f"{total(stalled(series_of))} or 0 * {total(series_of('wolkvox_campaign_status'))}"


def where_enough(expr: str, all_of_it: str) -> str:
    """Leaves out shares of very few, which are noise."""
    return f"({expr} > 0) and on (job, operation) ({all_of_it} >= 20)"


def dialled(series_of: Select, window: str = "30m", *labels: str) -> str:
    return risen(series_of("wolkvox_campaign_results"), window, *labels)


def result_share(series_of: Select, result: str, *labels: str, least: str = ">= 20") -> str:
    """The share of one result among the dials of the last half hour."""
    one = risen(series_of("wolkvox_campaign_results", f'result="{result}"'), "30m", *labels)
    return f"{one} / ({dialled(series_of, '30m', *labels)} {least})"


def not_empty_for(series_of: Select, *labels: str) -> str:
    """Since when a skill's queue has not been empty, 3 hours at most; 0 where nobody waits."""
    queue = highest(series_of("wolkvox_skill_calls_in_queue"), "skill_id")
    empty = f"max_over_time(timestamp({queue} == 0)[3h:1m])"
    return highest(f"(time() - ({empty} or 0 * {queue} + time() - 10800)) * ({queue} > bool 0)", *labels)


def agents(*matchers: str) -> str:
    return total(sel("wolkvox_agents", *matchers))


def available() -> str:
    """Only while somebody is logged in: at night nobody has to be available."""
    return f"{agents(eq('state', 'ready'))} and on (job, operation) ({agents(AT_WORK)} > 0)"


def occupancy() -> str:
    """Of the day, as Wolkvox computes it."""

    def spent(*activities: str) -> str:
        return total(sel("wolkvox_agents_stat_seconds", f'activity=~"{"|".join(activities)}"'))

    return f"{spent('inbound', 'outbound', 'acw')} / ({spent('login')} - {spent('aux')} > 0)"


def of_day(series: str, *labels: str) -> str:
    """What was added on the day that begins at each point."""
    return grown(series, "1d", *labels, offset="-1d")


# Without the reports that are polled each quarter of an hour or each hour.
DATA_AGE = highest("time() - " + sel("wolkvox_report_data_timestamp_seconds", 'report!~"call_results|quota"'))
FAILING = total(f"{sel('wolkvox_up')} == bool 0")
WAITING = total(sel("wolkvox_skill_calls_in_queue"))


def data_age_of(report: str) -> str:
    age = f"time() - {sel('wolkvox_report_data_timestamp_seconds', eq('report', report))}"
    return highest(age)
