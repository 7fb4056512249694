//! `reports_manager.php?api=campaign_5`: preview campaigns, with one row for each record worked on and one for each
//! call.
//!
//! **Identity.** A row of type call has up to three facts: the call and its duration, once its result is there, and its
//! code, once the agent has typed one. `campaign_id`, `conn_id` and `date` identify them. A row of type preview has one
//! fact, its result once there is one. It is
//! identified by `campaign_id`, `customer_id`, `telephone` and `date`, since `conn_id` is blank until a call is made; a
//! row with neither customer nor telephone is identified by `conn_id`. All of this is hashed with the state's key and
//! never stored. If one customer has two records in one second, both are in the same answer, and their numbers in it
//! keep them apart.

use std::time::Duration;

use serde::Deserialize;

use super::events::{self, EventReport, EventRows, Events};
use super::values::{self, NONE, OTHER, begins};
use super::{Filter, Kind, MINUTE, Outcome, REPORTS_MANAGER, Report};
use crate::metrics::Family;
use crate::wire::Endpoint;
use crate::wire::fields::{self, Leaf};

/// The report.
pub static PREVIEW_CALLS: Report = Report {
    name: "preview_calls",
    state_id: 3,
    endpoint: Endpoint {
        script: REPORTS_MANAGER,
        api: "campaign_5",
    },
    filter: Some(Filter {
        key: "campaign_id",
        all: "all",
    }),
    seconds: None,
    interval: MINUTE.saturating_mul(5),
    quiet_interval: None,
    timeout: Duration::from_secs(90),
    families: &[&CALLS, &DURATION, &CODES, &RECORDS],
    names: &[],
    fields: &["date", "time"],
    kind: Kind::Events(EventRows {
        read: events::read::<PreviewCalls>,
        rows_share_facts: false,
        settle: Duration::from_secs(120),
        totals: None,
    }),
};

static CALLS: Family = Family::counter(
    "wolkvox_preview_calls",
    &["campaign_id", "type_interaction", "call_result", "hang_up"],
    "Calls of preview campaigns, from the rows of type call of campaign_5.",
)
.with_free_labels(&["type_interaction", "call_result"])
.with_fixed_values(&[("hang_up", &HANG_UPS)]);
static DURATION: Family = Family::histogram(
    "wolkvox_preview_call_duration_seconds",
    &["campaign_id"],
    &[
        5.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0,
    ],
    "Duration of calls of preview campaigns, from the field time of the rows of type call of campaign_5.",
)
.with_free_labels(&["campaign_id"]);
static CODES: Family = Family::counter(
    "wolkvox_preview_codes",
    &["campaign_id", "code"],
    "Calls of preview campaigns by the first code that the agent typed, from the field cod_act of campaign_5.",
)
.with_free_labels(&["code"]);
static RECORDS: Family = Family::counter(
    "wolkvox_preview_records",
    &["campaign_id", "result"],
    "Records of preview campaigns by their first result, from the rows of type preview of campaign_5.",
)
.with_free_labels(&["result"]);

const HANG_UPS: [&str; 4] = ["customer", "agent", OTHER, NONE];
const CALL: u8 = b'c';
const CODE: u8 = b'd';
const RECORD: u8 = b'r';

/// The fields that we need of a row.
#[derive(Deserialize)]
struct PreviewRow<'a> {
    #[serde(borrow, default)]
    type_of_row: Leaf<'a>,
    #[serde(borrow, default)]
    campaign_id: Leaf<'a>,
    #[serde(borrow, default)]
    result: Leaf<'a>,
    #[serde(borrow, default)]
    customer_id: Leaf<'a>,
    #[serde(borrow, default)]
    conn_id: Leaf<'a>,
    #[serde(borrow, default)]
    telephone: Leaf<'a>,
    #[serde(borrow, default)]
    hang_up: Leaf<'a>,
    #[serde(borrow, default)]
    type_interaction: Leaf<'a>,
    #[serde(borrow, default)]
    call_result: Leaf<'a>,
    #[serde(borrow, default)]
    date: Leaf<'a>,
    #[serde(borrow, default)]
    time: Leaf<'a>,
    #[serde(borrow, default)]
    cod_act: Leaf<'a>,
}

