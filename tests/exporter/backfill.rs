//! Compares the history with the ground truth: each local day, the seam to live counting, interruptions and refusals.

mod refusals;
mod resume;
mod seam;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Parser;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use wolkvox_exporter::backfill::{self, FetchSettings, Options, Summary};
use wolkvox_exporter::cli::{Arguments, Command};
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::{Config, Operation, ReportConfig};
use wolkvox_exporter::failure::Failure;
use wolkvox_exporter::fetch::pieces::CUT_AT;
use wolkvox_exporter::reports::{CALL_DURATIONS, CALL_RESULTS, CAMPAIGNS, IVR};
use wolkvox_simulator::{
    Api, DurationBucket, OperationPlan, OverLimit, RunningSimulator, ScriptedAnswer, Seen, SimulatedOperation,
    Simulator,
};

use crate::events::{Counts, assert_same, truth};
use crate::ledger::Folder;
use crate::support::{RETRY, at, operation, parse_labels, serve, simulator, zone};

/// A simulated contact centre, with everything needed to write its history.
struct Scene {
    simulator: Simulator,
    _served: RunningSimulator,
    folder: Folder,
    config: Config,
    cut_at: u64,
}

impl Scene {
    async fn new(name: &str, now: &str, plan: OperationPlan) -> Self {
        let simulator = simulator(vec![plan], at(now));
        let served = serve(&simulator).await;
        let mut operation = operation(&simulator.operations()[0], &served.url());
        configure(&mut operation);
        let folder = Folder::new(&format!("backfill-{name}"));
        std::fs::create_dir_all(&folder.0).unwrap();
        Self {
            config: Config {
                state_path: Some(folder.0.join("state")),
                operations: vec![operation],
                ..Config::default()
            },
            simulator,
            _served: served,
            folder,
            cut_at: CUT_AT,
        }
    }

    fn acme(&self) -> &SimulatedOperation {
        &self.simulator.operations()[0]
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    async fn run(&self, options: &str) -> Result<(Summary, String), String> {
        let (result, out) = self.run_until(options, &CancellationToken::new()).await;
        let summary = result.map_err(|failure| failure.to_string())?;
        Ok((summary, out))
    }

    async fn run_until(&self, options: &str, stop: &CancellationToken) -> (Result<Summary, Failure>, String) {
        let clock = self.simulator.clock().clone();
        let settings = FetchSettings {
            retry: RETRY,
            cut_at: self.cut_at,
        };
        let mut out = Vec::new();
        let options = parsed(options).unwrap();
        let clock = Clock::from_fn(move || clock.now());
        let result = backfill::run(&self.config, &options, settings, &clock, stop, &mut out).await;
        (result, String::from_utf8(out).unwrap())
    }
}

fn configure(operation: &mut Operation) {
    crate::events::all_reports(
        operation,
        &mut wolkvox_exporter::poller::PollSettings {
            new_series_hold: std::time::Duration::ZERO,
            series_limit: 5000,
            retry: RETRY,
            cut_at: CUT_AT,
        },
    );
    operation.reports.remove(&CAMPAIGNS);
    let config = ReportConfig::new(&CALL_RESULTS);
    operation.reports.insert(&CALL_RESULTS, config);
}

/// The options of a command line, with the required labels.
fn parsed(options: &str) -> Result<Options, String> {
    let words = [
        "wolkvox_exporter",
        "backfill",
        "--label=job=wolkvox",
        "--label=instance=exporter:9963",
    ];
    let words = words.into_iter().chain(options.split_whitespace());
    match Arguments::try_parse_from(words)
        .map_err(|error| error.to_string())?
        .command
    {
        Some(Command::Backfill(options)) => Ok(options),
        _ => unreachable!(),
    }
}

/// A history file: the samples of each series, by name and labels.
struct Written(BTreeMap<(String, BTreeMap<String, String>), BTreeMap<i64, f64>>);

impl Written {
    /// Panics on anything that OpenMetrics does not allow.
    fn parse(text: &str) -> Self {
        let mut series: BTreeMap<&str, BTreeMap<i64, f64>> = BTreeMap::new();
        let mut families = BTreeSet::new();
        let mut names = Vec::new();
        let lines = text.strip_suffix("# EOF\n").unwrap();
        for line in lines.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (family, kind) = rest.split_once(' ').unwrap();
                assert!(families.insert(family.to_owned()), "{family} comes twice");
                names = match kind {
                    "counter" => vec![format!("{family}_total")],
                    "info" => vec![format!("{family}_info")],
                    _ => ["sum", "count", "bucket"].map(|end| format!("{family}_{end}")).to_vec(),
                };
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            let (rest, second) = line.rsplit_once(' ').unwrap();
            let (head, value) = rest.rsplit_once(' ').unwrap();
            let samples = series.entry(head).or_default();
            if samples.is_empty() {
                assert!(
                    names.contains(&head.split_once('{').unwrap().0.to_owned()),
                    "{head} is in another family"
                );
            }
            let (second, value) = (second.parse().unwrap(), value.parse().unwrap());
            if let Some((last, before)) = samples.last_key_value() {
                assert!(*last < second && *before <= value, "goes back: {line}");
            }
            samples.insert(second, value);
        }
        let series = series.into_iter().map(|(head, samples)| {
            let (name, labels) = head.split_once('{').unwrap();
            let mut labels = parse_labels(labels.strip_suffix('}').unwrap());
            assert_eq!(labels.remove("job").as_deref(), Some("wolkvox"));
            assert_eq!(labels.remove("instance").as_deref(), Some("exporter:9963"));
            assert_eq!(labels.remove("operation").as_deref(), Some("acme"));
            ((name.to_owned(), labels), samples)
        });
        Self(series.collect())
    }

