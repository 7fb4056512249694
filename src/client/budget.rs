//! The calls of a local day. The vendor counts them per operation, resets at local midnight (assumed) and counts a failed
//! call like any other (assumed), so retries cost too.

use std::collections::BTreeMap;

use jiff::civil::Date;

/// A clock that jumps for a while must not cost the count of the right day.
const DAYS_KEPT: usize = 3;

/// Calls used and allowed on one local day.
#[derive(Clone, Debug)]
pub struct CallBudget {
    limit: u32,
    today: Date,
    used: BTreeMap<Date, u32>,
    /// Those of them that a catch-up used, as far as this process knows.
    caught_up: BTreeMap<Date, u32>,
}

impl CallBudget {
    /// A budget of which some calls may be used already.
    pub fn new(limit: u32, today: Date, used: u32) -> Self {
        Self {
            limit,
            today,
            used: BTreeMap::from([(today, used)]),
            caught_up: BTreeMap::new(),
        }
    }

    /// Allows another number of calls a day; those used stay used.
    pub fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// Switches to a local day. If the clock jumps back to an earlier day, its used calls still count.
    pub fn set_day(&mut self, today: Date) {
        self.today = today;
        self.used.entry(today).or_default();
        while self.used.len() > DAYS_KEPT {
            self.used.pop_first();
        }
        while self.caught_up.len() > DAYS_KEPT {
            self.caught_up.pop_first();
        }
    }

    /// Takes one call; false when none is left.
    pub fn take(&mut self) -> bool {
        let granted = self.used() < self.limit;
        *self.used.entry(self.today).or_default() += u32::from(granted);
        granted
    }

    /// Calls used today.
    pub fn used(&self) -> u32 {
        self.used.get(&self.today).copied().unwrap_or_default()
    }

    /// Calls left today.
    pub fn left(&self) -> u32 {
        self.limit.saturating_sub(self.used())
    }

    /// When the polls left until midnight need more calls than are left, only every k-th tick is kept: this k. `None`
    /// when no call is left.
    pub fn thinning(&self, needed: u64) -> Option<u64> {
        (self.left() > 0).then(|| needed.div_ceil(u64::from(self.left())).max(1))
    }

    /// Calls that a catch-up may still use today: it has a third of what the live polls leave.
    pub fn spare(&self, needed: u64) -> u64 {
        let caught_up = u64::from(self.caught_up.get(&self.today).copied().unwrap_or_default());
        let not_live = (u64::from(self.left()) + caught_up).saturating_sub(needed);
        (not_live / 3).saturating_sub(caught_up)
    }

    /// Takes note of calls that were a catch-up's.
    pub fn record_catch_up(&mut self, calls: u32) {
        *self.caught_up.entry(self.today).or_default() += calls;
    }
}
