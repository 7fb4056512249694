//! `reports_manager.php?api=diagram_1`: navigation in the IVR, a row for each menu step.
//!
//! **Identity.** A row has up to four facts. `rp_id`, `conn_id`, `date` and the option identify the step; two equal
//! steps of one call are in the same answer, and their numbers in it keep them apart. A transfer is identified by these
//! and its target, since the target may come later. The result of the call, and its time, count once the result is there.
//! They are identified by `rp_id` and `conn_id` alone, once per local day. We assume that all rows of a call agree on
//! them; if not, the last row of the answer that first shows the call wins. A `conn_id` that recurs on the same day counts
//! as the same call.

use std::time::Duration;

use serde::Deserialize;

use super::events::{self, EventReport, EventRows, Events, FactTime};
use super::values::{self, NONE, OTHER, begins};
use super::{Kind, MINUTE, REPORTS_MANAGER, Report};
use crate::metrics::Family;
use crate::wire::Endpoint;
use crate::wire::fields::{self, Leaf};

/// The report.
pub static IVR: Report = Report {
    name: "ivr",
    state_id: 4,
    endpoint: Endpoint {
        script: REPORTS_MANAGER,
        api: "diagram_1",
    },
    filter: None,
    seconds: None,
    interval: MINUTE.saturating_mul(5),
    quiet_interval: None,
    timeout: Duration::from_secs(90),
    families: &[&CALLS, &TIME, &SELECTIONS, &TRANSFERS],
    names: &[&INFO],
    fields: &["date", "time"],
    kind: Kind::Events(EventRows {
        read: events::read::<IvrSteps>,
        rows_share_facts: true,
        settle: Duration::from_secs(120),
        totals: None,
    }),
};

static CALLS: Family = Family::counter(
    "wolkvox_ivr_calls",
    &["rp_id", "result"],
    "Calls in the IVR by result, each once, from the field result of diagram_1.",
)
.with_free_labels(&["rp_id"])
.with_fixed_values(&[("result", &RESULTS)]);
static TIME: Family = Family::histogram(
    "wolkvox_ivr_time_seconds",
    &["rp_id"],
    &[5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0],
    "Time of calls in the IVR, each once, from the field time of diagram_1.",
)
.with_free_labels(&["rp_id"]);
static SELECTIONS: Family = Family::counter(
    "wolkvox_ivr_selections",
    &["rp_id", "option"],
    "Menu steps by what was pressed, none for nothing, from the field cod_opc_menu of diagram_1.",
)
.with_free_labels(&["option"]);
static TRANSFERS: Family = Family::counter(
    "wolkvox_ivr_transfers",
    &["rp_id", "dn_transfer"],
    "Menu steps that transferred the call, by target, from the field dn_transfer of diagram_1.",
)
.with_free_labels(&["dn_transfer"]);
static INFO: Family = Family::info(
    "wolkvox_routing_point",
    &["rp_id", "routing_point"],
    "Newest name of a routing point, from the field rp_name of diagram_1.",
);

const RESULTS: [&str; 3] = ["ok", "hung_up", OTHER];
const CALL: u8 = b'c';
const STEP: u8 = b's';
const TRANSFER: u8 = b't';

/// The fields that we need of a row.
#[derive(Deserialize)]
struct IvrRow<'a> {
    #[serde(borrow, default)]
    rp_id: Leaf<'a>,
    #[serde(borrow, default)]
    rp_name: Leaf<'a>,
    #[serde(borrow, default)]
    cod_opc_menu: Leaf<'a>,
    #[serde(borrow, default)]
    dn_transfer: Leaf<'a>,
    #[serde(borrow, default)]
    date: Leaf<'a>,
    #[serde(borrow, default)]
    result: Leaf<'a>,
    #[serde(borrow, default)]
    time: Leaf<'a>,
    #[serde(borrow, default)]
    conn_id: Leaf<'a>,
}

struct IvrSteps;

impl EventReport for IvrSteps {
    type Row<'a> = IvrRow<'a>;

    fn row(events: &mut Events, row: &IvrRow<'_>) {
        let Some(date) = events.date(&row.date) else {
            return events.tally().invalid_without("date");
        };
        let Some(point) = values::id(&row.rp_id) else {
            return events.tally().invalid_without("rp_id");
        };
        let point = &*point;
        let Some(conn) = values::identity(&row.conn_id) else {
            return events.tally().invalid_without("conn_id");
        };
        events.name(&INFO, point, &row.rp_name, &date);

        let known = result(events, values::word(&row.result));
        if let Some(result) = known.or(events.is_final(&date).then_some(OTHER)) {
            let (series, is_first) = events.first_series(&CALLS, &[point, result]);
            if is_first {
                born(events, point);
            }
            let time = events.tally().read("time", fields::duration(&row.time));
            let time = time.map(|length| FactTime {
                series: events.series(&TIME, &[point]),
                length,
            });
            events.shared_fact(&date, CALL, &[point, conn], series, time, known.is_none());
        } else {
            born(events, point);
        }

        let option = values::identity(&row.cod_opc_menu).filter(|option| !option.eq_ignore_ascii_case("PULSE"));
        let label = option.map_or(NONE.into(), values::option);
        let option = option.unwrap_or_default();
        // Callers may make the same choice twice.
        let fields = [point, conn, option];
        let step = events.identity(&date, STEP, &fields);
        let series = events.series(&SELECTIONS, &[point, &label]);
        events.numbered_fact(&date, step, series);

        if let Some(target) = values::identity(&row.dn_transfer) {
            let fields = [point, conn, option, target];
            let transfer = events.identity(&date, TRANSFER, &fields);
            let series = events.series(&TRANSFERS, &[point, &values::free(target)]);
            events.numbered_fact(&date, transfer, series);
        }
        events.add(&date);
    }
}

/// All series of a routing point's calls are born together.
fn born(events: &mut Events, point: &str) {
    if events.born(&TIME, &[point]) {
        for result in RESULTS {
            events.born(&CALLS, &[point, result]);
        }
    }
}

/// The result of a call, `None` if it is not known yet.
fn result(events: &mut Events, text: &str) -> Option<&'static str> {
    match () {
        () if text.is_empty() => None,
        () if begins(text, &["ok"]) => Some("ok"),
        () if begins(text, &["hung", "hang", "colg"]) => Some("hung_up"),
        () => {
            events.unknown_word("result", text);
            Some(OTHER)
        }
    }
}
