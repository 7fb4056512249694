//! Rendering the page: everything from nothing, one operation changed, nothing changed.
//!
//! 200 operations of 500 series go through the exposition as pollers and scrapes use it. The ceiling is copying the
//! bytes of the same page.

use std::fmt::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use wolkvox_exporter::exposition::{Exposition, Format, Source};
use wolkvox_exporter::metrics::Family;
use wolkvox_exporter::snapshot::Micros;
use wolkvox_exporter::snapshot::{Amount, FamilySeries, Histogram, Label, Value};

const OPERATIONS: usize = 200;
/// Sample lines of an operation; a histogram counts by its lines, as Prometheus does.
const SERIES: usize = 500;
/// Odd, so that there is a median.
const ROUNDS: usize = 21;

const CAMPAIGNS: usize = 10;
const STATES: [&str; 5] = ["running", "stopped", "paused", "finished", "other"];
const RESULTS: [&str; 4] = ["answer", "no_answer", "failed", "answer_machine"];
const SKILLS: usize = 10;
const CHANNELS: [&str; 5] = ["voice", "chat", "omni", "none", "other"];
const INTERACTIONS: [&str; 2] = ["abandoned", "answered"];
const BOUNDS: &[f64] = &[5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0];

static INFO: Family = Family::info(
    "bench_campaign",
    &["campaign_id", "campaign", "skill_id", "strategy"],
    "Name, skill and dialling strategy of a campaign.",
);
static STATUS: Family = Family::gauge(
    "bench_campaign_status",
    &["campaign_id", "status"],
    "1 for the state that a campaign is in, 0 for the others.",
);
static RESULT: Family = Family::gauge(
    "bench_campaign_results",
    &["campaign_id", "result"],
    "Records of a campaign by the result of their last dial.",
);
static COUNTS: [Family; 12] = [
    count("bench_campaign_records"),
    count("bench_campaign_clean_records"),
    count("bench_campaign_dialled_records"),
    count("bench_campaign_hits"),
    count("bench_campaign_agents"),
    count("bench_campaign_agents_ready"),
    count("bench_campaign_agents_talking"),
    count("bench_campaign_calls_queued"),
    count("bench_campaign_calls_dialling"),
    count("bench_campaign_attempts"),
    count("bench_campaign_recycles"),
    count("bench_campaign_priority"),
];
static RATIOS: [Family; 6] = [
    ratio("bench_campaign_hits_ratio"),
    ratio("bench_campaign_speed_ratio"),
    ratio("bench_campaign_occupancy_ratio"),
    ratio("bench_campaign_abandon_ratio"),
    ratio("bench_campaign_progress_ratio"),
    ratio("bench_campaign_contact_ratio"),
];
static INTERACTION: Family = Family::counter(
    "bench_skill_interactions",
    &["skill_id", "channel", "result"],
    "Interactions of a skill by channel and result.",
);
static ABANDON_TIME: Family = Family::histogram(
    "bench_abandon_time_seconds",
    &["skill_id", "channel"],
    BOUNDS,
    "How long callers waited before they gave up.",
);

const fn count(name: &'static str) -> Family {
    Family::gauge(
        name,
        &["campaign_id"],
        "A number of a campaign, from a field of the same name.",
    )
}

const fn ratio(name: &'static str) -> Family {
    Family::gauge(
        name,
        &["campaign_id"],
        "A share of a campaign, from a percentage of the same name.",
    )
}

fn main() -> Result<(), Error> {
    let process = Registry::default();
    let operations: Vec<Arc<str>> = (1..=OPERATIONS).map(|n| format!("operation-{n:03}").into()).collect();
    println!("{OPERATIONS} operations of {SERIES} series, median of {ROUNDS} rounds");

    for format in [Format::Text, Format::OpenMetrics] {
        let body = page(&full(&operations), format, false, &process)?;
        let samples = body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty() && line[0] != b'#')
            .count();
        assert_eq!(samples, OPERATIONS * SERIES, "series on the page");
        let gzip = page(&full(&operations), format, true, &process)?;
        println!();
        println!(
            "{format:?}: {:.2} MB, gzip {:.2} MB",
            megabytes(&body),
            megabytes(&gzip)
        );

        let copy = median(|| {
            let begin = Instant::now();
            black_box(black_box(&body).clone());
            Ok(begin.elapsed())
        })?;
        report("copy of the page (the ceiling)", copy, copy, "");
        let line = |what: &str, time: Duration, target: &str| report(what, time, copy, target);

        let nothing = |gzip: bool| {
            median(|| {
                let rendered = Exposition::default();
                let all: Vec<_> = operations.iter().map(|operation| families(operation)).collect();
                let begin = Instant::now();
                for (operation, families) in operations.iter().zip(all) {
                    rendered.replace(source(operation), families, None);
                }
                black_box(rendered.page(format, gzip, &process)?);
                Ok(begin.elapsed())
            })
        };
        line("everything from nothing", nothing(false)?, "at most 40 ms");
        line("everything from nothing, gzip", nothing(true)?, "");

        let rendered = full(&operations);
        for gzip in [false, true] {
            rendered.page(format, gzip, &process)?;
        }
        let changed = |gzip: bool| {
            median(|| {
                let operation = &operations[fastrand::usize(..OPERATIONS)];
                let families = families(operation);
                let begin = Instant::now();
                rendered.replace(source(operation), families, None);
                black_box(rendered.page(format, gzip, &process)?);
                Ok(begin.elapsed())
            })
        };
        line("one operation changed", changed(false)?, "at most 5 ms");
        line("one operation changed, gzip", changed(true)?, "");

        let unchanged = |gzip: bool| {
            rendered.page(format, gzip, &process)?;
            median(|| {
                let begin = Instant::now();
                black_box(rendered.page(format, gzip, &process)?);
                Ok(begin.elapsed())
            })
        };
        line("nothing changed", unchanged(false)?, "");
        line("nothing changed, gzip", unchanged(true)?, "");
    }
    Ok(())
}

