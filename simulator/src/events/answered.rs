//! Calls and chats that an agent took, and their rows in `skill_10`.

use super::{
    EventSource, Events, RowFilter, RowQuery,
    changes::FirstWait,
    plan::EventPlan,
    rows::ABSURD_SECONDS,
    timeline::{Entry, Event, HourBuilder, Showing},
    waits::{Wait, WaitResult, WaitsOfCall},
};
use crate::{
    answers::{Answer, AnswerWriter},
    call::Outcome,
    json::Json,
    random::rng_at,
    traffic::LONGEST_CONVERSATION,
};

const ANSWERS: u64 = 0x0061_6e73_7765_7273;
const LATE: u64 = 0x0061_6e73_7765_006c;

/// Of chats, how many in a hundred wait for hours.
const PATIENT_CHATS: u32 = 5;

/// Chats are closed after 23 hours (seen in real answers).
pub(super) const LONGEST_CHAT: u32 = 82_800;

/// A wait that ended with an answer, dated when it was answered, while `skill_2` has the end of the call.
///
/// Of a chat that waits for hours, a row of `skill_2` says only how long it waited since the customer wrote last (assumed).
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    /// `seconds` are those until the answer.
    pub(super) wait: Wait,
}

impl Answered {
    /// Whether the row is final at an instant. Until then its time is blank, so that nothing counts.
    pub(super) fn is_final_by(&self, now: i64) -> bool {
        self.wait.unfinished_by(now).is_none()
    }
}

impl Event for Answered {
    /// Calls are generated in the minute of their end.
    fn lookahead_minutes(plan: &EventPlan) -> i64 {
        plan.returns
            .lookahead_minutes()
            .max(i64::from(LONGEST_CONVERSATION.div_ceil(60)))
    }

    fn generate(source: &EventSource, minute: i64, hour: &mut HourBuilder<Answered>) {
        let EventSource { traffic, plan } = source;
        for call in traffic.minute(minute) {
            // The first wait of a call that is abandoned in the end may have been answered.
            if call.outcome != Outcome::Answered && plan.returns.share == 0.0 {
                continue;
            }
            let Some(WaitsOfCall { last, first, .. }) = WaitsOfCall::of(&call, source) else {
                continue;
            };
            let mut rng = rng_at(traffic.seed, ANSWERS, call.key());
            let (patient, part) = (rng.u32(0..100) < PATIENT_CHATS, rng.f64());
            let hours = (f64::from(LONGEST_CHAT - 1800) * part * part) as u32 + 1800;
            let mut late = rng_at(traffic.seed, LATE, call.key());
            let delay = plan.lateness.draw(&mut late);
            let moves = plan.moved.draw(&mut rng);
            for (wait, at) in [Some((last, call.answered_at())), first].into_iter().flatten() {
                if !wait.answered {
                    continue;
                }
                let seconds = match wait.interaction.channel {
                    "chat" if patient => hours,
                    _ => wait.seconds,
                };
                let answered = Answered {
                    wait: Wait {
                        seconds,
                        final_at: plan.unfinished.draw(&mut rng, at),
                        ..wait
                    },
                };
                let showing = Showing {
                    at,
                    visible: at + delay,
                    moves,
                };
                hour.add(showing, answered, answered, plan, &mut late);
            }
        }
    }

    fn key(&self) -> u64 {
        self.wait.key()
    }

    fn matches(&self, source: &EventSource, filter: &RowFilter) -> bool {
        self.wait.matches(source, filter)
    }
}

impl Events {
    pub(crate) fn answered(&self, query: &RowQuery, writer: &AnswerWriter<'_>) -> Answer {
        let entries = writer.ordered(self.answered.answer(&self.source, query));
        let rows = entries.iter().map(|entry| {
            let agent = self.agent_id(entry);
            writer.answered(entry, self, agent, query.now)
        });
        writer.rows(query, entries.len(), rows)
    }

    /// The agent who took the call. Nobody took one that was taken first and abandoned later, so its customer's former agent
    /// stands for them.
    pub(super) fn agent_id(&self, entry: &Entry<Answered>) -> String {
        let wait = &entry.row.wait;
        self.agent_of_call(entry.at, wait.call)
            .unwrap_or_else(|| wait.person.agent_id())
    }
}

impl AnswerWriter<'_> {
    fn answered(&self, entry: &Entry<Answered>, events: &Events, agent_id: String, now: i64) -> Json {
        let wait = &entry.row.wait;
        let unfinished = wait.unfinished_by(now);
        let result = match (unfinished, wait.result) {
            (Some(FirstWait::NoResult | FirstWait::NoResultNoTime), _) => self.blank(),
            (_, WaitResult::Odd) => Json::text("overflow"),
            _ => Json::text(self.switches.answer_words.text()),
        };
        let seconds = match unfinished {
            Some(_) => self.blank(),
            None if wait.absurd_time => self.integer(ABSURD_SECONDS),
            None => self.duration(wait.seconds.into(), self.switches.answer_times),
        };
        let skill = &events.source.traffic.centre.skills[wait.skill];
        self.row(vec![
            ("conn_id", Json::Text(wait.conn_id())),
            ("skill_id", self.id(skill.id)),
            ("skill_name", Json::Text(self.switches.names.text(skill.name))),
            ("date", self.date(entry)),
            ("result", result),
            ("ani", Json::Text(wait.person.telephone())),
            ("answer_time", seconds),
            ("agent_id", Json::Text(agent_id)),
            (
                "type_interaction",
                self.text(self.switches.channels.text(wait.interaction.text)),
            ),
        ])
    }
}
