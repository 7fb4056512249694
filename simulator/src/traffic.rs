//! The calls of an operation, minute by minute.

use fastrand::Rng;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    centre::Centre,
    incidents::{Incident, struck},
    random::rng_at,
    rhythm::{BUSY_TIME, calls_a_minute, campaigns_dial},
};

const CALLS: u64 = 0x0063_616c_6c73_0000;
const DAYS: u64 = 0x0064_6179_7300_0000;

/// Cost of a billed minute in millionths: whole hundredths, so that two decimals lose nothing.
const INBOUND_MINUTE: u64 = 45_500_000;
const OUTBOUND_MINUTE: u64 = 89_930_000;

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A customer called.
    Inbound,
    /// A campaign dialled.
    Outbound,
    /// Between agents.
    Internal,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Somebody answered.
    Answered,
    /// The customer hung up while waiting for an agent (inbound only).
    Abandoned,
    /// It rang in vain (outbound only).
    NoAnswer,
    /// Busy, congestion or failed (outbound only).
    Failed,
    /// An answering machine (outbound only).
    Machine,
}

/// A call's way through the IVR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IvrEntry {
    /// Where it came in, an index into [`Centre::routing_points`].
    pub routing_point: usize,
    /// The digit pressed, `None` when nothing was pressed.
    pub option: Option<u8>,
    /// Seconds spent there.
    pub seconds: u32,
    /// Whether an incident made the caller hang up in the menu, whatever else callers do.
    pub gave_up: bool,
    /// Whether an incident kept every key from being heard.
    pub pressed_nothing: bool,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The second in which it ended: from then on reports know it.
    pub end: i64,
    /// Its number among the calls that end in the same minute.
    pub number: u32,
    /// Seconds of conversation, 0 when nobody answered.
    pub duration: u32,
    /// Seconds in the queue or ringing, before the conversation.
    pub wait: u32,
    /// Who called whom.
    pub direction: Direction,
    /// How it ended.
    pub outcome: Outcome,
    /// The skill that served it, an index into [`Centre::skills`].
    pub skill: usize,
    /// The campaign that dialled, an index into [`Centre::campaigns`].
    pub campaign: Option<usize>,
    /// Whether the agent typed a code that counts as a success.
    pub hit: bool,
    /// The IVR part, for inbound calls.
    pub ivr: Option<IvrEntry>,
}

impl Call {
    /// The second in which it started.
    pub fn start(&self) -> i64 {
        let ivr = self.ivr.map_or(0, |entry| entry.seconds);
        self.end - i64::from(self.duration) - i64::from(self.wait) - i64::from(ivr)
    }

    /// Billed minutes: every begun one counts, a call of zero seconds has none.
    pub fn billed_minutes(&self) -> u64 {
        u64::from(self.duration.div_ceil(60))
    }

    /// The cost in millionths of the currency; internal calls are free.
    pub fn cost_micros(&self) -> u64 {
        self.billed_minutes()
            * match self.direction {
                Direction::Inbound => INBOUND_MINUTE,
                Direction::Outbound => OUTBOUND_MINUTE,
                Direction::Internal => 0,
            }
    }

    /// The connection's id, in the form seen in real answers.
    pub fn conn_id(&self) -> String {
        format!(
            "{}.{}.{}.{}",
            12_345 + self.skill,
            self.start().rem_euclid(9_000) + 1_000,
            self.end,
            self.number
        )
    }
}

/// How calls usually end: shares are in percent of the calls of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Inbound calls that are abandoned.
    pub abandoned: u32,
    /// The longest that somebody waits who then gives up, in seconds.
    pub patience: u32,
    /// Dials that are answered.
    pub answered: u32,
    /// Dials that ring in vain.
    pub no_answer: u32,
    /// Dials that end as busy, congestion or failed. An answering machine takes those that are left.
    pub failed: u32,
}

impl Default for Figures {
    /// A centre that loses many of its callers.
    fn default() -> Figures {
        Figures {
            abandoned: 14,
            patience: 240,
            answered: 38,
            no_answer: 30,
            failed: 16,
        }
    }
}

impl Figures {
    /// A centre that keeps what most of them promise: at most five callers in a hundred give up.
    pub fn calm() -> Figures {
        Figures {
            abandoned: 3,
            patience: 120,
            answered: 46,
            no_answer: 24,
            failed: 10,
        }
    }
}

/// Makes calls. The same minute always gives the same calls.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    pub(super) seed: u64,
    pub(super) timezone: TimeZone,
    pub(super) volume: f64,
    pub(super) never_closes: bool,
    pub(super) centre: Centre,
    pub(super) figures: Figures,
    pub(super) incidents: Vec<Incident>,
}

impl Traffic {
    /// Whether campaigns dial at that local time.
    pub(super) fn campaigns_dial(&self, local: DateTime) -> bool {
        campaigns_dial(self.time_of_rhythm(local))
    }

