//! Calls that waited for a skill: `skill_2`.

use super::{
    EventSource, RowFilter, call_key,
    fake_people::{Connection, Person},
    plan::EventPlan,
    timeline::{Event, HourBuilder},
    weighted,
};
use crate::{
    call::{Direction, Outcome},
    random::rng_at,
};

const WAITS: u64 = 0x0077_6169_7473_0000;
const LATE: u64 = 0x0077_6169_7473_006c;

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
    pub(super) person: Person,
    connection: Connection,
}

impl Wait {
    pub(super) fn conn_id(&self) -> String {
        self.connection
            .of_switch(12_345 + u32::try_from(self.skill).unwrap_or_default())
    }
}

impl Event for Wait {
    fn lookahead_minutes(_: &EventPlan) -> i64 {
        0
    }

    fn generate(source: &EventSource, minute: i64, hour: &mut HourBuilder<Wait>) {
        let EventSource { traffic, plan } = source;
        for call in traffic.minute(minute) {
            let answered = call.outcome == Outcome::Answered;
            if call.direction != Direction::Inbound || (answered && !plan.answered_waits) {
                continue;
            }
            let mut rng = rng_at(traffic.seed, WAITS, call_key(&call));
            let interaction = weighted(&mut rng, &INTERACTIONS, of("inbound", "voice"));
            // A few wait for many minutes, past the last bucket of any histogram.
            let patience = if rng.u32(0..100) < 2 { 8 } else { 1 };
            let result = match (rng.u32(0..300), answered) {
                (0, _) => WaitResult::Odd,
                (_, true) => WaitResult::Answered,
                (_, false) => WaitResult::Abandoned,
            };
            let wait = Wait {
                skill: call.skill,
                result,
                interaction,
                seconds: call.wait * patience,
                person: Person(rng.u64(..)),
                connection: Connection {
                    end: call.end,
                    number: call.number,
                },
            };
            let mut late = rng_at(traffic.seed, LATE, call_key(&call));
            let visible = call.end + plan.lateness.draw(&mut late);
            hour.add(call.end, visible, wait, plan, &mut late, wait);
        }
    }

    fn matches(&self, source: &EventSource, filter: &RowFilter) -> bool {
        filter.accepts(|| source.traffic.centre.skills[self.skill].id.to_string())
    }
}
