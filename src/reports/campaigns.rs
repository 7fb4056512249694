//! `real_time.php?api=campaigns`: the current state of every campaign.
//!
//! All values can decrease when records are recycled, so all are gauges, and each good poll replaces them as a whole. A
//! stopped campaign stays listed. A live one can be missing from an answer, and then it is missing here too.

mod families;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use self::families::GAUGES;
use super::current::{self, Current, CurrentReport, CurrentState};
use super::values::{self, OTHER, SortedId, begins};
use super::{Assumption, Kind, MINUTE, Outcome, REAL_TIME, Report, Tally, View};
use crate::metrics::series::Value;
use crate::wire::Endpoint;
use crate::wire::fields::{self, Leaf};

/// The report.
pub static CAMPAIGNS: Report = Report {
    name: "campaigns",
    state_id: 0,
    endpoint: Endpoint {
        script: REAL_TIME,
        api: "campaigns",
    },
    filter: None,
    seconds: None,
    interval: MINUTE.saturating_mul(5),
    quiet_interval: Some(MINUTE.saturating_mul(15)),
    // It has few rows and is fast.
    timeout: Duration::from_secs(30),
    families: &families::FAMILIES,
    names: &[],
    fields: &[
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
    ],
    kind: Kind::Current(CurrentState {
        reader: |_| current::rows_of(Campaigns::default()),
        is_urgent: true,
    }),
};

/// What may separate the parts of the field `campaign`.
const SEPARATORS: [char; 6] = ['-', '–', '—', '_', '|', ':'];
/// A name that stands for an id is cut to the length of ids.
const LONGEST_NAME_AS_ID: usize = 64;
/// The status of a campaign that is dialling.
const STARTED: &str = "started";
/// The values of the label `status`. The last one stands for any other text.
const STATUSES: [&str; 3] = [STARTED, "stopped", OTHER];
/// The values of the label `result`: the result of a record's last dial.
pub const DIAL_RESULTS: [&str; 4] = ["answer", "no_answer", "busy_congestion_failed", "answer_machine"];
/// The fields that hold the counts of these results.
const RESULT_FIELDS: [&str; DIAL_RESULTS.len()] = ["answer", "no_answer", "busy/congestion/failed", "answer_machine"];

/// The fields that we need of a row.
#[derive(Deserialize)]
struct CampaignRow<'a> {
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

/// A campaign as one answer describes it. `None` where the API gave no value.
struct Campaign {
    name: String,
    strategy: String,
    skill_id: String,
    /// One of [`STATUSES`].
    status: Option<&'static str>,
    /// In the order of [`DIAL_RESULTS`].
    results: [Option<u64>; DIAL_RESULTS.len()],
    hits: Option<(u64, Option<f64>)>,
    /// In the order of [`GAUGES`].
    gauges: [Option<Value>; GAUGES.len()],
}

/// A campaign as the status page lists it. `None`, or empty for a text, where the API gave no value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CampaignSummary {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The skill that it is linked to.
    pub skill_id: String,
    /// `started`, `stopped` or `other`.
    pub status: Option<&'static str>,
    /// Penetration of its records today; may exceed 1.
    pub penetration_day: Option<f64>,
    /// Penetration of its records now; may exceed 1.
    pub penetration_now: Option<f64>,
    /// Calls that it dials per minute.
    pub calls_per_minute: Option<f64>,
    /// Records by the result of their last dial, in the order of [`DIAL_RESULTS`].
    pub results: [Option<u64>; DIAL_RESULTS.len()],
}

impl CampaignSummary {
    /// Whether it is dialling.
    pub fn is_started(&self) -> bool {
        self.status == Some(STARTED)
    }
}

/// Reads the campaigns of one answer.
#[derive(Default)]
struct Campaigns {
    campaigns: BTreeMap<SortedId, Campaign>,
    tally: Tally,
}

impl CurrentReport for Campaigns {
    type Row<'a> = CampaignRow<'a>;

