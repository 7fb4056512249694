//! The families of the report, and the series that a campaign has in each.

use super::{Campaign, CampaignRow, DIAL_RESULTS, STATUSES};
use crate::metrics::Family;
use crate::metrics::series::{Amount, FamilySeries, Label, Value};
use crate::reports::current::within_limit;
use crate::wire::fields::{self, Leaf, Reading};

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
.with_fixed_values(&[("result", &DIAL_RESULTS)]);
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

/// A gauge with the value of one field.
pub(super) struct Gauge {
    family: Family,
    pub(super) field: &'static str,
    leaf: for<'r, 'a> fn(&'r CampaignRow<'a>) -> &'r Leaf<'a>,
    rule: fn(&Leaf<'_>) -> Reading<Value>,
}

impl Gauge {
    pub(super) fn read(&self, row: &CampaignRow<'_>) -> Reading<Value> {
        (self.rule)((self.leaf)(row))
    }
}

pub(super) static GAUGES: [Gauge; 8] = [
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
            "Penetration of a campaign's records today, from the field penetration_day of real_time campaigns. May exceed 1.",
        ),
        field: "penetration_day",
        leaf: |row| &row.penetration_day,
        rule: ratio,
    },
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_penetration_now_ratio",
            ID,
            "Penetration of a campaign's records now, from the field penetration_now of real_time campaigns. May exceed 1.",
        ),
        field: "penetration_now",
        leaf: |row| &row.penetration_now,
        rule: ratio,
    },
    Gauge {
        family: Family::gauge(
            "wolkvox_campaign_calls_per_minute",
            ID,
            "Calls that a campaign dials per minute, from the field calls_x_min of real_time campaigns.",
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

/// All of them.
pub(super) static FAMILIES: [&Family; 5 + GAUGES.len()] = [
    &INFO,
    &STATUS,
    &RESULTS,
    &HITS,
    &HITS_RATIO,
    &GAUGES[0].family,
    &GAUGES[1].family,
    &GAUGES[2].family,
    &GAUGES[3].family,
    &GAUGES[4].family,
    &GAUGES[5].family,
    &GAUGES[6].family,
    &GAUGES[7].family,
];

/// The series of one campaign in a family, without the label `campaign_id`.
type SeriesOf = fn(&Campaign) -> Vec<(Vec<Label>, Value)>;

/// All series of the campaigns, and how many the limit left out, by family.
pub(super) fn series<'c>(
    campaigns: impl Iterator<Item = (&'c str, &'c Campaign)> + Clone,
    limit: usize,
) -> (Vec<FamilySeries>, Vec<(&'static Family, u64)>) {
    let own: [(&'static Family, SeriesOf); 5] = [
        (&INFO, info),
        (&STATUS, status),
        (&RESULTS, results),
        (&HITS, |campaign| {
            plain(campaign.hits.map(|(hits, _)| Value::Amount(Amount::Count(hits))))
        }),
        (&HITS_RATIO, |campaign| {
            plain(campaign.hits.and_then(|(_, ratio)| ratio).map(Value::Number))
        }),
    ];
    let own = own
        .into_iter()
        .map(|(family, series)| (family, within_limit(family, campaigns.clone(), limit, series)));
    let gauges = GAUGES.iter().enumerate().map(|(n, gauge)| {
        let series = |campaign: &Campaign| plain(campaign.gauges[n].clone());
        (
            &gauge.family,
            within_limit(&gauge.family, campaigns.clone(), limit, series),
        )
    });
    let mut shown = Vec::new();
    let mut left_out = Vec::new();
    for (family, (series, dropped)) in own.chain(gauges) {
        shown.push(series);
        if dropped > 0 {
            left_out.push((family, dropped));
        }
    }
    (shown, left_out)
}

fn info(campaign: &Campaign) -> Vec<(Vec<Label>, Value)> {
    let labels = [&campaign.name, &campaign.skill_id, &campaign.strategy].map(|text| Label::Owned(text.clone()));
    vec![(labels.into(), Value::Info)]
}

fn status(campaign: &Campaign) -> Vec<(Vec<Label>, Value)> {
    let Some(current) = campaign.status else {
        return Vec::new();
    };
    let value = |status| Value::Amount(Amount::Count(u64::from(status == current)));
    STATUSES
        .iter()
        .map(|status| (vec![Label::Borrowed(status)], value(*status)))
        .collect()
}

fn results(campaign: &Campaign) -> Vec<(Vec<Label>, Value)> {
    let known = DIAL_RESULTS
        .iter()
        .zip(campaign.results)
        .filter_map(|(result, count)| Some((result, count?)));
    known
        .map(|(result, n)| (vec![Label::Borrowed(*result)], Value::Amount(Amount::Count(n))))
        .collect()
}

fn plain(value: Option<Value>) -> Vec<(Vec<Label>, Value)> {
    value.map(|value| (Vec::new(), value)).into_iter().collect()
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
