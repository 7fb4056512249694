//! What every agent does in each second of a local day.

use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::{
    AgentCalls, AgentNow, AgentSeconds, AgentState,
    planning::{Shift, ringing, shifts},
};
use crate::{
    call::Direction,
    events::{Employee, Events, WaitEnd, WaitSpan},
    incidents::absences,
    random::rng_at,
};

const PAUSES: u64 = 0x0070_6175_7365_7300;

/// Nobody comes back from a pause for fewer seconds.
const SHORTEST_READINESS: i64 = 20;

const LUNCHES: [&str; 2] = ["Almuerzo", "Lunch"];
const SHORT_PAUSES: [&str; 3] = ["Baño", "Break", "Pausa activa"];
const LONG_PAUSES: [&str; 3] = ["Break", "Capacitación", "Reunión de equipo"];

/// What an agent does for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Ready,
    Ring,
    Talk(Direction),
    Acw,
    Aux(&'static str),
}

impl Activity {
    fn state(self) -> AgentState {
        match self {
            Activity::Ready => AgentState::Ready,
            Activity::Ring => AgentState::Ring,
            Activity::Talk(_) => AgentState::Talk,
            Activity::Acw => AgentState::Acw,
            Activity::Aux(_) => AgentState::Aux,
        }
    }

    fn sum(self, seconds: &mut AgentSeconds) -> &mut u64 {
        match self {
            Activity::Ready => &mut seconds.ready,
            Activity::Ring => &mut seconds.ring,
            Activity::Talk(Direction::Inbound) => &mut seconds.inbound,
            Activity::Talk(Direction::Outbound | Direction::Internal) => &mut seconds.outbound,
            Activity::Acw => &mut seconds.acw,
            Activity::Aux(_) => &mut seconds.aux,
        }
    }

    fn count(self, calls: &mut AgentCalls) {
        match self {
            Activity::Talk(Direction::Inbound) => calls.inbound += 1,
            Activity::Talk(Direction::Outbound) => calls.outbound += 1,
            Activity::Talk(Direction::Internal) => calls.internal += 1,
            _ => {}
        }
    }
}

/// A time that an agent spends with the same activity, until the next one begins.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: i64,
    activity: Activity,
    /// Seconds before it, and calls with it.
    seconds: AgentSeconds,
    calls: AgentCalls,
}

/// An agent's day.
#[derive(Debug)]
struct Agent {
    number: u32,
    skill: usize,
    login: i64,
    logout: i64,
    stretches: Vec<Stretch>,
}

/// The agents of a local day.
#[derive(Debug)]
pub(super) struct StaffDay {
    pub(super) seconds: RangeInclusive<i64>,
    agents: Vec<Agent>,
    /// The agent's number for each call, by the key of the call.
    calls: Vec<(i64, u32)>,
}

impl StaffDay {
    pub(super) fn new(events: &Events, seconds: RangeInclusive<i64>) -> StaffDay {
        let traffic = events.traffic();
        let skills = traffic.centre.skills.len();
        let rushes = rushes(events, &seconds);
        // Who works today was off yesterday, so nobody still has a call from yesterday.
        let turn = seconds.start().div_euclid(86_400).rem_euclid(2);
        let mut numbers: Vec<u32> = (0_u32..).take(skills).collect();
        let mut agents = Vec::new();
        let mut calls = Vec::new();
        for shift in shifts(traffic, &seconds) {
            let number = numbers[shift.skill] * 2 + u32::from(turn == 1);
            numbers[shift.skill] += skills as u32;
            calls.extend(shift.tasks.iter().map(|task| (task.call, number)));
            agents.push(Agent::new(&shift, number, traffic.seed, &rushes[shift.skill]));
        }
        calls.sort_unstable();
        StaffDay { seconds, agents, calls }
    }

    pub(super) fn agent_of_call(&self, call: i64) -> Option<String> {
        let at = self.calls.binary_search_by_key(&call, |(key, _)| *key).ok()?;
        Some(Employee(self.calls[at].1).id())
    }

    pub(super) fn employees(&self) -> impl Iterator<Item = Employee> {
        self.agents.iter().map(|agent| Employee(agent.number))
    }

    /// The agents in a second, with sums since `midnight`.
    pub(super) fn at(&self, second: i64, midnight: i64) -> impl Iterator<Item = AgentNow> {
        self.agents.iter().map(move |agent| agent.at(second, midnight))
    }
}

/// When callers of each skill wait longer than it rings, or its agents are away: ranges without the end, in order.
fn rushes(events: &Events, day: &RangeInclusive<i64>) -> Vec<Vec<(i64, i64)>> {
    let traffic = events.traffic();
    let skills = 0..traffic.centre.skills.len();
    let mut rushes: Vec<Vec<(i64, i64)>> = skills
        .map(|skill| absences(&traffic.incidents, skill).collect())
        .collect();
    let last = day.end() + events.longest_call_wait();
    events.each_wait(*day.start(), last, |wait: WaitSpan| {
        let rings = wait.end == WaitEnd::Answered && i64::from(wait.seconds) <= ringing(traffic.seed, wait.call);
        if wait.is_call && !rings && wait.begin() <= *day.end() {
            rushes[wait.skill].push((wait.begin(), wait.at));
        }
    });
    for rushes in &mut rushes {
        rushes.sort_unstable();
        rushes.dedup_by(|later, earlier| {
            let joined = later.0 - earlier.1 < SHORTEST_READINESS;
            if joined {
                earlier.1 = earlier.1.max(later.1);
            }
            joined
        });
    }
    rushes
}

