//! Navigation in the IVR, `diagram_1`: a row for each menu of a call.

use fastrand::Rng;

use super::{
    EventSource, RowFilter,
    changes::FirstStep,
    fake_people::{Connection, Person},
    plan::{EventPlan, StepDates},
    timeline::{Event, HourBuilder, Showing},
    weighted,
};
use crate::{call::Direction, random::rng_at};

const STEPS: u64 = 0x0073_7465_7073_0000;
const LATE: u64 = 0x0073_7465_7073_006c;
const CHANGES: u64 = 0x0073_7465_7073_0063;

/// The IVR part of a call lasts at most 59 s × 11.
const LONGEST_MINUTES: i64 = 11;

/// A code that callers type, longer than the option of a menu.
const PIN: &str = "12345";

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
    (2, PIN),
    (12, "PULSE"),
    (4, ""),
];

const TARGETS: [(u32, &str); 4] = [(30, "4000"), (25, "4010"), (20, "SKILL Ventas"), (15, "Línea de Pagos")];

/// What a caller entered, or where the call was transferred.
#[derive(Clone, Copy, Debug)]
pub(super) enum Choice {
    Nothing,
    Pulse,
    Code(&'static str),
    /// The caller's telephone.
    Telephone,
    /// The caller's identity document.
    Document,
}

impl Choice {
    /// The text in the row.
    pub(super) fn text(self, person: Person) -> String {
        match self {
            Choice::Nothing => String::new(),
            Choice::Pulse => "PULSE".to_owned(),
            Choice::Code(code) => code.to_owned(),
            Choice::Telephone => person.telephone(),
            Choice::Document => person.document(),
        }
    }

    /// The label value that a client should make of it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Choice::Nothing | Choice::Pulse => "none",
            Choice::Code(PIN) | Choice::Telephone | Choice::Document => "number",
            Choice::Code(code) => code,
        }
    }
}

/// How the IVR part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepResult {
    Ok,
    HungUp,
    /// A value that the vendor's page does not mention.
    Odd,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// An index into the routing points of the centre.
    pub(super) routing_point: usize,
    pub(super) option: Choice,
    pub(super) transfer: Choice,
    pub(super) result: StepResult,
    /// Seconds of the whole IVR part, or of what was over at the date of this row.
    pub(super) seconds: u32,
    pub(super) absurd_time: bool,
    pub(super) person: Person,
    connection: Connection,
    /// Whether this is the row with which the call itself is counted.
    pub(super) stands_for_call: bool,
    /// When it is final, and what it looks like until then.
    final_at: i64,
    unfinished: FirstStep,
}

impl Step {
    /// What it looks like at an instant, `None` once it is final.
    pub(super) fn unfinished_by(&self, now: i64) -> Option<FirstStep> {
        (now < self.final_at).then_some(self.unfinished)
    }

    pub(super) fn conn_id(&self) -> String {
        self.connection.of_ivr()
    }
}

impl Event for Step {
    fn lookahead_minutes(plan: &EventPlan) -> i64 {
        match plan.step_dates {
            StepDates::EndOfCall => 0,
            StepDates::EachItsOwn => LONGEST_MINUTES,
        }
    }

    fn generate(source: &EventSource, minute: i64, hour: &mut HourBuilder<Step>) {
        let EventSource { traffic, plan } = source;
        for call in traffic.minute(minute) {
            let (Direction::Inbound, Some(entry)) = (call.direction, call.ivr) else {
                continue;
            };
            let mut rng = rng_at(traffic.seed, STEPS, call.key());
            let person = Person(rng.u64(..));
            let count = 1 + weighted(&mut rng, &[(35, 0), (30, 1), (20, 2), (10, 3)], 4);
            let hung_up = rng.u32(0..100) < 15 || entry.gave_up;
            let seconds = entry.seconds * if rng.u32(0..40) == 0 { 11 } else { 1 };
            let transfer = if !hung_up && rng.u32(0..100) < 40 {
                transfer_target(&mut rng)
            } else {
                Choice::Nothing
            };
            let mut late = rng_at(traffic.seed, LATE, call.key());
            let visible = call.end + plan.lateness.draw(&mut late);
            let mut changes = rng_at(traffic.seed, CHANGES, call.key());
            let call_final_at = plan.unfinished.draw(&mut changes, call.end);
            let moves = plan.moved.draw(&mut changes);
            let (unknown_word, absurd_time) = plan.oddities(&mut changes);
            let result = match hung_up {
                _ if unknown_word => StepResult::Odd,
                true => StepResult::HungUp,
                false => StepResult::Ok,
            };
            let mut option = Choice::Nothing;
            for number in 1..=count {
                // Some callers make the same choice twice: two equal rows, and both count.
                let again = rng.u32(0..100) < 6 && number > 1;
                let next = chosen(&mut rng, plan.typed_numbers);
                option = if again { option } else { next };
                if entry.pressed_nothing {
                    option = Choice::Pulse;
                }
                let last = number == count;
                let final_at = match plan.unfinished.steps {
                    FirstStep::MidMenu => call_final_at,
                    FirstStep::NoOption if matches!(option, Choice::Nothing) => i64::MIN,
                    FirstStep::NoOption => plan.unfinished.draw(&mut changes, call.end),
                };
                let before = match plan.step_dates {
                    StepDates::EndOfCall => 0,
                    StepDates::EachItsOwn => seconds * (count - number) / count,
                };
                let so_far = plan.time_so_far && before > 0;
                let step = Step {
                    routing_point: entry.routing_point,
                    option,
                    transfer: if last { transfer } else { Choice::Nothing },
                    result: if so_far { StepResult::Ok } else { result },
                    seconds: if so_far { seconds - before } else { seconds },
                    absurd_time,
                    person,
                    connection: plan.connection(call.end, call.number),
                    stands_for_call: last,
                    final_at,
                    unfinished: plan.unfinished.steps,
                };
                let twin = Step {
                    stands_for_call: false,
                    ..step
                };
                let showing = Showing {
                    at: call.end - i64::from(before),
                    // The last choice is still to come while the caller is in the menu.
                    visible: match plan.unfinished.steps {
                        FirstStep::MidMenu if last && number > 1 => visible.max(final_at),
                        _ => visible,
                    },
                    moves,
                };
                hour.add(showing, step, twin, plan, &mut late);
            }
        }
    }

    fn key(&self) -> u64 {
        self.person.0
    }

    fn matches(&self, _: &EventSource, filter: &RowFilter) -> bool {
        filter.accepts(|| self.person.customer_id())
    }
}

fn chosen(rng: &mut Rng, typed_numbers: f64) -> Choice {
    let (luck, telephone) = (rng.f64(), rng.bool());
    match weighted(rng, &CODES, "99") {
        _ if luck < typed_numbers && telephone => Choice::Telephone,
        _ if luck < typed_numbers => Choice::Document,
        "" => Choice::Nothing,
        "PULSE" => Choice::Pulse,
        code => Choice::Code(code),
    }
}

/// Some calls are transferred to an outside telephone.
fn transfer_target(rng: &mut Rng) -> Choice {
    match weighted(rng, &TARGETS, "") {
        "" => Choice::Telephone,
        code => Choice::Code(code),
    }
}
