//! Calls that waited for a skill, and their rows in `skill_2`.

use super::{
    EventSource, RowFilter,
    changes::FirstWait,
    fake_people::{Connection, Person},
    plan::EventPlan,
    timeline::{Event, HourBuilder, Showing},
    weighted,
};
use crate::{
    call::{Call, Direction, Outcome},
    random::rng_at,
};

const WAITS: u64 = 0x0077_6169_7473_0000;
const LATE: u64 = 0x0077_6169_7473_006c;
const CHANGES: u64 = 0x0077_6169_7473_0063;

/// How many times longer than the others the most patient wait.
pub(super) const PATIENT: u32 = 8;

/// A value of `type_interaction`, and its channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interaction {
    pub(super) text: &'static str,
    pub(super) channel: &'static str,
}

const fn of(text: &'static str, channel: &'static str) -> Interaction {
    Interaction { text, channel }
}

/// The rarer values of `type_interaction`, with their weights; most are `inbound`.
const INTERACTIONS: [(u32, Interaction); 17] = [
    (2, of("outbound", "voice")),
    (1, of("outbound_ma", "voice")),
    (2, of("out_pre", "voice")),
    (2, of("internalcall_que", "voice")),
    (1, of("transfer", "voice")),
    (1, of("transfer_que", "voice")),
    (1, of("conference", "voice")),
    (4, of("chat-web", "chat")),
    (8, of("chat-whatsapp", "chat")),
    (1, of("chat-facebook", "chat")),
    (1, of("chat-instagram", "chat")),
    (1, of("chat-telegram", "chat")),
    (3, of("omni-email", "omni")),
    (1, of("omni-sms", "omni")),
    (1, of("omni-twitter", "omni")),
    (1, of("", "none")),
    (1, of("videocall", "other")),
];

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitResult {
    Abandoned,
    Answered,
    /// A value that the vendor's page does not mention.
    Odd,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// An index into the skills of the centre.
    pub(super) skill: usize,
    pub(super) result: WaitResult,
    pub(super) interaction: Interaction,
    /// As rows of `skill_2` say.
    pub(super) seconds: u32,
    /// Whether an agent took it, whatever the row says.
    pub(super) answered: bool,
    pub(super) absurd_time: bool,
    pub(super) person: Person,
    /// [`Call::key`] of the call.
    pub(super) call: i64,
    pub(super) connection: Connection,
    /// When it is final, and what it looks like until then.
    pub(super) final_at: i64,
    pub(super) unfinished: FirstWait,
}

impl Wait {
    /// What it looks like at an instant, `None` once it is final.
    pub(super) fn unfinished_by(&self, now: i64) -> Option<FirstWait> {
        (now < self.final_at).then_some(self.unfinished)
    }

    /// Whether its final result and its final time are there at an instant.
    pub(super) fn shows_by(&self, now: i64) -> (bool, bool) {
        match self.unfinished_by(now) {
            None => (true, true),
            Some(FirstWait::NoResult) => (false, true),
            Some(FirstWait::NoTime) => (true, false),
            Some(FirstWait::NoResultNoTime | FirstWait::InQueue) => (false, false),
        }
    }

    pub(super) fn conn_id(&self) -> String {
        self.connection
            .of_switch(12_345 + u32::try_from(self.skill).unwrap_or_default())
    }
}

/// The waits of one call.
pub(super) struct WaitsOfCall {
    /// How it ended in the end, dated at the end of the call.
    pub(super) last: Wait,
    /// A wait before that one, and its date.
    pub(super) first: Option<(Wait, i64)>,
    moves: bool,
}

impl WaitsOfCall {
    /// `None` for calls that do not wait.
    pub(super) fn of(call: &Call, source: &EventSource) -> Option<WaitsOfCall> {
        let EventSource { traffic, plan } = source;
        if call.direction != Direction::Inbound {
            return None;
        }
        let answered = call.outcome == Outcome::Answered;
        let mut rng = rng_at(traffic.seed, WAITS, call.key());
        let usual = of("inbound", "voice");
        let interaction = match weighted(&mut rng, &INTERACTIONS, usual) {
            odd if odd.channel == "other" && !plan.odd_words => usual,
            interaction => interaction,
        };
        // A few wait for many minutes, past the last bucket of any histogram.
        let patience = if rng.u32(0..100) < 2 { PATIENT } else { 1 };
        let result = match (rng.u32(0..300), answered) {
            (0, _) if plan.odd_words => WaitResult::Odd,
            (_, true) => WaitResult::Answered,
            (_, false) => WaitResult::Abandoned,
        };
        let mut changes = rng_at(traffic.seed, CHANGES, call.key());
        let final_at = plan.unfinished.draw(&mut changes, call.end);
        let (moves, returns) = (plan.moved.draw(&mut changes), plan.returns.draw(&mut changes));
        let (unknown_word, absurd_time) = plan.oddities(&mut changes);
        let last = Wait {
            skill: call.skill,
            result: if unknown_word { WaitResult::Odd } else { result },
            answered,
            absurd_time,
            final_at,
            unfinished: plan.unfinished.waits,
            interaction,
            seconds: call.wait * patience,
            person: Person(rng.u64(..)),
            call: call.key(),
            connection: plan.connection(call.end, call.number),
        };
        let first = returns.then(|| {
            // Another result than the second time, if the report has both.
            let answered = !answered && plan.answered_waits;
            let first = Wait {
                result: if answered {
                    WaitResult::Answered
                } else {
                    WaitResult::Abandoned
                },
                answered,
                seconds: last.seconds + 7,
                ..last
            };
            (first, call.end - plan.returns.after.as_secs().max(0))
        });
        Some(WaitsOfCall { last, first, moves })
    }
}

impl Event for Wait {
    fn lookahead_minutes(plan: &EventPlan) -> i64 {
        plan.returns.lookahead_minutes()
    }

    fn generate(source: &EventSource, minute: i64, hour: &mut HourBuilder<Wait>) {
        let EventSource { traffic, plan } = source;
        for call in traffic.minute(minute) {
            if call.outcome == Outcome::Answered && !plan.answered_waits {
                continue;
            }
            let Some(WaitsOfCall { last, first, moves }) = WaitsOfCall::of(&call, source) else {
                continue;
            };
            let mut late = rng_at(traffic.seed, LATE, call.key());
            let delay = plan.lateness.draw(&mut late);
            for (wait, at) in [Some((last, call.end)), first].into_iter().flatten() {
                let showing = Showing {
                    at,
                    visible: at + delay,
                    moves,
                };
                hour.add(showing, wait, wait, plan, &mut late);
            }
        }
    }

    fn key(&self) -> u64 {
        self.person.0
    }

    fn matches(&self, source: &EventSource, filter: &RowFilter) -> bool {
        filter.accepts(|| source.traffic.centre.skills[self.skill].id.to_string())
    }
}
