//! Preview campaigns, `campaign_5`: an agent opens a record, and calls or does not.

use fastrand::Rng;

use super::{
    EventSource, RowFilter,
    fake_people::{Connection, Person},
    plan::EventPlan,
    timeline::{Event, HourBuilder, Showing},
    weighted,
};
use crate::random::rng_at;

const PREVIEWS: u64 = 0x0070_7265_7669_6577;
const LATE: u64 = 0x0070_7265_7669_656c;
const CHANGES: u64 = 0x0070_7265_7669_6563;

/// Records opened for each call of the other reports.
const RECORDS_A_CALL: f64 = 0.15;

/// A free text as the row has it, and the label value that a client should make of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FreeText {
    pub(super) text: &'static str,
    pub(super) label: &'static str,
}

const fn plain(text: &'static str) -> FreeText {
    FreeText { text, label: text }
}

const CODES: [(u32, FreeText); 7] = [
    (14, plain("TIMEOUTACW")),
    (20, plain("VENTA")),
    (18, plain("101")),
    (15, plain("Promesa de pago")),
    (
        3,
        FreeText {
            text: "Cliente pide que lo llamen de nuevo el lunes por la mañana, antes de las diez",
            label: "Cliente pide que lo llamen de nuevo el lunes por la mañana, ante",
        },
    ),
    (
        3,
        FreeText {
            text: "  SEGUIMIENTO  ",
            label: "SEGUIMIENTO",
        },
    ),
    // Agents paste numbers that identify people.
    (
        2,
        FreeText {
            text: "Ref. 573-015-55",
            label: "number",
        },
    ),
];

const RESULTS: [(u32, FreeText); 4] = [
    (40, plain("CONTACTADO")),
    (25, plain("NO CONTACTADO")),
    (10, plain("Volver a llamar")),
    (5, plain("Número equivocado")),
];

/// The rarer values of `type_interaction`, with their weights; most are `out_pre`.
const INTERACTIONS: [(u32, FreeText); 5] = [
    (3, plain("conference")),
    (6, plain("inbound")),
    (
        3,
        FreeText {
            text: "internal call",
            label: "internal_call",
        },
    ),
    (8, plain("outbound_ma")),
    (4, plain("transfer")),
];

const CALL_RESULTS: [(u32, &str); 4] = [(20, "no_answer"), (8, "busy"), (4, "failed"), (6, "answer_machine")];

const HANG_UPS: [(u32, FreeText); 3] = [
    (45, plain("agent")),
    (
        2,
        FreeText {
            text: "",
            label: "none",
        },
    ),
    (1, UNKNOWN_HANG_UP),
];

/// Not on the vendor's page.
const UNKNOWN_HANG_UP: FreeText = FreeText {
    text: "system",
    label: "other",
};

/// A row of either type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preview {
    pub(super) campaign: u32,
    pub(super) person: Person,
    connection: Option<Connection>,
    pub(super) about: PreviewRow,
}

/// What a row is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum PreviewRow {
    Record { result: Typed, last_code: &'static str },
    Call { call: PreviewCall, code: Typed },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct PreviewCall {
    pub(super) hang_up: FreeText,
    pub(super) interaction: FreeText,
    pub(super) result: &'static str,
    pub(super) seconds: u32,
    pub(super) absurd_time: bool,
    /// When the row is final; it may be listed while the call goes on.
    pub(super) final_at: i64,
}

impl PreviewRow {
    fn typed_later(self, seconds: i64) -> PreviewRow {
        let later = |typed: Typed| Typed {
            at: typed.at.map(|at| at + seconds),
            ..typed
        };
        match self {
            PreviewRow::Record { result, last_code } => PreviewRow::Record {
                result: later(result),
                last_code,
            },
            PreviewRow::Call { call, code } => PreviewRow::Call {
                call,
                code: later(code),
            },
        }
    }
}

/// What an agent types, perhaps later or never.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed {
    value: FreeText,
    /// When, `None` for never.
    at: Option<i64>,
}

