"""PromQL that every dashboard writes in the same way: selectors, sums, rates, names beside ids."""

SCOPE = 'job=~"$job", operation=~"$operation"'


def sel(metric: str, *matchers: str) -> str:
    """A selector within the scope of the variables."""
    return f"{metric}{{{', '.join((SCOPE, *matchers))}}}"


def of_campaign(metric: str, *matchers: str) -> str:
    return sel(metric, 'campaign_id=~"$campaign"', *matchers)


def of_skill(metric: str, *matchers: str) -> str:
    return sel(metric, 'skill_id=~"$skill"', 'channel=~"$channel"', *matchers)


def of_rp(metric: str, *matchers: str) -> str:
    return sel(metric, 'rp_id=~"$rp"', *matchers)


def eq(label: str, value: str) -> str:
    """A matcher."""
    return f'{label}="{value}"'


def total(expr: str, *labels: str) -> str:
    """The sum by operation and the given labels."""
    return f"sum by ({', '.join(('job', 'operation', *labels))}) ({expr})"


def grown(series: str, window: str, *labels: str, offset: str = "") -> str:
    return total(f"increase({series}[{window}]{offset and ' offset ' + offset})", *labels)


def risen(series: str, window: str, *labels: str) -> str:
    """The rise of a gauge that counts up. A recycle resets it, which costs one window and never shows a fall."""
    return total(f"clamp_min(delta({series}[{window}]), 0)", *labels)


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
RATE_NOTE = (
    "Only for operations whose report lists answered calls too; otherwise there is no denominator, and nothing is shown."
)

ABANDONED = 'result="abandoned"'
INTERACTIONS = "wolkvox_skill_interactions_total"


def abandonment(series, window: str, *labels: str, least: str = "> 0", offset: str = "") -> str:
    """Abandoned / offered; `series` makes the selector."""
    abandoned = grown(series(INTERACTIONS, ABANDONED), window, *labels, offset=offset)
    offered = grown(series(INTERACTIONS), window, *labels, offset=offset)
    return f"{abandoned} / ({offered} {least}) {LISTS_ANSWERED}"


def quantile(q: float, buckets: str, window: str, *labels: str, least: int = 1) -> str:
    """A quantile of a histogram that is not empty: otherwise it would be NaN."""
    by = ", ".join(("job", "operation", *labels))
    count = grown(buckets.replace("_bucket{", "_count{"), window, *labels)
    return f"histogram_quantile({q}, {grown(buckets, window, *labels, 'le')}) and on ({by}) ({count} >= {least})"


def mean(metric: str, series, window: str, *labels: str) -> str:
    return f"{grown(series(metric + '_sum'), window, *labels)} / ({grown(series(metric + '_count'), window, *labels)} >= 5)"
