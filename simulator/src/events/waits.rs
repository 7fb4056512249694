//! Calls that waited for a skill: `skill_2`.

use super::{
    Only, World,
    journal::{Event, Page},
    people::{Connection, Person},
    place,
    plan::EventPlan,
    weighted,
};
use crate::{
    random::rng_at,
    traffic::{Direction, Outcome},
};

const WAITS: u64 = 0x0077_6169_7473_0000;
const LATE: u64 = 0x0077_6169_7473_006c;

/// `type_interaction` as it is written, and the channel that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interaction {
    pub(super) text: &'static str,
    pub(super) channel: &'static str,
}

const fn of(text: &'static str, channel: &'static str) -> Interaction {
    Interaction { text, channel }
}

/// The kinds that are met now and then, with their weights; most waits are `inbound`.
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
    /// Something that no page mentions.
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
    fn reach(_: &EventPlan) -> i64 {
        0
    }

    fn happen(world: &World, minute: i64, page: &mut Page<Wait>) {
        let World { traffic, plan } = world;
        for call in traffic.minute(minute) {
            let answered = call.outcome == Outcome::Answered;
            if call.direction != Direction::Inbound || (answered && !plan.answered_waits) {
                continue;
            }
            let mut rng = rng_at(traffic.seed, WAITS, place(&call));
            let interaction = weighted(&mut rng, &INTERACTIONS, of("inbound", "voice"));
            // A few wait much longer than the histogram's last edge.
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
            let mut late = rng_at(traffic.seed, LATE, place(&call));
            let visible = call.end + plan.lateness.draw(&mut late);
            page.note(call.end, visible, wait, plan, &mut late, wait);
        }
    }

    fn asked_for(&self, world: &World, only: &Only) -> bool {
        only.holds(|| world.traffic.centre.skills[self.skill].id.to_string())
    }
}
