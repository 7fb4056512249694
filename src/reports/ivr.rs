//! `reports_manager.php?api=diagram_1`: navigation in the IVR, a row for each menu step.
//!
//! **Identity.** A row has up to three facts. The step is known by `rp_id`, `conn_id`, `date` and the option; two equal steps of one
//! call stand in one answer and are counted by their number. A transfer is known by the same and its target, since the
//! target may come later. The call's outcome and time are known by `rp_id` and `conn_id` alone, once a local day: all rows of
//! a call are taken to agree on them; where they do not, the last row of the answer that first shows the call
//! holds. Should a `conn_id` come back on the same day, it is taken for the same call.

use std::collections::HashMap;

use serde::Deserialize;

use super::Outcome;
use super::events::{self, Collected, Events, Fact, FactKey, NONE, ONE, OTHER};
use crate::metrics::Family;
use crate::wire::fields::{self, Leaf};
use crate::wire::{Query, Rows};

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

/// The families of this report.
pub(super) static FAMILIES: [&Family; 5] = [&CALLS, &TIME, &SELECTIONS, &TRANSFERS, &INFO];

/// The fields whose values may be unreadable.
pub(super) const FIELDS: [&str; 2] = ["date", "time"];

const RESULTS: [&str; 3] = ["ok", "hung_up", OTHER];
const CALL: u8 = b'c';
const STEP: u8 = b's';
const TRANSFER: u8 = b't';

/// A row as it comes; only what is needed is read.
#[derive(Deserialize)]
pub struct IvrRow<'a> {
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

/// Reads the rows of one answer.
#[derive(Debug)]
pub struct IvrSteps {
    events: Events,
    /// The row that carries the fact of each call.
    calls: HashMap<FactKey, usize>,
}

/// What is asked.
pub fn query(from: String, to: String) -> Query {
    Query {
        script: "reports_manager.php",
        api: "diagram_1",
        parameters: vec![("date_ini", from), ("date_end", to)],
    }
}

impl IvrSteps {
    /// A reader.
    pub fn new(events: Events) -> Self {
        Self {
            events,
            calls: HashMap::new(),
        }
    }
}

impl Rows for IvrSteps {
    type Row<'a> = IvrRow<'a>;

    fn row(&mut self, _: Option<&str>, row: IvrRow<'_>) {
        let events = &mut self.events;
        let date = events.date(&row.date);
        let (Some(date), Some(point), Some(conn)) = (date, events::id(&row.rp_id), events::id(&row.conn_id)) else {
            events.tally().count(Outcome::Invalid);
            return;
        };
        events.name(&INFO, point, &row.rp_name, date);
        if events.born(&TIME, &[point]) {
            for result in RESULTS {
                events.born(&CALLS, &[point, result]);
            }
        }

        let mut facts = Vec::new();
        let result = result(events::id(&row.result).unwrap_or_default());
        let mut counts = vec![(events.series(&CALLS, &[point, result]), ONE)];
        if let Some(seconds) = events.tally().read("time", fields::duration(&row.time)) {
            counts.push((events.series(&TIME, &[point]), events::observed(seconds)));
        }
        let key = events.key_of_day(&date, CALL, &[point, conn]);
        let next = events.rows_mut().len();
        let first = *self.calls.entry(key).or_insert(next);
        if first == next {
            facts.push(Fact { key, counts });
        } else if let Some(call) = events.rows_mut()[first].facts.first_mut() {
            call.counts = counts;
        }

        let option = events::id(&row.cod_opc_menu).filter(|option| !option.eq_ignore_ascii_case("PULSE"));
        let label = option.map_or(NONE.into(), events::free);
        let key = events.key(&date, STEP, &[point, conn, option.unwrap_or_default()]);
        let counts = vec![(events.series(&SELECTIONS, &[point, &label]), ONE)];
        facts.push(Fact { key, counts });

        if let Some(target) = events::id(&row.dn_transfer) {
            let key = events.key(&date, TRANSFER, &[point, conn, option.unwrap_or_default(), target]);
            let counts = vec![(events.series(&TRANSFERS, &[point, &events::free(target)]), ONE)];
            facts.push(Fact { key, counts });
        }
        events.add(date, facts);
    }

    fn invalid(&mut self) {
        self.events.tally().count(Outcome::Invalid);
    }
}

impl From<IvrSteps> for Collected {
    fn from(rows: IvrSteps) -> Self {
        rows.events.collected()
    }
}

fn result(text: &str) -> &'static str {
    let normal = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_");
    RESULTS.iter().find(|known| **known == normal).unwrap_or(&OTHER)
}
