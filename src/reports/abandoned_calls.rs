//! `reports_manager.php?api=skill_2`: calls and chats that waited for a skill, one row each.
//!
//! The vendor's page is titled "abandoned calls", but it documents `result` as "abandoned – answered", and the rows
//! include chats. So we separate results and channels before counting.
//!
//! **Identity.** A row is one fact: the call at a skill. `skill_id`, `conn_id` and `date` identify it; `conn_id` alone
//! may recur. The other fields only describe the call and may still change. If the vendor reuses a `conn_id` at one
//! skill within one second, both rows are in the same answer, and their numbers in it keep them apart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::events::{self, EventReport, EventRows, Events, Fact, NONE, ONE, OTHER};
use super::{Filter, Kind, MINUTE, Outcome, REPORTS_MANAGER, Report, View};
use crate::metrics::Family;
use crate::metrics::series::{Amount, FamilySeries, Value};
use crate::wire::Endpoint;
use crate::wire::fields::{self, Leaf};

/// The report.
pub static ABANDONED_CALLS: Report = Report {
    name: "abandoned_calls",
    state_id: 2,
    endpoint: Endpoint {
        script: REPORTS_MANAGER,
        api: "skill_2",
    },
    filter: Some(Filter {
        key: "skill_id",
        all: "all",
    }),
    interval: MINUTE.saturating_mul(5),
    timeout: Duration::from_secs(90),
    families: &[&ABANDON_TIME, &INTERACTIONS, &INFO],
    fields: &["date", "abandon_time"],
    kind: Kind::Events(EventRows {
        read: events::read::<AbandonedCalls>,
        rows_share_facts: false,
        view: Some(|series| View::Skills(SkillTotals::of(series))),
    }),
};

static ABANDON_TIME: Family = Family::histogram(
    "wolkvox_abandon_time_seconds",
    &["skill_id", "channel"],
    &WAITS,
    "How long abandoned calls had waited, from the field abandon_time of skill_2.",
)
.with_free_labels(&["skill_id"])
.with_fixed_values(&[("channel", &CHANNELS)]);
static INTERACTIONS: Family = Family::counter(
    "wolkvox_skill_interactions",
    &["skill_id", "channel", "result"],
    "Calls and chats that waited for a skill, by channel and result, from the rows of skill_2.",
)
.with_free_labels(&["skill_id"])
.with_fixed_values(&[("channel", &CHANNELS), ("result", &RESULTS)]);
static INFO: Family = Family::info(
    "wolkvox_skill",
    &["skill_id", "skill"],
    "Newest name of a skill, from the field skill_name of skill_2.",
);

const ABANDONED: &str = "abandoned";
const RESULTS: [&str; 3] = [ABANDONED, "answered", OTHER];
/// Upper bounds of the waits, in seconds.
const WAITS: [f64; 12] = [
    5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0,
];
const CHANNELS: [&str; 5] = ["voice", "chat", "omni", OTHER, NONE];
const CALL: u8 = b'c';

/// The fields that we need of a row.
#[derive(Deserialize)]
struct SkillRow<'a> {
    #[serde(borrow, default)]
    skill_name: Leaf<'a>,
    #[serde(borrow, default)]
    skill_id: Leaf<'a>,
    #[serde(borrow, default)]
    conn_id: Leaf<'a>,
    #[serde(borrow, default)]
    date: Leaf<'a>,
    #[serde(borrow, default)]
    result: Leaf<'a>,
    #[serde(borrow, default)]
    abandon_time: Leaf<'a>,
    #[serde(borrow, default)]
    type_interaction: Leaf<'a>,
}

struct AbandonedCalls;

impl EventReport for AbandonedCalls {
    type Row<'a> = SkillRow<'a>;

