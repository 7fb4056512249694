//! Generates the calls of an operation, minute by minute.

use std::ops::RangeInclusive;

use fastrand::Rng;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::{
    call::{Call, Direction, IvrEntry, Outcome},
    centre::Centre,
    incidents::{Incident, apply_incidents},
    load_curve::{BUSY_TIME, calls_a_minute, campaigns_dial},
    random::rng_at,
};

const CALLS: u64 = 0x0063_616c_6c73_0000;
const DAYS: u64 = 0x0064_6179_7300_0000;

/// No conversation lasts as many seconds.
pub(super) const LONGEST_CONVERSATION: u32 = 2400;

/// How calls usually end. Shares are in percent of the calls of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallMix {
    /// Inbound calls that are abandoned.
    pub abandoned: u32,
    /// No caller waits as many seconds before giving up.
    pub patience: u32,
    /// No caller waits as many seconds before an answer. At 90, about a fifth of the callers are answered
    /// within 20 s, at 24 five of six.
    pub answered_within: u32,
    /// Dials that are answered.
    pub answered: u32,
    /// Dials that nobody answers.
    pub no_answer: u32,
    /// Dials that end as busy, congestion or failed. The rest reach an answering machine.
    pub failed: u32,
}

impl Default for CallMix {
    /// A contact centre that loses many callers.
    fn default() -> CallMix {
        CallMix {
            abandoned: 14,
            patience: 240,
            answered_within: 90,
            answered: 38,
            no_answer: 30,
            failed: 16,
        }
    }
}

impl CallMix {
    /// A contact centre that meets the usual targets: at most 5 % of callers give up, and four of five are answered within 20 s.
    pub fn calm() -> CallMix {
        CallMix {
            abandoned: 3,
            patience: 120,
            answered_within: 24,
            answered: 46,
            no_answer: 24,
            failed: 10,
        }
    }
}

/// Generates calls. The same minute always has the same calls.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    pub(super) seed: u64,
    pub(super) timezone: TimeZone,
    pub(super) volume: f64,
    pub(super) never_closes: bool,
    pub(super) centre: Centre,
    pub(super) call_mix: CallMix,
    pub(super) incidents: Vec<Incident>,
}

impl Traffic {
    /// Whether campaigns dial at that local time.
    pub(super) fn campaigns_dial(&self, local: DateTime) -> bool {
        campaigns_dial(self.time_on_curve(local))
    }

    /// First and last second of a local day, which may have 23 or 25 hours.
    pub(super) fn day(&self, date: Date) -> Option<RangeInclusive<i64>> {
        let start = |date: Date| {
            date.to_zoned(self.timezone.clone())
                .and_then(|zoned| zoned.start_of_day())
                .map(|zoned| zoned.timestamp().as_second())
        };
        Some(start(date).ok()?..=start(date.tomorrow().ok()?).ok()? - 1)
    }

    /// First and last second of the local day that has this second.
    pub(super) fn day_of(&self, second: i64) -> Option<RangeInclusive<i64>> {
        let instant = Timestamp::from_second(second).ok()?;
        self.day(self.timezone.to_datetime(instant).date())
    }

    fn time_on_curve(&self, local: DateTime) -> DateTime {
        if self.never_closes { BUSY_TIME } else { local }
    }

    /// The local time of a minute since the epoch, and the number of calls to expect in it.
    pub(super) fn expected(&self, minute: i64) -> Option<(DateTime, f64)> {
        let local = self.timezone.to_datetime(Timestamp::from_second(minute * 60).ok()?);
        // Some days are busier than others; all minutes of a local day share the factor.
        let date = local.date();
        let day = i64::from(date.year()) * 400 + i64::from(date.day_of_year());
        let luck = 0.85 + 0.3 * rng_at(self.seed, DAYS, day).f64();
        Some((local, calls_a_minute(self.time_on_curve(local)) * self.volume * luck))
    }

    /// The calls that end in a minute since the epoch, in the order of their ends.
    ///
    /// A call belongs to the minute of its end: no report shows it earlier.
    pub(super) fn minute(&self, minute: i64) -> Vec<Call> {
        let Some((local, expected)) = self.expected(minute) else {
            return Vec::new();
        };
        let mut rng = rng_at(self.seed, CALLS, minute);
        // The second random number rounds up or down, so that 0.1 calls a minute still give some calls in a night.
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
        let mut calls = apply_incidents(&self.incidents, self.seed, calls);
        calls.sort_by_key(|call| (call.end, call.number));
        calls
    }

    fn dialled(&self, rng: &mut Rng) -> Call {
        let mut at = rng.u32(0..self.centre.campaign_weight());
        let campaign = self
            .centre
            .campaigns
            .iter()
            .position(|campaign| {
                let here = at < campaign.weight;
                at = at.saturating_sub(campaign.weight);
                here
            })
            .unwrap_or(0);
        let usual = self.call_mix;
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
            ..Call::empty(Direction::Outbound)
        }
    }

    fn inbound(&self, rng: &mut Rng) -> Call {
        let abandoned = rng.u32(0..100) < self.call_mix.abandoned;
        Call {
            duration: if abandoned { 0 } else { conversation(rng) },
            wait: if abandoned {
                rng.u32(3..self.call_mix.patience)
            } else {
                rng.u32(1..self.call_mix.answered_within.max(2))
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
            ..Call::empty(Direction::Inbound)
        }
    }

    fn internal(&self, rng: &mut Rng) -> Call {
        Call {
            duration: rng.u32(0..200),
            wait: rng.u32(1..10),
            skill: rng.usize(0..self.centre.skills.len()),
            ..Call::empty(Direction::Internal)
        }
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
        _ => rng.u32(600..LONGEST_CONVERSATION),
    }
}
