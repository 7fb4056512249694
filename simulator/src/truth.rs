//! What really happened, to compare answers with.

use std::{collections::HashMap, ops::AddAssign, sync::Arc};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use parking_lot::Mutex;

use super::{
    call::Call,
    call_results::CallResults,
    campaign_state::{CampaignState, Dial, campaign_states},
    centre::Centre,
    durations::DayTotals,
    events::{EventPlan, Events},
    traffic::Traffic,
    window::Window,
};

/// Hours cached: a little over 31 days, the longest window.
const HOURS_CACHED: usize = 800;

/// What happened in one operation, before any switch, fault or scripted answer.
#[derive(Clone, Debug)]
pub struct Truth {
    world: Arc<World>,
}

#[derive(Debug)]
struct World {
    traffic: Traffic,
    events: Events,
    /// Cached sums by hour since the epoch.
    hours: Mutex<HashMap<i64, Arc<Hour>>>,
}

#[derive(Debug)]
struct Hour {
    total: Sums,
    minutes: Vec<Sums>,
    dials: Vec<Dial>,
}

/// What reports add up over the calls of a window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) durations: DayTotals,
    pub(super) results: CallResults,
}

impl Sums {
    fn count(&mut self, call: &Call, traffic: &Traffic) {
        self.durations.count(call);
        self.results.count(call, traffic);
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        self.durations += other.durations;
        self.results += other.results;
    }
}

impl Truth {
    pub(super) fn new(traffic: Traffic, plan: EventPlan) -> Truth {
        Truth {
            world: Arc::new(World {
                events: Events::new(&traffic, plan),
                traffic,
                hours: Mutex::default(),
            }),
        }
    }

    /// The campaigns, skills and routing points.
    pub fn centre(&self) -> &Centre {
        &self.world.traffic.centre
    }

    /// The calls of a local day that ended at `until` or before, added up by duration.
    pub fn day_totals(&self, date: Date, until: Timestamp) -> DayTotals {
        match self.world.traffic.day(date) {
            Some(day) => {
                self.sums_between(*day.start(), until.as_second().min(*day.end()))
                    .durations
            }
            None => DayTotals::default(),
        }
    }

    /// The campaigns' figures at an instant.
    pub fn campaigns(&self, at: Timestamp) -> Vec<CampaignState> {
        let local = self.timezone().to_datetime(at);
        let Some(day) = self.world.traffic.day(local.date()) else {
            return Vec::new();
        };
        let until = at.as_second();
        let dials: Vec<Dial> = (day.start().div_euclid(3600)..=until.div_euclid(3600))
            .flat_map(|hour| self.hour(hour).dials.clone())
            .filter(|dial| (*day.start()..=until).contains(&dial.end))
            .collect();
        campaign_states(&self.world.traffic, local, *day.start()..=until, &dials)
    }

    /// The calls that ended between two instants, both included, in that order.
    pub fn calls(&self, from: Timestamp, until: Timestamp) -> Vec<Call> {
        let seconds = from.as_second()..=until.as_second();
        (seconds.start().div_euclid(60)..=seconds.end().div_euclid(60))
            .flat_map(|minute| self.world.traffic.minute(minute))
            .filter(|call| seconds.contains(&call.end))
            .collect()
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.world.traffic
    }

    pub(super) fn events(&self) -> &Events {
        &self.world.events
    }

    /// The dialled calls that did not connect and ended between two instants, both included, by the reason.
    pub fn call_results(&self, from: Timestamp, until: Timestamp) -> CallResults {
        self.sums_between(from.as_second(), until.as_second()).results
    }

    /// The calls that ended by `now` at a local time within the window, added up.
    pub(super) fn window_sums(&self, window: &Window, now: Timestamp) -> Sums {
        let mut sums = Sums::default();
        for (from, until) in window.instants(self.timezone()) {
            sums += self.sums_between(from, until.min(now.as_second()));
        }
        sums
    }

    fn timezone(&self) -> &TimeZone {
        &self.world.traffic.timezone
    }

    /// The sums over the seconds from `from` to `until`, both included.
    fn sums_between(&self, from: i64, until: i64) -> Sums {
        let mut sums = Sums::default();
        let mut second = from;
        while second <= until {
            let hour = second.div_euclid(3600);
            let minute = second.div_euclid(60);
            let (last_of_hour, last_of_minute) = (hour * 3600 + 3599, minute * 60 + 59);
            if second % 3600 == 0 && until >= last_of_hour {
                sums += self.hour(hour).total;
                second = last_of_hour + 1;
                continue;
            }
            if second % 60 == 0 && until >= last_of_minute {
                let at = usize::try_from(minute - hour * 60).unwrap_or_default();
                sums += self.hour(hour).minutes[at];
            } else {
                for call in self.world.traffic.minute(minute) {
                    if (second..=until).contains(&call.end) {
                        sums.count(&call, &self.world.traffic);
                    }
                }
            }
            second = last_of_minute + 1;
        }
        sums
    }

    fn hour(&self, hour: i64) -> Arc<Hour> {
        if let Some(cached) = self.world.hours.lock().get(&hour) {
            return Arc::clone(cached);
        }
        let sums = Arc::new(self.hour_sums(hour));
        let mut hours = self.world.hours.lock();
        if hours.len() >= HOURS_CACHED {
            hours.clear();
        }
        hours.insert(hour, Arc::clone(&sums));
        sums
    }

    fn hour_sums(&self, hour: i64) -> Hour {
        let mut summed = Hour {
            total: Sums::default(),
            minutes: Vec::with_capacity(60),
            dials: Vec::new(),
        };
        for minute in hour * 60..(hour + 1) * 60 {
            let mut sums = Sums::default();
            for call in self.world.traffic.minute(minute) {
                sums.count(&call, &self.world.traffic);
                summed.dials.extend(Dial::of(&call));
            }
            summed.total += sums;
            summed.minutes.push(sums);
        }
        summed
    }
}
