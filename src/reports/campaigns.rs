//! `real_time.php?api=campaigns`: the state of every campaign now.
//!
//! Everything in it may fall back, when records are recycled, so everything is a gauge, replaced whole by each good
//! poll. A stopped campaign stays listed; a live one can be missing from an answer and is then missing here too.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Outcome, Tally};
use crate::metrics::Family;
use crate::metrics::series::{Amount, FamilySeries, Label, Value};
use crate::wire::fields::{self, Leaf, Reading};
use crate::wire::{Query, Rows};

const ID: &[&str] = &["campaign_id"];

static INFO: Family = Family::info(
    "wolkvox_campaign",
    &["campaign_id", "campaign", "skill_id", "strategy"],
    "Name, skill and dialling strategy of a campaign, from the fields campaign and skill_id of real_time campaigns.",
);
static STATUS: Family = Family::gauge(
    "wolkvox_campaign_status",
    &["campaign_id", "status"],
    "1 for the state that a campaign is in, 0 for the others, from the field status of real_time campaigns.",
)
.with_fixed_values(&[("status", &STATUSES)]);
static RESULTS: Family = Family::gauge(
    "wolkvox_campaign_results",
    &["campaign_id", "result"],
    "Records of a campaign by the result of their last dial, from the fields answer, no_answer, busy/congestion/failed and answer_machine of real_time campaigns. The results are disjoint.",
)
.with_fixed_values(&[("result", &RESULTS_OF_DIALS)]);
static HITS: Family = Family::gauge(
    "wolkvox_campaign_hits",
    ID,
    "Hits of a campaign, from the count in the field hits of real_time campaigns.",
);
static HITS_RATIO: Family = Family::gauge(
    "wolkvox_campaign_hits_ratio",
    ID,
    "Share of hits of a campaign as the API gives it, from the percentage in the field hits of real_time campaigns.",
);

/// A field that is one number.
struct Gauge {
    family: Family,
    field: &'static str,
    leaf: for<'r, 'a> fn(&'r CampaignRow<'a>) -> &'r Leaf<'a>,
    rule: fn(&Leaf<'_>) -> Reading<Value>,
}

static GAUGES: [Gauge; 8] = [
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_speed_ratio",
            ID,
            "Dialling speed of a campaign, 1.1 for \"110%\", from the field speed of real_time campaigns.",
        ),
        field: "speed",
        leaf: |row| &row.speed,
        rule: ratio,
    },
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_records",
            ID,
            "Records loaded into a campaign, from the field records of real_time campaigns.",
        ),
        field: "records",
        leaf: |row| &row.records,
        rule: count,
    },
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_clean_records",
            ID,
            "Records of a campaign that were never dialled, from the field clean of real_time campaigns. After recycling they overlap with the dialled ones.",
        ),
        field: "clean",
        leaf: |row| &row.clean,
        rule: count,
    },
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_dialed_records",
            ID,
            "Records of a campaign that were dialled, from the field dial of real_time campaigns.",
        ),
        field: "dial",
        leaf: |row| &row.dial,
        rule: count,
    },
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_penetration_day_ratio",
            ID,
            "Penetration of a campaign's records today, from the field penetration_day of real_time campaigns. May pass 1.",
        ),
        field: "penetration_day",
        leaf: |row| &row.penetration_day,
        rule: ratio,
    },
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_penetration_now_ratio",
            ID,
            "Penetration of a campaign's records now, from the field penetration_now of real_time campaigns. May pass 1.",
        ),
        field: "penetration_now",
        leaf: |row| &row.penetration_now,
        rule: ratio,
    },
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_calls_per_minute",
            ID,
            "Calls that a campaign dials a minute, from the field calls_x_min of real_time campaigns.",
        ),
        field: "calls_x_min",
        leaf: |row| &row.calls_x_min,
        rule: number,
    },
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_recycles",
            ID,
            "How often a campaign's records were recycled, from the field recycled of real_time campaigns.",
        ),
        field: "recycled",
        leaf: |row| &row.recycled,
        rule: count,
    },
];

const STATUSES: [&str; 3] = ["started", "stopped", "other"];
/// The values of the label `result`.
const RESULTS_OF_DIALS: [&str; 4] = ["answer", "no_answer", "busy_congestion_failed", "answer_machine"];
/// The fields they come from.
const RESULT_FIELDS: [&str; 4] = ["answer", "no_answer", "busy/congestion/failed", "answer_machine"];

