//! Made-up series like those of a real operation.

use wolkvox_exporter::metrics::Family;
use wolkvox_exporter::metrics::series::{Amount, FamilySeries, Histogram, Label, Micros, Value};

/// Sample lines per operation. A histogram counts with all its lines, as in Prometheus.
pub(crate) const SERIES: usize = 500;

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

/// The series of an operation, with different numbers each time.
pub(crate) fn families(operation: &str) -> Vec<FamilySeries> {
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
