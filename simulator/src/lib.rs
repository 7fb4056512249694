//! A simulated contact centre behind a fake Wolkvox API.
//!
//! The exporter's tests, benchmarks, examples and demo read it over HTTP. Tests compare what was read with what really
//! happened ([`SimulatedOperation::truth`]). This crate uses nothing of the exporter, so that the two cannot share a mistake
//! in reading the API.
//!
//! ```text
//! traffic ─▶ incidents ─┬─▶ truth: sums, campaigns ─────┬─▶ answers ─▶ handler: limits, faults ─▶ HTTP
//!   calls by minute     └─▶ events: rows, late or twice ┤
//!                             └─▶ queues, agents by day ┘
//! ```
//!
//! What happens is a function of the seed, the operation's name and the minute, so requests in any order see the same calls.
//! Tests set the time ([`SimulatedClock`]), break answers ([`Fault`]), replace them ([`ScriptedAnswer`]) and cause problems
//! in the contact centre itself ([`Incident`]).
//!
//! The reports, parameters, fields and error messages are those of the vendor's API pages ([`Api`]). Comments say where a
//! detail is from: "the vendor's page", "seen in real answers", "clients in daily use rely on it", or "assumed". Whatever
//! remains unknown about the real API is a field of [`Switches`], or of [`EventPlan`] where it is about when rows say what.

mod agents;
mod answers;
mod api;
mod body;
mod call;
mod call_results;
mod campaign_state;
mod centre;
mod clock;
mod coding;
mod durations;
mod events;
mod faults;
mod handler;
mod incidents;
mod json;
mod limits;
mod load_curve;
mod operation;
mod queues;
mod random;
mod request;
mod request_log;
mod server;
mod switches;
mod traffic;
mod truth;
mod window;
mod wire;

use std::{io, sync::Arc};

use jiff::{SignedDuration, tz::TimeZone};
use tokio::net::TcpListener;

pub use agents::{AgentCalls, AgentNow, AgentSeconds, AgentState, AgentsNow, Connection, Platform, Session};
pub use api::Api;
pub use call::{Call, Direction, IvrEntry, Outcome};
pub use call_results::CallResults;
pub use campaign_state::CampaignState;
pub use centre::{Campaign, Centre, RoutingPoint, Skill};
pub use clock::SimulatedClock;
pub use durations::{BucketTotals, DayTotals, DurationBucket};
pub use events::{
    AbandonedFacts, Completion, EventPlan, FirstStep, FirstWait, IvrFacts, Lateness, Moved, PreviewFacts, Returns,
    Seen, StepDates, Unfinished, counts_up_to, personal_data_in,
};
pub use faults::{ErrorBody, Fault, Injection};
pub use incidents::{Incident, IncidentKind};
pub use operation::{OperationPlan, ScriptedAnswer, SimulatedOperation};
pub use queues::SkillNow;
pub use request_log::{Observed, ObservedRequest};
pub use server::RunningSimulator;
pub use switches::{
    AgentWords, AnswerWords, Blackout, Blank, BrokenRow, BrokenRows, BucketKeys, CampaignText, CampaignsEnvelope,
    ChannelWords, Code, Coding, CountMessage, DateHeader, DateText, EmptyCampaigns, EmptyDay, EmptyRows, Escapes,
    Framing, IdleRatios, LateDay, Layout, LoginTime, LongRange, MessageLanguage, NameText, NetworkText, NoDataText,
    NoSessions, NowSwitches, Numbers, OverLimit, RejectionText, RowOrder, RowTypes, SessionWords, ShiftedDates,
    SkillWindow, SumText, Switches, TimeText, TokenSwitches, WaitWords, WordCase,
};
pub use traffic::CallMix;
pub use truth::Truth;

/// The configuration of a [`Simulator`].
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Different seeds give different calls and tokens.
    pub seed: u64,
    /// The clock of everything, including the `Date` header.
    pub clock: SimulatedClock,
    /// The operations. Names must differ, since the token is derived from the name.
    pub operations: Vec<OperationPlan>,
}

/// A simulated Wolkvox server with several operations.
#[derive(Clone, Debug)]
pub struct Simulator {
    operations: Arc<[SimulatedOperation]>,
    clock: SimulatedClock,
}

impl Simulator {
    /// A simulator that serves nothing until [`Simulator::start`].
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

    /// Three operations of different size in three zones, which never close: `medellin`, whose callers are answered soon,
    /// `guadalajara`, where they wait long, and `valparaiso`, between the two.
    pub fn demo(seed: u64, clock: SimulatedClock) -> Simulator {
        let plan = |name: &str, zone: &str, volume: f64| {
            let timezone = TimeZone::get(zone).expect("the zone database in the binary holds every named zone");
            OperationPlan::new(name, timezone)
                .volume(volume)
                .never_closes()
                .events(EventPlan::as_assumed())
        };
        // Rows appear within seconds, for people who watch.
        let lateness = Lateness {
            prompt: SignedDuration::from_secs(10),
            ..Lateness::default()
        };
        let watchable = EventPlan {
            lateness,
            ..EventPlan::as_assumed()
        };
        let calm = |answered_within| CallMix {
            answered_within,
            ..CallMix::calm()
        };
        Simulator::new(SimulatorConfig {
            seed,
            clock,
            operations: vec![
                plan("medellin", "America/Bogota", 6.0)
                    .events(watchable)
                    .call_mix(calm(23)),
                plan("guadalajara", "America/Mexico_City", 1.0).campaigns(4),
                plan("valparaiso", "America/Santiago", 0.4)
                    .campaigns(3)
                    .call_mix(calm(30)),
            ],
        })
    }

    /// The operations, in the order of the configuration.
    pub fn operations(&self) -> &[SimulatedOperation] {
        &self.operations
    }

    /// The operation with this name.
    pub fn operation(&self, name: &str) -> Option<&SimulatedOperation> {
        self.operations.iter().find(|operation| operation.name() == name)
    }

    /// The clock of everything.
    pub fn clock(&self) -> &SimulatedClock {
        &self.clock
    }

    /// Serves all operations until the returned value is stopped or dropped. Call it within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address of the listener cannot be read.
    pub fn start(&self, listener: TcpListener) -> io::Result<RunningSimulator> {
        server::start(self.clone(), listener)
    }

    fn operation_of_token(&self, token: &[u8]) -> Option<&SimulatedOperation> {
        self.operations
            .iter()
            .find(|operation| operation.token().as_bytes() == token)
    }
}
