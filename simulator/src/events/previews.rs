//! Preview campaigns: an agent looks at a record and calls, or does not: `campaign_5`.

use fastrand::Rng;

use super::{
    Only, World,
    journal::{Event, Page},
    people::{Connection, Person},
    plan::EventPlan,
    weighted,
};
use crate::random::rng_at;

const PREVIEWS: u64 = 0x0070_7265_7669_6577;
const LATE: u64 = 0x0070_7265_7669_656c;

/// Records worked on for each call of the other reports.
const RECORDS_A_CALL: f64 = 0.15;

/// A free value as it is written, and as a label shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Free {
    pub(super) text: &'static str,
    pub(super) label: &'static str,
}

const fn plain(text: &'static str) -> Free {
    Free { text, label: text }
}

const CODES: [(u32, Free); 7] = [
    (14, plain("TIMEOUTACW")),
    (20, plain("VENTA")),
    (18, plain("101")),
    (15, plain("Promesa de pago")),
    (
        3,
        Free {
            text: "Cliente pide que lo llamen de nuevo el lunes por la mañana, antes de las diez",
            label: "Cliente pide que lo llamen de nuevo el lunes por la mañana, ante",
        },
    ),
    (
        3,
        Free {
            text: "  SEGUIMIENTO  ",
            label: "SEGUIMIENTO",
        },
    ),
    // Agents paste what they should not.
    (
        2,
        Free {
            text: "Ref. 573-015-55",
            label: "number",
        },
    ),
];

const RESULTS: [(u32, Free); 4] = [
    (40, plain("CONTACTADO")),
    (25, plain("NO CONTACTADO")),
    (10, plain("Volver a llamar")),
    (5, plain("Número equivocado")),
];

/// `type_interaction` as it is written and as a label shows it; most are `out_pre`.
const INTERACTIONS: [(u32, Free); 5] = [
    (3, plain("conference")),
    (6, plain("inbound")),
    (
        3,
        Free {
            text: "internal call",
            label: "internal_call",
        },
    ),
    (8, plain("outbound_ma")),
    (4, plain("transfer")),
];

const CALL_RESULTS: [(u32, &str); 4] = [(20, "no_answer"), (8, "busy"), (4, "failed"), (6, "answer_machine")];

const HANG_UPS: [(u32, Free); 3] = [
    (45, plain("agent")),
    (
        2,
        Free {
            text: "",
            label: "none",
        },
    ),
    (
        1,
        Free {
            text: "system",
            label: "other",
        },
    ),
];

/// A row of either type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preview {
    pub(super) campaign: u32,
    pub(super) person: Person,
    connection: Option<Connection>,
    pub(super) about: About,
}

/// What a row is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum About {
    Record { result: Typed, last_code: &'static str },
    Call { call: PreviewCall, code: Typed },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct PreviewCall {
    pub(super) hang_up: Free,
    pub(super) interaction: Free,
    pub(super) result: &'static str,
    pub(super) seconds: u32,
}

/// What an agent types sooner or later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed {
    value: Free,
    /// When, `None` for never.
    at: Option<i64>,
}

impl Typed {
    /// What is there at an instant.
    pub(super) fn by(&self, now: i64) -> Option<Free> {
        self.at.is_some_and(|at| at <= now).then_some(self.value)
    }
}

impl Preview {
    /// Blank without a call.
    pub(super) fn conn_id(&self) -> Option<String> {
        self.connection.map(|connection| connection.of_switch(self.campaign))
    }
}

impl Event for Preview {
    /// The record is opened up to a minute before the row of its call.
    fn reach(_: &EventPlan) -> i64 {
        1
    }

    fn happen(world: &World, minute: i64, page: &mut Page<Preview>) {
        let World { traffic, plan } = world;
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
            let connection = called.then_some(Connection { end: at, number });
            let mut note = |at, about| {
                let row = Preview {
                    campaign,
                    person,
                    connection,
                    about,
                };
                let visible = at + plan.lateness.draw(&mut late);
                page.note(at, visible, row, plan, &mut late, row);
            };
            note(opened, About::Record { result, last_code });
            if called {
                note(at, About::Call { call, code });
            }
        }
    }

    fn asked_for(&self, _: &World, only: &Only) -> bool {
        only.holds(|| self.campaign.to_string())
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
    }
}
