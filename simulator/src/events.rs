//! What the row reports tell one by one: waits for a skill, preview calls and menu steps.
//!
//! Like the calls they are functions of the seed and the minute. When a row shows and when a blank in it is filled are
//! drawn apart from what it says, so that the knobs of an [`EventPlan`] change the former and leave the latter alone.

mod facts;
mod journal;
mod people;
mod plan;
mod previews;
mod rows;
mod steps;
mod waits;

pub use facts::{AbandonedFacts, IvrFacts, PreviewFacts, Seen, counts_up_to};
pub use people::personal_data_in;
pub use plan::{Completion, EventPlan, Lateness, StepDates};

use journal::Journal;
use previews::Preview;
use steps::Step;
use waits::Wait;

use super::{
    traffic::{Call, Traffic},
    window::Window,
};

/// All events of one operation.
#[derive(Debug)]
pub(super) struct Events {
    world: World,
    waits: Journal<Wait>,
    previews: Journal<Preview>,
    steps: Journal<Step>,
}

/// What events are made of.
#[derive(Debug)]
struct World {
    traffic: Traffic,
    plan: EventPlan,
}

impl Events {
    /// With a volume of 1 the events belong to the very calls that the other reports sum up.
    pub(super) fn new(traffic: &Traffic, plan: EventPlan) -> Events {
        let traffic = Traffic {
            volume: traffic.volume * plan.volume,
            ..traffic.clone()
        };
        Events {
            world: World { traffic, plan },
            waits: Journal::default(),
            previews: Journal::default(),
            steps: Journal::default(),
        }
    }
}

/// What a request for rows may narrow down to.
#[derive(Clone, Debug)]
pub(super) enum Only {
    All,
    Text(String),
}

impl Only {
    fn holds(&self, text: impl FnOnce() -> String) -> bool {
        match self {
            Only::All => true,
            Only::Text(wanted) => *wanted == text(),
        }
    }
}

/// A request for rows, at an instant.
#[derive(Debug)]
pub(super) struct RowQuery {
    pub(super) window: Window,
    pub(super) now: i64,
    pub(super) only: Only,
}

/// A number of a call's own among all calls of the world, for its random numbers.
fn place(call: &Call) -> i64 {
    call.end.wrapping_mul(1 << 20).wrapping_add(i64::from(call.number))
}

/// One of the list, by its weight in hundredths; the weights before the last must sum up to less than 100.
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
