//! What a client should count from the row reports, taken from the generated rows rather than from the answers.
//!
//! A fact belongs to the date of its row as a client reads it: within a repeated hour, the earlier instant. Both ends of a
//! range are included. Ranges are read hour by hour, so do not ask for all time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Events, TOKEN_DESCRIPTION,
    changes::FirstStep,
    previews::PreviewRow,
    steps::StepResult,
    timeline::Entry,
    waits::{Wait, WaitResult},
};
use crate::truth::Truth;

/// Which facts to include.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// What answers show at that instant, without late rows and without what is still to come in them. A row whose date is to
    /// change counts at the date that it has then.
    By(Timestamp),
    /// Everything, as answers show it when nothing is late or unfinished any more.
    Everything,
}

impl Seen {
    pub(super) fn includes<T>(self, entry: &Entry<T>) -> bool {
        entry.visible <= self.until() && entry.gone.is_none_or(|gone| self.until() < gone)
    }

    fn until(self) -> i64 {
        match self {
            Seen::By(instant) => instant.as_second(),
            Seen::Everything => i64::MAX,
        }
    }
}

/// The facts of `skill_2`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AbandonedFacts {
    /// Rows by skill id, channel and result (`abandoned`, `answered`, `other`).
    pub interactions: BTreeMap<(u32, &'static str, &'static str), u64>,
    /// Seconds waited in abandoned rows by skill id and channel, shortest first.
    pub waits: BTreeMap<(u32, &'static str), Vec<u32>>,
}

