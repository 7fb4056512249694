//! The row reports: waits for a skill (`skill_2`, `skill_10`), preview calls (`campaign_5`) and IVR steps (`diagram_1`).
//!
//! Like calls, rows are a function of the seed and the minute. What a row says is drawn apart from when it appears and when
//! its blanks are filled, so that an [`EventPlan`] changes the latter without changing the former.

mod answered;
mod broken;
mod changes;
mod facts;
mod fake_people;
mod listing;
mod plan;
mod previews;
mod rows;
mod spans;
mod steps;
mod timeline;
mod waits;

pub use changes::{FirstStep, FirstWait, Moved, Returns, Unfinished};
pub use facts::{AbandonedFacts, IvrFacts, PreviewFacts, Seen, counts_up_to};
pub use fake_people::personal_data_in;
pub(crate) use fake_people::{Employee, TOKEN_DESCRIPTION};
pub(crate) use listing::Listing;
pub(crate) use spans::{WaitEnd, WaitSpan};

pub use plan::{Completion, EventPlan, Lateness, StepDates};

use answered::Answered;
use previews::Preview;
use steps::Step;
use timeline::Timeline;
use waits::Wait;

use super::{agents::Staff, switches::BrokenRows, traffic::Traffic, window::Window};

/// The rows of one operation.
#[derive(Debug)]
pub(super) struct Events {
    source: EventSource,
    waits: Timeline<Wait>,
    answered: Timeline<Answered>,
    previews: Timeline<Preview>,
    steps: Timeline<Step>,
    /// The agents who answered the calls of these rows.
    staff: Staff,
}

/// What rows are generated from.
#[derive(Debug)]
struct EventSource {
    traffic: Traffic,
    plan: EventPlan,
}

impl Events {
    /// At a volume of 1, rows belong to the same calls that the other reports add up.
    pub(super) fn new(traffic: &Traffic, plan: EventPlan) -> Events {
        let traffic = Traffic {
            volume: traffic.volume * plan.volume,
            ..traffic.clone()
        };
        Events {
            source: EventSource { traffic, plan },
            waits: Timeline::default(),
            answered: Timeline::default(),
            previews: Timeline::default(),
            steps: Timeline::default(),
            staff: Staff::default(),
        }
    }

    /// The calls that rows belong to.
    pub(super) fn traffic(&self) -> &Traffic {
        &self.source.traffic
    }

    pub(super) fn staff(&self) -> &Staff {
        &self.staff
    }
}

/// The rows that a request selects.
#[derive(Clone, Debug)]
pub(super) enum RowFilter {
    All,
    Value(String),
}

impl RowFilter {
    pub(super) fn accepts(&self, value: impl FnOnce() -> String) -> bool {
        match self {
            RowFilter::All => true,
            RowFilter::Value(wanted) => *wanted == value(),
        }
    }
}

/// A request for the rows of a window, as they are at an instant.
#[derive(Debug)]
pub(super) struct RowQuery {
    pub(super) window: Window,
    pub(super) now: i64,
    pub(super) filter: RowFilter,
    /// Days of the wall clock that show no rows yet.
    pub(super) hidden_days: Vec<i64>,
    /// The broken row of this answer.
    pub(super) broken: Option<BrokenRows>,
}

/// Draws from a list by weights in percent; `last` gets what is left of 100.
fn weighted<T: Copy>(rng: &mut fastrand::Rng, list: &[(u32, T)], last: T) -> T {
    let mut at = rng.u32(0..100);
    for (weight, value) in list {
        if at < *weight {
            return *value;
        }
        at -= weight;
    }
    last
}
