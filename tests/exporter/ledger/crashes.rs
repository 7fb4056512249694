//! Totals stay exact over any order of rows, and crashes at any write.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;
use wolkvox_exporter::clock::Moment;
use wolkvox_exporter::ledger::{Ledger, PartOf};
use wolkvox_exporter::reports::ABANDONED_CALLS;

use super::{BIRTH, Call, Disk, born_at, calls, moment, piece, shown, truth};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_overlap_split_and_crash_gives_the_same_totals(
        calls in calls(),
        // Where windows end, how many seconds they reach back, and after how many writes the disk fails.
        windows in prop::collection::vec((1i64..2100, 0i64..300, prop::option::of(0u32..40)), 1..12),
        seed in any::<u64>(),
    ) {
        let disk = Disk::default();
        let open = || Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH)).unwrap();
        let mut ledger = open();
        let now = |second: i64| moment(BIRTH + second);
        let birth = born_at(BIRTH);
        ledger.commit_piece(&piece(&ledger, &[], 0, birth, seed), (jiff::civil::date(2026, 11, 18), 0), now(0)).unwrap();

        let mut ends: Vec<_> = windows;
        ends.sort_unstable();
        ends.push((2100, 2100, None));
        ends.push((2100, 2100, None));
        let mut covered = 0;
        let mut before = BTreeMap::new();
        for (n, (end, back, fail)) in ends.into_iter().enumerate() {
            // Calls appear late, but all are there in the last window.
            let is_there = |call: &&Call| back == 2100 || (call.second + i64::from(call.conn)) % 7 != n as i64 % 7;
            let from = covered - back;
            let rows = calls.iter().filter(|call| (from..=end).contains(&call.second)).filter(is_there);
            // Rows are filled in from window to window, and all are complete in the last one.
            let unfinished = |call: &Call| if back == 2100 { 0 } else { call.conn.wrapping_add(n as u8) % (call.alike + 1) };
            let rows: Vec<Call> = rows.map(|call| call.with_unfinished(unfinished(call))).collect();
            let rows: Vec<&Call> = rows.iter().collect();
            if let Some(writes) = fail {
                disk.fail_after(writes);
            }
            let window = piece(&ledger, &rows, end, PartOf::Window, seed ^ n as u64);
            let calls_used = (jiff::civil::date(2026, 11, 18), n as u32);
            let first_try = ledger.commit_piece(&window, calls_used, now(end));
            let shown_then = shown(&ledger);
            for (series, value) in &before {
                prop_assert!(shown_then.get(series) >= Some(value), "{} fell", series);
            }
            if first_try.is_err() {
                prop_assert_eq!(&shown_then, &before, "shown though not committed");
                disk.mend();
                if seed % 2 == 0 {
                    // The process dies, and another one takes over.
                    drop(ledger);
                    ledger = open();
                }
                let again = piece(&ledger, &rows, end, PartOf::Window, seed);
                ledger.commit_piece(&again, calls_used, now(end)).unwrap();
            }
            disk.mend();
            covered = end;
            before = shown(&ledger);
        }
        prop_assert_eq!(before, truth(&calls));
        drop(ledger);
        prop_assert_eq!(shown(&open()), truth(&calls), "restored");
        prop_assert_eq!(open().calls_used(jiff::civil::date(2026, 11, 18)) > 0, true);
    }
}

/// The disk fails at each write of a commit in turn: nothing is lost, nothing twice, whether the process lives on or not.
#[test]
fn a_crash_at_every_write_of_a_commit() {
    let call = |second| Call {
        second,
        skill: 1,
        conn: 7,
        abandoned: true,
        alike: 1,
        unfinished: 0,
    };
    let calls: Vec<Call> = (0..400).map(|n| call(n * 5)).collect();
    let day = (jiff::civil::date(2026, 11, 18), 1);
    let prepared = || {
        let disk = Disk::default();
        let mut ledger = Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH)).unwrap();
        let birth = born_at(BIRTH);
        ledger
            .commit_piece(&piece(&ledger, &[], 0, birth, 1), day, moment(BIRTH))
            .unwrap();
        let first: Vec<&Call> = calls.iter().take(200).collect();
        ledger
            .commit_piece(
                &piece(&ledger, &first, 999, PartOf::Window, 1),
                day,
                moment(BIRTH + 999),
            )
            .unwrap();
        (disk, ledger)
    };
    let all: Vec<&Call> = calls.iter().collect();
    let (disk, mut ledger) = prepared();
    let before = disk.writes();
    ledger
        .commit_piece(
            &piece(&ledger, &all, 2000, PartOf::Window, 2),
            day,
            moment(BIRTH + 2000),
        )
        .unwrap();
    let writes = disk.writes() - before;
    assert!(writes > 3, "{writes} writes");
    for crash in 0..writes {
        for survives in [true, false] {
            let (disk, mut ledger) = prepared();
            let mut published = ledger.series_to_publish(ABANDONED_CALLS.families);
            assert!(!ledger.has_changed(ABANDONED_CALLS.families));
            disk.fail_after(crash);
            let window = piece(&ledger, &all, 2000, PartOf::Window, 2);
            let result = ledger.commit_piece(&window, day, moment(BIRTH + 2000));
            if result.is_err() {
                assert_eq!(shown(&ledger)["wolkvox_skill_interactions 1 none abandoned"].0, 200);
                let error = ledger.commit_calls(
                    day.0,
                    9,
                    Moment {
                        monotonic: Instant::now(),
                        ..moment(BIRTH + 2000)
                    },
                );
                assert!(
                    error.unwrap_err().to_string().contains("on a disk that fails"),
                    "the place is named"
                );
            }
            disk.mend();
            if !survives {
                drop(ledger);
                ledger = Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH + 2000)).unwrap();
                published = ledger.series_to_publish(ABANDONED_CALLS.families);
            }
            let again = piece(&ledger, &all, 2000, PartOf::Window, 3);
            ledger.commit_piece(&again, day, moment(BIRTH + 2000)).unwrap();
            assert_eq!(shown(&ledger), truth(&calls), "crash at write {crash}");
            // A commit that fails may be on disk, so that the next one counts nothing.
            if ledger.has_changed(ABANDONED_CALLS.families) {
                published = ledger.series_to_publish(ABANDONED_CALLS.families);
            }
            let visible = ledger.visible_series(ABANDONED_CALLS.families);
            assert_eq!(
                format!("{published:?}"),
                format!("{visible:?}"),
                "crash at write {crash}"
            );
        }
    }
}