    /// The increase from one sample to another.
    fn growth(&self, from: Timestamp, until: Timestamp) -> Counts {
        let grown = self.0.iter().filter(|((name, _), _)| !name.ends_with("_info"));
        let grown = grown.map(|(series, samples)| {
            let end = samples[&until.as_second()];
            // A series that begins later starts at zero.
            let begin = samples.get(&from.as_second()).copied();
            assert!(begin.is_some() || samples.first_key_value().unwrap().1 == &0.0);
            // Sums of money are floats.
            (series.clone(), ((end - begin.unwrap_or(0.0)) * 100.0).round() / 100.0)
        });
        grown.filter(|(_, value)| *value > 0.0).collect()
    }
}

/// What the truth has for a day or part of it, both ends inclusive.
fn whole_truth(acme: &SimulatedOperation, from: Timestamp, until: Timestamp, now: Timestamp) -> Counts {
    let mut counts = truth(acme, from, until, Seen::By(now));
    let totals = acme.truth().day_totals(acme.timezone().to_datetime(from).date(), until);
    let names = ["0-5s", "6-20s", "21-60s", "61-120s", "121s+"];
    for (bucket, name) in DurationBucket::ALL.into_iter().zip(names) {
        let totals = totals[bucket];
        let values = [
            ("wolkvox_calls_total", totals.calls as f64),
            ("wolkvox_calls_billed_seconds_total", totals.minutes as f64 * 60.0),
            ("wolkvox_calls_cost_total", totals.cost_micros as f64 / 1e6),
        ];
        for (family, value) in values.into_iter().filter(|(_, value)| *value > 0.0) {
            let mut labels = BTreeMap::from([("duration".to_owned(), name.to_owned())]);
            if family == "wolkvox_calls_cost_total" {
                labels.insert("currency".to_owned(), String::new());
            }
            counts.insert((family.to_owned(), labels), value);
        }
    }
    let day = acme.timezone().to_datetime(from).date();
    for (result, count) in acme.truth().call_results(midnight(acme, day), until).by_label() {
        let labels = BTreeMap::from([("result".to_owned(), result.to_owned())]);
        counts.insert(("wolkvox_call_results_total".to_owned(), labels), count as f64);
    }
    counts
}

fn midnight(acme: &SimulatedOperation, date: Date) -> Timestamp {
    date.to_zoned(acme.timezone().clone())
        .unwrap()
        .start_of_day()
        .unwrap()
        .timestamp()
}

