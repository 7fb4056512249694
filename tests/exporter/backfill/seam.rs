//! Live counting begins where the history ends: together they count everything once.

use jiff::SignedDuration;
use redb::ReadableTable;
use wolkvox_exporter::reports::CALL_DURATIONS;
use wolkvox_simulator::{DurationBucket, EventPlan, OperationPlan, Seen, StepDates};

use super::{Scene, Written, midnight};
use crate::events::{Counts, assert_same, shown, truth};
use crate::support::{Live, Samples, at, zone};

const BORN: &str = "2026-11-18T15:03:20Z";
const END: &str = "2026-11-18T18:30:00Z";

fn calls_of(samples: &Samples) -> f64 {
    samples.all("wolkvox_calls_total", &[]).iter().sum()
}

/// A busy morning, menus whose steps have different times, and a birth in the middle. Rows come late, and the vendor
/// adds calls to the hours before the birth.
#[tokio::test(flavor = "multi_thread")]
async fn history_and_live_counting_are_everything_once() {
    for (more, late_calls) in [("", 5), (" --hourly", 0)] {
        let events = EventPlan {
            step_dates: StepDates::EachItsOwn,
            ..EventPlan::default()
        };
        let plan = OperationPlan::new("acme", zone("America/Bogota"))
            .volume(1.0)
            .events(events);
        let scene = Scene::new(&format!("seam{late_calls}"), BORN, plan).await;
        let acme = scene.acme().clone();
        let mut live = Live::start(&scene.config, &scene.simulator);
        live.poll_all(BORN).await;
        acme.adjust_day_totals(move |day, totals| {
            let is_of_birth = day.to_string() == "2026-11-18";
            totals[DurationBucket::UpTo5].calls += if is_of_birth { late_calls } else { 0 };
        });
        for minutes in [5, 10, 65, 130, 200] {
            live.poll_all(&(at(BORN) + SignedDuration::from_mins(minutes)).to_string())
                .await;
        }
        live.poll_all(END).await;
        // A reread, for late rows.
        live.poll_all(&(at(END) + SignedDuration::from_mins(61)).to_string())
            .await;
        let now = at(END) + SignedDuration::from_mins(61);
        let samples = live.samples();

        let held = scene.run("--from 2026-11-17").await.unwrap_err();
        assert!(
            held.contains("acme.redb") && held.contains("another process has it open"),
            "{held}"
        );
        drop(live);

        let (_, text) = scene.run(&format!("--from 2026-11-17 --step 5m{more}")).await.unwrap();
        let written = Written::parse(&text);
        let from = midnight(&acme, "2026-11-17".parse().unwrap());
        let history = written.growth(from, at(BORN));
        let mut both: Counts = history.clone();
        both.retain(|(name, _), _| !name.starts_with("wolkvox_call"));
        for (series, value) in shown(&samples) {
            *both.entry(series).or_default() += value;
        }
        assert_same(&both, &truth(&acme, from, now, Seen::By(now)), "history and live");

        // The totals with which live counting was born, not what the vendor has for that time today.
        let calls: f64 = history
            .iter()
            .filter(|((name, _), _)| name == "wolkvox_calls_total")
            .map(|(_, value)| value)
            .sum();
        let day = |date: &str, until| acme.truth().day_totals(date.parse().unwrap(), until).total().calls as f64;
        assert_eq!(calls, day("2026-11-17", now) + day("2026-11-18", at(BORN)));
        assert_eq!(
            calls_of(&samples),
            day("2026-11-18", now) - day("2026-11-18", at(BORN)) + late_calls as f64
        );

        // No sample after the birth: from there on, live counting has everything.
        let last = written.0.values().filter_map(|samples| samples.keys().last()).max();
        assert_eq!(last, Some(&at(BORN).as_second()));
    }
}

/// The state of a version that did not save the day's totals: the day of the birth is left out.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_state_ends_the_history_at_its_midnight() {
    let plan = OperationPlan::new("acme", zone("America/Bogota")).volume(0.3);
    let mut scene = Scene::new("older", BORN, plan).await;
    scene.config.operations[0]
        .reports
        .retain(|report, _| *report == &CALL_DURATIONS);
    let mut live = Live::start(&scene.config, &scene.simulator);
    live.poll_all(BORN).await;
    drop(live);
    let days = redb::TableDefinition::<&str, &[u8]>::new("days");
    let database = redb::Database::open(scene.file("state/acme.redb")).unwrap();
    let writing = database.begin_write().unwrap();
    {
        let mut table = writing.open_table(days).unwrap();
        let entry = table.get("call_durations").unwrap().unwrap().value().to_vec();
        let mut entry: serde_json::Value = serde_json::from_slice(&entry).unwrap();
        assert!(entry.as_object_mut().unwrap().remove("birth").is_some());
        table.insert("call_durations", entry.to_string().as_bytes()).unwrap();
    }
    writing.commit().unwrap();
    drop(database);
    let (_, text) = scene.run("--from 2026-11-17").await.unwrap();
    let written = Written::parse(&text);
    let end = midnight(scene.acme(), "2026-11-18".parse().unwrap()).as_second();
    assert!(!written.0.is_empty());
    assert!(written.0.values().all(|samples| samples.keys().last() == Some(&end)));
}
