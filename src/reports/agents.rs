//! `real_time.php?api=agents`: what the agents are doing, as totals of the operation.
//!
//! Agents are people: neither their ids nor their names are read.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::current::{self, Current, CurrentReport, CurrentState, count, gauges};
use super::values::{self, OTHER};
use super::{Kind, MINUTE, Outcome, REAL_TIME, Report, Tally, View};
use crate::metrics::Family;
use crate::metrics::series::{Label, Micros, Value};
use crate::wire::fields::{self, Leaf, Reading};
use crate::wire::{Endpoint, dates};

/// The report.
pub static AGENTS: Report = Report {
    name: "agents",
    state_id: 6,
    endpoint: Endpoint {
        script: REAL_TIME,
        api: "agents",
    },
    filter: None,
    seconds: None,
    interval: MINUTE.saturating_mul(2),
    quiet_interval: Some(MINUTE.saturating_mul(15)),
    timeout: Duration::from_secs(30),
    families: &[&STATES_NOW, &IN_AUX, &LONGEST, &STAT_SECONDS, &STAT_CALLS],
    names: &[],
    fields: &[
        "time_state_now",
        "inbound",
        "outbound",
        "internal",
        "ready_time",
        "inbound_time",
        "outbound_time",
        "acw_time",
        "ring_time",
        "aux_time",
        "login_time",
    ],
    kind: Kind::Current(CurrentState {
        reader: |_| current::rows_of(Agents::default()),
        is_urgent: true,
    }),
};

static STATES_NOW: Family = Family::gauge(
    "wolkvox_agents",
    &["state"],
    "Agents by state, from the field agent_status of real_time agents. Words that the operation named itself are aux.",
)
.with_fixed_values(&[("state", &STATES)]);
static IN_AUX: Family = Family::gauge(
    "wolkvox_agents_in_aux",
    &["aux"],
    "Agents in an auxiliary state by its name, from the field agent_status of real_time agents.",
)
.with_free_labels(&["aux"]);
static LONGEST: Family = Family::gauge(
    "wolkvox_agents_longest_state_seconds",
    &["state"],
    "How long the agent has been in the state who has been there longest, from the field time_state_now of real_time agents. Absent where nobody is.",
)
.with_fixed_values(&[("state", &STATES)]);
static STAT_SECONDS: Family = Family::gauge(
    "wolkvox_agents_stat_seconds",
    &["activity"],
    "Time of the day of all agents by activity, from the fields ready_time, inbound_time, outbound_time, acw_time, ring_time, aux_time and login_time of real_time agents.",
)
.with_fixed_values(&[("activity", &ACTIVITIES)]);
static STAT_CALLS: Family = Family::gauge(
    "wolkvox_agents_stat_calls",
    &["direction"],
    "Calls of the day of all agents by direction, from the fields inbound, outbound and internal of real_time agents.",
)
.with_fixed_values(&[("direction", &DIRECTIONS)]);

/// The values of the label `state`.
pub const STATES: [&str; 7] = ["ready", "ring", "talk", "acw", AUX, LOGOUT, OTHER];
const AUX: &str = "aux";
const LOGOUT: &str = "logout";
/// The values of the label `activity`.
const ACTIVITIES: [&str; 7] = ["ready", "inbound", "outbound", "acw", "ring", AUX, "login"];
const ACTIVITY_FIELDS: [&str; ACTIVITIES.len()] = [
    "ready_time",
    "inbound_time",
    "outbound_time",
    "acw_time",
    "ring_time",
    "aux_time",
    LOGIN_TIME,
];
const LOGIN_TIME: &str = "login_time";
/// The values of the label `direction`, which are also the fields.
const DIRECTIONS: [&str; 3] = ["inbound", "outbound", "internal"];

/// The fields that we need of a row.
#[derive(Deserialize)]
struct AgentRow<'a> {
    #[serde(borrow, default)]
    agent_status: Leaf<'a>,
    #[serde(borrow, default)]
    time_state_now: Leaf<'a>,
    #[serde(borrow, default)]
    inbound: Leaf<'a>,
    #[serde(borrow, default)]
    outbound: Leaf<'a>,
    #[serde(borrow, default)]
    internal: Leaf<'a>,
    #[serde(borrow, default)]
    ready_time: Leaf<'a>,
    #[serde(borrow, default)]
    inbound_time: Leaf<'a>,
    #[serde(borrow, default)]
    outbound_time: Leaf<'a>,
    #[serde(borrow, default)]
    acw_time: Leaf<'a>,
    #[serde(borrow, default)]
    ring_time: Leaf<'a>,
    #[serde(borrow, default)]
    aux_time: Leaf<'a>,
    #[serde(borrow, default)]
    login_time: Leaf<'a>,
}

/// The agents as one answer describes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentsNow {
    /// Agents by state, in the order of [`STATES`].
    pub states: [u64; STATES.len()],
    /// The longest time in each state; `None` where nobody is.
    pub longest: [Option<Duration>; STATES.len()],
    /// Agents by auxiliary state, those with most agents first.
    pub aux: Vec<(String, u64)>,
}

/// Adds up the agents of one answer.
#[derive(Default)]
struct Agents {
    states: [u64; STATES.len()],
    longest: [Option<Micros>; STATES.len()],
    aux: BTreeMap<Label, u64>,
    seconds: [Option<Micros>; ACTIVITIES.len()],
    calls: [Option<u64>; DIRECTIONS.len()],
    tally: Tally,
}

impl CurrentReport for Agents {
    type Row<'a> = AgentRow<'a>;

