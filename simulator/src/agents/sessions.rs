//! What `latency` reports: the network of the agents who are logged in.

use jiff::Timestamp;

use super::{AgentNow, AgentState};
use crate::{events::Events, random::rng_at, truth::Truth};

const PLACES: u64 = 0x0070_6c61_6365_7300;
const NETWORK: u64 = 0x006e_6574_776f_726b;

/// The session of an agent who has logged out stays listed for some seconds.
const LINGERING: u64 = 600;

/// How an agent's computer is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Connection {
    /// By cable.
    Ethernet,
    /// Without one.
    Wifi,
}

/// What the agent works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// The vendor's program.
    App,
    /// A browser.
    Web,
}

/// The session of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// [`AgentNow::number`].
    pub agent: u32,
    /// Whole milliseconds.
    pub latency_ms: u32,
    /// Cable or not.
    pub connection: Connection,
    /// Program or browser.
    pub platform: Platform,
    /// Jitter of what the agent sends, in tenths of a millisecond.
    pub tx_jitter_tenths: u32,
    /// Jitter of what the agent receives, in tenths of a millisecond.
    pub rx_jitter_tenths: u32,
    /// Packets lost on the way from the agent, in tenths of a percent.
    pub tx_loss_tenths: u32,
    /// Packets lost on the way to the agent, in tenths of a percent.
    pub rx_loss_tenths: u32,
    /// Calls that the network rejected.
    pub network_rejection: u32,
    /// Whether it goes on, or has ended a short time ago.
    pub(crate) connected: bool,
    /// When it last sent something.
    pub(crate) last_at: i64,
}

impl Session {
    /// `None` if the agent has none.
    fn of(agent: &AgentNow, seed: u64, at: i64) -> Option<Session> {
        let connected = agent.state != AgentState::Logout;
        let lingers = agent.logout <= at && agent.in_state < LINGERING;
        if !connected && !lingers {
            return None;
        }
        let seed = seed ^ u64::from(agent.number);
        let mut place = rng_at(seed, PLACES, 0);
        let connection = match place.u32(0..100) {
            0..72 => Connection::Ethernet,
            _ => Connection::Wifi,
        };
        let platform = match place.u32(0..100) {
            0..65 => Platform::App,
            _ => Platform::Web,
        };
        let usual = match place.u32(0..100) {
            0..80 => place.u32(25..110),
            80..94 => place.u32(110..330),
            _ => place.u32(330..650),
        };
        let mut now = rng_at(seed, NETWORK, at.div_euclid(60));
        let latency_ms = usual * now.u32(80..140) / 100;
        let trouble = if connection == Connection::Wifi { 12 } else { 2 };
        let mut loss = || match now.u32(0..100) {
            luck if luck < trouble => now.u32(11..80),
            luck if luck < 30 => now.u32(1..=10),
            _ => 0,
        };
        let (tx_loss_tenths, rx_loss_tenths) = (loss(), loss());
        Some(Session {
            agent: agent.number,
            latency_ms,
            connection,
            platform,
            tx_jitter_tenths: now.u32(0..latency_ms + 40),
            rx_jitter_tenths: now.u32(0..latency_ms + 40),
            tx_loss_tenths,
            rx_loss_tenths,
            network_rejection: match now.u32(0..100) {
                0..3 => now.u32(2..7),
                3..8 => 1,
                _ => 0,
            },
            connected,
            last_at: if connected { at - now.i64(0..30) } else { agent.logout },
        })
    }
}

impl Events {
    /// The sessions that are listed in a second, also those that have ended.
    pub(crate) fn sessions(&self, at: i64) -> Vec<Session> {
        let agents = self.agents(at).agents;
        let seed = self.traffic().seed;
        agents.iter().filter_map(|agent| Session::of(agent, seed, at)).collect()
    }
}

impl Truth {
    /// The sessions of the agents who are logged in, as `latency` has them. The figures are those of a minute.
    pub fn latency(&self, at: Timestamp) -> Vec<Session> {
        let mut sessions = self.events().sessions(at.as_second());
        sessions.retain(|session| session.connected);
        sessions
    }
}