/// The fields whose values may be unreadable.
pub(super) const FIELDS: [&str; 16] = [
    "campaign",
    "speed",
    "status",
    "skill_id",
    "records",
    "clean",
    "dial",
    "answer",
    "no_answer",
    "busy/congestion/failed",
    "answer_machine",
    "penetration_day",
    "penetration_now",
    "hits",
    "calls_x_min",
    "recycled",
];

/// A row as it comes.
#[derive(Deserialize)]
pub struct CampaignRow<'a> {
    #[serde(borrow, default)]
    campaign: Leaf<'a>,
    #[serde(borrow, default)]
    speed: Leaf<'a>,
    #[serde(borrow, default)]
    status: Leaf<'a>,
    #[serde(borrow, default)]
    skill_id: Leaf<'a>,
    #[serde(borrow, default)]
    records: Leaf<'a>,
    #[serde(borrow, default)]
    clean: Leaf<'a>,
    #[serde(borrow, default)]
    dial: Leaf<'a>,
    #[serde(borrow, default)]
    answer: Leaf<'a>,
    #[serde(borrow, default)]
    no_answer: Leaf<'a>,
    #[serde(borrow, default, rename = "busy/congestion/failed")]
    busy_congestion_failed: Leaf<'a>,
    #[serde(borrow, default)]
    answer_machine: Leaf<'a>,
    #[serde(borrow, default)]
    penetration_day: Leaf<'a>,
    #[serde(borrow, default)]
    penetration_now: Leaf<'a>,
    #[serde(borrow, default)]
    hits: Leaf<'a>,
    #[serde(borrow, default)]
    calls_x_min: Leaf<'a>,
    #[serde(borrow, default)]
    recycled: Leaf<'a>,
}

/// A campaign as one answer describes it; what the API did not say is `None`.
#[derive(Clone, Debug, PartialEq)]
struct Campaign {
    name: String,
    strategy: String,
    skill_id: String,
    /// Index into [`STATUSES`].
    status: Option<usize>,
    /// In the order of [`RESULT_FIELDS`].
    results: [Option<u64>; RESULT_FIELDS.len()],
    hits: Option<(u64, Option<f64>)>,
    /// In the order of [`GAUGES`].
    gauges: [Option<Value>; GAUGES.len()],
}

/// Reads the campaigns of one answer.
#[derive(Debug, Default)]
pub struct Campaigns {
    campaigns: BTreeMap<CampaignId, Campaign>,
    tally: Tally,
}

/// Ordered as numbers are, so that "the lowest ids stay" means what people expect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CampaignId {
    length: usize,
    text: String,
}

/// What is asked. The report knows no dates.
pub fn query() -> Query {
    Query {
        script: "real_time.php",
        api: "campaigns",
        parameters: Vec::new(),
    }
}

/// The families of this report.
pub fn families() -> Vec<&'static Family> {
    [&INFO, &STATUS, &RESULTS, &HITS, &HITS_RATIO]
        .into_iter()
        .chain(GAUGES.iter().map(|gauge| &gauge.family))
        .collect()
}

impl Rows for Campaigns {
    type Row<'a> = CampaignRow<'a>;

    fn row(&mut self, _: Option<&str>, row: CampaignRow<'_>) {
        let tally = &mut self.tally;
        let Some((id, name, strategy)) = tally
            .read("campaign", fields::text(&row.campaign))
            .and_then(split_campaign)
        else {
            tally.count(Outcome::Invalid);
            return;
        };
        let id = CampaignId {
            length: id.len(),
            text: id.to_owned(),
        };
        if self.campaigns.contains_key(&id) {
            tally.count(Outcome::Ignored);
            return;
        }
        let results = [
            &row.answer,
            &row.no_answer,
            &row.busy_congestion_failed,
            &row.answer_machine,
        ];
        let campaign = Campaign {
            name: name.to_owned(),
            strategy: strategy.to_owned(),
            skill_id: tally
                .read("skill_id", fields::text(&row.skill_id))
                .unwrap_or_default()
                .to_owned(),
            status: tally.read("status", fields::text(&row.status)).map(|status| {
                STATUSES
                    .iter()
                    .position(|known| known.eq_ignore_ascii_case(status))
                    .unwrap_or(STATUSES.len() - 1)
            }),
            results: std::array::from_fn(|n| tally.read(RESULT_FIELDS[n], fields::count(results[n]))),
            hits: tally.read("hits", fields::count_with_percent(&row.hits)),
            gauges: std::array::from_fn(|n| {
                let gauge = &GAUGES[n];
                tally.read(gauge.field, (gauge.rule)((gauge.leaf)(&row)))
            }),
        };
        self.campaigns.insert(id, campaign);
        tally.count(Outcome::Counted);
    }

