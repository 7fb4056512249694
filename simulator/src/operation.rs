//! One operation: its truth, its token, and how tests control its answers.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::Arc,
};

use bytes::Bytes;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use parking_lot::Mutex;

use super::{
    api::Api,
    centre::{Centre, Sizes},
    clock::SimulatedClock,
    durations::DayTotals,
    events::EventPlan,
    faults::{Fault, Injection, take_fault},
    incidents::Incident,
    limits::{InFlight, Quota},
    random::{hash_of, rng_at},
    request_log::{Observed, ObservedRequest, RequestLog},
    switches::Switches,
    traffic::{CallMix, Traffic},
    truth::Truth,
};

const TOKEN: u64 = 0x0074_6f6b_656e_0000;

/// The plan of an operation.
#[derive(Clone, Debug)]
pub struct OperationPlan {
    name: String,
    timezone: TimeZone,
    volume: f64,
    never_closes: bool,
    sizes: Sizes,
    call_mix: CallMix,
    incidents: Vec<Incident>,
    events: EventPlan,
    switches: Switches,
}

impl OperationPlan {
    /// An operation with six campaigns and about 6,000 calls on a working day.
    pub fn new(name: impl Into<String>, timezone: TimeZone) -> OperationPlan {
        OperationPlan {
            name: name.into(),
            timezone,
            volume: 1.0,
            never_closes: false,
            sizes: Sizes::default(),
            call_mix: CallMix::default(),
            incidents: Vec::new(),
            events: EventPlan::default(),
            switches: Switches::default(),
        }
    }

    /// Multiplies the number of calls.
    #[must_use]
    pub fn volume(self, factor: f64) -> OperationPlan {
        OperationPlan { volume: factor, ..self }
    }

    /// Busy at every hour of every day.
    #[must_use]
    pub fn never_closes(self) -> OperationPlan {
        OperationPlan {
            never_closes: true,
            ..self
        }
    }

    /// The number of campaigns, from 0 to some hundreds.
    #[must_use]
    pub fn campaigns(self, number: usize) -> OperationPlan {
        let sizes = Sizes {
            campaigns: number,
            ..self.sizes
        };
        OperationPlan { sizes, ..self }
    }

    /// The number of skills, from 1 to 5.
    #[must_use]
    pub fn skills(self, number: usize) -> OperationPlan {
        let sizes = Sizes {
            skills: number,
            ..self.sizes
        };
        OperationPlan { sizes, ..self }
    }

    /// The number of routing points, from 1 to 3.
    #[must_use]
    pub fn routing_points(self, number: usize) -> OperationPlan {
        let sizes = Sizes {
            routing_points: number,
            ..self.sizes
        };
        OperationPlan { sizes, ..self }
    }

    /// The size of every campaign's list, in percent of the dials of a usual day. Below 100 it is recycled during the day.
    #[must_use]
    pub fn list_size(self, percent: u32) -> OperationPlan {
        let sizes = Sizes {
            list_size: Some(percent),
            ..self.sizes
        };
        OperationPlan { sizes, ..self }
    }

    /// How calls usually end.
    #[must_use]
    pub fn call_mix(self, call_mix: CallMix) -> OperationPlan {
        OperationPlan { call_mix, ..self }
    }

    /// Problems of the contact centre. Without these nothing goes wrong.
    #[must_use]
    pub fn incidents(self, incidents: Vec<Incident>) -> OperationPlan {
        OperationPlan { incidents, ..self }
    }

    /// The rows of the row reports: how many, how late, how complete.
    #[must_use]
    pub fn events(self, events: EventPlan) -> OperationPlan {
        OperationPlan { events, ..self }
    }

    /// How answers look.
    #[must_use]
    pub fn switches(self, switches: Switches) -> OperationPlan {
        OperationPlan { switches, ..self }
    }
}

/// An answer written by a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

impl ScriptedAnswer {
    /// Status 200, JSON.
    pub fn json(body: impl Into<Bytes>) -> ScriptedAnswer {
        ScriptedAnswer {
            status: 200,
            content_type: "application/json; charset=utf-8".to_owned(),
            body: body.into(),
        }
    }
}

/// An operation of a simulator. Clones are the same operation.
#[derive(Clone)]
pub struct SimulatedOperation {
    shared: Arc<Shared>,
}

type Adjustment = Arc<dyn Fn(Date, &mut DayTotals) + Send + Sync>;

struct Shared {
    name: String,
    timezone: TimeZone,
    token: String,
    clock: SimulatedClock,
    truth: Truth,
    switches: Mutex<Switches>,
    injections: Mutex<Vec<Injection>>,
    scripted: Mutex<HashMap<Api, ScriptedAnswer>>,
    adjustment: Mutex<Option<Adjustment>>,
    in_flight: InFlight,
    quota: Quota,
    log: Mutex<RequestLog>,
    /// Answers of row reports while broken rows were wanted.
    row_answers: Mutex<HashMap<Api, u32>>,
}

