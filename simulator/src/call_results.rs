//! Why dialled calls did not connect, as `cdr_6` adds them up.

use std::{collections::BTreeMap, ops::AddAssign};

use super::{
    answers::{Answer, AnswerWriter},
    call::{Call, Direction, Outcome},
    events::Listing,
    incidents::carrier_fails,
    json::Json,
    random::rng_at,
    switches::{BrokenRows, CampaignsEnvelope},
    traffic::Traffic,
};

const RESULTS: u64 = 0x0072_6573_756c_7473;

/// The values of `result` (seen in exports of real operations), and the labels that a client should make of them.
const WORDS: [(&str, &str); 7] = [
    ("Cancel", "cancel"),
    ("Chanunavail", "chanunavail"),
    ("Congestion", "congestion"),
    ("Busy", "busy"),
    ("No answer", "no_answer"),
    ("Tcpa", "tcpa"),
    ("Do not call", "do_not_call"),
];

/// In percent and in the order of the words: of dials that rang, of those that failed, and of those that failed while a carrier
/// had a fault.
const RANG: [u32; 7] = [14, 0, 0, 0, 86, 0, 0];
const FAILED: [u32; 7] = [0, 18, 20, 45, 0, 7, 10];
const FAILED_AT_CARRIER: [u32; 7] = [0, 37, 55, 6, 0, 1, 1];

/// Calls that did not connect, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallResults {
    counts: [u64; WORDS.len()],
}

impl CallResults {
    /// The counts above 0 by the label that a client should make of the word: `no_answer` for `No answer`.
    pub fn by_label(&self) -> BTreeMap<&'static str, u64> {
        let labels = WORDS.into_iter().zip(self.counts);
        labels
            .filter(|(_, count)| *count > 0)
            .map(|((_, label), count)| (label, count))
            .collect()
    }

    /// The sum of all counts.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The words of the report and their counts, those above 0.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let rows = WORDS.into_iter().zip(self.counts);
        rows.filter(|(_, count)| *count > 0)
            .map(|((word, _), count)| (word, count))
    }

    pub(super) fn count(&mut self, call: &Call, traffic: &Traffic) {
        let weights = match (call.direction, call.outcome) {
            (Direction::Outbound, Outcome::NoAnswer) => RANG,
            (Direction::Outbound, Outcome::Failed) if carrier_fails(&traffic.incidents, call) => FAILED_AT_CARRIER,
            (Direction::Outbound, Outcome::Failed) => FAILED,
            _ => return,
        };
        let mut luck = rng_at(traffic.seed, RESULTS, call.key()).u32(0..100);
        for (count, weight) in self.counts.iter_mut().zip(weights) {
            if luck < weight {
                *count += 1;
                return;
            }
            luck -= weight;
        }
    }
}

impl AddAssign for CallResults {
    fn add_assign(&mut self, other: CallResults) {
        for (mine, others) in self.counts.iter_mut().zip(other.counts) {
            *mine += others;
        }
    }
}

impl AnswerWriter<'_> {
    pub(super) fn call_results(&self, results: &CallResults, broken: Option<BrokenRows>) -> Answer {
        let rows: Vec<Json> = results
            .rows()
            .map(|(word, count)| {
                self.row(vec![
                    ("result", Json::text(self.switches.call_result_case.apply(word))),
                    ("count", self.integer(count)),
                ])
            })
            .collect();
        let listing = Listing {
            code: self.switches.code,
            empty: self.switches.empty_rows,
            envelope: CampaignsEnvelope::Data,
            broken,
        };
        self.list(listing, rows.len(), rows.into_iter())
    }
}