    fn row(&mut self, row: &AgentRow<'_>) {
        let word = values::word(&row.agent_status);
        let state = state(word);
        if STATES[state] == AUX {
            *self.aux.entry(values::free(word)).or_default() += 1;
        }
        self.states[state] += 1;
        let tally = &mut self.tally;
        let in_state = tally.read("time_state_now", fields::duration(&row.time_state_now));
        if STATES[state] != LOGOUT {
            self.longest[state] = self.longest[state].max(in_state);
        }
        let times = [
            &row.ready_time,
            &row.inbound_time,
            &row.outbound_time,
            &row.acw_time,
            &row.ring_time,
            &row.aux_time,
            &row.login_time,
        ];
        for ((field, leaf), sum) in ACTIVITY_FIELDS.into_iter().zip(times).zip(&mut self.seconds) {
            if let Some(time) = tally.read(field, time(field, leaf)) {
                sum.get_or_insert_default().0 += time.0;
            }
        }
        let calls = [&row.inbound, &row.outbound, &row.internal];
        for ((field, leaf), sum) in DIRECTIONS.into_iter().zip(calls).zip(&mut self.calls) {
            if let Some(calls) = tally.read(field, fields::count(leaf)) {
                *sum = Some(sum.unwrap_or_default().saturating_add(calls));
            }
        }
        tally.count(Outcome::Counted);
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn finish(self, limit: usize) -> Current {
        let mut in_aux = FamilyOfWords::default();
        for (word, agents) in self.aux {
            in_aux.add(word, agents, limit);
        }
        let of = |labels: &'static [&'static str]| labels.iter().map(|label| [Label::Borrowed(*label)]);
        let states = self.states.map(|agents| Some(count(agents)));
        let longest = self.longest.map(|time| time.map(|time| Value::Number(time.as_f64())));
        let seconds = self.seconds.map(|time| time.map(|time| Value::Number(time.as_f64())));
        let calls = self.calls.map(|calls| calls.map(count));
        let mut aux: Vec<(String, u64)> = in_aux.words.iter().map(|(word, n)| (word.to_string(), *n)).collect();
        aux.sort_by_key(|(_, agents)| std::cmp::Reverse(*agents));
        Current {
            series: vec![
                gauges(&STATES_NOW, of(&STATES).zip(states)),
                gauges(
                    &IN_AUX,
                    in_aux.words.into_iter().map(|(word, n)| ([word], Some(count(n)))),
                ),
                gauges(&LONGEST, of(&STATES).zip(longest)),
                gauges(&STAT_SECONDS, of(&ACTIVITIES).zip(seconds)),
                gauges(&STAT_CALLS, of(&DIRECTIONS).zip(calls)),
            ],
            left_out: if in_aux.folded > 0 {
                vec![(&IN_AUX, in_aux.folded)]
            } else {
                Vec::new()
            },
            names: Vec::new(),
            tally: self.tally,
            view: View::Agents(AgentsNow {
                states: self.states,
                longest: self.longest.map(|time| time.map(|time| Duration::from_micros(time.0))),
                aux,
            }),
        }
    }
}

/// Agents by the word of their state. Over the limit, words become `_other`.
#[derive(Default)]
struct FamilyOfWords {
    words: BTreeMap<Label, u64>,
    folded: u64,
}

impl FamilyOfWords {
    fn add(&mut self, word: Label, agents: u64, limit: usize) {
        let is_full = self.words.len() >= limit && !self.words.contains_key(&word);
        let word = if is_full { values::FOLDED } else { word };
        *self.words.entry(word).or_default() += agents;
        self.folded += u64::from(is_full);
    }
}

/// The place of a state in [`STATES`]. Every word that the vendor does not have is the operation's own name of an auxiliary
/// state. Nobody has seen the vendor's words in Spanish; these are the likely ones.
fn state(word: &str) -> usize {
    let state = match values::normalized(word).as_str() {
        "" => OTHER,
        "ready" | "disponible" => "ready",
        "ring" | "ringing" | "timbrando" => "ring",
        "talk" | "talking" | "hablando" => "talk",
        "acw" => "acw",
        "logout" | "log_out" | "logged_out" | "desconectado" => LOGOUT,
        _ => AUX,
    };
    STATES.iter().position(|known| *known == state).unwrap_or_default()
}

/// A time of the day. The vendor's page says of the time since the login that it is a duration, and also that it is a date,
/// which says nothing without the date of the last logout.
fn time(field: &str, leaf: &Leaf<'_>) -> Reading<Micros> {
    match (fields::duration(leaf), fields::text(leaf)) {
        (Reading::Invalid, Reading::Value(text)) if field == LOGIN_TIME && dates::parse(text).is_some() => {
            Reading::Absent
        }
        (reading, _) => reading,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_not_the_vendors_is_an_auxiliary_state() {
        for (word, expected) in [
            ("Ready", "ready"),
            ("RING", "ring"),
            ("talk", "talk"),
            ("ACW", "acw"),
            ("Logout", "logout"),
            ("Disponible", "ready"),
            ("Almuerzo", "aux"),
            ("Ready for training", "aux"),
            ("", "other"),
        ] {
            assert_eq!(STATES[state(word)], expected, "{word}");
        }
    }

    #[test]
    fn a_login_may_be_a_duration_or_a_date() {
        let read = |field, text: &str| time(field, &Leaf::Text(text.into()));
        assert_eq!(
            read("login_time", "4:38:08"),
            Reading::Value(Micros(16_688 * Micros::PER_UNIT))
        );
        assert_eq!(read("login_time", "2026-11-26 08:01:12"), Reading::Absent);
        assert_eq!(read("acw_time", "2026-11-26 08:01:12"), Reading::Invalid);
    }
}
