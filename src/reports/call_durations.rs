//! `reports_manager.php?api=cdr_4`: calls of a day by duration, with billed minutes and cost.
//!
//! An answer gives the totals of the requested range. So we ask for the day from midnight on, and the ledger adds the
//! difference to the last reading. The minutes are billed minutes, rounded up per call. They are not the duration of
//! the calls, so this report is not a histogram: its sum would be wrong.

use std::time::Duration;

use serde::Deserialize;

use super::day_totals::{DayAnswer, DayReader, DayRows, DayTotals};
use super::values::begins;
use super::{Assumption, Kind, MINUTE, Outcome, REPORTS_MANAGER, Report, Tally};
use crate::metrics::Family;
use crate::metrics::series::{Amount, Label, Micros, SeriesKey};
use crate::wire::fields::{self, Leaf, Reading};
use crate::wire::json::{self, Broken};
use crate::wire::{Endpoint, Rows};

/// The report.
pub static CALL_DURATIONS: Report = Report {
    name: "call_durations",
    state_id: 1,
    endpoint: Endpoint {
        script: REPORTS_MANAGER,
        api: "cdr_4",
    },
    filter: None,
    seconds: None,
    interval: MINUTE.saturating_mul(5),
    quiet_interval: None,
    timeout: Duration::from_secs(90),
    families: &[&CALLS, &BILLED, &COST],
    names: &[],
    fields: &["calls", "minutes", "cost"],
    kind: Kind::DayTotals(DayTotals {
        reader: |currency| DayRows(Box::new(Buckets::new(currency))),
        zeros,
    }),
};

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

/// The keys of the answer. The vendor's text says 61–121 and "more than 121"; we take the edges from the key names.
const BUCKETS: [&str; 5] = ["0_5_seg", "6_20_seg", "21_60_seg", "61_120_seg", "greater_than_121"];
/// The values of the label `duration`, one for each key.
const DURATIONS: [&str; BUCKETS.len()] = ["0-5s", "6-20s", "21-60s", "61-120s", "121s+"];

/// A bucket of the answer.
#[derive(Deserialize)]
struct BucketRow<'a> {
    /// Names the bucket when the buckets come as a list. That is documented, but we never saw it.
    #[serde(borrow, default, alias = "INTERVAL")]
    interval: Leaf<'a>,
    #[serde(borrow, default)]
    calls: Leaf<'a>,
    #[serde(borrow, default)]
    minutes: Leaf<'a>,
    #[serde(borrow, default)]
    cost: Leaf<'a>,
}

/// Reads the buckets of one answer.
struct Buckets {
    currency: String,
    seen: [bool; BUCKETS.len()],
    totals: Vec<(SeriesKey, Amount)>,
    tally: Tally,
}

impl Rows for Buckets {
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        json::row(json, |row| self.row(key, row))
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {
        self.tally.count(Outcome::Invalid);
    }
}

impl DayReader for Buckets {
    fn finish(self: Box<Self>) -> DayAnswer {
        DayAnswer {
            totals: self.totals,
            tally: self.tally,
        }
    }
}

impl Buckets {
    fn new(currency: Option<&str>) -> Self {
        Self {
            currency: currency.unwrap_or_default().to_owned(),
            seen: [false; BUCKETS.len()],
            totals: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn row(&mut self, key: Option<&str>, row: &BucketRow<'_>) {
        let interval = match fields::text(&row.interval) {
            Reading::Value(interval) => Some(interval),
            Reading::Absent | Reading::Invalid => None,
        };
        let Some(key) = key.or(interval) else {
            return self.tally.invalid_without("interval");
        };
        let Some(bucket) = bucket(key) else {
            if begins(key.trim(), &["total", "all", "sum", "tod"]) {
                // It sums up the others, so it must not be counted.
                return self.tally.count(Outcome::Ignored);
            }
            self.tally.violation(Assumption::KnownWords);
            self.tally.unknown_word("interval", key);
            return self.tally.invalid_without("interval");
        };
        if self.seen[bucket] {
            self.tally.violation(Assumption::RowsDiffer);
            return self.tally.count(Outcome::Ignored);
        }
        self.seen[bucket] = true;
        let calls = self.tally.read("calls", fields::count(&row.calls)).map(Amount::Count);
        let minutes = self.tally.read("minutes", fields::decimal(&row.minutes));
        let billed = minutes.map(|minutes| Amount::Sum(Micros(minutes.0.saturating_mul(60))));
        let cost = self.tally.read("cost", fields::decimal(&row.cost)).map(Amount::Sum);
        let series = series_of(DURATIONS[bucket], &self.currency);
        self.totals.extend(
            series
                .into_iter()
                .zip([calls, billed, cost])
                .filter_map(|(key, total)| Some((key, total?))),
        );
        self.tally.count(Outcome::Counted);
    }
}

/// The bucket of a key, whatever stands around its numbers: `0_5_seg`, `6-20 seg`, `21 a 60`, `mayor a 121`.
fn bucket(key: &str) -> Option<usize> {
    const FIRST: [u64; BUCKETS.len()] = [0, 6, 21, 61, 121];
    let mut numbers = key
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse::<u64>().ok());
    match (numbers.next()?, numbers.next()) {
        (120.., None) => Some(BUCKETS.len() - 1),
        (first, Some(_)) => FIRST.iter().position(|known| *known == first),
        (_, None) => None,
    }
}

fn zeros(currency: Option<&str>) -> Vec<(SeriesKey, Amount)> {
    let nothing = Amount::Sum(Micros(0));
    let zeros = [Amount::Count(0), nothing, nothing];
    DURATIONS
        .iter()
        .flat_map(|duration| series_of(duration, currency.unwrap_or_default()).into_iter().zip(zeros))
        .collect()
}

/// Calls, billed time and cost of one bucket.
fn series_of(duration: &'static str, currency: &str) -> [SeriesKey; 3] {
    let duration = Label::Borrowed(duration);
    let currency = Label::Owned(currency.to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_key_tell_its_bucket() {
        for (bucket, key) in BUCKETS.iter().enumerate() {
            assert_eq!(super::bucket(key), Some(bucket), "{key}");
        }
        for (key, wanted) in [
            ("0-5 seg", Some(0)),
            ("de 6 a 20", Some(1)),
            ("21–60", Some(2)),
            ("61_121_seg", Some(3)),
            ("mayor a 121", Some(4)),
            ("> 120 seg", Some(4)),
            ("total", None),
            ("5_seg", None),
            ("7_20_seg", None),
        ] {
            assert_eq!(super::bucket(key), wanted, "{key}");
        }
    }
}
