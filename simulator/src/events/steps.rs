//! Ways through the IVR, a row for each menu: `diagram_1`.

use fastrand::Rng;

use super::{
    Only, World,
    journal::{Event, Page},
    people::{Connection, Person},
    place,
    plan::{EventPlan, StepDates},
    weighted,
};
use crate::{random::rng_at, traffic::Direction};

const STEPS: u64 = 0x0073_7465_7073_0000;
const LATE: u64 = 0x0073_7465_7073_006c;

const MINUTES_OF_LONGEST: i64 = 11;

const CODES: [(u32, &str); 13] = [
    (20, "1"),
    (15, "2"),
    (10, "3"),
    (6, "4"),
    (5, "5"),
    (4, "0"),
    (4, "9"),
    (2, "12"),
    (4, "SALDO"),
    (3, "Opción Pagos"),
    (2, "12345"),
    (12, "PULSE"),
    (4, ""),
];

const TARGETS: [(u32, &str); 4] = [(30, "4000"), (25, "4010"), (20, "SKILL Ventas"), (15, "Línea de Pagos")];

/// What a caller chose, or where the call went on to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chosen {
    Nothing,
    Pulse,
    Code(&'static str),
    /// The caller's telephone.
    Telephone,
    /// The caller's identity document.
    Document,
}

impl Chosen {
    /// As it is written.
    pub(super) fn text(self, person: Person) -> String {
        match self {
            Chosen::Nothing => String::new(),
            Chosen::Pulse => "PULSE".to_owned(),
            Chosen::Code(code) => code.to_owned(),
            Chosen::Telephone => person.telephone(),
            Chosen::Document => person.document(),
        }
    }

    /// As a label shows it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Chosen::Nothing | Chosen::Pulse => "none",
            Chosen::Code(code) => code,
            Chosen::Telephone | Chosen::Document => "number",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// An index into the routing points of the centre.
    pub(super) routing_point: usize,
    pub(super) option: Chosen,
    pub(super) transfer: Chosen,
    pub(super) hung_up: bool,
    /// Seconds of the whole IVR part.
    pub(super) seconds: u32,
    pub(super) person: Person,
    connection: Connection,
    /// Whether the call as such is counted with this row: one of its rows, once.
    pub(super) stands_for_call: bool,
}

impl Step {
    pub(super) fn conn_id(&self) -> String {
        self.connection.of_ivr()
    }
}

impl Event for Step {
    fn reach(plan: &EventPlan) -> i64 {
        match plan.step_dates {
            StepDates::EndOfCall => 0,
            StepDates::EachItsOwn => MINUTES_OF_LONGEST,
        }
    }

    fn happen(world: &World, minute: i64, page: &mut Page<Step>) {
        let World { traffic, plan } = world;
        for call in traffic.minute(minute) {
            let (Direction::Inbound, Some(entry)) = (call.direction, call.ivr) else {
                continue;
            };
            let mut rng = rng_at(traffic.seed, STEPS, place(&call));
            let person = Person(rng.u64(..));
            let count = 1 + weighted(&mut rng, &[(35, 0), (30, 1), (20, 2), (10, 3)], 4);
            let hung_up = rng.u32(0..100) < 15 || entry.gave_up;
            let seconds = entry.seconds * if rng.u32(0..40) == 0 { 11 } else { 1 };
            let transfer = if !hung_up && rng.u32(0..100) < 40 {
                target(&mut rng)
            } else {
                Chosen::Nothing
            };
            let mut late = rng_at(traffic.seed, LATE, place(&call));
            let visible = call.end + plan.lateness.draw(&mut late);
            let mut option = Chosen::Nothing;
            for number in 1..=count {
                // Some callers make the same choice again: a row like the one before, and both count.
                let again = rng.u32(0..100) < 6 && number > 1;
                let next = chosen(&mut rng, plan.typed_numbers);
                option = if again { option } else { next };
                if entry.pressed_nothing {
                    option = Chosen::Pulse;
                }
                let last = number == count;
                let step = Step {
                    routing_point: entry.routing_point,
                    option,
                    transfer: if last { transfer } else { Chosen::Nothing },
                    hung_up,
                    seconds,
                    person,
                    connection: Connection {
                        end: call.end,
                        number: call.number,
                    },
                    stands_for_call: last,
                };
                let before = match plan.step_dates {
                    StepDates::EndOfCall => 0,
                    StepDates::EachItsOwn => i64::from(seconds * (count - number) / count),
                };
                let copy = Step {
                    stands_for_call: false,
                    ..step
                };
                page.note(call.end - before, visible, step, plan, &mut late, copy);
            }
        }
    }

    fn asked_for(&self, _: &World, only: &Only) -> bool {
        only.holds(|| self.person.customer_id())
    }
}

fn chosen(rng: &mut Rng, typed_numbers: f64) -> Chosen {
    let (luck, telephone) = (rng.f64(), rng.bool());
    match weighted(rng, &CODES, "99") {
        _ if luck < typed_numbers && telephone => Chosen::Telephone,
        _ if luck < typed_numbers => Chosen::Document,
        "" => Chosen::Nothing,
        "PULSE" => Chosen::Pulse,
        code => Chosen::Code(code),
    }
}

/// Some calls go on to a telephone outside of the operation.
fn target(rng: &mut Rng) -> Chosen {
    match weighted(rng, &TARGETS, "") {
        "" => Chosen::Telephone,
        code => Chosen::Code(code),
    }
}
