//! `reports_manager.php?api=campaign_5`: preview campaigns, with one row for each record worked on and one for each
//! call.
//!
//! **Identity.** A row of type call has two facts: the call, and its code once the agent has typed one. `campaign_id`,
//! `conn_id` and `date` identify both. A row of type preview has one fact, its result once there is one. It is
//! identified by `campaign_id`, `customer_id`, `telephone` and `date`, since `conn_id` is blank until a call is made; a
//! row with neither customer nor telephone is identified by `conn_id`. All of this is hashed with the state's key and
//! never stored. If one customer has two records in one second, both are in the same answer, and their numbers in it
//! keep them apart.

use std::time::Duration;

use serde::Deserialize;

use super::events::{self, EventReport, EventRows, Events, Fact, NONE, ONE, OTHER};
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
    interval: MINUTE.saturating_mul(5),
    timeout: Duration::from_secs(90),
    families: &[&CALLS, &DURATION, &CODES, &RECORDS],
    fields: &["date", "time"],
    kind: Kind::Events(EventRows {
        read: events::read::<PreviewCalls>,
        rows_share_facts: false,
        view: None,
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

    fn row(events: &mut Events, row: PreviewRow<'_>) {
        let kind = events::id(&row.type_of_row).unwrap_or_default();
        if kind.eq_ignore_ascii_case("call") {
            call(events, &row);
        } else if kind.eq_ignore_ascii_case("preview") {
            record(events, &row);
        } else {
            // TOTAL rows sum up other rows, so they must not be counted.
            events.tally().count(Outcome::Ignored);
        }
    }
}

fn call(events: &mut Events, row: &PreviewRow<'_>) {
    let date = events.date(&row.date);
    let (Some(date), Some(campaign), Some(conn)) = (date, events::id(&row.campaign_id), events::id(&row.conn_id))
    else {
        events.tally().count(Outcome::Invalid);
        return;
    };
    let interaction = events::enumerated(events::id(&row.type_interaction).unwrap_or_default());
    let result = events::free(events::id(&row.call_result).unwrap_or_default());
    let hang_up = hang_up(events::id(&row.hang_up).unwrap_or_default());
    if events.born(&CALLS, &[campaign, &interaction, &result, NONE]) {
        events.born(&DURATION, &[campaign]);
        for hang_up in HANG_UPS {
            events.born(&CALLS, &[campaign, &interaction, &result, hang_up]);
        }
    }
    let mut counts = vec![(events.series(&CALLS, &[campaign, &interaction, &result, hang_up]), ONE)];
    if let Some(seconds) = events.tally().read("time", fields::duration(&row.time)) {
        counts.push((events.series(&DURATION, &[campaign]), events::observed(seconds)));
    }
    let key = events.key(&date, CALL, &[campaign, conn]);
    let mut facts = vec![Fact { key, counts }];
    // Take the key even if there is no code, so that equal rows keep their numbers.
    let key = events.key(&date, CODE, &[campaign, conn]);
    if let Some(code) = events::id(&row.cod_act) {
        let counts = vec![(events.series(&CODES, &[campaign, &events::free(code)]), ONE)];
        facts.push(Fact { key, counts });
    }
    events.add(date, facts);
}

fn record(events: &mut Events, row: &PreviewRow<'_>) {
    let date = events.date(&row.date);
    let (customer, telephone) = (events::id(&row.customer_id), events::id(&row.telephone));
    let identity = match (customer, telephone) {
        (None, None) => events::id(&row.conn_id).map(|conn| (conn, "")),
        (customer, telephone) => Some((customer.unwrap_or_default(), telephone.unwrap_or_default())),
    };
    let (Some(date), Some(campaign), Some((who, number))) = (date, events::id(&row.campaign_id), identity) else {
        events.tally().count(Outcome::Invalid);
        return;
    };
    let key = events.key(&date, RECORD, &[campaign, who, number]);
    let mut facts = Vec::new();
    if let Some(result) = events::id(&row.result) {
        let counts = vec![(events.series(&RECORDS, &[campaign, &events::free(result)]), ONE)];
        facts.push(Fact { key, counts });
    }
    events.add(date, facts);
}

fn hang_up(text: &str) -> &'static str {
    match text {
        "" => NONE,
        text => HANG_UPS[..2]
            .iter()
            .find(|known| known.eq_ignore_ascii_case(text))
            .unwrap_or(&OTHER),
    }
}
