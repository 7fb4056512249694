//! Which series are shown: the limit, idle series and the hold.

use std::time::Duration;

use wolkvox_exporter::ledger::{Ledger, PartOf, Storage};

use super::{BIRTH, Call, Disk, born_at, moment, piece, shown};

/// Over the limit the free labels are folded; in a family with ids only, the id. Stored sets are always admitted.
#[test]
fn sets_over_the_limit_are_folded() {
    let day = (jiff::civil::date(2026, 11, 18), 1);
    let mut ledger = Ledger::open(Storage::memory(), Duration::ZERO, 6, moment(BIRTH)).unwrap();
    let birth = born_at(BIRTH);
    ledger
        .commit_piece(&piece(&ledger, &[], 0, birth, 1), day, moment(BIRTH))
        .unwrap();
    let calls: Vec<Call> = (0..5)
        .map(|n| Call {
            second: i64::from(n),
            skill: n,
            conn: n,
            abandoned: true,
            alike: 1,
            unfinished: 0,
        })
        .collect();
    let rows: Vec<&Call> = calls.iter().collect();
    // Two skills fill the six sets of interactions; histograms are a family of their own.
    let committed = ledger
        .commit_piece(
            &piece(&ledger, &rows[..2], 1, PartOf::Window, 1),
            day,
            moment(BIRTH + 1),
        )
        .unwrap();
    assert!(committed.folded.is_empty());
    let window = piece(&ledger, &rows, 9, PartOf::Window, 1);
    let committed = ledger.commit_piece(&window, day, moment(BIRTH + 9)).unwrap();
    let shown = shown(&ledger);
    assert_eq!(shown["wolkvox_skill_interactions 0 none abandoned"].0, 1);
    assert_eq!(shown["wolkvox_skill_interactions _other none abandoned"].0, 3);
    assert_eq!(
        shown.values().map(|(count, _)| count).sum::<u64>(),
        10,
        "nothing is lost"
    );
    assert_eq!(committed.folded.values().sum::<u64>(), 3);
}

#[test]
fn series_that_are_idle_for_60_days_are_dropped_together() {
    let mut ledger = Ledger::open(Storage::memory(), Duration::ZERO, 5000, moment(BIRTH)).unwrap();
    let birth = born_at(BIRTH);
    let calls: Vec<Call> = (0..2)
        .map(|n| Call {
            second: i64::from(n),
            skill: n,
            conn: n,
            abandoned: true,
            alike: 1,
            unfinished: 0,
        })
        .collect();
    let first = jiff::civil::date(2026, 11, 18);
    let day = |days: i32| jiff::civil::Date::saturating_add(first, jiff::Span::new().days(days));
    ledger
        .commit_piece(&piece(&ledger, &[], 0, birth, 1), (first, 1), moment(BIRTH))
        .unwrap();
    ledger
        .commit_piece(
            &piece(&ledger, &[&calls[0], &calls[1]], 9, PartOf::Window, 1),
            (first, 1),
            moment(BIRTH + 9),
        )
        .unwrap();
    let later = Call {
        second: 10,
        ..calls[1].clone()
    };
    ledger
        .commit_piece(
            &piece(&ledger, &[&later], 10, PartOf::Window, 1),
            (day(30), 1),
            moment(BIRTH + 10),
        )
        .unwrap();
    ledger.commit_idle(day(60), moment(BIRTH + 60)).unwrap();
    assert_eq!(shown(&ledger).len(), 8, "60 days are not too long");
    ledger.commit_idle(day(61), moment(BIRTH + 60)).unwrap();
    let left = shown(&ledger);
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left.keys().all(|series| series.contains(" 1 ")), "{left:?}");
    ledger.commit_idle(day(91), moment(BIRTH + 60)).unwrap();
    assert_eq!(shown(&ledger).len(), 0);
}

/// Without a hold series are shown at once; a hold that is switched on later must not take back what was shown.
#[test]
fn a_hold_that_is_switched_on_takes_nothing_back() {
    let day = (jiff::civil::date(2026, 11, 18), 1);
    let disk = Disk::default();
    let open = |hold| Ledger::open(disk.storage(), Duration::from_secs(hold), 5000, moment(BIRTH)).unwrap();
    let call = Call {
        second: 1,
        skill: 1,
        conn: 7,
        abandoned: true,
        alike: 1,
        unfinished: 0,
    };
    let mut ledger = open(0);
    let birth = born_at(BIRTH);
    ledger
        .commit_piece(&piece(&ledger, &[], 0, birth, 1), day, moment(BIRTH))
        .unwrap();
    ledger
        .commit_piece(&piece(&ledger, &[&call], 1, PartOf::Window, 1), day, moment(BIRTH + 1))
        .unwrap();
    let before = shown(&ledger);
    assert_eq!(before["wolkvox_skill_interactions 1 none abandoned"].0, 1);
    drop(ledger);
    let mut ledger = open(120);
    assert_eq!(shown(&ledger), before);
    // A series born now is held; one held by an earlier process is shown at once when the hold is switched off.
    let other = Call {
        second: 2,
        skill: 2,
        ..call
    };
    ledger
        .commit_piece(&piece(&ledger, &[&other], 2, PartOf::Window, 1), day, moment(BIRTH + 2))
        .unwrap();
    assert_eq!(shown(&ledger)["wolkvox_skill_interactions 2 none abandoned"].0, 0);
    drop(ledger);
    drop(open(0));
    assert_eq!(shown(&open(120))["wolkvox_skill_interactions 2 none abandoned"].0, 1);
}
