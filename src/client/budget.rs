//! The calls of a local day. We assume that the vendor counts them per operation, resets the count at local midnight,
//! and counts failed calls too, so retries also cost.

use std::collections::BTreeMap;

use jiff::civil::Date;

/// A clock that jumps for a while must not lose the count of the real day.
const DAYS_KEPT: usize = 3;

/// Calls used and allowed on one local day.
#[derive(Clone, Debug)]
pub struct CallBudget {
    limit: u32,
    today: Date,
    used: BTreeMap<Date, u32>,
    /// How many of the used calls were catch-up, as far as this process knows.
    caught_up: BTreeMap<Date, u32>,
}

impl CallBudget {
    /// A budget; `used` calls may already be gone.
    pub fn new(limit: u32, today: Date, used: u32) -> Self {
        Self {
            limit,
            today,
            used: BTreeMap::from([(today, used)]),
            caught_up: BTreeMap::new(),
        }
    }

    /// Changes the number of calls allowed per day; used calls stay used.
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

    /// Takes one call; returns false when none is left.
    pub fn take(&mut self) -> bool {
        let granted = self.used() < self.limit;
        *self.used.entry(self.today).or_default() += u32::from(granted);
        granted
    }

    /// Calls used today.
    pub fn used(&self) -> u32 {
        self.used.get(&self.today).copied().unwrap_or_default()
    }

    /// The same with the next call, as far as there is one.
    pub fn used_with_next(&self) -> u32 {
        self.used().max(self.limit.min(self.used().saturating_add(1)))
    }

    /// Calls left today.
    pub fn left(&self) -> u32 {
        self.limit.saturating_sub(self.used())
    }

    /// When polling until midnight needs more calls than are left, keep only every k-th tick. Returns k, or `None` when
    /// no call is left.
    pub fn thinning(&self, needed: u64) -> Option<u64> {
        (self.left() > 0).then(|| needed.div_ceil(u64::from(self.left())).max(1))
    }

    /// Calls that catch-up may still use today: a third of what the live polls leave.
    pub fn spare(&self, needed: u64) -> u64 {
        let caught_up = u64::from(self.caught_up.get(&self.today).copied().unwrap_or_default());
        let not_live = (u64::from(self.left()) + caught_up).saturating_sub(needed);
        (not_live / 3).saturating_sub(caught_up)
    }

    /// Records calls that were catch-up.
    pub fn record_catch_up(&mut self, calls: u32) {
        *self.caught_up.entry(self.today).or_default() += calls;
    }
}
