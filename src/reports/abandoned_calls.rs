//! `reports_manager.php?api=skill_2`: calls and chats that waited for a skill, one row each.
//!
//! The page's title says abandoned calls, but `result` is documented as "abandoned – answered" and there are chats among the
//! rows, so both are told apart before anything is counted.
//!
//! **Identity.** A row is one fact: the call at a skill. It is known by `skill_id`, `conn_id` and `date`; `conn_id` alone may
//! recur. The other fields describe it and may still change. Should the vendor reuse a `conn_id` at one skill within one
//! second, both rows stand in one answer and are counted by their number.

use serde::Deserialize;

use super::Outcome;
use super::events::{self, Collected, Events, Fact, NONE, ONE, OTHER};
use crate::metrics::Family;
use crate::wire::fields::{self, Leaf};
use crate::wire::{Query, Rows};

static ABANDON_TIME: Family = Family::histogram(
    "wolkvox_abandon_time_seconds",
    &["skill_id", "channel"],
    &[
        5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0,
    ],
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

/// The families of this report.
pub(super) static FAMILIES: [&Family; 3] = [&ABANDON_TIME, &INTERACTIONS, &INFO];

/// The fields whose values may be unreadable.
pub(super) const FIELDS: [&str; 2] = ["date", "abandon_time"];

const RESULTS: [&str; 3] = ["abandoned", "answered", OTHER];
const CHANNELS: [&str; 5] = ["voice", "chat", "omni", OTHER, NONE];
const CALL: u8 = b'c';

/// A row as it comes; only what is needed is read.
#[derive(Deserialize)]
pub struct SkillRow<'a> {
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

/// Reads the rows of one answer.
#[derive(Debug)]
pub struct AbandonedCalls(pub Events);

/// What is asked, for one skill or all.
pub fn query(from: String, to: String, skill_id: Option<&str>) -> Query {
    let skill_id = skill_id.unwrap_or("all").to_owned();
    Query {
        script: "reports_manager.php",
        api: "skill_2",
        parameters: vec![("skill_id", skill_id), ("date_ini", from), ("date_end", to)],
    }
}

impl Rows for AbandonedCalls {
    type Row<'a> = SkillRow<'a>;

    fn row(&mut self, _: Option<&str>, row: SkillRow<'_>) {
        let events = &mut self.0;
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
        // Exactly as large as most rows need it: this is done for hundreds of thousands of rows.
        let mut counts = Vec::with_capacity(2);
        counts.push((events.series(&INTERACTIONS, &[skill, channel, result]), ONE));
        if result == RESULTS[0]
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

    fn invalid(&mut self) {
        self.0.tally().count(Outcome::Invalid);
    }
}

impl From<AbandonedCalls> for Collected {
    fn from(rows: AbandonedCalls) -> Self {
        rows.0.collected()
    }
}

/// The spelling is unknown (abandoned, ABANDON, Abandonada), so the beginning of the word decides.
fn result(text: &str) -> &'static str {
    let begins = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    match () {
        () if begins("aband") => "abandoned",
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