/// Two weeks around a day without a midnight and a day of 25 hours, with late rows, cut answers and some failed
/// requests: for every series, the increase from one local midnight to the next is that day.
#[tokio::test(flavor = "multi_thread")]
async fn every_local_day_equals_the_truth() {
    let cases = [
        (
            "2026-09-10T17:20:00Z",
            "2026-08-28",
            "2026-09-09",
            "",
            OverLimit::SilentCut,
        ),
        (
            "2026-04-08T17:20:00Z",
            "2026-03-29",
            "2026-04-07",
            " --hourly",
            OverLimit::BadRequest,
        ),
    ];
    for (now, first, last, more, over_limit) in cases {
        let plan = OperationPlan::new("acme", zone("America/Santiago"))
            .volume(0.03)
            .never_closes();
        let mut scene = Scene::new(&format!("days-{first}"), now, plan).await;
        scene.acme().switch(|switches| {
            switches.record_limit = Some(300);
            switches.over_limit = over_limit;
            switches.total_rows = true;
        });
        scene.cut_at = 290;
        let (summary, text) = scene
            .run(&format!("--from {first} --to {last} --step 15m{more}"))
            .await
            .unwrap();
        let written = Written::parse(&text);
        let acme = scene.acme();
        let mut date: Date = first.parse().unwrap();
        let mut days = 0;
        while midnight(acme, date.tomorrow().unwrap()) < at(now) {
            let (from, until) = (midnight(acme, date), midnight(acme, date.tomorrow().unwrap()));
            let should = whole_truth(acme, from, until - SignedDuration::from_secs(1), at(now));
            assert_same(&written.growth(from, until), &should, &format!("{date}"));
            days += 1;
            date = date.tomorrow().unwrap();
        }
        assert!(days >= 10);
        assert!(summary.calls > 20 && acme.observed().most_in_flight == 1);
        assert!(
            !scene.file("state").exists(),
            "no state is created: it would be a birth without a poll"
        );
        assert!(
            written
                .0
                .values()
                .all(|samples| samples.last_key_value().unwrap().0 == &midnight(acme, date).as_second())
        );
    }
}

/// Hourly history has the day's counts at each hour's end, daily history at the day's end.
#[tokio::test(flavor = "multi_thread")]
async fn calls_by_duration_are_placed_at_the_end_of_what_was_asked() {
    let now = "2026-11-20T05:00:00Z";
    let mut scene = Scene::new("hourly", now, OperationPlan::new("acme", zone("America/Bogota"))).await;
    scene.config.operations[0]
        .reports
        .retain(|report, _| *report == &CALL_DURATIONS);
    let (days, text) = scene.run("--from 2026-11-18 --to 2026-11-19 --step 5m").await.unwrap();
    let daily = Written::parse(&text);
    let (hours, text) = scene
        .run("--from 2026-11-18 --to 2026-11-19 --step 5m --hourly")
        .await
        .unwrap();
    let hourly = Written::parse(&text);
    assert_eq!((days.calls, hours.calls), (2, 48));
    let date = "2026-11-18".parse().unwrap();
    let begin = midnight(scene.acme(), date);
    for hour in 1..=24 {
        let until = begin + SignedDuration::from_hours(hour);
        let inclusive = until - SignedDuration::from_secs(1);
        let of_calls = |counts: Counts| -> Counts {
            counts
                .into_iter()
                .filter(|((name, _), _)| name.starts_with("wolkvox_calls"))
                .collect()
        };
        let should = of_calls(whole_truth(scene.acme(), begin, inclusive, at(now)));
        assert_eq!(hourly.growth(begin, until), should, "{hour} hours");
        assert_eq!(daily.growth(begin, until).is_empty(), hour < 24, "{hour} hours");
    }
}