impl Typed {
    /// What the row shows at an instant.
    pub(super) fn by(&self, now: i64) -> Option<FreeText> {
        self.at.is_some_and(|at| at <= now).then_some(self.value)
    }
}

impl Preview {
    /// `None` without a call.
    pub(super) fn conn_id(&self) -> Option<String> {
        self.connection.map(|connection| connection.of_switch(self.campaign))
    }
}

impl Event for Preview {
    /// A record is opened up to a minute before the date of its call.
    fn lookahead_minutes(_: &EventPlan) -> i64 {
        1
    }

    fn generate(source: &EventSource, minute: i64, hour: &mut HourBuilder<Preview>) {
        let EventSource { traffic, plan } = source;
        let Some((local, expected)) = traffic.expected(minute) else {
            return;
        };
        let campaigns = &traffic.centre.preview_campaigns;
        if !traffic.campaigns_dial(local) || campaigns.is_empty() {
            return;
        }
        let mut rng = rng_at(traffic.seed, PREVIEWS, minute);
        let count = (expected * RECORDS_A_CALL * (0.5 + rng.f64()) + rng.f64()) as u32;
        for number in 0..count {
            let at = minute * 60 + rng.i64(0..60);
            let opened = at - rng.i64(0..60);
            let campaign = campaigns[rng.usize(0..campaigns.len())];
            let person = Person(rng.u64(..));
            let result = weighted(&mut rng, &RESULTS, plain("CONTACTADO"));
            let last_code = weighted(&mut rng, &[(60, ""), (30, "VENTA")], "101");
            let called = rng.u32(0..100) < 85;
            let call = call(&mut rng);
            let code = weighted(&mut rng, &CODES, plain("NO INTERESADO"));

            let mut late = rng_at(traffic.seed, LATE, minute * (1 << 20) + i64::from(number));
            let mut typed = |value, since: i64| Typed {
                value,
                at: plan.completion.draw(&mut late).map(|delay| since + delay),
            };
            let (result, code) = (typed(result, opened), typed(code, at));
            let connection = called.then(|| plan.connection(at, number));
            let mut changes = rng_at(traffic.seed, CHANGES, minute * (1 << 20) + i64::from(number));
            let final_at = plan.unfinished.draw(&mut changes, at);
            let (record_moves, call_moves) = (plan.moved.draw(&mut changes), plan.moved.draw(&mut changes));
            let (unknown_word, absurd_time) = plan.oddities(&mut changes);
            let call = PreviewCall {
                hang_up: match call.hang_up {
                    _ if unknown_word => UNKNOWN_HANG_UP,
                    UNKNOWN_HANG_UP if !plan.odd_words => plain("customer"),
                    hang_up => hang_up,
                },
                absurd_time,
                final_at,
                ..call
            };
            let mut note = |at, moves, about| {
                let row = Preview {
                    campaign,
                    person,
                    connection,
                    about,
                };
                let visible = at + plan.lateness.draw(&mut late);
                let twin = Preview {
                    about: about.typed_later(plan.twin_typing.as_secs()),
                    ..row
                };
                hour.add(Showing { at, visible, moves }, row, twin, plan, &mut late);
            };
            note(opened, record_moves, PreviewRow::Record { result, last_code });
            if called {
                note(at, call_moves, PreviewRow::Call { call, code });
            }
        }
    }

    fn key(&self) -> u64 {
        self.person.0
    }

    fn matches(&self, _: &EventSource, filter: &RowFilter) -> bool {
        filter.accepts(|| self.campaign.to_string())
    }
}

fn call(rng: &mut Rng) -> PreviewCall {
    let result = weighted(rng, &CALL_RESULTS, "answer");
    let talk = if rng.u32(0..50) == 0 { 4500 } else { 700 };
    PreviewCall {
        hang_up: weighted(rng, &HANG_UPS, plain("customer")),
        interaction: weighted(rng, &INTERACTIONS, plain("out_pre")),
        result,
        seconds: if result == "answer" {
            rng.u32(1..talk)
        } else {
            rng.u32(0..40)
        },
        absurd_time: false,
        final_at: i64::MIN,
    }
}
