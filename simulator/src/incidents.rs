//! Problems of the contact centre itself, each for a period of time.
//!
//! An incident changes calls after they were drawn, with random numbers of its own. So calls outside its period stay as
//! they are, and all reports show the same changed calls.

use fastrand::Rng;
use jiff::Timestamp;

use super::{
    call::{Call, Direction, IvrEntry, Outcome},
    centre::Centre,
    random::rng_at,
};

const INCIDENTS: u64 = 0x0069_6e63_6964_0000;

/// No caller in an incident waits as many seconds.
pub(super) const LONGEST_PATIENCE: u32 = 540;

/// A problem from one instant until just before another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// What it is, and what it affects.
    pub kind: IncidentKind,
    /// The start of the period: it affects calls that end at this instant or later.
    pub from: Timestamp,
    /// The end of the period: it no longer affects calls that end at this instant or later.
    pub until: Timestamp,
}

/// Kinds of incidents. Targets are indices into the lists of [`Centre`], `None` for all of them. A share, from 0 to 1, is
/// of the calls that would otherwise have gone well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum IncidentKind {
    /// Callers of a skill give up before they are answered.
    Abandonment {
        /// The skill.
        skill: Option<usize>,
        /// Of the callers that would have been answered.
        share: f64,
    },
    /// All callers who give up do so within ten seconds, and so does a share of the others.
    ShortAbandons {
        /// The skill.
        skill: Option<usize>,
        /// Of the callers that would have been answered.
        share: f64,
    },
    /// All callers who give up do so after three to nine minutes, and so does a share of the others.
    LongWaits {
        /// The skill.
        skill: Option<usize>,
        /// Of the callers that would have been answered.
        share: f64,
    },
    /// The agents of a skill leave their places: none is ready, and no caller is answered.
    AgentsLeave {
        /// The skill.
        skill: Option<usize>,
    },
    /// Callers are answered after one to five minutes.
    SlowAnswers {
        /// The skill.
        skill: Option<usize>,
        /// Of the callers that are answered.
        share: f64,
    },
    /// No calls come in.
    InboundSilent {
        /// The skill.
        skill: Option<usize>,
    },
    /// A campaign is started and has records left, but dials nothing.
    CampaignStalled {
        /// The campaign.
        campaign: Option<usize>,
    },
    /// A campaign is stopped at a time at which it is usually started.
    CampaignStopped {
        /// The campaign.
        campaign: Option<usize>,
    },
    /// Dials that reach an answering machine are not hung up for half an hour, and cost as much.
    MachinesKept,
    /// A short list is loaded, which runs out and is not recycled. At the end of the period the day's list is back.
    ListEnds {
        /// The campaign.
        campaign: Option<usize>,
        /// The size of the list.
        records: u64,
    },
    /// The list is recycled by hand at the start. This is not a problem.
    Recycled {
        /// The campaign.
        campaign: Option<usize>,
    },
    /// Dials end as busy, congestion or failed.
    DialFailures {
        /// The campaign.
        campaign: Option<usize>,
        /// Of the other dials.
        share: f64,
    },
    /// People no longer answer, as when the caller's number is marked as spam.
    Unanswered {
        /// The campaign.
        campaign: Option<usize>,
        /// Of the answered dials.
        share: f64,
    },
    /// Conversations end within five seconds.
    ShortCalls {
        /// Of the answered calls.
        share: f64,
    },
    /// Callers hang up in the IVR.
    IvrHangUps {
        /// The routing point.
        routing_point: Option<usize>,
        /// Of the callers.
        share: f64,
    },
    /// Callers press nothing in the IVR, or the keys are not recognised.
    IvrNoInput {
        /// The routing point.
        routing_point: Option<usize>,
        /// Of the callers.
        share: f64,
    },
}

/// A change of a campaign's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListChange {
    /// A new list of this many records, none of them dialled.
    Loaded(u64),
    /// The list of the day, no record of it dialled.
    Restored,
    /// The same list from the start.
    Recycled,
}

impl Incident {
    /// From `from` until just before `until`.
    pub fn new(kind: IncidentKind, from: Timestamp, until: Timestamp) -> Incident {
        Incident { kind, from, until }
    }