fn report(what: &str, time: Duration, copy: Duration, target: &str) {
    let ratio = time.as_secs_f64() / copy.as_secs_f64();
    let target = if target.is_empty() {
        String::new()
    } else {
        format!("  (target: {target})")
    };
    println!(
        "  {what:32} {:9.3} ms  {ratio:7.2} copies{target}",
        time.as_secs_f64() * 1e3
    );
}

/// The median time of several runs, after one that does not count.
fn median(mut run: impl FnMut() -> Result<Duration, Error>) -> Result<Duration, Error> {
    run()?;
    let mut times = (0..ROUNDS).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    times.sort_unstable();
    Ok(times[ROUNDS / 2])
}

fn megabytes(body: &[u8]) -> f64 {
    body.len() as f64 / 1e6
}

fn full(operations: &[Arc<str>]) -> Exposition {
    let exposition = Exposition::default();
    for operation in operations {
        exposition.replace(source(operation), families(operation), None);
    }
    exposition
}

fn page(exposition: &Exposition, format: Format, gzip: bool, process: &Registry) -> Result<Vec<u8>, Error> {
    Ok(exposition.page(format, gzip, process)?.parts.concat())
}

fn source(operation: &Arc<str>) -> Source {
    Source {
        operation: Arc::clone(operation),
        part: "bench",
    }
}

/// What an operation shows, with numbers that differ each time.
fn families(operation: &str) -> Vec<FamilySeries> {
    let mut families = Vec::new();
    let mut family = |family, series: Vec<(Vec<Label>, Value)>| {
        let mut all = FamilySeries::new(family);
        for (labels, value) in series {
            all.push(labels, value);
        }
        families.push(all);
    };
    let campaigns = || (0..CAMPAIGNS).map(|n| Label::from((14_300 + n).to_string()));
    let skills = || (0..SKILLS).map(|n| Label::from((20_300 + n).to_string()));
    let number = |below: u64| Value::Amount(Amount::Count(fastrand::u64(..below)));

    let info = |id: Label| {
        let name = format!("Campaña {id} de {operation}");
        let skill = Label::from(format!("20{}", &id[2..]));
        (vec![id, name.into(), skill, "predictive".into()], Value::Info)
    };
    family(&INFO, campaigns().map(info).collect());
    let states = |id: Label| STATES.map(|state| (vec![id.clone(), state.into()], number(2)));
    family(&STATUS, campaigns().flat_map(states).collect());
    let results = |id: Label| RESULTS.map(|result| (vec![id.clone(), result.into()], number(40_000)));
    family(&RESULT, campaigns().flat_map(results).collect());
    for count in &COUNTS {
        family(count, campaigns().map(|id| (vec![id], number(60_000))).collect());
    }
    for ratio in &RATIOS {
        let share = || Value::Number(f64::from(fastrand::u32(..10_000)) / 10_000.0);
        family(ratio, campaigns().map(|id| (vec![id], share())).collect());
    }
    let interactions = |id: Label| {
        CHANNELS
            .into_iter()
            .flat_map(move |channel| {
                let id = id.clone();
                INTERACTIONS.map(move |result| {
                    let labels: Vec<Label> = vec![id.clone(), channel.into(), result.into()];
                    (labels, Value::Amount(Amount::Count(fastrand::u64(..900_000))))
                })
            })
            .collect::<Vec<_>>()
    };
    family(&INTERACTION, skills().flat_map(interactions).collect());
    let waits = |id: Label| {
        let counts = (0..=BOUNDS.len()).map(|_| fastrand::u64(..5_000)).collect();
        let sum = Micros(fastrand::u64(..9_000_000) * Micros::PER_UNIT);
        (vec![id, "voice".into()], Value::Histogram(Histogram { counts, sum }))
    };
    family(&ABANDON_TIME, skills().map(waits).collect());
    families
}