    fn invalid(&mut self) {
        self.tally.count(Outcome::Invalid);
    }
}

impl Campaigns {
    /// What came of the rows.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The series of all campaigns, and per family how many were left out because of the limit: the lowest ids stay.
    pub fn series(&self, limit: usize) -> (Vec<FamilySeries>, Vec<(&'static Family, u64)>) {
        let mut families = Vec::new();
        let mut left_out = Vec::new();
        for family in families_in_order() {
            let mut shown = FamilySeries::new(family.0);
            let mut dropped = 0;
            for (id, campaign) in &self.campaigns {
                let series = (family.1)(campaign);
                if dropped > 0 || shown.series.len() + series.len() > limit {
                    dropped += series.len() as u64;
                    continue;
                }
                for (mut labels, value) in series {
                    labels.insert(0, Label::Owned(id.text.clone()));
                    shown.push(labels, value);
                }
            }
            if dropped > 0 {
                left_out.push((family.0, dropped));
            }
            families.push(shown);
        }
        (families, left_out)
    }
}

type SeriesOf = Box<dyn Fn(&Campaign) -> Vec<(Vec<Label>, Value)>>;

/// Each family with the series that one campaign has in it, without the label `campaign_id`.
fn families_in_order() -> Vec<(&'static Family, SeriesOf)> {
    let plain = |value: Option<Value>| value.map(|value| (Vec::new(), value)).into_iter().collect();
    let mut families: Vec<(&'static Family, SeriesOf)> = vec![
        (
            &INFO,
            Box::new(|c| {
                let labels = [&c.name, &c.skill_id, &c.strategy].map(|text| Label::Owned(text.clone()));
                vec![(labels.into(), Value::Info)]
            }),
        ),
        (
            &STATUS,
            Box::new(|c| {
                let Some(status) = c.status else { return Vec::new() };
                let value = |n| Value::Amount(Amount::Count(u64::from(n == status)));
                STATUSES
                    .iter()
                    .enumerate()
                    .map(|(n, name)| (vec![Label::Borrowed(name)], value(n)))
                    .collect()
            }),
        ),
        (
            &RESULTS,
            Box::new(|c| {
                let known = RESULTS_OF_DIALS
                    .iter()
                    .zip(c.results)
                    .filter_map(|(name, count)| Some((name, count?)));
                known
                    .map(|(name, n)| (vec![Label::Borrowed(*name)], Value::Amount(Amount::Count(n))))
                    .collect()
            }),
        ),
        (
            &HITS,
            Box::new(move |c| plain(c.hits.map(|(hits, _)| Value::Amount(Amount::Count(hits))))),
        ),
        (
            &HITS_RATIO,
            Box::new(move |c| plain(c.hits.and_then(|(_, ratio)| ratio).map(Value::Number))),
        ),
    ];
    for (n, gauge) in GAUGES.iter().enumerate() {
        families.push((&gauge.family, Box::new(move |c| plain(c.gauges[n].clone()))));
    }
    families
}

/// Splits "4875 - MY CAMPAIGN - tel1 (100%)" into id, name and strategy. The id is left of the first separator; the
/// strategy is the last ` - …(…)` tail, since the name itself may hold separators and parentheses.
fn split_campaign(text: &str) -> Option<(&str, &str, &str)> {
    let (id, rest) = text.split_once(" - ").unwrap_or((text, ""));
    let id = id.trim();
    if id.is_empty() || id.contains(char::is_whitespace) {
        return None;
    }
    let rest = rest.trim();
    let (name, strategy) = match rest.rsplit_once(" - ") {
        Some((name, tail)) if tail.trim_end().ends_with(')') && tail.contains('(') => (name.trim(), tail.trim()),
        _ => (rest, ""),
    };
    Some((id, name, strategy))
}

fn count(leaf: &Leaf<'_>) -> Reading<Value> {
    map(fields::count(leaf), |n| Value::Amount(Amount::Count(n)))
}

fn number(leaf: &Leaf<'_>) -> Reading<Value> {
    map(fields::decimal(leaf), |n| Value::Number(n.as_f64()))
}

fn ratio(leaf: &Leaf<'_>) -> Reading<Value> {
    map(fields::percent(leaf), Value::Number)
}

fn map<T>(reading: Reading<T>, value: impl Fn(T) -> Value) -> Reading<Value> {
    match reading {
        Reading::Absent => Reading::Absent,
        Reading::Value(read) => Reading::Value(value(read)),
        Reading::Invalid => Reading::Invalid,
    }
}
