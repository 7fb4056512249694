//! A simulated contact centre behind a fake Wolkvox API.
//!
//! The world is a function of a seed, an operation's name and an instant: every minute has its own random numbers,
//! so that questions asked in any order get the same answers, and what an answer ought to say can be asked in process
//! ([`SimulatedOperation::truth`]). What nobody knows about the real API is a field of [`Switches`]; what goes wrong on
//! the way is a [`Fault`].

mod answers;
mod api;
mod asked;
mod body;
mod campaign_state;
mod centre;
mod clock;
mod durations;
mod events;
mod exchange;
mod faults;
mod incidents;
mod json;
mod limits;
mod observed;
mod operation;
mod random;
mod rhythm;
mod server;
mod switches;
mod traffic;
mod truth;
mod window;
mod wire;

use std::{io, sync::Arc};

use jiff::{SignedDuration, tz::TimeZone};
use tokio::net::TcpListener;

pub use api::Api;
pub use campaign_state::CampaignState;
pub use centre::{Campaign, Centre, RoutingPoint, Skill};
pub use clock::SimulatedClock;
pub use durations::{BucketTotals, DayTotals, DurationBucket};
pub use events::{
    AbandonedFacts, Completion, EventPlan, IvrFacts, Lateness, PreviewFacts, Seen, StepDates, counts_up_to,
    personal_data_in,
};
pub use faults::{ErrorBody, Fault, Injection};
pub use incidents::{Incident, IncidentKind};
pub use observed::{Observed, ObservedRequest};
pub use operation::{OperationPlan, ScriptedAnswer, SimulatedOperation};
pub use server::RunningSimulator;
pub use switches::{
    Blank, CampaignsEnvelope, Code, DateHeader, EmptyCampaigns, EmptyDay, EmptyRows, Escapes, Framing, Layout,
    LongRange, Numbers, OverLimit, Silence, StatusCase, Switches, TimeText, WaitWords,
};
pub use traffic::{Call, Direction, Figures, IvrEntry, Outcome};
pub use truth::Truth;

/// What a [`Simulator`] is made of.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Another seed gives another world and other tokens.
    pub seed: u64,
    /// The time that everything goes by, the `Date` header included.
    pub clock: SimulatedClock,
    /// The operations, told apart by their tokens. Names must differ, since a token is derived from the name.
    pub operations: Vec<OperationPlan>,
}

/// A Wolkvox server with several operations.
#[derive(Clone, Debug)]
pub struct Simulator {
    operations: Arc<[SimulatedOperation]>,
    clock: SimulatedClock,
}

impl Simulator {
    /// Builds the world; nothing is served before [`Simulator::start`].
    pub fn new(config: SimulatorConfig) -> Simulator {
        let operations = config
            .operations
            .into_iter()
            .map(|plan| SimulatedOperation::new(config.seed, plan, config.clock.clone()))
            .collect();
        Simulator {
            operations,
            clock: config.clock,
        }
    }

    /// Three operations of different size in three zones: `medellin`, which never closes, `guadalajara` and `valparaiso`.
    pub fn demo(seed: u64, clock: SimulatedClock) -> Simulator {
        let plan = |name: &str, zone: &str, volume: f64| {
            let timezone = TimeZone::get(zone).expect("the zone database in the binary holds every named zone");
            OperationPlan::new(name, timezone).volume(volume)
        };
        // Rows that show within seconds, for people who look on.
        let lateness = Lateness {
            prompt: SignedDuration::from_secs(10),
            ..Lateness::default()
        };
        let watchable = EventPlan {
            lateness,
            ..EventPlan::default()
        };
        Simulator::new(SimulatorConfig {
            seed,
            clock,
            operations: vec![
                plan("medellin", "America/Bogota", 6.0).never_closes().events(watchable),
                plan("guadalajara", "America/Mexico_City", 1.0).campaigns(4),
                plan("valparaiso", "America/Santiago", 0.4).campaigns(3),
            ],
        })
    }

    /// The operations, in the order in which they were configured.
    pub fn operations(&self) -> &[SimulatedOperation] {
        &self.operations
    }

    /// The operation of that name.
    pub fn operation(&self, name: &str) -> Option<&SimulatedOperation> {
        self.operations.iter().find(|operation| operation.name() == name)
    }

    /// The clock that everything goes by.
    pub fn clock(&self) -> &SimulatedClock {
        &self.clock
    }

    /// Serves all operations on the listener until the returned value is stopped or dropped. To be called within a runtime.
    ///
    /// # Errors
    ///
    /// When the listener cannot tell its own address.
    pub fn start(&self, listener: TcpListener) -> io::Result<RunningSimulator> {
        server::start(self.clone(), listener)
    }

    fn operation_of_token(&self, token: &[u8]) -> Option<&SimulatedOperation> {
        self.operations
            .iter()
            .find(|operation| operation.token().as_bytes() == token)
    }
}
