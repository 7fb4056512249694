//! What goes wrong within the contact centre itself, for a stretch of time that a plan says.
//!
//! An incident changes calls that were drawn already, with random numbers of its own: outside of its stretch every call
//! is the one that it would have been, and all reports tell of the changed ones in the same way.

use fastrand::Rng;
use jiff::Timestamp;

use super::{
    centre::Centre,
    random::rng_at,
    traffic::{Call, Direction, Outcome},
};

const INCIDENTS: u64 = 0x0069_6e63_6964_0000;

/// Something that goes wrong from one instant until just before another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// What it is, and whom it strikes.
    pub kind: IncidentKind,
    /// Calls that end at that instant or later are struck.
    pub from: Timestamp,
    /// Calls that end at that instant or later no longer are.
    pub until: Timestamp,
}

/// Kinds of incidents. Targets are indices into the lists of [`Centre`], `None` for all of them; a share
/// is the part, from 0 to 1, of those that would have fared better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum IncidentKind {
    /// Callers of a skill give up before they are answered.
    Abandonment {
        /// The skill.
        skill: Option<usize>,
        /// Of the callers that would have been answered.
        share: f64,
    },
    /// Whoever gives up does so within ten seconds, and a share of the others gives up like that, too.
    ShortAbandons {
        /// The skill.
        skill: Option<usize>,
        /// Of the callers that would have been answered.
        share: f64,
    },
    /// Whoever gives up has waited for three to nine minutes.
    LongWaits {
        /// The skill.
        skill: Option<usize>,
        /// Of the callers that would have been answered.
        share: f64,
    },
    /// Nobody's call comes in.
    InboundSilent {
        /// The skill.
        skill: Option<usize>,
    },
    /// A campaign is started and has records left, but dials none.
    CampaignStalled {
        /// The campaign.
        campaign: Option<usize>,
    },
    /// A list of so few records is loaded that it runs out, and nobody recycles it. At the end the day's list is back.
    ListEnds {
        /// The campaign.
        campaign: Option<usize>,
        /// The size of the list.
        records: u64,
    },
    /// No misfortune: the list is recycled at the beginning, by hand.
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
    /// People no longer answer, as when the caller's number is known for spam.
    Unanswered {
        /// The campaign.
        campaign: Option<usize>,
        /// Of the answered dials.
        share: f64,
    },
    /// Conversations end within five seconds.
    ShortCalls {
        /// Of the answered calls, whoever called.
        share: f64,
    },
    /// Callers hang up in the IVR.
    IvrHangUps {
        /// The routing point.
        routing_point: Option<usize>,
        /// Of the callers.
        share: f64,
    },
    /// Callers press nothing in the IVR, or what they press is not heard.
    IvrNoInput {
        /// The routing point.
        routing_point: Option<usize>,
        /// Of the callers.
        share: f64,
    },
}

/// What becomes of a campaign's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListChange {
    /// Another list, without a record dialled.
    Loaded(u64),
    /// The list of the day, without a record dialled.
    Restored,
    /// The same list once more.
    Recycled,
}

impl Incident {
    /// From `from` until just before `until`.
    pub fn new(kind: IncidentKind, from: Timestamp, until: Timestamp) -> Incident {
        Incident { kind, from, until }
    }

    /// The label and the id of what it strikes, where that is one skill, campaign or routing point.
    pub fn target(&self, centre: &Centre) -> Option<(&'static str, u32)> {
        use IncidentKind::{
            Abandonment, CampaignStalled, DialFailures, InboundSilent, IvrHangUps, IvrNoInput, ListEnds, LongWaits,
            Recycled, ShortAbandons, ShortCalls, Unanswered,
        };
        match self.kind {
            Abandonment { skill, .. }
            | ShortAbandons { skill, .. }
            | LongWaits { skill, .. }
            | InboundSilent { skill } => Some(("skill_id", centre.skills.get(skill?)?.id)),
            CampaignStalled { campaign }
            | ListEnds { campaign, .. }
            | Recycled { campaign }
            | DialFailures { campaign, .. }
            | Unanswered { campaign, .. } => Some(("campaign_id", centre.campaigns.get(campaign?)?.id)),
            IvrHangUps { routing_point, .. } | IvrNoInput { routing_point, .. } => {
                Some(("rp_id", centre.routing_points.get(routing_point?)?.id))
            }
            ShortCalls { .. } => None,
        }
    }

