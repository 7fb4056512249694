//! `reports_manager.php?api=skill_2`: calls and chats that waited for a skill, one row each.
//!
//! The vendor's page is titled "abandoned calls", but it documents `result` as "abandoned – answered", and the rows
//! include chats. So we separate results and channels before counting.
//!
//! **Identity.** A row has up to two facts: the call at a skill, once its result is there, and the time that an abandoned
//! call waited, once that is there. `skill_id`, `conn_id` and `date` identify both; `conn_id` alone may recur. If the
//! vendor reuses a `conn_id` at one skill within one second, both rows are in the same answer, and their numbers in it
//! keep them apart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::events::{self, EventReport, EventRows, Events};
use super::skill::{self, CHANNELS, Call, CallRow, WAITS};
use super::values::{self, OTHER, begins};
use super::{Kind, MINUTE, REPORTS_MANAGER, Report};
use crate::metrics::Family;
use crate::metrics::series::{Amount, FamilySeries, Value};
use crate::wire::Endpoint;
use crate::wire::fields;

/// The report.
pub static ABANDONED_CALLS: Report = Report {
    name: "abandoned_calls",
    state_id: 2,
    endpoint: Endpoint {
        script: REPORTS_MANAGER,
        api: "skill_2",
    },
    filter: Some(skill::FILTER),
    seconds: None,
    interval: MINUTE.saturating_mul(5),
    quiet_interval: None,
    timeout: Duration::from_secs(90),
    families: &[&ABANDON_TIME, &INTERACTIONS],
    names: &[&skill::INFO],
    fields: &["date", "abandon_time"],
    kind: Kind::Events(EventRows {
        read: events::read::<AbandonedCalls>,
        rows_share_facts: false,
        settle: Duration::ZERO,
        totals: Some(SkillTotals::of),
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
const ABANDONED: &str = "abandoned";
const RESULTS: [&str; 3] = [ABANDONED, "answered", OTHER];
/// Beginnings of words for a call that still waits. Its row says nothing until the final word is there.
const PENDING: [&str; 9] = [
    "in queue",
    "in_queue",
    "inqueue",
    "queue",
    "wait",
    "ring",
    "en cola",
    "en espera",
    "espera",
];
const CALL: u8 = b'c';

struct AbandonedCalls;

impl EventReport for AbandonedCalls {
    type Row<'a> = CallRow<'a>;

    fn row(events: &mut Events, row: &CallRow<'_>) {
        let Some(Call {
            date,
            skill,
            conn,
            channel,
        }) = skill::call(events, row)
        else {
            return;
        };
        let skill = &*skill;
        let result = match result(events, values::word(&row.result)) {
            Some(result) => result,
            None if events.is_final(&date) => OTHER,
            None => {
                born(events, skill, channel);
                return events.add(&date);
            }
        };
        let fields = [skill, conn];
        let call = events.identity(&date, CALL, &fields);
        let (series, is_first) = events.first_series(&INTERACTIONS, &[skill, channel, result]);
        if is_first {
            born(events, skill, channel);
        }
        events.fact(&date, call, series);
        if result == ABANDONED
            && let Some(waited) = events.tally().read("abandon_time", fields::duration(&row.abandon_time))
        {
            let series = events.series(&ABANDON_TIME, &[skill, channel]);
            events.time_beside(&date, call, series, waited);
        }
        events.add(&date);
    }
}

/// All series of a skill and channel are born together.
fn born(events: &mut Events, skill: &str, channel: &str) {
    if events.born(&ABANDON_TIME, &[skill, channel]) {
        for result in RESULTS {
            events.born(&INTERACTIONS, &[skill, channel, result]);
        }
    }
}

/// The result of a call, `None` if it is not known yet. The spelling varies (abandoned, ABANDON, Abandonada), so the
/// beginning of the word decides.
fn result(events: &mut Events, text: &str) -> Option<&'static str> {
    match () {
        () if begins(text, &["aband"]) => Some(ABANDONED),
        () if begins(text, &["answ", "aten", "contest"]) => Some("answered"),
        () if text.is_empty() || begins(text, &PENDING) => None,
        () => {
            events.unknown_word("result", text);
            Some(OTHER)
        }
    }
}

/// The totals of each skill over all channels, for the status page.
#[derive(Clone, Debug, Default)]
pub struct SkillTotals {
    /// Upper bounds of the waits, in seconds. `waits` has one count per bound and one for longer waits.
    pub bounds: &'static [f64],
    /// The counts by skill id.
    pub skills: BTreeMap<Arc<str>, SkillCounts>,
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
        for FamilySeries { family, series, .. } in families {
            for series in series {
                // Labels are in the order that the families above give.
                let (id, labels) = (&series.labels[0], &series.labels[1..]);
                let skill: Arc<str> = id.as_ref().into();
                match &series.value {
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