impl Agent {
    fn new(shift: &Shift, number: u32, seed: u64, rushes: &[(i64, i64)]) -> Agent {
        let mut agent = Agent {
            number,
            skill: shift.skill,
            login: shift.login,
            logout: shift.logout,
            stretches: Vec::with_capacity(shift.tasks.len() * 5),
        };
        let lunch = shift.lunch.into_iter();
        let lunch_word = LUNCHES[number as usize / 2 % LUNCHES.len()];
        let mut lunch = lunch.peekable();
        let mut free = shift.login;
        for task in &shift.tasks {
            if let Some((from, until)) = lunch.next_if(|(from, _)| *from <= task.ring) {
                agent.add(from, Activity::Aux(lunch_word));
                free = until;
            }
            agent.idle(free, task.ring, seed, rushes);
            agent.add(task.ring, Activity::Ring);
            agent.add(task.talk, Activity::Talk(task.direction));
            agent.add(task.acw, Activity::Acw);
            free = task.free;
        }
        agent.idle(free, shift.logout, seed, rushes);
        agent
    }

    /// Between calls: ready, or in an auxiliary state while callers wait.
    fn idle(&mut self, from: i64, until: i64, seed: u64, rushes: &[(i64, i64)]) {
        let mut at = from;
        let first = rushes.partition_point(|(_, end)| *end <= from);
        for (begin, end) in rushes[first..].iter().take_while(|(begin, _)| *begin < until) {
            let (begin, end) = ((*begin).max(from), (*end).min(until));
            if at < begin {
                self.add(at, Activity::Ready);
            }
            let mut rng = rng_at(seed ^ u64::from(self.number), PAUSES, begin);
            let words = if end - begin < 300 { &SHORT_PAUSES } else { &LONG_PAUSES };
            self.add(begin, Activity::Aux(words[rng.usize(0..words.len())]));
            at = end;
        }
        if at < until {
            self.add(at, Activity::Ready);
        }
    }

    fn add(&mut self, from: i64, activity: Activity) {
        let (mut seconds, mut calls) = (AgentSeconds::default(), AgentCalls::default());
        if let Some(last) = self.stretches.last() {
            if last.activity == activity && !matches!(activity, Activity::Talk(_)) {
                return;
            }
            (seconds, calls) = (last.seconds_at(from), last.calls);
        }
        activity.count(&mut calls);
        self.stretches.push(Stretch {
            from,
            activity,
            seconds,
            calls,
        });
    }

    fn at(&self, second: i64, midnight: i64) -> AgentNow {
        let since = |then: i64| u64::try_from(second - then).unwrap_or_default();
        let now = self.stretch_at(second);
        let before = self.stretch_at(midnight - 1);
        let (mut seconds, mut calls) = now.map_or_else(Default::default, |now| {
            (now.seconds_at(second.min(self.logout)), now.calls)
        });
        if let Some(before) = before {
            seconds = seconds_between(before.seconds_at(midnight.min(self.logout)), seconds);
            calls = calls_between(before.calls, calls);
        }
        let (state, aux, in_state) = match now {
            Some(_) if second >= self.logout => (AgentState::Logout, None, since(self.logout)),
            None => (AgentState::Logout, None, since(midnight)),
            Some(Stretch { from, activity, .. }) => {
                let aux = match activity {
                    Activity::Aux(word) => Some(*word),
                    _ => None,
                };
                (activity.state(), aux, since(*from))
            }
        };
        AgentNow {
            number: self.number,
            skill: self.skill,
            state,
            aux,
            in_state,
            login: Timestamp::from_second(self.login).unwrap_or_default(),
            calls,
            seconds,
            logout: self.logout,
        }
    }

    fn stretch_at(&self, second: i64) -> Option<&Stretch> {
        let next = self.stretches.partition_point(|stretch| stretch.from <= second);
        self.stretches.get(next.checked_sub(1)?)
    }
}

impl Stretch {
    /// What was done until a second within it.
    fn seconds_at(&self, second: i64) -> AgentSeconds {
        let mut seconds = self.seconds;
        *self.activity.sum(&mut seconds) += u64::try_from(second - self.from).unwrap_or_default();
        seconds
    }
}

fn seconds_between(before: AgentSeconds, now: AgentSeconds) -> AgentSeconds {
    AgentSeconds {
        ready: now.ready - before.ready,
        inbound: now.inbound - before.inbound,
        outbound: now.outbound - before.outbound,
        acw: now.acw - before.acw,
        ring: now.ring - before.ring,
        aux: now.aux - before.aux,
    }
}

fn calls_between(before: AgentCalls, now: AgentCalls) -> AgentCalls {
    AgentCalls {
        inbound: now.inbound - before.inbound,
        outbound: now.outbound - before.outbound,
        internal: now.internal - before.internal,
    }
}