    fn time_of_rhythm(&self, local: DateTime) -> DateTime {
        if self.never_closes { BUSY_TIME } else { local }
    }

    /// The local time of a minute since the epoch, and how many calls are to be expected in it.
    pub(super) fn expected(&self, minute: i64) -> Option<(DateTime, f64)> {
        let local = self.timezone.to_datetime(Timestamp::from_second(minute * 60).ok()?);
        // Some days are better than others, the same for all minutes of a local day.
        let date = local.date();
        let day = i64::from(date.year()) * 400 + i64::from(date.day_of_year());
        let luck = 0.85 + 0.3 * rng_at(self.seed, DAYS, day).f64();
        Some((local, calls_a_minute(self.time_of_rhythm(local)) * self.volume * luck))
    }

    /// The calls that end in a minute since the epoch, in the order of their ends.
    ///
    /// A call belongs to the minute of its end, since no report shows it earlier.
    pub(super) fn minute(&self, minute: i64) -> Vec<Call> {
        let Some((local, expected)) = self.expected(minute) else {
            return Vec::new();
        };
        let mut rng = rng_at(self.seed, CALLS, minute);
        // The second random number rounds up or down, so that a night with 0.1 calls a minute is not a night without.
        let count = (expected * (0.5 + rng.f64()) + rng.f64()) as u32;
        let dialling = self.campaigns_dial(local);
        let calls: Vec<Call> = (0..count)
            .map(|number| {
                let end = minute * 60 + rng.i64(0..60);
                let call = match rng.u32(0..100) {
                    0..55 if dialling && self.centre.campaign_weight() > 0 => self.dialled(&mut rng),
                    0..92 => self.inbound(&mut rng),
                    _ => self.internal(&mut rng),
                };
                Call { end, number, ..call }
            })
            .collect();
        let mut calls = struck(&self.incidents, self.seed, calls);
        calls.sort_by_key(|call| (call.end, call.number));
        calls
    }

    fn dialled(&self, rng: &mut Rng) -> Call {
        let mut place = rng.u32(0..self.centre.campaign_weight());
        let campaign = self
            .centre
            .campaigns
            .iter()
            .position(|campaign| {
                let here = place < campaign.weight;
                place = place.saturating_sub(campaign.weight);
                here
            })
            .unwrap_or(0);
        let usual = self.figures;
        let (outcome, duration) = match rng.u32(0..100) {
            luck if luck < usual.answered => (Outcome::Answered, conversation(rng)),
            luck if luck < usual.answered + usual.no_answer => (Outcome::NoAnswer, 0),
            luck if luck < usual.answered + usual.no_answer + usual.failed => (Outcome::Failed, 0),
            _ => (Outcome::Machine, rng.u32(3..25)),
        };
        Call {
            duration,
            wait: rng.u32(2..30),
            outcome,
            skill: self.centre.campaigns[campaign].skill.unwrap_or(0),
            campaign: Some(campaign),
            hit: outcome == Outcome::Answered && rng.u32(0..100) < 12,
            ..blank(Direction::Outbound)
        }
    }

    fn inbound(&self, rng: &mut Rng) -> Call {
        let abandoned = rng.u32(0..100) < self.figures.abandoned;
        Call {
            duration: if abandoned { 0 } else { conversation(rng) },
            wait: if abandoned {
                rng.u32(3..self.figures.patience)
            } else {
                rng.u32(1..90)
            },
            outcome: if abandoned {
                Outcome::Abandoned
            } else {
                Outcome::Answered
            },
            skill: rng.usize(0..self.centre.skills.len()),
            ivr: Some(IvrEntry {
                routing_point: rng.usize(0..self.centre.routing_points.len()),
                option: if rng.u32(0..100) < 8 { None } else { Some(rng.u8(1..=9)) },
                seconds: rng.u32(4..60),
                gave_up: false,
                pressed_nothing: false,
            }),
            ..blank(Direction::Inbound)
        }
    }

    fn internal(&self, rng: &mut Rng) -> Call {
        Call {
            duration: rng.u32(0..200),
            wait: rng.u32(1..10),
            skill: rng.usize(0..self.centre.skills.len()),
            ..blank(Direction::Internal)
        }
    }
}

fn blank(direction: Direction) -> Call {
    Call {
        end: 0,
        number: 0,
        duration: 0,
        wait: 0,
        direction,
        outcome: Outcome::Answered,
        skill: 0,
        campaign: None,
        hit: false,
        ivr: None,
    }
}

/// Seconds of a conversation: many short ones, a long tail.
fn conversation(rng: &mut Rng) -> u32 {
    match rng.u32(0..100) {
        0..6 => rng.u32(0..=5),
        6..22 => rng.u32(6..=20),
        22..48 => rng.u32(21..=60),
        48..72 => rng.u32(61..=121),
        72..97 => rng.u32(122..600),
        _ => rng.u32(600..2400),
    }
}
