//! The figures of a campaign at an instant: the day's dials, applied to its list.

use std::ops::RangeInclusive;

use jiff::civil::DateTime;

use super::{
    call::{Call, Outcome},
    centre::Campaign,
    incidents::{ListChange, is_stopped, list_changes, recycles},
    load_curve::DIALS_A_DAY,
    random::rng_at,
    traffic::Traffic,
};

const LISTS: u64 = 0x006c_6973_7473_0000;

/// The part of a call that campaign figures need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dial {
    pub(super) end: i64,
    campaign: usize,
    outcome: Outcome,
    hit: bool,
}

impl Dial {
    /// `None` if no campaign made the call.
    pub(super) fn of(call: &Call) -> Option<Dial> {
        call.campaign.map(|campaign| Dial {
            end: call.end,
            campaign,
            outcome: call.outcome,
            hit: call.hit,
        })
    }
}

/// The figures of one campaign at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignState {
    /// The campaign itself.
    pub campaign: Campaign,
    /// The id of the skill it is linked to.
    pub skill_id: Option<u32>,
    /// Whether it dials at this time of day.
    pub started: bool,
    /// The size of the list.
    pub records: u64,
    /// Records not dialled since the list was loaded or recycled.
    pub clean: u64,
    /// Answered dials.
    pub answer: u64,
    /// Dials that nobody answered.
    pub no_answer: u64,
    /// Busy, congestion and failed.
    pub failed: u64,
    /// Answering machines.
    pub answer_machine: u64,
    /// Successes of the day.
    pub hits: u64,
    /// Dials of the day, over all passes.
    pub dials_of_day: u64,
    /// Answered dials of the day, over all passes.
    pub answers_of_day: u64,
    /// Dials since the list was loaded or recycled.
    pub dials_of_pass: u64,
    /// Dials of the last sixty seconds.
    pub last_minute: u64,
    /// How often the list was recycled today.
    pub recycled: u64,
}

impl CampaignState {
    /// What the report calls `dial`: the sum of the four outcomes.
    pub fn dial(&self) -> u64 {
        self.answer + self.no_answer + self.failed + self.answer_machine
    }

    fn count(&mut self, dial: Dial, recycles: bool) {
        // An operation without new records recycles the list before it runs out.
        if recycles && self.dials_of_pass * 10 >= self.records * 9 {
            self.recycle();
        }
        match dial.outcome {
            Outcome::Answered => {
                self.answer += 1;
                self.answers_of_day += 1;
            }
            Outcome::NoAnswer | Outcome::Abandoned => self.no_answer += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Machine => self.answer_machine += 1,
        }
        self.hits += u64::from(dial.hit);
        self.dials_of_day += 1;
        self.dials_of_pass += 1;
        // A list that nobody recycles is dialled again and again: unanswered records are tried once more.
        self.clean = self.records.saturating_sub(self.dials_of_pass);
    }

    fn change_list(&mut self, change: ListChange, of_day: u64) {
        match change {
            ListChange::Loaded(records) => self.load(records),
            ListChange::Restored => self.load(of_day),
            ListChange::Recycled => self.recycle(),
        }
        self.clean = self.records;
    }

    fn load(&mut self, records: u64) {
        self.records = records;
        self.dials_of_pass = 0;
        self.answer = 0;
        self.no_answer = 0;
        self.failed = 0;
        self.answer_machine = 0;
    }

    fn recycle(&mut self) {
        self.recycled += 1;
        self.dials_of_pass = 0;
        if !self.campaign.overlaps {
            self.answer = 0;
            self.no_answer = 0;
            self.failed = 0;
            self.answer_machine = 0;
        }
    }
}

/// The figures at the end of `seconds`, which run from local midnight to the local time `local`, after the dials in them.
pub(super) fn campaign_states(
    traffic: &Traffic,
    local: DateTime,
    seconds: RangeInclusive<i64>,
    dials: &[Dial],
) -> Vec<CampaignState> {
    let until = *seconds.end();
    let mut states: Vec<CampaignState> = traffic
        .centre
        .campaigns
        .iter()
        .enumerate()
        .map(|(number, campaign)| {
            let records = list_size(traffic, campaign, local);
            CampaignState {
                campaign: campaign.clone(),
                skill_id: campaign.skill.map(|skill| traffic.centre.skills[skill].id),
                started: !campaign.stopped
                    && traffic.campaigns_dial(local)
                    && !is_stopped(&traffic.incidents, number, until),
                records,
                clean: records,
                answer: 0,
                no_answer: 0,
                failed: 0,
                answer_machine: 0,
                hits: 0,
                dials_of_day: 0,
                answers_of_day: 0,
                dials_of_pass: 0,
                last_minute: 0,
                recycled: 0,
            }
        })
        .collect();
    let mut changes: Vec<_> = (0..states.len())
        .map(|campaign| {
            let of_day = states[campaign].records;
            let changes = list_changes(&traffic.incidents, campaign, *seconds.start(), until);
            (of_day, changes.into_iter().peekable())
        })
        .collect();
    for dial in dials {
        let state = &mut states[dial.campaign];
        let (of_day, changes) = &mut changes[dial.campaign];
        while let Some((_, change)) = changes.next_if(|(at, _)| *at <= dial.end) {
            state.change_list(change, *of_day);
        }
        state.count(*dial, recycles(&traffic.incidents, dial.campaign, dial.end));
        state.last_minute += u64::from(dial.end > until - 60);
    }
    for (state, (of_day, changes)) in states.iter_mut().zip(changes) {
        for (_, change) in changes {
            state.change_list(change, of_day);
        }
    }
    states
}

/// The size of the list loaded for a day.
fn list_size(traffic: &Traffic, campaign: &Campaign, local: DateTime) -> u64 {
    let day = i64::from(local.date().year()) * 400 + i64::from(local.date().day_of_year());
    let luck = 0.9 + 0.2 * rng_at(traffic.seed ^ u64::from(campaign.id), LISTS, day).f64();
    // The stopped campaign has weight 0; it gets a list of usual size.
    let part = f64::from(campaign.weight.max(2)) / f64::from(traffic.centre.campaign_weight().max(2));
    let size = DIALS_A_DAY * traffic.volume * part * luck * f64::from(campaign.list_size) / 100.0;
    let records = size as u64;
    records.max(20)
}
