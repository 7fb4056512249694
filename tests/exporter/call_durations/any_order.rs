//! Readings of days in any order, committed to a ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use tokio::time::Instant;
use wolkvox_exporter::clock::Moment;
use wolkvox_exporter::ledger::{DayReading, Ledger, Storage};
use wolkvox_exporter::metrics::series::{Amount, Micros, SeriesKey, Value};
use wolkvox_exporter::reports::{CALL_DURATIONS, Kind};

/// Totals of a day in any order, with decreases and gaps.
fn readings() -> impl Strategy<Value = Vec<(i8, [Option<u32>; 3])>> {
    let total = prop_oneof![3 => (0u32..1000).prop_map(Some), 1 => Just(None)];
    prop::collection::vec((0i8..4, [total.clone(), total.clone(), total]), 1..60)
}

/// All series of the report at zero.
fn zeros() -> Vec<(SeriesKey, Amount)> {
    let Kind::DayTotals(totals) = &CALL_DURATIONS.kind else {
        unreachable!()
    };
    (totals.zeros)(None)
}

proptest! {
    /// Whatever the API answers, a counter is the sum of the days' highest totals, less the first values on the day of the birth. It never
    /// decreases, and repeating an answer changes nothing.
    #[test]
    fn counters_are_the_highest_totals_and_never_fall(readings in readings(), repeat in any::<bool>()) {
        let first = date(2026, 11, 1);
        let now = Moment { wall: "2026-11-05T12:00:00Z".parse::<Timestamp>().unwrap(), monotonic: Instant::now() };
        let series: Vec<_> = zeros().into_iter().take(3).collect();
        let mut ledger = Ledger::open(Storage::memory(), Duration::ZERO, 5000, now).unwrap();
        let mut highest: BTreeMap<(Date, usize), u64> = BTreeMap::new();
        let mut birth = [None; 3];
        let mut before = [0; 3];
        let birthday = first + i64::from(readings[0].0).days();
        for (day, totals) in &readings {
            let day = first + i64::from(*day).days();
            let amounts = series.iter().zip(totals).filter_map(|((key, zero), total)| {
                let total = u64::from((*total)?);
                let amount = if matches!(zero, Amount::Count(_)) { Amount::Count(total) } else { Amount::Sum(Micros(total)) };
                Some((key.clone(), amount))
            });
            let amounts: Vec<_> = amounts.collect();
            for _ in 0..=usize::from(repeat) {
                ledger.commit_day(&DayReading {
                    report: &CALL_DURATIONS,
                    date: day,
                    until: now.wall,
                    is_over: false,
                    today: first + 4.days(),
                    series: series.clone(),
                    calls_used: 0,
                    totals: amounts.clone(),
                }, now).unwrap();
            }
            for (cell, total) in totals.iter().enumerate() {
                let Some(total) = *total else { continue };
                if day == birthday {
                    birth[cell].get_or_insert(u64::from(total));
                }
                let mark = highest.entry((day, cell)).or_default();
                *mark = (*mark).max(total.into());
            }
            let mut values = [0; 3];
            for family in ledger.visible_series(CALL_DURATIONS.families) {
                for shown in family.series {
                    let key = (family.family, &shown.labels);
                    if let Some(cell) = series.iter().position(|(other, _)| (other.family, &other.labels) == key) {
                        values[cell] = match shown.value {
                            Value::Amount(Amount::Count(count)) => count,
                            Value::Amount(Amount::Sum(sum)) => sum.0,
                            other => panic!("{other:?}"),
                        };
                    }
                }
            }
            for cell in 0..3 {
                let sum: u64 = highest.iter().filter(|((_, other), _)| *other == cell).map(|(_, mark)| mark).sum();
                prop_assert_eq!(values[cell], sum - birth[cell].unwrap_or(0));
                prop_assert!(values[cell] >= before[cell]);
            }
            before = values;
        }
    }
}