struct PreviewCalls;

impl EventReport for PreviewCalls {
    type Row<'a> = PreviewRow<'a>;

    fn row(events: &mut Events, row: &PreviewRow<'_>) {
        let kind = values::word(&row.type_of_row);
        match () {
            () if begins(kind, &["call", "llam"]) => call(events, row),
            () if begins(kind, &["prev", "vista"]) => record(events, row),
            // It sums up other rows, so it must not be counted.
            () if begins(kind, &["total", "subtotal", "sub total", "sum", "resumen"]) => {
                events.tally().count(Outcome::Ignored);
            }
            () => {
                if !kind.is_empty() {
                    events.unknown_word("type_of_row", kind);
                }
                events.tally().invalid_without("type_of_row");
            }
        }
    }
}

fn call(events: &mut Events, row: &PreviewRow<'_>) {
    let Some(date) = events.date(&row.date) else {
        return events.tally().invalid_without("date");
    };
    let Some(campaign) = values::id(&row.campaign_id) else {
        return events.tally().invalid_without("campaign_id");
    };
    let campaign = &*campaign;
    let Some(conn) = values::identity(&row.conn_id) else {
        return events.tally().invalid_without("conn_id");
    };
    let fields = [campaign, conn];
    let (result, hung_up_by) = (values::word(&row.call_result), values::word(&row.hang_up));
    // Both are blank while the call is in progress.
    let has_ended = !result.is_empty() || !hung_up_by.is_empty();
    if has_ended || events.is_final(&date) {
        let interaction = values::enumerated(values::word(&row.type_interaction));
        let result = values::free(result);
        let hang_up = hang_up(events, hung_up_by);
        let call = events.identity(&date, CALL, &fields);
        let (series, is_first) = events.first_series(&CALLS, &[campaign, &interaction, &result, hang_up]);
        if is_first && events.born(&CALLS, &[campaign, &interaction, &result, NONE]) {
            events.born(&DURATION, &[campaign]);
            for hang_up in HANG_UPS {
                events.born(&CALLS, &[campaign, &interaction, &result, hang_up]);
            }
        }
        events.fact(&date, call, series);
        if let Some(time) = events.tally().read("time", fields::duration(&row.time)) {
            let series = events.series(&DURATION, &[campaign]);
            events.time_beside(&date, call, series, time);
        }
    }
    if let Some(code) = values::identity(&row.cod_act) {
        let typed = events.identity(&date, CODE, &fields);
        let series = events.series(&CODES, &[campaign, &values::free(code)]);
        events.fact(&date, typed, series);
    }
    events.add(&date);
}

fn record(events: &mut Events, row: &PreviewRow<'_>) {
    let Some(date) = events.date(&row.date) else {
        return events.tally().invalid_without("date");
    };
    let Some(campaign) = values::id(&row.campaign_id) else {
        return events.tally().invalid_without("campaign_id");
    };
    let campaign = &*campaign;
    let (customer, telephone) = (values::identity(&row.customer_id), values::identity(&row.telephone));
    let identity = match (customer, telephone) {
        (None, None) => values::identity(&row.conn_id).map(|conn| (conn, "")),
        (customer, telephone) => Some((customer.unwrap_or_default(), telephone.unwrap_or_default())),
    };
    let Some((who, number)) = identity else {
        return events.tally().invalid_without("customer_id");
    };
    if let Some(result) = values::identity(&row.result) {
        let fields = [campaign, who, number];
        let record = events.identity(&date, RECORD, &fields);
        let series = events.series(&RECORDS, &[campaign, &values::free(result)]);
        events.fact(&date, record, series);
    }
    events.add(&date);
}

fn hang_up(events: &mut Events, text: &str) -> &'static str {
    match () {
        () if text.is_empty() => NONE,
        () if begins(text, &["customer", "client"]) => "customer",
        () if begins(text, &["agent"]) => "agent",
        () => {
            events.unknown_word("hang_up", text);
            OTHER
        }
    }
}
