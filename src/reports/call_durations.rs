//! `reports_manager.php?api=cdr_4`: calls of a day by duration, with billed minutes and cost.
//!
//! An answer gives the totals of the asked range, so the day is asked from its midnight on and the ledger adds what has
//! come on top. The minutes are billed minutes, rounded up per call: they are not the calls' duration, and therefore
//! this is no histogram, whose sum would be false.

use serde::Deserialize;

use super::{Outcome, Tally};
use crate::metrics::Family;
use crate::metrics::series::{Amount, Label, Micros, SeriesKey};
use crate::wire::fields::{self, Leaf, Reading};
use crate::wire::{Query, Rows};

static CALLS: Family = Family::counter(
    "wolkvox_calls",
    &["duration"],
    "Calls by duration, inbound, outbound and internal, from the field calls of cdr_4.",
)
.with_fixed_values(&[("duration", &DURATIONS)]);
static BILLED: Family = Family::counter(
    "wolkvox_calls_billed_seconds",
    &["duration"],
    "Billed time of calls by duration, rounded up to minutes per call by the vendor, from the field minutes of cdr_4.",
)
.with_fixed_values(&[("duration", &DURATIONS)]);
static COST: Family = Family::counter(
    "wolkvox_calls_cost",
    &["duration", "currency"],
    "Cost of calls by duration, in the configured currency, from the field cost of cdr_4.",
)
.with_fixed_values(&[("duration", &DURATIONS)]);

/// The families of this report.
pub(super) static FAMILIES: [&Family; 3] = [&CALLS, &BILLED, &COST];

/// The fields whose values may be unreadable.
pub(super) const FIELDS: [&str; 3] = ["calls", "minutes", "cost"];

/// The keys of the answer. The vendor's text says 61–121 and "more than 121"; the key names are taken as the edges.
const BUCKETS: [&str; 5] = ["0_5_seg", "6_20_seg", "21_60_seg", "61_120_seg", "greater_than_121"];
/// The values of the label `duration` that they become.
const DURATIONS: [&str; BUCKETS.len()] = ["0-5s", "6-20s", "21-60s", "61-120s", "121s+"];

/// A bucket as it comes.
#[derive(Deserialize)]
pub struct BucketRow<'a> {
    /// Names the bucket where the buckets come as a list; documented so, never seen.
    #[serde(borrow, default, alias = "INTERVAL")]
    interval: Leaf<'a>,
    #[serde(borrow, default)]
    calls: Leaf<'a>,
    #[serde(borrow, default)]
    minutes: Leaf<'a>,
    #[serde(borrow, default)]
    cost: Leaf<'a>,
}

/// Reads the totals of one answer.
#[derive(Debug)]
pub struct CallDurations {
    currency: String,
    seen: [bool; BUCKETS.len()],
    totals: Vec<(SeriesKey, Amount)>,
    tally: Tally,
}

/// What is asked: the totals between two wall-clock times, 14 digits each, both inclusive.
pub fn query(from: String, to: String) -> Query {
    Query {
        script: "reports_manager.php",
        api: "cdr_4",
        parameters: vec![("date_ini", from), ("date_end", to)],
    }
}

impl CallDurations {
    /// A reader; the API gives cost without a currency, so it is configured.
    pub fn new(currency: Option<&str>) -> Self {
        Self {
            currency: currency.unwrap_or_default().to_owned(),
            seen: [false; BUCKETS.len()],
            totals: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// All series of the report at zero: they are born together.
    pub fn all_series(currency: Option<&str>) -> Vec<(SeriesKey, Amount)> {
        let reader = Self::new(currency);
        let nothing = Amount::Sum(Micros(0));
        let zeros = [Amount::Count(0), nothing, nothing];
        DURATIONS
            .iter()
            .flat_map(|duration| reader.bucket_series(duration).into_iter().zip(zeros))
            .collect()
    }

    /// What came of the buckets.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The totals that the answer gives; a bucket or a value that is missing in it is missing here.
    pub fn into_totals(self) -> Vec<(SeriesKey, Amount)> {
        self.totals
    }

    fn bucket_series(&self, duration: &'static str) -> [SeriesKey; 3] {
        let duration = Label::Borrowed(duration);
        let currency = Label::Owned(self.currency.clone());
        [
            SeriesKey {
                family: &CALLS,
                labels: vec![duration.clone()],
            },
            SeriesKey {
                family: &BILLED,
                labels: vec![duration.clone()],
            },
            SeriesKey {
                family: &COST,
                labels: vec![duration, currency],
            },
        ]
    }
}

impl Rows for CallDurations {
    type Row<'a> = BucketRow<'a>;

    fn row(&mut self, key: Option<&str>, row: BucketRow<'_>) {
        let interval = match fields::text(&row.interval) {
            Reading::Value(interval) => Some(interval),
            Reading::Absent | Reading::Invalid => None,
        };
        let Some(key) = key.or(interval) else {
            self.tally.count(Outcome::Invalid);
            return;
        };
        // An unknown key may be a total over the others, a second one of the same name a repetition: never added.
        let bucket = BUCKETS.iter().position(|name| name.eq_ignore_ascii_case(key.trim()));
        let Some(bucket) = bucket.filter(|n| !self.seen[*n]) else {
            self.tally.count(Outcome::Ignored);
            return;
        };
        self.seen[bucket] = true;
        let calls = self.tally.read("calls", fields::count(&row.calls)).map(Amount::Count);
        let minutes = self.tally.read("minutes", fields::decimal(&row.minutes));
        let billed = minutes.map(|minutes| Amount::Sum(Micros(minutes.0.saturating_mul(60))));
        let cost = self.tally.read("cost", fields::decimal(&row.cost)).map(Amount::Sum);
        let series = self.bucket_series(DURATIONS[bucket]);
        self.totals.extend(
            series
                .into_iter()
                .zip([calls, billed, cost])
                .filter_map(|(key, total)| Some((key, total?))),
        );
        self.tally.count(Outcome::Counted);
    }

    fn invalid(&mut self) {
        self.tally.count(Outcome::Invalid);
    }
}