    /// The label and id of what it affects, if that is a single skill, campaign or routing point.
    pub fn target(&self, centre: &Centre) -> Option<(&'static str, u32)> {
        use IncidentKind::{
            Abandonment, AgentsLeave, CampaignStalled, CampaignStopped, DialFailures, InboundSilent, IvrHangUps,
            IvrNoInput, ListEnds, LongWaits, MachinesKept, Recycled, ShortAbandons, ShortCalls, SlowAnswers,
            Unanswered,
        };
        match self.kind {
            Abandonment { skill, .. }
            | AgentsLeave { skill }
            | ShortAbandons { skill, .. }
            | LongWaits { skill, .. }
            | SlowAnswers { skill, .. }
            | InboundSilent { skill } => Some(("skill_id", centre.skills.get(skill?)?.id)),
            CampaignStalled { campaign }
            | CampaignStopped { campaign }
            | ListEnds { campaign, .. }
            | Recycled { campaign }
            | DialFailures { campaign, .. }
            | Unanswered { campaign, .. } => Some(("campaign_id", centre.campaigns.get(campaign?)?.id)),
            IvrHangUps { routing_point, .. } | IvrNoInput { routing_point, .. } => {
                Some(("rp_id", centre.routing_points.get(routing_point?)?.id))
            }
            ShortCalls { .. } | MachinesKept => None,
        }
    }

    fn is_active_at(&self, second: i64) -> bool {
        (self.from.as_second()..self.until.as_second()).contains(&second)
    }

    /// Its changes of lists: the second, the campaign, and the change.
    fn list_changes(&self) -> Vec<(i64, Option<usize>, ListChange)> {
        let (from, until) = (self.from.as_second(), self.until.as_second());
        match self.kind {
            IncidentKind::ListEnds { campaign, records } => vec![
                (from, campaign, ListChange::Loaded(records)),
                (until, campaign, ListChange::Restored),
            ],
            IncidentKind::Recycled { campaign } => vec![(from, campaign, ListChange::Recycled)],
            _ => Vec::new(),
        }
    }

    /// The call as the incident changes it; `None` if it does not happen at all.
    fn apply(&self, call: Call, rng: &mut Rng) -> Option<Call> {
        use IncidentKind::{
            Abandonment, AgentsLeave, CampaignStalled, CampaignStopped, DialFailures, InboundSilent, IvrHangUps,
            IvrNoInput, ListEnds, LongWaits, MachinesKept, Recycled, ShortAbandons, ShortCalls, SlowAnswers,
            Unanswered,
        };
        let luck = rng.f64();
        let inbound = call.direction == Direction::Inbound;
        let answered = call.outcome == Outcome::Answered;
        let of_skill = |skill: Option<usize>| inbound && skill.is_none_or(|skill| skill == call.skill);
        let of_campaign = |wanted: Option<usize>| {
            call.campaign
                .is_some_and(|campaign| wanted.is_none_or(|wanted| wanted == campaign))
        };
        Some(match self.kind {
            InboundSilent { skill } if of_skill(skill) => return None,
            CampaignStalled { campaign } | CampaignStopped { campaign } if of_campaign(campaign) => return None,
            MachinesKept if call.outcome == Outcome::Machine => Call {
                duration: rng.u32(1800..2400),
                ..call
            },
            Abandonment { skill, share } if of_skill(skill) && answered && luck < share => {
                abandoned_after(call, rng.u32(3..150))
            }
            // Who talks goes on. The others wait, from when they called, until they would have hung up.
            AgentsLeave { skill } if of_skill(skill) && answered && call.answered_at() >= self.from.as_second() => {
                let wait = call.wait + call.duration;
                abandoned_after(call, wait.clamp(1, LONGEST_PATIENCE - 1))
            }
            ShortAbandons { skill, share } if of_skill(skill) && (!answered || luck < share) => {
                abandoned_after(call, rng.u32(1..10))
            }
            LongWaits { skill, share } if of_skill(skill) && (!answered || luck < share) => {
                abandoned_after(call, rng.u32(180..LONGEST_PATIENCE))
            }
            SlowAnswers { skill, share } if of_skill(skill) && answered && luck < share => Call {
                wait: rng.u32(60..300),
                ..call
            },
            DialFailures { campaign, share } if of_campaign(campaign) && luck < share => {
                not_answered(call, Outcome::Failed)
            }
            Unanswered { campaign, share } if of_campaign(campaign) && answered && luck < share => {
                not_answered(call, Outcome::NoAnswer)
            }
            ShortCalls { share } if answered && call.direction != Direction::Internal && luck < share => Call {
                duration: rng.u32(0..5),
                hit: false,
                ..call
            },
            IvrHangUps { routing_point, share } => change_ivr_entry(call, routing_point, luck < share, |entry| {
                entry.gave_up = true;
            }),
            IvrNoInput { routing_point, share } => change_ivr_entry(call, routing_point, luck < share, |entry| {
                entry.option = None;
                entry.pressed_nothing = true;
            }),
            InboundSilent { .. }
            | CampaignStalled { .. }
            | CampaignStopped { .. }
            | MachinesKept
            | Abandonment { .. }
            | AgentsLeave { .. }
            | ShortAbandons { .. }
            | LongWaits { .. }
            | SlowAnswers { .. }
            | ListEnds { .. }
            | Recycled { .. }
            | DialFailures { .. }
            | Unanswered { .. }
            | ShortCalls { .. } => call,
        })
    }
}