/// The facts of `campaign_5`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreviewFacts {
    /// Rows of type call by campaign id, `type_interaction`, `call_result` and `hang_up`.
    pub calls: BTreeMap<(u32, &'static str, &'static str, &'static str), u64>,
    /// Seconds of the rows of type call by campaign id, shortest first.
    pub durations: BTreeMap<u32, Vec<u32>>,
    /// Codes of rows of type call by campaign id and code.
    pub codes: BTreeMap<(u32, &'static str), u64>,
    /// Results of rows of type preview by campaign id and result.
    pub records: BTreeMap<(u32, &'static str), u64>,
}

/// The facts of `diagram_1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IvrFacts {
    /// Calls by routing point id and result (`ok`, `hung_up`, `other`). A call counts at the date of its last row.
    pub calls: BTreeMap<(u32, &'static str), u64>,
    /// Seconds of the same calls by routing point id, shortest first.
    pub times: BTreeMap<u32, Vec<u32>>,
    /// Rows by routing point id and option, including `none` and `number`.
    pub selections: BTreeMap<(u32, &'static str), u64>,
    /// Rows with a transfer target by routing point id and target, including `number`.
    pub transfers: BTreeMap<(u32, &'static str), u64>,
}

/// The cumulative histogram of the values: how many are at or below each bound.
pub fn counts_up_to(values: &[u32], bounds: &[f64]) -> Vec<u64> {
    let below = |bound: f64| values.iter().filter(|value| f64::from(**value) <= bound).count() as u64;
    bounds.iter().map(|bound| below(*bound)).collect()
}

impl Truth {
    /// The facts of `skill_2` dated from `from` to `until`.
    pub fn abandoned_calls(&self, from: Timestamp, until: Timestamp, seen: Seen) -> AbandonedFacts {
        let Events { source, waits, .. } = self.events();
        let mut facts = AbandonedFacts::default();
        waits.dated(source, from.as_second(), until.as_second(), seen, |entry| {
            let wait: &Wait = &entry.row;
            let skill = source.traffic.centre.skills[wait.skill].id;
            let channel = wait.interaction.channel;
            let result = match wait.result {
                WaitResult::Abandoned => "abandoned",
                WaitResult::Answered => "answered",
                WaitResult::Odd => "other",
            };
            let (result_is_there, time_is_there) = wait.shows_by(seen.until());
            if result_is_there {
                *facts.interactions.entry((skill, channel, result)).or_default() += 1;
            }
            if result_is_there && time_is_there && wait.result == WaitResult::Abandoned && !wait.absurd_time {
                facts.waits.entry((skill, channel)).or_default().push(wait.seconds);
            }
        });
        facts.waits.values_mut().for_each(|waits| waits.sort_unstable());
        facts
    }

    /// Seconds waited in the rows of `skill_10` dated from `from` to `until` by skill id and channel, shortest first.
    pub fn answered_calls(
        &self,
        from: Timestamp,
        until: Timestamp,
        seen: Seen,
    ) -> BTreeMap<(u32, &'static str), Vec<u32>> {
        let Events { source, answered, .. } = self.events();
        let mut waits: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        answered.dated(source, from.as_second(), until.as_second(), seen, |entry| {
            let wait = &entry.row.wait;
            if entry.row.is_final_by(seen.until()) && !wait.absurd_time {
                let skill = source.traffic.centre.skills[wait.skill].id;
                let waits = waits.entry((skill, wait.interaction.channel)).or_default();
                waits.push(wait.seconds);
            }
        });
        waits.values_mut().for_each(|waits| waits.sort_unstable());
        waits
    }

    /// The facts of `campaign_5` dated from `from` to `until`.
    pub fn preview_calls(&self, from: Timestamp, until: Timestamp, seen: Seen) -> PreviewFacts {
        let Events { source, previews, .. } = self.events();
        let mut facts = PreviewFacts::default();
        previews.dated(source, from.as_second(), until.as_second(), seen, |entry| {
            let campaign = entry.row.campaign;
            match entry.row.about {
                PreviewRow::Record { result, .. } => {
                    if let Some(result) = result.by(seen.until()) {
                        *facts.records.entry((campaign, result.label)).or_default() += 1;
                    }
                }
                PreviewRow::Call { call, .. } if seen.until() < call.final_at => {}
                PreviewRow::Call { call, code } => {
                    let labels = (campaign, call.interaction.label, call.result, call.hang_up.label);
                    *facts.calls.entry(labels).or_default() += 1;
                    if !call.absurd_time {
                        facts.durations.entry(campaign).or_default().push(call.seconds);
                    }
                    if let Some(code) = code.by(seen.until()) {
                        *facts.codes.entry((campaign, code.label)).or_default() += 1;
                    }
                }
            }
        });
        facts.durations.values_mut().for_each(|times| times.sort_unstable());
        facts
    }

    /// The facts of `diagram_1` dated from `from` to `until`.
    pub fn ivr(&self, from: Timestamp, until: Timestamp, seen: Seen) -> IvrFacts {
        let Events { source, steps, .. } = self.events();
        let mut facts = IvrFacts::default();
        steps.dated(source, from.as_second(), until.as_second(), seen, |entry| {
            let step = &entry.row;
            let point = source.traffic.centre.routing_points[step.routing_point].id;
            let unfinished = step.unfinished_by(seen.until());
            if step.stands_for_call && unfinished != Some(FirstStep::MidMenu) {
                let result = match step.result {
                    StepResult::Ok => "ok",
                    StepResult::HungUp => "hung_up",
                    StepResult::Odd => "other",
                };
                *facts.calls.entry((point, result)).or_default() += 1;
                if !step.absurd_time {
                    facts.times.entry(point).or_default().push(step.seconds);
                }
            }
            if unfinished != Some(FirstStep::NoOption) {
                *facts.selections.entry((point, step.option.label())).or_default() += 1;
            }
            if step.transfer.label() != "none" {
                *facts.transfers.entry((point, step.transfer.label())).or_default() += 1;
            }
        });
        facts.times.values_mut().for_each(|times| times.sort_unstable());
        facts
    }

    /// Every personal string in the rows of those dates, of the agents of those days, and in `token_info`. [`super::personal_data_in`] finds them by their markers instead.
    pub fn personal_strings(&self, from: Timestamp, until: Timestamp) -> BTreeSet<String> {
        let events = self.events();
        let (from, until) = (from.as_second(), until.as_second());
        let mut strings = BTreeSet::new();
        events
            .waits
            .dated(&events.source, from, until, Seen::Everything, |entry| {
                let person = entry.row.person;
                strings.extend([person.telephone(), person.customer_id(), entry.row.conn_id()]);
            });
        events
            .answered
            .dated(&events.source, from, until, Seen::Everything, |entry| {
                let wait = &entry.row.wait;
                strings.extend([wait.person.telephone(), wait.conn_id(), events.agent_id(entry)]);
            });
        events
            .previews
            .dated(&events.source, from, until, Seen::Everything, |entry| {
                let person = entry.row.person;
                strings.extend([
                    person.telephone(),
                    person.document(),
                    person.agent_id(),
                    person.comment(),
                ]);
                strings.extend([person.first_name().to_owned(), person.last_name().to_owned()]);
                strings.extend(entry.row.conn_id());
            });
        events
            .steps
            .dated(&events.source, from, until, Seen::Everything, |entry| {
                let person = entry.row.person;
                strings.extend([person.telephone(), person.document(), entry.row.conn_id()]);
            });
        for employee in events.employees(from, until) {
            strings.extend([employee.id(), employee.name(), employee.address()]);
        }
        strings.insert(TOKEN_DESCRIPTION.to_owned());
        strings.remove("");
        strings
    }
}
