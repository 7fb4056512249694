//! What really happened, to compare answers with.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use parking_lot::Mutex;

use super::{
    call::Call,
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
    total: DayTotals,
    minutes: Vec<DayTotals>,
    dials: Vec<Dial>,
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
        match self.day(date) {
            Some(day) => self.totals_between(*day.start(), until.as_second().min(*day.end())),
            None => DayTotals::default(),
        }
    }

    /// The campaigns' figures at an instant.
    pub fn campaigns(&self, at: Timestamp) -> Vec<CampaignState> {
        let local = self.timezone().to_datetime(at);
        let Some(day) = self.day(local.date()) else {
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

    pub(super) fn events(&self) -> &Events {
        &self.world.events
    }

    /// The calls that ended by `now` at a local time within the window, added up by duration.
    pub(super) fn window_totals(&self, window: &Window, now: Timestamp) -> DayTotals {
        let mut totals = DayTotals::default();
        for (from, until) in window.instants(self.timezone()) {
            totals += self.totals_between(from, until.min(now.as_second()));
        }
        totals
    }

    fn timezone(&self) -> &TimeZone {
        &self.world.traffic.timezone
    }

    /// First and last second of a local day, which may have 23 or 25 hours.
    fn day(&self, date: Date) -> Option<RangeInclusive<i64>> {
        let start = |date: Date| {
            date.to_zoned(self.timezone().clone())
                .and_then(|zoned| zoned.start_of_day())
                .map(|zoned| zoned.timestamp().as_second())
        };
        Some(start(date).ok()?..=start(date.tomorrow().ok()?).ok()? - 1)
    }

    /// The sums over the seconds from `from` to `until`, both included.
    fn totals_between(&self, from: i64, until: i64) -> DayTotals {
        let mut totals = DayTotals::default();
        let mut second = from;
        while second <= until {
            let hour = second.div_euclid(3600);
            let minute = second.div_euclid(60);
            let (last_of_hour, last_of_minute) = (hour * 3600 + 3599, minute * 60 + 59);
            if second % 3600 == 0 && until >= last_of_hour {
                totals += self.hour(hour).total;
                second = last_of_hour + 1;
                continue;
            }
            if second % 60 == 0 && until >= last_of_minute {
                let at = usize::try_from(minute - hour * 60).unwrap_or_default();
                totals += self.hour(hour).minutes[at];
            } else {
                for call in self.world.traffic.minute(minute) {
                    if (second..=until).contains(&call.end) {
                        totals.count(&call);
                    }
                }
            }
            second = last_of_minute + 1;
        }
        totals
    }

    fn hour(&self, hour: i64) -> Arc<Hour> {
        if let Some(cached) = self.world.hours.lock().get(&hour) {
            return Arc::clone(cached);
        }
        let totals = Arc::new(self.hour_totals(hour));
        let mut hours = self.world.hours.lock();
        if hours.len() >= HOURS_CACHED {
            hours.clear();
        }
        hours.insert(hour, Arc::clone(&totals));
        totals
    }

    fn hour_totals(&self, hour: i64) -> Hour {
        let mut summed = Hour {
            total: DayTotals::default(),
            minutes: Vec::with_capacity(60),
            dials: Vec::new(),
        };
        for minute in hour * 60..(hour + 1) * 60 {
            let mut totals = DayTotals::default();
            for call in self.world.traffic.minute(minute) {
                totals.count(&call);
                summed.dials.extend(Dial::of(&call));
            }
            summed.total += totals;
            summed.minutes.push(totals);
        }
        summed
    }
}