fn abandoned_after(call: Call, wait: u32) -> Call {
    Call {
        outcome: Outcome::Abandoned,
        duration: 0,
        wait,
        ..call
    }
}

fn not_answered(call: Call, outcome: Outcome) -> Call {
    Call {
        outcome,
        duration: 0,
        hit: false,
        ..call
    }
}

fn change_ivr_entry(mut call: Call, wanted: Option<usize>, affected: bool, change: impl FnOnce(&mut IvrEntry)) -> Call {
    if let Some(entry) = &mut call.ivr
        && affected
        && wanted.is_none_or(|wanted| wanted == entry.routing_point)
    {
        change(entry);
    }
    call
}

/// Applies incidents to the calls of a minute.
pub(super) fn apply_incidents(incidents: &[Incident], seed: u64, mut calls: Vec<Call>) -> Vec<Call> {
    for (number, incident) in (0_u64..).zip(incidents) {
        calls = calls
            .into_iter()
            .filter_map(|call| {
                if !incident.is_active_at(call.end) {
                    return Some(call);
                }
                // Drawn by what earlier incidents do not change.
                let key = call.key();
                incident.apply(call, &mut rng_at(seed, INCIDENTS + number, key))
            })
            .collect();
    }
    calls
}

/// The changes of a campaign's list between two instants, both included, in order.
pub(super) fn list_changes(incidents: &[Incident], campaign: usize, from: i64, until: i64) -> Vec<(i64, ListChange)> {
    let mut changes: Vec<(i64, ListChange)> = incidents
        .iter()
        .flat_map(Incident::list_changes)
        .filter(|(at, wanted, _)| (from..=until).contains(at) && wanted.is_none_or(|wanted| wanted == campaign))
        .map(|(at, _, change)| (at, change))
        .collect();
    changes.sort_by_key(|(at, _)| *at);
    changes
}

/// Whether the list is recycled at that time when it runs low.
pub(super) fn recycles(incidents: &[Incident], campaign: usize, second: i64) -> bool {
    !incidents.iter().any(|incident| {
        let IncidentKind::ListEnds { campaign: wanted, .. } = incident.kind else {
            return false;
        };
        incident.is_active_at(second) && wanted.is_none_or(|wanted| wanted == campaign)
    })
}

/// Whether somebody has stopped the campaign.
pub(super) fn is_stopped(incidents: &[Incident], campaign: usize, second: i64) -> bool {
    incidents.iter().any(|incident| {
        let IncidentKind::CampaignStopped { campaign: wanted } = incident.kind else {
            return false;
        };
        incident.is_active_at(second) && wanted.is_none_or(|wanted| wanted == campaign)
    })
}

/// Whether a call ended while a carrier had a fault, so that dials failed.
pub(super) fn carrier_fails(incidents: &[Incident], call: &Call) -> bool {
    incidents.iter().any(|incident| {
        let IncidentKind::DialFailures { campaign, .. } = incident.kind else {
            return false;
        };
        incident.is_active_at(call.end) && campaign.is_none_or(|campaign| call.campaign == Some(campaign))
    })
}

/// The periods in which the agents of a skill are away, from each first second until the one after the last.
pub(super) fn absences(incidents: &[Incident], skill: usize) -> impl Iterator<Item = (i64, i64)> {
    incidents
        .iter()
        .filter(move |incident| {
            let IncidentKind::AgentsLeave { skill: wanted } = incident.kind else {
                return false;
            };
            wanted.is_none_or(|wanted| wanted == skill)
        })
        .map(|incident| (incident.from.as_second(), incident.until.as_second()))
}
