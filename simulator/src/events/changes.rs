//! Rows that change after they were first shown, and callers who come back.
//!
//! That rows change after the call was seen in real use; nobody has shown how. So nothing of this happens unless a plan asks
//! for it.

use fastrand::Rng;
use jiff::SignedDuration;

use super::plan::between;

/// Rows that are listed before everything in them is final. What they say in the end is the same with and without it. A row
/// that only appears when it is final is complete from the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unfinished {
    /// The share of rows in `skill_2` and `skill_10`, of calls in `campaign_5`, of calls ([`FirstStep::MidMenu`]) or rows
    /// ([`FirstStep::NoOption`]) in `diagram_1`.
    pub share: f64,
    /// How long after its date a row is final: from half of this to all of it.
    pub longest: SignedDuration,
    /// What rows of `skill_2` look like until then. Those of `skill_10` have no time then, and no result where
    /// this says so; they do not count yet. In those of `campaign_5` the call goes on: `call_result`, `hang_up`, `time`
    /// and `cod_act` are blank, and nothing counts yet.
    pub waits: FirstWait,
    /// What rows of `diagram_1` look like until then.
    pub steps: FirstStep,
}

impl Default for Unfinished {
    fn default() -> Unfinished {
        Unfinished {
            share: 0.0,
            longest: SignedDuration::from_mins(5),
            waits: FirstWait::default(),
            steps: FirstStep::default(),
        }
    }
}

/// A row of `skill_2` that is not final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstWait {
    /// `result` is blank. Nothing counts yet.
    #[default]
    NoResult,
    /// `abandon_time` is blank. The row counts, its wait does not yet.
    NoTime,
    /// Both are blank.
    NoResultNoTime,
    /// `result` says `in queue`, and `abandon_time` half of what it will. Nothing counts yet.
    InQueue,
}

/// A row of `diagram_1` that is not final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstStep {
    /// In all rows of the call, `result` is blank and `time` half of what it will be; of several rows the last is not there. The
    /// steps that are there count, the call does not yet.
    #[default]
    MidMenu,
    /// `cod_opc_menu` is blank, as if nothing had been pressed. In the truth the step counts only with its option. A client
    /// cannot tell such a row from one that stays blank, unless it waits.
    NoOption,
}

impl Unfinished {
    /// When a row of that date is final.
    pub(super) fn draw(&self, rng: &mut Rng, at: i64) -> i64 {
        let (luck, part) = (rng.f64(), rng.f64());
        let longest = self.longest.as_secs();
        if luck < self.share {
            at + between(longest / 2, longest, part)
        } else {
            i64::MIN
        }
    }
}

/// Rows that are shown with an earlier date at first, say that of their beginning; then that row is gone, and the same row has
/// its final date. It is one row. Once nothing changes any more, the truth has it at the final date only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// The share of rows in `skill_2` and `campaign_5`, of calls in `diagram_1` and `skill_10`.
    pub share: f64,
    /// How much earlier the first date is.
    pub by: SignedDuration,
    /// How long after the row was first shown its date changes; not before the final date, though.
    pub after: SignedDuration,
}

impl Default for Moved {
    fn default() -> Moved {
        Moved {
            share: 0.0,
            by: SignedDuration::from_secs(40),
            after: SignedDuration::from_mins(2),
        }
    }
}

impl Moved {
    pub(super) fn draw(&self, rng: &mut Rng) -> bool {
        rng.f64() < self.share
    }

    /// `by` and `after`, neither below 0.
    pub(super) fn seconds(&self) -> (i64, i64) {
        (self.by.as_secs().max(0), self.after.as_secs().max(0))
    }

    pub(super) fn lookahead_minutes(&self) -> i64 {
        minutes_if(self.share, self.by)
    }
}

/// Callers who wait for the same skill a second time in the same call. Both waits have a row with the same `conn_id`, and both
/// count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Returns {
    /// The share of calls in `skill_2`.
    pub share: f64,
    /// How much later than the first row the second is dated. At zero both have the same second.
    pub after: SignedDuration,
}

impl Default for Returns {
    fn default() -> Returns {
        Returns {
            share: 0.0,
            after: SignedDuration::from_secs(90),
        }
    }
}

impl Returns {
    pub(super) fn draw(&self, rng: &mut Rng) -> bool {
        rng.f64() < self.share
    }

    pub(super) fn lookahead_minutes(&self) -> i64 {
        minutes_if(self.share, self.after)
    }
}

/// Begun minutes of a time, none if nothing ever takes it.
fn minutes_if(share: f64, time: SignedDuration) -> i64 {
    if share > 0.0 {
        (time.as_secs().max(0) + 59) / 60
    } else {
        0
    }
}