    fn row(&mut self, row: &CampaignRow<'_>) {
        let tally = &mut self.tally;
        let text = tally.read("campaign", fields::text(&row.campaign));
        let Some((id, name, strategy)) = text.and_then(split_campaign) else {
            return tally.invalid_without("campaign");
        };
        let id = SortedId::from(&*id);
        if self.campaigns.contains_key(&id) {
            tally.violation(Assumption::RowsDiffer);
            return tally.count(Outcome::Ignored);
        }
        let results = [
            &row.answer,
            &row.no_answer,
            &row.busy_congestion_failed,
            &row.answer_machine,
        ];
        let campaign = Campaign {
            name: values::name(name).into_owned(),
            strategy: values::name(strategy).into_owned(),
            skill_id: tally
                .read("skill_id", fields::text(&row.skill_id))
                .filter(|id| values::is_id(id))
                .map(values::printable)
                .unwrap_or_default()
                .into_owned(),
            status: tally
                .read("status", fields::text(&row.status))
                .map(|text| status(tally, text)),
            results: std::array::from_fn(|n| tally.read(RESULT_FIELDS[n], fields::count(results[n]))),
            hits: tally.read("hits", fields::count_with_percent(&row.hits)),
            gauges: std::array::from_fn(|n| tally.read(GAUGES[n].field, GAUGES[n].read(row))),
        };
        self.campaigns.insert(id, campaign);
        tally.count(Outcome::Counted);
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn finish(self, limit: usize) -> Current {
        let campaigns = self.campaigns.iter().map(|(id, campaign)| (&**id, campaign));
        let (series, left_out) = families::series(campaigns.clone(), limit);
        let summaries = campaigns.take(limit).map(|(id, campaign)| campaign.summary(id));
        Current {
            series,
            left_out,
            names: Vec::new(),
            view: View::Campaigns(summaries.collect()),
            tally: self.tally,
        }
    }
}

impl Campaign {
    fn summary(&self, id: &str) -> CampaignSummary {
        CampaignSummary {
            id: id.to_owned(),
            name: self.name.clone(),
            skill_id: self.skill_id.clone(),
            status: self.status,
            penetration_day: self.number("penetration_day"),
            penetration_now: self.number("penetration_now"),
            calls_per_minute: self.number("calls_x_min"),
            results: self.results,
        }
    }

    /// The value of the gauge for this field.
    fn number(&self, field: &str) -> Option<f64> {
        let place = GAUGES.iter().position(|gauge| gauge.field == field)?;
        match self.gauges[place] {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        }
    }
}

fn status(tally: &mut Tally, text: &str) -> &'static str {
    match () {
        () if begins(text, &["start", "inici"]) => STARTED,
        () if begins(text, &["stop", "deten"]) => "stopped",
        () => {
            tally.violation(Assumption::KnownWords);
            tally.unknown_word("status", text);
            OTHER
        }
    }
}

/// Splits "4875 - MY CAMPAIGN - tel1 (100%)" into id, name and strategy. The id is the digits at the beginning, whatever
/// separates them from the name; a campaign without them has its name as id. The strategy is the last part with brackets
/// after the same separator, since the name itself may contain separators and brackets.
fn split_campaign(text: &str) -> Option<(Cow<'_, str>, &str, &str)> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (id, rest) = text.split_at(digits);
    let after = |c: char| c.is_whitespace() || SEPARATORS.contains(&c);
    let name_begins = rest.len() - rest.trim_start_matches(after).len();
    // Digits that go on with letters are part of a name, like 24x7.
    if digits == 0 || (name_begins == 0 && !rest.is_empty() && !rest.starts_with(['(', '['])) {
        let name = values::name(text);
        let id = match name.char_indices().nth(LONGEST_NAME_AS_ID) {
            Some((end, _)) => Cow::Owned(name[..end].to_owned()),
            None => name,
        };
        return (!id.is_empty()).then_some((id, text, ""));
    }
    if !values::is_id(id) {
        return None;
    }
    let (separator, rest) = rest.split_at(name_begins);
    let (name, strategy) = match rest.rsplit_once(separator) {
        Some((name, tail)) if !separator.is_empty() && tail.trim_end().ends_with(')') && tail.contains('(') => {
            (name.trim(), tail.trim())
        }
        _ => (rest.trim(), ""),
    };
    Some((values::printable(id), name, strategy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_at_the_beginning_are_the_id_of_a_campaign() {
        for (text, id, name, strategy) in [
            ("4875 - MY CAMPAIGN - tel1 (100%)", "4875", "MY CAMPAIGN", "tel1 (100%)"),
            (
                "4876 - A - B (norte) - tel1 (100%)",
                "4876",
                "A - B (norte)",
                "tel1 (100%)",
            ),
            ("5-Ventas-tel1 (100%)", "5", "Ventas", "tel1 (100%)"),
            ("10 – Guión – tel1 (100%)", "10", "Guión", "tel1 (100%)"),
            ("11|Ventas", "11", "Ventas", ""),
            ("6_Nombre_tel1", "6", "Nombre_tel1", ""),
            ("12 Ventas", "12", "Ventas", ""),
            ("13(Ventas)", "13", "(Ventas)", ""),
            ("14", "14", "", ""),
            ("Campaña sin id", "Campaña sin id", "Campaña sin id", ""),
            ("24x7", "24x7", "24x7", ""),
        ] {
            let split = split_campaign(text).unwrap();
            assert_eq!((&*split.0, split.1, split.2), (id, name, strategy), "{text}");
        }
        assert_eq!(split_campaign(&"9".repeat(65)), None);
    }
}