    fn row(events: &mut Events, row: SkillRow<'_>) {
        let date = events.date(&row.date);
        let (Some(date), Some(skill), Some(conn)) = (date, events::id(&row.skill_id), events::id(&row.conn_id)) else {
            events.tally().count(Outcome::Invalid);
            return;
        };
        let channel = channel(events::id(&row.type_interaction).unwrap_or_default());
        let result = result(events::id(&row.result).unwrap_or_default());
        events.name(&INFO, skill, &row.skill_name, date);
        if events.born(&ABANDON_TIME, &[skill, channel]) {
            for result in RESULTS {
                events.born(&INTERACTIONS, &[skill, channel, result]);
            }
        }
        // The exact capacity that most rows need: this runs for hundreds of thousands of rows.
        let mut counts = Vec::with_capacity(2);
        counts.push((events.series(&INTERACTIONS, &[skill, channel, result]), ONE));
        if result == ABANDONED
            && let Some(seconds) = events.tally().read("abandon_time", fields::duration(&row.abandon_time))
        {
            counts.push((
                events.series(&ABANDON_TIME, &[skill, channel]),
                events::observed(seconds),
            ));
        }
        let key = events.key(&date, CALL, &[skill, conn]);
        events.add(date, vec![Fact { key, counts }]);
    }
}

/// The spelling is unknown (abandoned, ABANDON, Abandonada), so only the start of the word decides.
fn result(text: &str) -> &'static str {
    let begins = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    match () {
        () if begins("aband") => ABANDONED,
        () if begins("answ") || begins("aten") => "answered",
        () => OTHER,
    }
}

fn channel(text: &str) -> &'static str {
    let begins = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let voice = ["outbound", "internal", "transfer", "conference"];
    match () {
        () if text.is_empty() => NONE,
        () if begins("chat-") => "chat",
        () if begins("omni-") => "omni",
        () if ["inbound", "out_pre"]
            .iter()
            .any(|name| text.eq_ignore_ascii_case(name)) =>
        {
            "voice"
        }
        () if voice.iter().any(|prefix| begins(prefix)) => "voice",
        () => OTHER,
    }
}

/// The totals of each skill over all channels, for the status page.
#[derive(Clone, Debug, Default)]
pub struct SkillTotals {
    /// Upper bounds of the waits, in seconds. `waits` has one count per bound and one for longer waits.
    pub bounds: &'static [f64],
    /// The counts by skill id.
    pub skills: BTreeMap<Arc<str>, SkillCounts>,
    /// The newest name by skill id.
    pub names: BTreeMap<Arc<str>, String>,
}

/// Counts of one skill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SkillCounts {
    /// Abandoned calls and chats.
    pub abandoned: u64,
    /// All calls and chats that waited, abandoned or answered.
    pub interactions: u64,
    /// Abandoned calls and chats by waiting time; empty until there is one.
    pub waits: Vec<u64>,
}

impl SkillTotals {
    fn of(families: &[FamilySeries]) -> Self {
        let mut totals = Self {
            bounds: &WAITS,
            ..Self::default()
        };
        for FamilySeries { family, series } in families {
            for series in series {
                // Labels are in the order that the families above give.
                let (id, labels) = (&series.labels[0], &series.labels[1..]);
                let skill: Arc<str> = id.as_ref().into();
                match &series.value {
                    Value::Info if *family == &INFO => {
                        totals.names.insert(skill, labels[0].clone().into_owned());
                    }
                    Value::Histogram(waits) if *family == &ABANDON_TIME => {
                        totals.skills.entry(skill).or_default().add_waits(&waits.counts);
                    }
                    Value::Amount(Amount::Count(count)) if *family == &INTERACTIONS => {
                        let counts = totals.skills.entry(skill).or_default();
                        counts.interactions += count;
                        if labels[1] == ABANDONED {
                            counts.abandoned += count;
                        }
                    }
                    _ => {}
                }
            }
        }
        totals
    }
}

impl SkillCounts {
    /// Adds waits, bucket by bucket.
    pub fn add_waits(&mut self, waits: &[u64]) {
        if self.waits.len() < waits.len() {
            self.waits.resize(waits.len(), 0);
        }
        self.waits
            .iter_mut()
            .zip(waits)
            .for_each(|(mine, theirs)| *mine += theirs);
    }
}
