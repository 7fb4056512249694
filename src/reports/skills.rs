//! `real_time.php?api=skills`: the queue of each skill, and how its calls went.
//!
//! Voice and chat skills stand side by side. The counts are those of the vendor's board. Nobody knows whether they are of the
//! day or of the last 20 minutes, nor when they start again, so they are gauges.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::current::{self, Current, CurrentReport, CurrentState, count, within_limit};
use super::values::{self, SortedId};
use super::{Assumption, Choice, Kind, MINUTE, Outcome, REAL_TIME, Report, Seconds, Tally, View, skill};
use crate::metrics::Family;
use crate::metrics::series::{Label, Value};
use crate::wire::Endpoint;
use crate::wire::fields::{self, Leaf};

/// The report.
pub static SKILLS: Report = Report {
    name: "skills",
    state_id: 5,
    endpoint: Endpoint {
        script: REAL_TIME,
        api: "skills",
    },
    filter: Some(skill::FILTER),
    seconds: Some(Seconds {
        key: "service_level_seconds",
        default: 20,
        parameter: "services_time",
        always: &ALWAYS,
    }),
    interval: MINUTE.saturating_mul(2),
    quiet_interval: Some(MINUTE.saturating_mul(15)),
    timeout: Duration::from_secs(30),
    families: &[&QUEUE, &INBOUND, &CALLS, &SERVICE_LEVEL, &ABANDON_RATIO],
    names: &[&skill::INFO],
    fields: &[
        "skill_id",
        "calls_in_queue_now",
        "stat_inbound",
        "stat_answer",
        "stat_abandon",
        "service_level",
        "by_abandon",
    ],
    kind: Kind::Current(CurrentState {
        reader: |choice| current::rows_of(Skills::new(choice)),
        is_urgent: true,
    }),
};

static QUEUE: Family = Family::gauge(
    "wolkvox_skill_calls_in_queue",
    &["skill_id"],
    "Calls and chats that wait for a skill now, from the field calls_in_queue_now of real_time skills.",
);
static INBOUND: Family = Family::gauge(
    "wolkvox_skill_stat_inbound_calls",
    &["skill_id"],
    "Calls to a skill on the vendor's board, of the day or of the last 20 minutes, from the field stat_inbound of real_time skills.",
);
static CALLS: Family = Family::gauge(
    "wolkvox_skill_stat_calls",
    &["skill_id", "result"],
    "Calls to a skill by result on the vendor's board, from the fields stat_answer and stat_abandon of real_time skills.",
)
.with_fixed_values(&[("result", &["answered", "abandoned"])]);
static SERVICE_LEVEL: Family = Family::gauge(
    "wolkvox_skill_service_level_ratio",
    &["skill_id", "seconds"],
    "Share of calls answered within so many seconds, of those answered or abandoned, from the fields service_level_Nseg of real_time skills. Absent without calls.",
);
static ABANDON_RATIO: Family = Family::gauge(
    "wolkvox_skill_abandon_ratio",
    &["skill_id"],
    "Share of abandoned calls of the calls to a skill, from the field by_abandon of real_time skills. Absent without calls.",
);

/// The service levels that each answer has, in seconds.
const ALWAYS: [u32; 3] = [10, 20, 30];

/// The fields that we need of a row.
#[derive(Deserialize)]
struct SkillRow<'a> {
    #[serde(borrow, default)]
    skill_id: Leaf<'a>,
    #[serde(borrow, default)]
    skill_name: Leaf<'a>,
    #[serde(borrow, default)]
    calls_in_queue_now: Leaf<'a>,
    #[serde(borrow, default)]
    stat_inbound: Leaf<'a>,
    #[serde(borrow, default)]
    stat_answer: Leaf<'a>,
    #[serde(borrow, default)]
    stat_abandon: Leaf<'a>,
    #[serde(borrow, default)]
    by_abandon: Leaf<'a>,
    /// Among them the service levels.
    #[serde(borrow, flatten)]
    others: BTreeMap<Cow<'a, str>, Leaf<'a>>,
}

/// A skill as one answer describes it. `None`, or empty for the name, where the API gave no value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SkillNow {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Calls and chats that wait now.
    pub queue: Option<u64>,
    /// Calls on the vendor's board.
    pub inbound: Option<u64>,
    /// Those that were answered.
    pub answered: Option<u64>,
    /// Those that were abandoned.
    pub abandoned: Option<u64>,
    /// The shares answered within so many seconds.
    pub service_levels: Vec<(u32, f64)>,
    /// The seconds of the service level that the operation wants.
    pub wanted_seconds: u32,
    /// The share of abandoned calls.
    pub abandon_ratio: Option<f64>,
}

