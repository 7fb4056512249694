//! How hard the events of an operation make it for their reader.

use fastrand::Rng;
use jiff::SignedDuration;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// What the row reports are to be like. The default is moderate; [`EventPlan::calm`] has none of the difficulties.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPlan {
    /// Multiplies the number of events, on top of the operation's volume. Only at 1 do they fit the sums of `cdr_4`.
    pub volume: f64,
    /// Whether `skill_2` has rows of answered calls, too: its title says abandoned, its fields say both.
    pub answered_waits: bool,
    /// How late rows show.
    pub lateness: Lateness,
    /// When codes and results of preview campaigns are typed.
    pub completion: Completion,
    /// The share of rows that come two or three times, each time counting.
    pub twins: f64,
    /// The dates of an IVR call's rows.
    pub step_dates: StepDates,
    /// The share of menu steps at which callers type a telephone or document number.
    pub typed_numbers: f64,
}

impl Default for EventPlan {
    fn default() -> EventPlan {
        EventPlan {
            volume: 1.0,
            answered_waits: true,
            lateness: Lateness::default(),
            completion: Completion::default(),
            twins: 0.003,
            step_dates: StepDates::default(),
            typed_numbers: 0.01,
        }
    }
}

impl EventPlan {
    /// Every row shows at once, complete and once.
    pub fn calm() -> EventPlan {
        EventPlan {
            lateness: Lateness::NONE,
            completion: Completion::AT_ONCE,
            twins: 0.0,
            ..EventPlan::default()
        }
    }

    /// How often a row comes, besides the first time.
    pub(super) fn further_copies(&self, rng: &mut Rng) -> u32 {
        let (luck, more) = (rng.f64(), rng.u32(0..5));
        if luck < self.twins { 1 + u32::from(more == 0) } else { 0 }
    }
}

/// How long after its date a row shows. The shares are of all rows; those that are left show within `prompt`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lateness {
    /// The longest delay of a row that is not late.
    pub prompt: SignedDuration,
    /// The share that shows after 1 to 15 minutes.
    pub minutes: f64,
    /// The share that shows after 1 to 8 hours.
    pub hours: f64,
    /// The share that shows after 8 hours to `longest`.
    pub days: f64,
    /// No row shows later than that.
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
    /// Every row shows in the second of its date.
    pub const NONE: Lateness = Lateness {
        prompt: SignedDuration::ZERO,
        minutes: 0.0,
        hours: 0.0,
        days: 0.0,
        longest: SignedDuration::ZERO,
    };

    /// Seconds between the date and the moment in which the row shows.
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

/// How long after its row a code or a result is typed. The shares are of all rows; those that are left are typed after 1
/// to 30 minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Completion {
    /// The share that is there from the beginning.
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
    /// Nothing is ever blank.
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
    /// All have the end of the IVR part (the vendor's page).
    #[default]
    EndOfCall,
    /// Each has its own; the last one has the end.
    EachItsOwn,
}

fn between(from: i64, until: i64, part: f64) -> i64 {
    from + ((until - from).max(0) as f64 * part).round() as i64
}
