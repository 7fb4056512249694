"""PromQL that every dashboard writes in the same way: selectors, sums, rates, names beside ids."""

from collections.abc import Callable

SCOPE = 'job=~"$job", operation=~"$operation"'

# Writes a selector of a metric with further matchers: `sel` or one of those below it.
Select = Callable[..., str]


def sel(metric: str, *matchers: str) -> str:
    """A selector within the scope of the variables."""
    return f"{metric}{{{', '.join((SCOPE, *matchers))}}}"


def of_campaign(metric: str, *matchers: str) -> str:
    return sel(metric, 'campaign_id=~"$campaign"', *matchers)


def of_skill(metric: str, *matchers: str) -> str:
    return sel(metric, 'skill_id=~"$skill"', *matchers)


def of_rp(metric: str, *matchers: str) -> str:
    return sel(metric, 'rp_id=~"$rp"', *matchers)


def eq(label: str, value: str) -> str:
    """A matcher."""
    return f'{label}="{value}"'


def total(expr: str, *labels: str) -> str:
    """The sum by operation and the given labels."""
    return f"sum by ({', '.join(('job', 'operation', *labels))}) ({expr})"


def highest(expr: str, *labels: str) -> str:
    return f"max by ({', '.join(('job', 'operation', *labels))}) ({expr})"


def grown(series: str, window: str, *labels: str, offset: str = "") -> str:
    return total(f"increase({series}[{window}]{offset and ' offset ' + offset})", *labels)


def risen(series: str, window: str, *labels: str, offset: str = "") -> str:
    """The rise of a gauge that counts up. A recycle resets it, which costs one window and never shows a fall."""
    return total(f"clamp_min(delta({series}[{window}]{offset and ' offset ' + offset}), 0)", *labels)


INFO = {
    "campaign": ("campaign_id", "wolkvox_campaign_info"),
    "skill": ("skill_id", "wolkvox_skill_info"),
    "routing_point": ("rp_id", "wolkvox_routing_point_info"),
}


def names(name: str) -> str:
    """The name of each id, once, even if several exporters show it."""
    key, info = INFO[name]
    return f"max by (job, operation, {key}, {name}) ({sel(info)})"


def named(expr: str, name: str) -> str:
    return f"({expr}) * on (job, operation, {INFO[name][0]}) group_left ({name}) {names(name)}"


def named_if_known(expr: str, name: str) -> str:
    """For ids that may have no info series; they show the id."""
    key, _ = INFO[name]
    unnamed = f"({expr}) unless on (job, operation, {key}) {names(name)}"
    return f'{named(expr, name)} or label_replace({unnamed}, "{name}", "$1", "{key}", "(.+)")'


# A rate needs answered calls too. Whether the report lists them is a property of the operation, so a single one since the start
# is enough: an hour in which really nobody was answered is 100 %.
LISTS_ANSWERED = "and on (job, operation) ({} > 0)".format(
    total(sel("wolkvox_skill_interactions_total", 'result="answered"'))
)

ABANDONED = 'result="abandoned"'
INTERACTIONS = "wolkvox_skill_interactions_total"
# People wait seconds for a call and hours for a chat, so no figure of waits has both. What does not say what it is counts as a
# call: chats always do.
CALLS, CHATS = 'channel!~"chat|omni"', 'channel=~"chat|omni"'


def abandonment(series: Select, window: str, *labels: str, least: str = "> 0", offset: str = "") -> str:
    """Abandoned / offered; `series` makes the selector."""
    abandoned = grown(series(INTERACTIONS, ABANDONED), window, *labels, offset=offset)
    offered = grown(series(INTERACTIONS), window, *labels, offset=offset)
    return f"{abandoned} / ({offered} {least}) {LISTS_ANSWERED}"


def service_level(series: Select, window: str, *labels: str, least: int = 5) -> str:
    """Calls answered within `$seconds` / calls answered or abandoned."""
    quick = grown(series("wolkvox_answer_time_seconds_bucket", CALLS, 'le="$seconds.0"'), window, *labels)
    answered = grown(series("wolkvox_answer_time_seconds_count", CALLS), window, *labels)
    abandoned = grown(series("wolkvox_abandon_time_seconds_count", CALLS), window, *labels)
    return f"{quick} / ({answered} + ({abandoned} or 0 * {answered}) >= {least})"


def vendors_level(series: Select) -> str:
    """The service level of Wolkvox's own board, each skill by its calls. Only for the seconds that it gives."""
    calls = highest(series("wolkvox_skill_stat_inbound_calls"), "skill_id")
    level = highest(series("wolkvox_skill_service_level_ratio", 'seconds="$seconds"'), "skill_id")
    return f"{total(f'{level} * on (job, operation, skill_id) {calls}')} / ({total(calls)} > 0)"


def quantile(q: float, buckets: str, window: str, *labels: str, least: int = 1) -> str:
    """A quantile of a histogram that is not empty: otherwise it would be NaN."""
    by = ", ".join(("job", "operation", *labels))
    count = grown(buckets.replace("_bucket{", "_count{"), window, *labels)
    return f"histogram_quantile({q}, {grown(buckets, window, *labels, 'le')}) and on ({by}) ({count} >= {least})"


def mean(metric: str, series: Select, window: str, *labels: str) -> str:
    return f"{grown(series(metric + '_sum'), window, *labels)} / ({grown(series(metric + '_count'), window, *labels)} >= 5)"
