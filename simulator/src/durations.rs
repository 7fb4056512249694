//! Calls by duration, as `cdr_4` adds them up.

use std::ops::{Add, AddAssign, Index, IndexMut};

use super::call::Call;

/// An interval of call durations. Its edges are those in the keys of the report; the vendor's text disagrees about 121 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DurationBucket {
    /// 0 to 5 seconds.
    UpTo5,
    /// 6 to 20 seconds.
    UpTo20,
    /// 21 to 60 seconds.
    UpTo60,
    /// 61 to 120 seconds.
    UpTo120,
    /// 121 seconds and more.
    Longer,
}

impl DurationBucket {
    /// All intervals, shortest first.
    pub const ALL: [DurationBucket; 5] = [
        DurationBucket::UpTo5,
        DurationBucket::UpTo20,
        DurationBucket::UpTo60,
        DurationBucket::UpTo120,
        DurationBucket::Longer,
    ];

    /// The interval of a call with this duration.
    pub fn of(seconds: u32) -> DurationBucket {
        match seconds {
            0..=5 => DurationBucket::UpTo5,
            6..=20 => DurationBucket::UpTo20,
            21..=60 => DurationBucket::UpTo60,
            61..=120 => DurationBucket::UpTo120,
            _ => DurationBucket::Longer,
        }
    }

    /// The key in the report (the vendor's page).
    pub fn key(self) -> &'static str {
        match self {
            DurationBucket::UpTo5 => "0_5_seg",
            DurationBucket::UpTo20 => "6_20_seg",
            DurationBucket::UpTo60 => "21_60_seg",
            DurationBucket::UpTo120 => "61_120_seg",
            DurationBucket::Longer => "greater_than_121",
        }
    }
}

/// The sums of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketTotals {
    /// Inbound, outbound and internal calls.
    pub calls: u64,
    /// Billed minutes, rounded up call by call.
    pub minutes: u64,
    /// Millionths of the currency; always whole hundredths, so that the report's two decimals are exact.
    pub cost_micros: u64,
}

impl AddAssign for BucketTotals {
    fn add_assign(&mut self, other: BucketTotals) {
        self.calls += other.calls;
        self.minutes += other.minutes;
        self.cost_micros += other.cost_micros;
    }
}

/// The sums of a day or of any other window, bucket by bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayTotals {
    buckets: [BucketTotals; 5],
}

impl DayTotals {
    /// The sum over all buckets.
    pub fn total(&self) -> BucketTotals {
        let mut total = BucketTotals::default();
        for bucket in self.buckets {
            total += bucket;
        }
        total
    }

    pub(super) fn count(&mut self, call: &Call) {
        self[DurationBucket::of(call.duration)] += BucketTotals {
            calls: 1,
            minutes: call.billed_minutes(),
            cost_micros: call.cost_micros(),
        };
    }
}

impl Index<DurationBucket> for DayTotals {
    type Output = BucketTotals;

    fn index(&self, bucket: DurationBucket) -> &BucketTotals {
        &self.buckets[bucket as usize]
    }
}

impl IndexMut<DurationBucket> for DayTotals {
    fn index_mut(&mut self, bucket: DurationBucket) -> &mut BucketTotals {
        &mut self.buckets[bucket as usize]
    }
}

impl AddAssign for DayTotals {
    fn add_assign(&mut self, other: DayTotals) {
        for (mine, others) in self.buckets.iter_mut().zip(other.buckets) {
            *mine += others;
        }
    }
}

impl Add for DayTotals {
    type Output = DayTotals;

    fn add(mut self, other: DayTotals) -> DayTotals {
        self += other;
        self
    }
}