    fn strikes_at(&self, second: i64) -> bool {
        (self.from.as_second()..self.until.as_second()).contains(&second)
    }

    /// What it does to the lists of campaigns: when, which and what.
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

    /// What becomes of a call within the stretch; `None` when it does not come about at all.
    fn strike(&self, call: Call, rng: &mut Rng) -> Option<Call> {
        use IncidentKind::{
            Abandonment, CampaignStalled, DialFailures, InboundSilent, IvrHangUps, IvrNoInput, ListEnds, LongWaits,
            Recycled, ShortAbandons, ShortCalls, Unanswered,
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
            CampaignStalled { campaign } if of_campaign(campaign) => return None,
            Abandonment { skill, share } if of_skill(skill) && answered && luck < share => {
                given_up(call, rng.u32(3..150))
            }
            ShortAbandons { skill, share } if of_skill(skill) && (!answered || luck < share) => {
                given_up(call, rng.u32(1..10))
            }
            LongWaits { skill, share } if of_skill(skill) && (!answered || luck < share) => {
                given_up(call, rng.u32(180..540))
            }
            DialFailures { campaign, share } if of_campaign(campaign) && luck < share => in_vain(call, Outcome::Failed),
            Unanswered { campaign, share } if of_campaign(campaign) && answered && luck < share => {
                in_vain(call, Outcome::NoAnswer)
            }
            ShortCalls { share } if answered && call.direction != Direction::Internal && luck < share => Call {
                duration: rng.u32(0..5),
                hit: false,
                ..call
            },
            IvrHangUps { routing_point, share } => in_menu(call, routing_point, luck < share, |entry| {
                entry.gave_up = true;
            }),
            IvrNoInput { routing_point, share } => in_menu(call, routing_point, luck < share, |entry| {
                entry.option = None;
                entry.pressed_nothing = true;
            }),
            InboundSilent { .. }
            | CampaignStalled { .. }
            | Abandonment { .. }
            | ShortAbandons { .. }
            | LongWaits { .. }
            | ListEnds { .. }
            | Recycled { .. }
            | DialFailures { .. }
            | Unanswered { .. }
            | ShortCalls { .. } => call,
        })
    }
}

fn given_up(call: Call, wait: u32) -> Call {
    Call {
        outcome: Outcome::Abandoned,
        duration: 0,
        wait,
        ..call
    }
}

fn in_vain(call: Call, outcome: Outcome) -> Call {
    Call {
        outcome,
        duration: 0,
        hit: false,
        ..call
    }
}

fn in_menu(
    mut call: Call,
    wanted: Option<usize>,
    struck: bool,
    change: impl FnOnce(&mut super::traffic::IvrEntry),
) -> Call {
    if let Some(entry) = &mut call.ivr
        && struck
        && wanted.is_none_or(|wanted| wanted == entry.routing_point)
    {
        change(entry);
    }
    call
}

/// The calls of a minute, after the incidents that strike them.
pub(super) fn struck(incidents: &[Incident], seed: u64, mut calls: Vec<Call>) -> Vec<Call> {
    for (number, incident) in (0_u64..).zip(incidents) {
        calls = calls
            .into_iter()
            .filter_map(|call| {
                if !incident.strikes_at(call.end) {
                    return Some(call);
                }
                // By what does not change with the incidents before it.
                let place = call.end.wrapping_mul(1 << 20).wrapping_add(i64::from(call.number));
                incident.strike(call, &mut rng_at(seed, INCIDENTS + number, place))
            })
            .collect();
    }
    calls
}

/// What becomes of a campaign's list between two instants, the second one included, in the order in which it does.
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

/// Whether somebody would recycle the list at that time.
pub(super) fn recycles(incidents: &[Incident], campaign: usize, second: i64) -> bool {
    !incidents.iter().any(|incident| {
        let IncidentKind::ListEnds { campaign: wanted, .. } = incident.kind else {
            return false;
        };
        incident.strikes_at(second) && wanted.is_none_or(|wanted| wanted == campaign)
    })
}
