//! Calls that waited for a skill: `skill_2`.

use super::{
    EventSource, RowFilter, call_key,
    changes::FirstWait,
    fake_people::{Connection, Person},
    plan::EventPlan,
    timeline::{Event, HourBuilder, Showing},
    weighted,
};
use crate::{
    call::{Direction, Outcome},
    random::rng_at,
};

const WAITS: u64 = 0x0077_6169_7473_0000;
const LATE: u64 = 0x0077_6169_7473_006c;
const CHANGES: u64 = 0x0077_6169_7473_0063;

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
    pub(super) seconds: u32,
    pub(super) absurd_time: bool,
    pub(super) person: Person,
    connection: Connection,
    /// When it is final, and what it looks like until then.
    final_at: i64,
    unfinished: FirstWait,
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

impl Event for Wait {
    fn lookahead_minutes(plan: &EventPlan) -> i64 {
        plan.returns.lookahead_minutes()
    }

    fn generate(source: &EventSource, minute: i64, hour: &mut HourBuilder<Wait>) {
        let EventSource { traffic, plan } = source;
        for call in traffic.minute(minute) {
            let answered = call.outcome == Outcome::Answered;
            if call.direction != Direction::Inbound || (answered && !plan.answered_waits) {
                continue;
            }
            let mut rng = rng_at(traffic.seed, WAITS, call_key(&call));
            let usual = of("inbound", "voice");
            let interaction = match weighted(&mut rng, &INTERACTIONS, usual) {
                odd if odd.channel == "other" && !plan.odd_words => usual,
                interaction => interaction,
            };
            // A few wait for many minutes, past the last bucket of any histogram.
            let patience = if rng.u32(0..100) < 2 { 8 } else { 1 };
            let result = match (rng.u32(0..300), answered) {
                (0, _) if plan.odd_words => WaitResult::Odd,
                (_, true) => WaitResult::Answered,
                (_, false) => WaitResult::Abandoned,
            };
            let mut changes = rng_at(traffic.seed, CHANGES, call_key(&call));
            let final_at = plan.unfinished.draw(&mut changes, call.end);
            let (moves, returns) = (plan.moved.draw(&mut changes), plan.returns.draw(&mut changes));
            let (unknown_word, absurd_time) = plan.oddities(&mut changes);
            let wait = Wait {
                skill: call.skill,
                result: if unknown_word { WaitResult::Odd } else { result },
                absurd_time,
                final_at,
                unfinished: plan.unfinished.waits,
                interaction,
                seconds: call.wait * patience,
                person: Person(rng.u64(..)),
                connection: plan.connection(call.end, call.number),
            };
            let mut late = rng_at(traffic.seed, LATE, call_key(&call));
            let visible = call.end + plan.lateness.draw(&mut late);
            let showing = Showing {
                at: call.end,
                visible,
                moves,
            };
            hour.add(showing, wait, wait, plan, &mut late);
            if returns {
                let after = plan.returns.after.as_secs().max(0);
                let first = Wait {
                    // Another result than the second time, if the report has both.
                    result: if answered || !plan.answered_waits {
                        WaitResult::Abandoned
                    } else {
                        WaitResult::Answered
                    },
                    seconds: wait.seconds + 7,
                    ..wait
                };
                let showing = Showing {
                    at: call.end - after,
                    visible: visible - after,
                    moves,
                };
                hour.add(showing, first, first, plan, &mut late);
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
