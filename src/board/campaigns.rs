//! The campaigns of each operation as people want to see them: one line a campaign, names beside numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use crate::metrics::series::{Amount, FamilySeries, Series, Value};

/// A campaign. What the API did not say is `None`, or empty where it is a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Campaign {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The skill it is linked to.
    pub skill_id: String,
    /// `started`, `stopped` or `other`.
    pub status: String,
    /// Penetration of its records today; may pass 1.
    pub penetration_day: Option<f64>,
    /// Penetration of its records now; may pass 1.
    pub penetration_now: Option<f64>,
    /// Calls that it dials a minute.
    pub calls_per_minute: Option<f64>,
    /// Records by the result of their last dial, in the order of [`RESULTS`].
    pub results: [Option<u64>; RESULTS.len()],
}

/// The values of the label `result`.
pub const RESULTS: [&str; 4] = ["answer", "no_answer", "busy_congestion_failed", "answer_machine"];

/// The campaigns of all operations.
#[derive(Debug, Default)]
pub struct Campaigns(BTreeMap<Arc<str>, Shown>);

#[derive(Debug)]
struct Shown {
    campaigns: Arc<[Campaign]>,
    withdrawn_at: Option<Instant>,
}

impl Campaign {
    /// Whether it dials.
    pub fn is_started(&self) -> bool {
        self.status == "started"
    }
}

impl Campaigns {
    /// Shows the campaigns that these series are about in place of those shown before.
    pub fn show(&mut self, operation: &Arc<str>, series: &[FamilySeries], withdrawn_at: Option<Instant>) {
        let shown = Shown {
            campaigns: campaigns(series),
            withdrawn_at,
        };
        self.0.insert(Arc::clone(operation), shown);
    }

    /// The campaigns of an operation in the order of the series; `None` when they were never read, or are too old at
    /// `now`.
    pub fn of(&self, operation: &str, now: Instant) -> Option<Arc<[Campaign]>> {
        let shown = self.0.get(operation)?;
        let is_too_old = shown.withdrawn_at.is_some_and(|at| at <= now);
        (!is_too_old).then(|| Arc::clone(&shown.campaigns))
    }

    /// Forgets an operation.
    pub fn remove(&mut self, operation: &str) {
        self.0.remove(operation);
    }
}

fn campaigns(families: &[FamilySeries]) -> Arc<[Campaign]> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut campaigns: Vec<Campaign> = Vec::new();
    for family in families {
        for series in &family.series {
            let [id, labels @ ..] = &series.labels[..] else {
                continue;
            };
            let place = *places.entry(id).or_insert_with(|| {
                campaigns.push(Campaign {
                    id: id.clone().into_owned(),
                    ..Campaign::default()
                });
                campaigns.len() - 1
            });
            let campaign = &mut campaigns[place];
            let label = labels.first().map(AsRef::as_ref).unwrap_or_default();
            match family.family.name {
                "wolkvox_campaign" => {
                    campaign.name = label.to_owned();
                    campaign.skill_id = labels
                        .get(1)
                        .map(|skill| skill.clone().into_owned())
                        .unwrap_or_default();
                }
                "wolkvox_campaign_status" if count(series) == Some(1) => campaign.status = label.to_owned(),
                "wolkvox_campaign_results" => {
                    if let Some(result) = RESULTS.iter().position(|result| *result == label) {
                        campaign.results[result] = count(series);
                    }
                }
                "wolkvox_campaign_penetration_day_ratio" => campaign.penetration_day = number(series),
                "wolkvox_campaign_penetration_now_ratio" => campaign.penetration_now = number(series),
                "wolkvox_campaign_calls_per_minute" => campaign.calls_per_minute = number(series),
                _ => {}
            }
        }
    }
    campaigns.into()
}

fn count(series: &Series) -> Option<u64> {
    match series.value {
        Value::Amount(Amount::Count(count)) => Some(count),
        _ => None,
    }
}

fn number(series: &Series) -> Option<f64> {
    match series.value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}
