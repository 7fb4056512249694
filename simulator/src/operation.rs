//! One operation: its world, its token, and what a test tells it to do.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    api::Api,
    centre::{Centre, Sizes},
    clock::SimulatedClock,
    durations::DayTotals,
    events::EventPlan,
    faults::{Fault, Injection, take_fault},
    incidents::Incident,
    limits::{InFlight, Quota},
    observed::{Observed, ObservedRequest, RequestLog},
    random::{hash_of, rng_at},
    switches::Switches,
    traffic::{Figures, Traffic},
    truth::Truth,
};

const TOKEN: u64 = 0x0074_6f6b_656e_0000;

/// What an operation is to be like.
#[derive(Clone, Debug)]
pub struct OperationPlan {
    name: String,
    timezone: TimeZone,
    volume: f64,
    never_closes: bool,
    sizes: Sizes,
    figures: Figures,
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
            figures: Figures::default(),
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

    /// Busy at every hour of every day, so that there is something to see whenever one looks.
    #[must_use]
    pub fn never_closes(self) -> OperationPlan {
        OperationPlan {
            never_closes: true,
            ..self
        }
    }

    /// Another number of campaigns, from none to some hundreds.
    #[must_use]
    pub fn campaigns(self, number: usize) -> OperationPlan {
        let sizes = Sizes {
            campaigns: number,
            ..self.sizes
        };
        OperationPlan { sizes, ..self }
    }

    /// Fewer skills than the five that there are.
    #[must_use]
    pub fn skills(self, number: usize) -> OperationPlan {
        let sizes = Sizes {
            skills: number,
            ..self.sizes
        };
        OperationPlan { sizes, ..self }
    }

    /// Fewer routing points than the three that there are.
    #[must_use]
    pub fn routing_points(self, number: usize) -> OperationPlan {
        let sizes = Sizes {
            routing_points: number,
            ..self.sizes
        };
        OperationPlan { sizes, ..self }
    }

    /// The size of every campaign's list, in percent of the dials of a usual day; below 100 it is recycled during it.
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
    pub fn figures(self, figures: Figures) -> OperationPlan {
        OperationPlan { figures, ..self }
    }

    /// What goes wrong, and when. Without these nothing does.
    #[must_use]
    pub fn incidents(self, incidents: Vec<Incident>) -> OperationPlan {
        OperationPlan { incidents, ..self }
    }

    /// Other row reports: how many rows, how late, how complete.
    #[must_use]
    pub fn events(self, events: EventPlan) -> OperationPlan {
        OperationPlan { events, ..self }
    }

    /// Other switches.
    #[must_use]
    pub fn switches(self, switches: Switches) -> OperationPlan {
        OperationPlan { switches, ..self }
    }
}

/// An answer that a test writes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: String,
    /// The body, as it goes over the wire.
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

/// An operation that answers. Clones are the same operation.
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
            figures: plan.figures,
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

    /// What really happened.
    pub fn truth(&self) -> &Truth {
        &self.shared.truth
    }

    /// How its answers look now.
    pub fn switches(&self) -> Switches {
        locked(&self.shared.switches).clone()
    }

    /// Changes how its answers look from the next request on.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut locked(&self.shared.switches));
    }

    /// Lets requests meet a fault, besides those injected before: a request meets one of them, the oldest first.
    pub fn inject(&self, fault: impl Into<Injection>) {
        locked(&self.shared.injections).push(fault.into());
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        locked(&self.shared.injections).clear();
    }

    /// Replaces the answers of a report until [`SimulatedOperation::answer_as_generated`]. Token and limits are
    /// looked at first; parameters are not.
    pub fn answer_with(&self, report: Api, answer: ScriptedAnswer) {
        locked(&self.shared.scripted).insert(report, answer);
    }

    /// Ends what [`SimulatedOperation::answer_with`] began.
    pub fn answer_as_generated(&self, report: Api) {
        locked(&self.shared.scripted).remove(&report);
    }

    /// Lets `cdr_4` report other sums than the truth, so that a day's total can be made to fall. The function gets
    /// the day of `date_ini` and the true sums.
    pub fn adjust_day_totals(&self, adjustment: impl Fn(Date, &mut DayTotals) + Send + Sync + 'static) {
        *locked(&self.shared.adjustment) = Some(Arc::new(adjustment));
    }

    /// Ends what [`SimulatedOperation::adjust_day_totals`] began.
    pub fn report_true_totals(&self) {
        *locked(&self.shared.adjustment) = None;
    }

    /// What was seen of its token so far.
    pub fn observed(&self) -> Observed {
        let log = locked(&self.shared.log);
        Observed {
            requests: log.requests,
            most_in_flight: self.shared.in_flight.most(),
            charged_today: self.shared.quota.used(self.today()),
            log: log.latest.iter().cloned().collect(),
        }
    }

    /// Forgets the log of requests; counts stay.
    pub fn forget_log(&self) {
        locked(&self.shared.log).latest = VecDeque::new();
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
        take_fault(&mut locked(&self.shared.injections), report)
    }

    pub(super) fn scripted(&self, report: Api) -> Option<ScriptedAnswer> {
        locked(&self.shared.scripted).get(&report).cloned()
    }

    pub(super) fn adjusted(&self, date: Date, mut totals: DayTotals) -> DayTotals {
        // Taken out of the lock: what a test does in there may ask the operation in turn.
        let adjustment = locked(&self.shared.adjustment).clone();
        if let Some(adjust) = adjustment {
            adjust(date, &mut totals);
        }
        totals
    }

    pub(super) fn write_down(&self, request: ObservedRequest) {
        locked(&self.shared.log).write(request);
    }
}

impl fmt::Debug for SimulatedOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedOperation")
            .field("name", &self.shared.name)
            .finish_non_exhaustive()
    }
}

/// A panic elsewhere leaves nothing half done behind these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
