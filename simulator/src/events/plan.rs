//! How hard the rows of an operation are to count: their number, delays, late codes and twins.

use fastrand::Rng;
use jiff::SignedDuration;

use super::{
    changes::{Moved, Returns, Unfinished},
    fake_people::Connection,
};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// What the rows of an operation are like. The default is moderate; [`EventPlan::calm`] has no difficulties.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPlan {
    /// Multiplies the number of rows, on top of the operation's volume. They match the sums of `cdr_4` only at 1.
    pub volume: f64,
    /// Whether `skill_2` also has rows of answered calls. Its title says abandoned calls, its fields say both. `skill_10` always has
    /// them.
    pub answered_waits: bool,
    /// How late rows appear.
    pub lateness: Lateness,
    /// When agents type the codes and results of preview campaigns.
    pub completion: Completion,
    /// The share of rows that are listed two or three times. All of them count.
    pub twins: f64,
    /// How much later than in the row itself the code or result of a preview campaign is typed in its twins.
    pub twin_typing: SignedDuration,
    /// The dates of an IVR call's rows.
    pub step_dates: StepDates,
    /// Whether each row of an IVR call says what was known at its date: `ok`, and the time until then. The row with the newest
    /// date decides. Without it all rows of a call agree (assumed).
    pub time_so_far: bool,
    /// Whether a `conn_id` comes back a day later, for another call. Nothing says how long one is unique.
    pub conn_ids_repeat: bool,
    /// The share of menu steps at which callers type a telephone or document number.
    pub typed_numbers: f64,
    /// Rows that are listed before everything in them is final.
    pub unfinished: Unfinished,
    /// Rows whose date changes.
    pub moved: Moved,
    /// Callers who come to the same skill twice in one call.
    pub returns: Returns,
    /// Whether a few rows of `skill_2` and `campaign_5` have words that the vendor's page does not have. They count as `other`.
    pub odd_words: bool,
    /// The share of further rows with a word that the vendor's page does not have: `result` of
    /// `skill_2` and `diagram_1`, `hang_up` of calls in `campaign_5`. They count as `other`.
    pub unknown_words: f64,
    /// The share of rows whose duration is 99,999,999,999 seconds. That is nonsense: the row counts, but its seconds are in no
    /// list of them.
    pub absurd_times: f64,
}

impl Default for EventPlan {
    fn default() -> EventPlan {
        EventPlan {
            volume: 1.0,
            answered_waits: true,
            lateness: Lateness::default(),
            completion: Completion::default(),
            twins: 0.003,
            twin_typing: SignedDuration::ZERO,
            time_so_far: false,
            conn_ids_repeat: false,
            step_dates: StepDates::default(),
            typed_numbers: 0.01,
            unfinished: Unfinished::default(),
            moved: Moved::default(),
            returns: Returns::default(),
            odd_words: true,
            unknown_words: 0.0,
            absurd_times: 0.0,
        }
    }
}

impl EventPlan {
    /// Moderate, but every assumption holds that is made about the API: no row comes twice, and every word is known.
    pub fn as_assumed() -> EventPlan {
        EventPlan {
            twins: 0.0,
            odd_words: false,
            ..EventPlan::default()
        }
    }

    /// Every row is there at once, complete, and only once.
    pub fn calm() -> EventPlan {
        EventPlan {
            lateness: Lateness::NONE,
            completion: Completion::AT_ONCE,
            twins: 0.0,
            ..EventPlan::default()
        }
    }

    /// The connection of a call that ends at that second, with its number among the calls of that minute.
    pub(super) fn connection(&self, end: i64, number: u32) -> Connection {
        let end = if self.conn_ids_repeat {
            end.rem_euclid(24 * HOUR) / MINUTE * MINUTE
        } else {
            end
        };
        Connection { end, number }
    }

    /// Whether a word is unknown, and whether a duration is absurd.
    pub(super) fn oddities(&self, rng: &mut Rng) -> (bool, bool) {
        (rng.f64() < self.unknown_words, rng.f64() < self.absurd_times)
    }

    /// How often a row is repeated.
    pub(super) fn twins_of_row(&self, rng: &mut Rng) -> u32 {
        let (luck, more) = (rng.f64(), rng.u32(0..5));
        if luck < self.twins { 1 + u32::from(more == 0) } else { 0 }
    }
}

/// How long after its date a row appears. Shares are of all rows; the rest appear within `prompt`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lateness {
    /// The longest delay of a row that is not late.
    pub prompt: SignedDuration,
    /// The share that appears after 1 to 15 minutes.
    pub minutes: f64,
    /// The share that appears after 1 to 8 hours.
    pub hours: f64,
    /// The share that appears after 8 hours to `longest`.
    pub days: f64,
    /// The longest delay of any row.
    pub longest: SignedDuration,
}

impl Default for Lateness {
    fn default() -> Lateness {
        Lateness {
            prompt: SignedDuration::from_mins(1),
            minutes: 0.08,
            hours: 0.01,
            days: 0.002,
            longest: SignedDuration::from_hours(40),
        }
    }
}

impl Lateness {
    /// Every row appears in the second of its date.
    pub const NONE: Lateness = Lateness {
        prompt: SignedDuration::ZERO,
        minutes: 0.0,
        hours: 0.0,
        days: 0.0,
        longest: SignedDuration::ZERO,
    };

    /// Seconds from the date until the row appears.
    pub(super) fn draw(&self, rng: &mut Rng) -> i64 {
        let (luck, part) = (rng.f64(), rng.f64());
        let longest = self.longest.as_secs();
        let (from, until) = if luck < self.days {
            (8 * HOUR, longest)
        } else if luck < self.days + self.hours {
            (HOUR, 8 * HOUR)
        } else if luck < self.days + self.hours + self.minutes {
            (MINUTE, 15 * MINUTE)
        } else {
            (0, self.prompt.as_secs())
        };
        between(from.min(longest), until.min(longest), part)
    }
}

/// How long after the date of its row a code or result is typed. Shares are of all rows; the rest are typed after 1 to 30
/// minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Completion {
    /// The share that is there from the start.
    pub at_once: f64,
    /// The share that is typed after 1 to 5 hours.
    pub hours: f64,
    /// The share that stays blank.
    pub never: f64,
}

impl Default for Completion {
    fn default() -> Completion {
        Completion {
            at_once: 0.6,
            hours: 0.08,
            never: 0.03,
        }
    }
}

impl Completion {
    /// Everything is there from the start.
    pub const AT_ONCE: Completion = Completion {
        at_once: 1.0,
        hours: 0.0,
        never: 0.0,
    };

    /// Seconds after the row's date, `None` for never.
    pub(super) fn draw(&self, rng: &mut Rng) -> Option<i64> {
        let (luck, part) = (rng.f64(), rng.f64());
        if luck < self.never {
            None
        } else if luck < self.never + self.hours {
            Some(between(HOUR, 5 * HOUR, part))
        } else if luck < self.never + self.hours + self.at_once {
            Some(0)
        } else {
            Some(between(MINUTE, 30 * MINUTE, part))
        }
    }
}

/// The dates of an IVR call's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepDates {
    /// All rows have the end of the IVR part (the vendor's page).
    #[default]
    EndOfCall,
    /// Each row has its own date; the last one has the end.
    EachItsOwn,
}

pub(super) fn between(from: i64, until: i64, part: f64) -> i64 {
    from + ((until - from).max(0) as f64 * part).round() as i64
}
