//! What the page knows of the last hour: how much totals grew.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wolkvox_exporter::metrics::process;
use wolkvox_exporter::metrics::series::{Amount, FamilySeries, Histogram, Label, Micros, Value};
use wolkvox_exporter::published::Published;
use wolkvox_exporter::published::abandonments::Abandonments;
use wolkvox_exporter::reports::abandoned_calls::SkillTotals;
use wolkvox_exporter::reports::events::EventRows;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CAMPAIGNS, Kind, View};

use super::NOON;
use crate::support::at;

/// The series of abandoned calls for skills with these totals in one channel: abandoned within 5 s, abandoned later,
/// answered.
fn totals(skills: &[(&'static str, [u64; 3])]) -> SkillTotals {
    let families = &ABANDONED_CALLS.families;
    let family = |name: &str| families.iter().find(|family| family.name == name).unwrap();
    let mut waits = FamilySeries::new(family("wolkvox_abandon_time_seconds"));
    let mut interactions = FamilySeries::new(family("wolkvox_skill_interactions"));
    let label = Label::Borrowed;
    for (skill, [soon, later, answered]) in skills {
        for channel in ["voice", "chat"] {
            let mut counts = vec![0; 17];
            (counts[0], counts[16]) = (*soon, *later);
            let histogram = Histogram { counts, sum: Micros(0) };
            waits.push([label(skill), label(channel)], Value::Histogram(histogram));
            for (result, count) in [("abandoned", soon + later), ("answered", *answered)] {
                let count = Value::Amount(Amount::Count(count));
                interactions.push([label(skill), label(channel), label(result)], count);
            }
        }
    }
    let Kind::Events(EventRows {
        totals: Some(totals), ..
    }) = &ABANDONED_CALLS.kind
    else {
        unreachable!()
    };
    totals(&[waits, interactions])
}

#[test]
fn the_last_hour_is_what_totals_grew_by() {
    let begin = Instant::now();
    let minute = |n: u64| begin + Duration::from_secs(60 * n);
    // Calls counted by an earlier process are not part of the last hour.
    let mut views = Abandonments::new(&ABANDONED_CALLS, totals(&[("1", [100, 50, 1000])]), begin);
    let lost = |views: &Abandonments, now| -> Vec<(String, u64, u64)> {
        let hour = views.last_hour(minute(now));
        let skills = hour.skills.into_iter();
        skills
            .map(|skill| (skill.id.to_string(), skill.abandoned, skill.interactions))
            .collect()
    };
    let one = |abandoned, all| vec![("1".to_owned(), abandoned, all)];
    assert_eq!(lost(&views, 0), one(0, 0));
    views.update(totals(&[("1", [101, 50, 1000])]), minute(5));
    views.update(totals(&[("1", [101, 52, 1003])]), minute(30));
    let hour = views.last_hour(minute(30));
    assert_eq!((hour.span, hour.is_whole()), (Duration::from_secs(30 * 60), false));
    // Two channels in one.
    assert_eq!((hour.skills[0].abandoned, hour.skills[0].interactions), (6, 12));
    assert_eq!((hour.skills[0].waits[0], hour.skills[0].waits[16]), (2, 4));
    // The first increase leaves the hour, then the second one; from the first on, the whole hour is known.
    let hour = views.last_hour(minute(60));
    assert!(hour.is_whole());
    assert_eq!(lost(&views, 64), one(6, 12));
    assert_eq!(lost(&views, 65), one(4, 10));
    assert_eq!(lost(&views, 90), one(0, 0));
    // A new skill counts from zero, and those that lost most come first.
    views.update(totals(&[("1", [102, 52, 1003]), ("2", [5, 0, 0])]), minute(91));
    assert_eq!(lost(&views, 91), [("2".to_owned(), 10, 10), ("1".to_owned(), 2, 2)]);
    // A skill that was dropped because it was idle is not a decrease.
    views.update(totals(&[("1", [102, 52, 1003])]), minute(92));
    assert!(views.last_hour(minute(92)).is_whole());
    // Decreased totals belong to a new state.
    views.update(totals(&[("1", [3, 0, 0])]), minute(100));
    assert_eq!(lost(&views, 101), one(0, 0));
    assert_eq!(views.last_hour(minute(101)).span, Duration::from_secs(60));
}

#[test]
fn increases_within_a_minute_are_kept_as_one_and_none_is_lost() {
    let begin = Instant::now();
    let mut views = Abandonments::new(&ABANDONED_CALLS, totals(&[("1", [0, 0, 0])]), begin);
    for second in 1..=7200 {
        views.update(totals(&[("1", [second, 0, 0])]), begin + Duration::from_secs(second));
    }
    let hour = views.last_hour(begin + Duration::from_secs(7200));
    // Two channels; the minute in which the hour begins counts entirely or not at all.
    let lost = hour.skills[0].abandoned / 2;
    assert!((3540..=3660).contains(&lost), "{lost}");
}

#[test]
fn an_expired_or_removed_report_is_not_on_the_status_page() {
    let acme: Arc<str> = "acme".into();
    let now = Instant::now();
    let expiry = now + Duration::from_secs(60);
    let published = Published::new(process::registry(at(NOON)).0);
    let campaigns = |published: &Published| published.view("acme", &CAMPAIGNS).is_some();
    let publish = || {
        published.publish_current(&acme, &CAMPAIGNS, Vec::new(), View::Campaigns(Vec::new()));
        published.keep_until(&acme, &CAMPAIGNS, expiry);
        let totals = totals(&[("1", [1, 2, 3])]);
        published.publish_counters(&acme, &ABANDONED_CALLS, Vec::new(), Some(totals));
    };
    assert_eq!(published.abandonments("acme", now), None);
    publish();
    published.expire(now);
    assert!(campaigns(&published));
    published.expire(expiry);
    assert!(!campaigns(&published));
    publish();
    published.remove_report(&acme, &ABANDONED_CALLS);
    assert_eq!(published.abandonments("acme", now), None);
    assert!(campaigns(&published));
    published.remove(&acme);
    assert!(!campaigns(&published));
}