impl SkillNow {
    /// The share answered within the seconds that the operation wants.
    pub fn service_level(&self) -> Option<f64> {
        let mut levels = self.service_levels.iter();
        levels
            .find(|(seconds, _)| *seconds == self.wanted_seconds)
            .map(|(_, ratio)| *ratio)
    }
}

/// Reads the skills of one answer.
struct Skills {
    wanted_seconds: u32,
    skills: BTreeMap<SortedId, SkillNow>,
    tally: Tally,
}

impl Skills {
    fn new(choice: &Choice) -> Self {
        Self {
            wanted_seconds: choice.seconds.unwrap_or(ALWAYS[1]),
            skills: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    fn service_levels(&mut self, row: &SkillRow<'_>) -> Vec<(u32, f64)> {
        let mut seconds: Vec<u32> = ALWAYS.into_iter().chain([self.wanted_seconds]).collect();
        seconds.sort_unstable();
        seconds.dedup();
        let levels = seconds.into_iter().filter_map(|seconds| {
            let leaf = row.others.get(format!("service_level_{seconds}seg").as_str())?;
            let ratio = self.tally.read("service_level", fields::percent(leaf))?;
            Some((seconds, ratio))
        });
        levels.collect()
    }
}

impl CurrentReport for Skills {
    type Row<'a> = SkillRow<'a>;

    fn row(&mut self, row: &SkillRow<'_>) {
        let Some(id) = values::id(&row.skill_id) else {
            return self.tally.invalid_without("skill_id");
        };
        let id = SortedId::from(&*id);
        if self.skills.contains_key(&id) {
            self.tally.violation(Assumption::RowsDiffer);
            return self.tally.count(Outcome::Ignored);
        }
        let tally = &mut self.tally;
        let inbound = tally.read("stat_inbound", fields::count(&row.stat_inbound));
        let mut skill = SkillNow {
            id: id.to_string(),
            name: values::name(values::word(&row.skill_name)).into_owned(),
            queue: tally.read("calls_in_queue_now", fields::count(&row.calls_in_queue_now)),
            inbound,
            answered: tally.read("stat_answer", fields::count(&row.stat_answer)),
            abandoned: tally.read("stat_abandon", fields::count(&row.stat_abandon)),
            abandon_ratio: tally.read("by_abandon", fields::percent(&row.by_abandon)),
            service_levels: self.service_levels(row),
            wanted_seconds: self.wanted_seconds,
        };
        if inbound.is_none_or(|calls| calls == 0) {
            // Shares of no calls come as 0 and mean nothing.
            skill.abandon_ratio = None;
            skill.service_levels.clear();
        }
        self.skills.insert(id, skill);
        self.tally.count(Outcome::Counted);
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn finish(self, limit: usize) -> Current {
        type SeriesOf = fn(&SkillNow) -> Vec<(Vec<Label>, Value)>;
        let families: [(&'static Family, SeriesOf); 5] = [
            (&QUEUE, |skill| one(skill.queue.map(count))),
            (&INBOUND, |skill| one(skill.inbound.map(count))),
            (&CALLS, |skill| {
                let calls = [("answered", skill.answered), ("abandoned", skill.abandoned)];
                let known = calls.into_iter().filter_map(|(result, calls)| Some((result, calls?)));
                known
                    .map(|(result, calls)| (vec![Label::Borrowed(result)], count(calls)))
                    .collect()
            }),
            (&SERVICE_LEVEL, |skill| {
                let levels = skill.service_levels.iter();
                levels
                    .map(|(seconds, ratio)| (vec![Label::Owned(seconds.to_string())], Value::Number(*ratio)))
                    .collect()
            }),
            (&ABANDON_RATIO, |skill| one(skill.abandon_ratio.map(Value::Number))),
        ];
        let mut series = Vec::new();
        let mut left_out = Vec::new();
        for (family, of_skill) in families {
            let skills = self.skills.values().map(|skill| (skill.id.as_str(), skill));
            let (shown, dropped) = within_limit(family, skills, limit, of_skill);
            series.push(shown);
            if dropped > 0 {
                left_out.push((family, dropped));
            }
        }
        let shown: Vec<SkillNow> = self.skills.into_values().take(limit).collect();
        let named = shown.iter().filter(|skill| !skill.name.is_empty());
        Current {
            series,
            left_out,
            names: named
                .map(|skill| (&skill::INFO, skill.id.clone(), skill.name.clone()))
                .collect(),
            tally: self.tally,
            view: View::Skills(shown),
        }
    }
}

/// The only series of a skill.
fn one(value: Option<Value>) -> Vec<(Vec<Label>, Value)> {
    value.map(|value| (Vec::new(), value)).into_iter().collect()
}