impl SimulatedOperation {
    pub(super) fn new(seed: u64, plan: OperationPlan, clock: SimulatedClock) -> SimulatedOperation {
        let seed = seed ^ hash_of(&plan.name);
        let mut rng = rng_at(seed, TOKEN, 0);
        let token = (0..52)
            .map(|_| char::from(b"0123456789abcdef"[rng.usize(0..16)]))
            .collect();
        let traffic = Traffic {
            seed,
            timezone: plan.timezone.clone(),
            volume: plan.volume,
            never_closes: plan.never_closes,
            centre: Centre::new(seed, plan.sizes),
            call_mix: plan.call_mix,
            incidents: plan.incidents,
        };
        let truth = Truth::new(traffic, plan.events);
        SimulatedOperation {
            shared: Arc::new(Shared {
                name: plan.name,
                timezone: plan.timezone,
                token,
                clock,
                truth,
                switches: Mutex::new(plan.switches),
                injections: Mutex::default(),
                scripted: Mutex::default(),
                adjustment: Mutex::default(),
                in_flight: InFlight::default(),
                quota: Quota::default(),
                log: Mutex::default(),
                row_answers: Mutex::default(),
            }),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The zone of its local time.
    pub fn timezone(&self) -> &TimeZone {
        &self.shared.timezone
    }

    /// The token: 52 lowercase hexadecimal digits, as seen in real use.
    pub fn token(&self) -> &str {
        &self.shared.token
    }

    /// What really happened, to compare answers and totals with.
    pub fn truth(&self) -> &Truth {
        &self.shared.truth
    }

    /// How its answers look at present.
    pub fn switches(&self) -> Switches {
        self.shared.switches.lock().clone()
    }

    /// Changes how its answers look from the next request on.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.shared.switches.lock());
    }

    /// Adds a fault. A request meets at most one fault, the oldest first.
    pub fn inject(&self, fault: impl Into<Injection>) {
        self.shared.injections.lock().push(fault.into());
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.injections.lock().clear();
    }

    /// Replaces the answers of a report until [`SimulatedOperation::answer_as_generated`]. Token and limits still apply;
    /// parameters are ignored.
    pub fn answer_with(&self, report: Api, answer: ScriptedAnswer) {
        self.shared.scripted.lock().insert(report, answer);
    }

    /// Undoes [`SimulatedOperation::answer_with`].
    pub fn answer_as_generated(&self, report: Api) {
        self.shared.scripted.lock().remove(&report);
    }

    /// Changes the sums that `cdr_4` reports, so that a day's total can fall. The function gets the day of `date_ini` and
    /// the true sums.
    pub fn adjust_day_totals(&self, adjustment: impl Fn(Date, &mut DayTotals) + Send + Sync + 'static) {
        *self.shared.adjustment.lock() = Some(Arc::new(adjustment));
    }

    /// Undoes [`SimulatedOperation::adjust_day_totals`].
    pub fn report_true_totals(&self) {
        *self.shared.adjustment.lock() = None;
    }

    /// The requests with its token so far.
    pub fn observed(&self) -> Observed {
        let log = self.shared.log.lock();
        Observed {
            requests: log.requests,
            most_in_flight: self.shared.in_flight.most(),
            charged_today: self.shared.quota.used(self.today()),
            log: log.latest.iter().cloned().collect(),
        }
    }

    /// Clears the log of requests but not the counts.
    pub fn forget_log(&self) {
        self.shared.log.lock().latest = VecDeque::new();
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(super) fn today(&self) -> Date {
        self.shared.timezone.to_datetime(self.now()).date()
    }

    pub(super) fn in_flight(&self) -> &InFlight {
        &self.shared.in_flight
    }

    pub(super) fn quota(&self) -> &Quota {
        &self.shared.quota
    }

    pub(super) fn take_fault(&self, report: Option<Api>) -> Option<Fault> {
        take_fault(&mut self.shared.injections.lock(), report)
    }

    pub(super) fn scripted(&self, report: Api) -> Option<ScriptedAnswer> {
        self.shared.scripted.lock().get(&report).cloned()
    }

    pub(super) fn adjusted(&self, date: Date, mut totals: DayTotals) -> DayTotals {
        // Called without the lock: the test may use the operation in there.
        let adjustment = self.shared.adjustment.lock().clone();
        if let Some(adjust) = adjustment {
            adjust(date, &mut totals);
        }
        totals
    }

    /// Counts an answer of the report, and says whether it is one of those, one in `every`, that have a broken row.
    pub(super) fn is_turn_of_broken_row(&self, report: Api, every: u32) -> bool {
        let mut answers = self.shared.row_answers.lock();
        let number = answers.entry(report).or_default();
        *number += 1;
        number.is_multiple_of(every.max(1))
    }

    pub(super) fn log_request(&self, request: ObservedRequest) {
        self.shared.log.lock().push(request);
    }
}

impl fmt::Debug for SimulatedOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedOperation")
            .field("name", &self.shared.name)
            .finish_non_exhaustive()
    }
}
