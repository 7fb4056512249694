//! The agents: derived from the calls of each local day, so that agents, queues and calls tell one story.
//!
//! Whoever answers a call hears it ring, talks, and finishes it in after-call work. Agents are as many as the calls need, in
//! shifts with a lunch. While a caller waits longer than it rings, no agent of the skill is ready: who is free is in an
//! auxiliary state.

mod day;
mod planning;
mod sessions;

use std::{
    collections::{BTreeMap, HashMap},
    ops::AddAssign,
    sync::Arc,
};

use jiff::Timestamp;
use parking_lot::Mutex;

pub use sessions::{Connection, Platform, Session};

use day::StaffDay;

use super::{
    events::{Employee, Events},
    traffic::LONGEST_CONVERSATION,
    truth::Truth,
};

/// Days cached: a little over 31, the longest window of a report.
const DAYS_CACHED: usize = 33;

/// A conversation and its after-call work never last as many seconds after midnight.
const LONGEST_OVERTIME: i64 = LONGEST_CONVERSATION as i64 + planning::LONGEST_AFTER_CALL_WORK;

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentState {
    /// Waits for a call.
    Ready,
    /// The agent's telephone rings.
    Ring,
    /// Talks.
    Talk,
    /// After-call work.
    Acw,
    /// An auxiliary state, which the operation has named itself.
    Aux,
    /// Is not there, before or after the shift.
    Logout,
}

/// Seconds of a local day by what an agent did in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentSeconds {
    /// Ready for a call.
    pub ready: u64,
    /// In inbound conversations, chats included.
    pub inbound: u64,
    /// In dialled and internal conversations: the report has no sum of its own for internal ones.
    pub outbound: u64,
    /// In after-call work.
    pub acw: u64,
    /// While the telephone rang.
    pub ring: u64,
    /// In auxiliary states.
    pub aux: u64,
}

impl AgentSeconds {
    /// Logged in: the sum of all.
    pub fn login(&self) -> u64 {
        self.ready + self.inbound + self.outbound + self.acw + self.ring + self.aux
    }
}

impl AddAssign for AgentSeconds {
    fn add_assign(&mut self, other: AgentSeconds) {
        self.ready += other.ready;
        self.inbound += other.inbound;
        self.outbound += other.outbound;
        self.acw += other.acw;
        self.ring += other.ring;
        self.aux += other.aux;
    }
}

/// Calls of a local day that an agent has answered, or made and got through with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentCalls {
    /// From customers, chats included.
    pub inbound: u64,
    /// Dialled by campaigns.
    pub outbound: u64,
    /// From other agents.
    pub internal: u64,
}

impl AgentCalls {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.inbound + self.outbound + self.internal
    }
}

impl AddAssign for AgentCalls {
    fn add_assign(&mut self, other: AgentCalls) {
        self.inbound += other.inbound;
        self.outbound += other.outbound;
        self.internal += other.internal;
    }
}

/// An agent at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentNow {
    /// The number among the agents of the operation.
    pub number: u32,
    /// The skill, an index into [`Centre::skills`](super::Centre::skills).
    pub skill: usize,
    /// What the agent does.
    pub state: AgentState,
    /// The word for an auxiliary state.
    pub aux: Option<&'static str>,
    /// Seconds since that began; before the shift, since midnight.
    pub in_state: u64,
    /// When the shift began or will begin.
    pub login: Timestamp,
    /// The calls since local midnight.
    pub calls: AgentCalls,
    /// What was done since local midnight.
    pub seconds: AgentSeconds,
    /// The second after the shift's last.
    pub(super) logout: i64,
}

/// The agents at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentsNow {
    /// Those of the local day, logged out or not, and those of the day before who have not finished their last call.
    pub agents: Vec<AgentNow>,
}

impl AgentsNow {
    /// Without those who are logged out, as a report that does not list them has it.
    #[must_use]
    pub fn logged_in(mut self) -> AgentsNow {
        self.agents.retain(|agent| agent.state != AgentState::Logout);
        self
    }

    /// How many are in each state; states that nobody is in are not there.
    pub fn by_state(&self) -> BTreeMap<AgentState, u64> {
        let mut counts = BTreeMap::new();
        for agent in &self.agents {
            *counts.entry(agent.state).or_default() += 1;
        }
        counts
    }

    /// How many are in each auxiliary state, by its word.
    pub fn by_aux(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for aux in self.agents.iter().filter_map(|agent| agent.aux) {
            *counts.entry(aux).or_default() += 1;
        }
        counts
    }

    /// The longest time that somebody has been in each state, in seconds.
    pub fn longest_in_state(&self) -> BTreeMap<AgentState, u64> {
        let mut longest = BTreeMap::new();
        for agent in &self.agents {
            let longest = longest.entry(agent.state).or_insert(0);
            *longest = agent.in_state.max(*longest);
        }
        longest
    }

    /// What all did since local midnight.
    pub fn seconds(&self) -> AgentSeconds {
        let mut sum = AgentSeconds::default();
        self.agents.iter().for_each(|agent| sum += agent.seconds);
        sum
    }

    /// The calls of all since local midnight.
    pub fn calls(&self) -> AgentCalls {
        let mut sum = AgentCalls::default();
        self.agents.iter().for_each(|agent| sum += agent.calls);
        sum
    }
}

/// The agents of every day.
#[derive(Debug, Default)]
pub(super) struct Staff {
    /// Cached days by their first second.
    days: Mutex<HashMap<i64, Arc<StaffDay>>>,
}

impl Events {
    /// The id of the agent who answered a call in that second.
    pub(super) fn agent_of_call(&self, answered_at: i64, call: i64) -> Option<String> {
        self.staff_of(answered_at)?.agent_of_call(call)
    }

    /// Everybody who works on the days from one second to another.
    pub(super) fn employees(&self, from: i64, until: i64) -> Vec<Employee> {
        let mut employees = Vec::new();
        let mut second = from;
        while let Some(day) = self.staff_of(second).filter(|_| second <= until) {
            employees.extend(day.employees());
            second = day.seconds.end() + 1;
        }
        employees
    }

    fn agents(&self, at: i64) -> AgentsNow {
        let Some(today) = self.staff_of(at) else {
            return AgentsNow::default();
        };
        let midnight = *today.seconds.start();
        let mut agents = Vec::new();
        if at < midnight + LONGEST_OVERTIME
            && let Some(yesterday) = self.staff_of(midnight - 1)
        {
            agents.extend(yesterday.at(at, midnight));
            agents.retain(|agent| agent.logout > at);
        }
        agents.extend(today.at(at, midnight));
        AgentsNow { agents }
    }

    /// The agents of the day that has this second.
    fn staff_of(&self, second: i64) -> Option<Arc<StaffDay>> {
        let day = self.traffic().day_of(second)?;
        let start = *day.start();
        if let Some(cached) = self.staff().days.lock().get(&start) {
            return Some(Arc::clone(cached));
        }
        // Without the lock: other days can be read meanwhile.
        let planned = Arc::new(StaffDay::new(self, day));
        let mut days = self.staff().days.lock();
        if days.len() >= DAYS_CACHED {
            days.clear();
        }
        days.insert(start, Arc::clone(&planned));
        Some(planned)
    }
}

impl Truth {
    /// The agents at an instant. They belong to the calls of [`Truth::calls`] if the volume of
    /// [`EventPlan`](super::EventPlan) is 1.
    pub fn agents(&self, at: Timestamp) -> AgentsNow {
        self.events().agents(at.as_second())
    }
}
