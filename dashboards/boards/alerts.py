"""What alerts are called on dashboards, and the panels that list them."""

from .frame import ALERTS, FIRING_BUSINESS, OF_BUSINESS
from .panels import OPERATION, column, now, panel, reduce_last, table
from .queries import eq
from .style import AMBER, BLUE, RED, Json, mappings, thresholds

# Each alert, without the prefix, in words that say what is wrong. A test compares them with the rules.
NAMES = {
    "ExporterDown": "Exporter is down",
    "ReportStale": "A report is no longer read",
    "ReportNeverSucceeded": "A report was never read",
    "ApiAuthFailing": "The token is refused",
    "ApiBudgetRunningOut": "The day's API calls run out",
    "QuotaUsedByOthers": "Other programs use the API calls",
    "RowsInvalid": "Rows cannot be read",
    "FieldsInvalid": "Fields cannot be read",
    "AssumptionBroken": "An assumption about the API is broken",
    "RowsLag": "Rows come late",
    "RowsTooLate": "Rows come too late to be counted",
    "RereadOverdue": "Old rows are not read again",
    "StateNotSaved": "The state is not saved",
    "ClockWrong": "A clock is wrong",
    "RecordLimitReached": "More rows than the API gives",
    "SeriesDropped": "Series are left out",
    "ConfigReloadFailed": "A reload failed",
    "NothingRead": "Nothing can be read",
    "ExporterRestarts": "The exporter keeps restarting",
    "StateMissing": "No state is kept",
    "OperationsMissing": "Operations are missing",
    "CertificateExpires": "The certificate expires soon",
    "QueueUnanswered": "Nobody answers the queue",
    "QueueLong": "The queue is too long",
    "AbandonmentNow": "Callers give up now",
    "ServiceLevelLow": "The service level is low",
    "NobodyLoggedIn": "Nobody is logged in",
    "AgentForgotten": "An agent is long in one state",
    "AgentsNetworkBad": "Many agents have a bad network",
    "AgentsGone": "Many agents lost their connection",
    "CallsDoNotConnect": "Calls do not connect",
    "AbandonmentSpike": "Abandonment jumps up",
    "ShortAbandonSurge": "Many hang up at once",
    "CallersWaitLong": "Callers wait long before they give up",
    "AbandonmentFastBurn": "Abandonment is very high",
    "AbandonmentSlowBurn": "Abandonment is high for hours",
    "AbandonmentTarget": "Abandonment misses its objective",
    "InboundSilent": "No calls come in",
    "CampaignStalled": "A campaign runs and dials nothing",
    "CampaignNotRunning": "A usual campaign does not run",
    "OutboundSilent": "No dials go out",
    "CampaignListEndsSoon": "A list ends soon",
    "CampaignFailuresHigh": "Many dials fail",
    "CampaignContactRateDrop": "Fewer people answer a campaign",
    "VeryShortCalls": "Many very short calls",
    "CostHigh": "Calls cost far more than usual",
    "IvrHangupHigh": "Many hang up in a menu",
    "IvrNoInputHigh": "Keys are not heard in a menu",
    "IvrSilent": "A menu gets no calls",
}
WRAPPED = {"type": "auto", "wrapText": True}
SEVERITIES = {"critical": ("critical", RED), "warning": ("warning", AMBER), "info": ("info", BLUE)}


def listed(firing: str) -> str:
    """With the labels `alert`, its name without the prefix, and `about`, what it is about."""
    about = '"about", " ", "campaign", "skill", "routing_point", "report", "assumption"'
    return f'label_replace(label_join({firing}, {about}), "alert", "$1", "alertname", "Wolkvox(.+)")'


def alerts_table(width: int, height: int, firing: str = FIRING_BUSINESS) -> Json:
    whose = ("Firing alerts about calls, campaigns and agents; those about the exporter are on its own dashboard."
             if firing == FIRING_BUSINESS else "All firing alerts, including those without an operation.")
    plain = [{"type": "value", "options": {alert: {"text": text, "index": i} for i, (alert, text) in enumerate(NAMES.items())}}]
    severity = mappings(**{f"_{key}": pair for key, pair in SEVERITIES.items()})
    return table(
        "Alerts firing", f"{whose} Source: ALERTS.", [listed(firing)],
        # On a narrow panel, two lines are better than half a name.
        [column("alert", "Alert", mappings=plain, custom__cellOptions=WRAPPED), column("about", "About", custom__cellOptions=WRAPPED),
         column("severity", "Severity", custom__width=80, mappings=severity, custom__cellOptions={"type": "color-text"}), OPERATION],
        width=width, height=height, order=["alert", "about", "severity", "operation"],
        hidden=["Value", "__name__", "alertname", "alertstate", "audience", "instance", "campaign", "campaign_id", "skill", "skill_id",
                "routing_point", "rp_id", "report", "assumption", "channel", "reason", "field", "result", "state", "aux", "network", "client"],
        sort="Severity", none="no alert is firing", down=False)


def alerts_wall(width: int, height: int) -> Json:
    """Tiles that are read from afar, the worst first."""

    def of(severity: str, worth: int) -> str:
        return f"{ALERTS.format(f', {OF_BUSINESS}, ' + eq('severity', severity))} * {worth}"

    firing = " or ".join((of("critical", 3), of("warning", 2), of("info", 1)))
    names = [
        {"matcher": {"id": "byRegexp", "options": f"/^{alert}( |$)/"},
         "properties": [{"id": "displayName", "value": f"{text} ${{__field.labels.about}}"}]}
        for alert, text in NAMES.items()
    ]
    defaults: Json = {"unit": "none", "noValue": "no alert is firing", "color": {"mode": "thresholds"},
                      "thresholds": thresholds([(None, BLUE), (2, AMBER), (3, RED)])}
    options = {
        "colorMode": "background_solid", "graphMode": "none", "justifyMode": "center", "textMode": "name",
        "orientation": "horizontal", "wideLayout": True, "percentChangeColorMode": "standard", "showPercentChange": False,
        "reduceOptions": reduce_last(),
    }
    return panel(
        "stat", "Alerts firing", "The six worst alerts about calls, campaigns and agents. Red: critical, amber: warning, blue: info. "
        "Source: ALERTS.", [now(f"sort_desc(topk(6, {listed(f'({firing})')}))", "{{alert}} {{about}}")], width, height, defaults,
        options, names)