/// Each id has one name, its newest, for as long as it has counters.
#[tokio::test(flavor = "multi_thread")]
async fn names_stand_beside_their_counters() {
    let now = "2026-11-20T15:00:00Z";
    let scene = Scene::new(
        "names",
        now,
        OperationPlan::new("acme", zone("America/Bogota")).volume(0.3),
    )
    .await;
    let (_, text) = scene.run("--from 2026-11-18 --to 2026-11-19 --step 15m").await.unwrap();
    let written = Written::parse(&text);
    let seconds = |family: &str, id: &str| -> BTreeMap<String, BTreeSet<i64>> {
        let mut seconds: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for ((_, labels), samples) in written.0.iter().filter(|((name, _), _)| name == family) {
            let seconds = seconds.entry(labels[id].clone()).or_default();
            seconds.extend(samples.keys());
        }
        seconds
    };
    for (info, counter, id) in [
        ("wolkvox_skill_info", "wolkvox_skill_interactions_total", "skill_id"),
        ("wolkvox_routing_point_info", "wolkvox_ivr_calls_total", "rp_id"),
    ] {
        let (named, counted) = (seconds(info, id), seconds(counter, id));
        assert!(counted.len() > 2);
        assert_eq!(named, counted);
        assert_eq!(written.0.keys().filter(|(name, _)| name == info).count(), counted.len());
    }
    let info = written.0.iter().filter(|((name, _), _)| name.ends_with("_info"));
    assert!(
        info.flat_map(|(_, samples)| samples.values())
            .all(|value| *value == 1.0)
    );
}

/// Sets over the limit are folded, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn sets_over_the_limit_are_folded() {
    let now = "2026-11-20T15:00:00Z";
    let mut scene = Scene::new(
        "limit",
        now,
        OperationPlan::new("acme", zone("America/Bogota")).volume(0.3),
    )
    .await;
    scene.config.series_limit = 6;
    let (_, text) = scene.run("--from 2026-11-18 --to 2026-11-19 --step 15m").await.unwrap();
    let written = Written::parse(&text);
    let [from, until] = ["2026-11-18", "2026-11-20"].map(|date| midnight(scene.acme(), date.parse().unwrap()));
    let totals = written.growth(from, until);
    let should = truth(
        scene.acme(),
        from,
        until - SignedDuration::from_secs(1),
        Seen::By(at(now)),
    );
    for family in ["wolkvox_ivr_selections_total", "wolkvox_preview_codes_total"] {
        let sum = |counts: &Counts| -> f64 {
            counts
                .iter()
                .filter(|((name, _), _)| name == family)
                .map(|(_, value)| value)
                .sum()
        };
        assert_eq!(sum(&totals), sum(&should), "{family}");
        let folded = totals
            .keys()
            .any(|(name, labels)| name == family && labels.values().any(|value| value == "_other"));
        assert!(folded, "{family}");
    }
}

/// A switchboard may reuse the identity of a connection on another day: that is another call, as in live counting.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_comes_back_on_another_day_is_another_call() {
    let now = "2026-11-20T15:00:00Z";
    let mut scene = Scene::new("again", now, OperationPlan::new("acme", zone("America/Bogota"))).await;
    scene.config.operations[0].reports.retain(|report, _| *report == &IVR);
    let step = |date: &str| json!({"rp_id": "7", "conn_id": "abc", "date": date, "result": "OK", "time": "00:00:09"});
    let rows = ["2026-11-02 09:00:00", "2026-11-02 09:00:05", "2026-11-09 10:00:00"].map(step);
    let body = json!({"code": 200, "error": null, "msg": "3 records were found", "data": rows}).to_string();
    scene.acme().answer_with(Api::Diagram1, ScriptedAnswer::json(body));
    let (_, text) = scene.run("--from 2026-11-01 --to 2026-11-19 --step 15m").await.unwrap();
    let written = Written::parse(&text);
    let [from, until] = ["2026-11-01", "2026-11-20"].map(|date| midnight(scene.acme(), date.parse().unwrap()));
    let calls = written.growth(from, until).into_iter();
    let calls: Vec<_> = calls
        .filter(|((name, _), _)| name == "wolkvox_ivr_calls_total")
        .collect();
    assert_eq!(calls.iter().map(|(_, calls)| calls).sum::<f64>(), 2.0, "{calls:?}");
}
