//! Events in the order of their dates, an hour at a time.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use fastrand::Rng;
use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};

use super::{EventPlan, Only, RowQuery, Seen, World};

/// Hours and entries kept: a busy day, or a quiet month.
const HOURS_KEPT: usize = 800;
const ENTRIES_KEPT: usize = 400_000;

/// More than any clock was ever put back.
const LONGEST_FOLD: i64 = 3 * 3600;

/// A row and its times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<T> {
    /// When it happened.
    pub(super) at: i64,
    /// The text of its date, as seconds of a wall clock.
    pub(super) wall: i64,
    /// The instant that a reader takes the text for: of a repeated hour, the earlier one.
    pub(super) dated: i64,
    /// From when on the report shows it.
    pub(super) visible: i64,
    pub(super) row: T,
}

/// A kind of event.
pub(super) trait Event: Copy {
    /// How many minutes before the one that made it a row may be dated.
    fn reach(plan: &EventPlan) -> i64;

    /// Writes down what a minute made.
    fn happen(world: &World, minute: i64, page: &mut Page<Self>);

    /// Whether a request that is narrowed down asks for it.
    fn asked_for(&self, world: &World, only: &Only) -> bool;
}

/// An hour that is being written.
pub(super) struct Page<T> {
    seconds: Range<i64>,
    notes: Vec<(i64, i64, T)>,
}

impl<T: Copy> Page<T> {
    /// A row of `at`, shown from `visible` on, and perhaps once more, with a delay of each copy's own.
    pub(super) fn note(&mut self, at: i64, visible: i64, row: T, plan: &EventPlan, late: &mut Rng, copy: T) {
        self.push(at, visible, row);
        for _ in 0..plan.further_copies(late) {
            let delay = plan.lateness.draw(late);
            self.push(at, visible.max(at + delay), copy);
        }
    }

    fn push(&mut self, at: i64, visible: i64, row: T) {
        if self.seconds.contains(&at) {
            self.notes.push((at, visible, row));
        }
    }
}

/// All events of a kind; hours that were asked for are kept.
#[derive(Debug)]
pub(super) struct Journal<T> {
    pages: Mutex<Pages<T>>,
}

#[derive(Debug)]
struct Pages<T> {
    hours: HashMap<i64, Arc<[Entry<T>]>>,
    entries: usize,
}

impl<T> Default for Journal<T> {
    fn default() -> Journal<T> {
        Journal {
            pages: Mutex::new(Pages {
                hours: HashMap::new(),
                entries: 0,
            }),
        }
    }
}

impl<T: Event> Journal<T> {
    /// The rows of an answer, in the order of their dates' texts.
    pub(super) fn answer(&self, world: &World, query: &RowQuery) -> Vec<Entry<T>> {
        let mut rows = Vec::new();
        for (from, until) in query.window.instants(&world.traffic.timezone) {
            self.each(world, from, until.min(query.now), |entry| {
                if entry.visible <= query.now && entry.row.asked_for(world, &query.only) {
                    rows.push(*entry);
                }
            });
        }
        rows.sort_by_key(|entry| entry.wall);
        rows
    }

    /// The rows whose dates a reader takes for instants from `from` to `until`, both included.
    pub(super) fn dated(&self, world: &World, from: i64, until: i64, seen: Seen, mut each: impl FnMut(&Entry<T>)) {
        let zone = &world.traffic.timezone;
        // Rows of a repeated hour happened later than their dates are taken for.
        let offset = |second| offset_at(zone, second);
        let folds = offset(until - LONGEST_FOLD) != offset(until) || offset(until) != offset(until + LONGEST_FOLD);
        let last = if folds { until + LONGEST_FOLD } else { until };
        self.each(world, from, last, |entry| {
            if (from..=until).contains(&entry.dated) && seen.includes(entry.visible) {
                each(entry);
            }
        });
    }

    fn each(&self, world: &World, from: i64, until: i64, mut each: impl FnMut(&Entry<T>)) {
        for hour in from.div_euclid(3600)..=until.div_euclid(3600) {
            let page = self.page(world, hour);
            let begin = page.partition_point(|entry| entry.at < from);
            let end = page.partition_point(|entry| entry.at <= until);
            page.get(begin..end).unwrap_or_default().iter().for_each(&mut each);
        }
    }

    fn page(&self, world: &World, hour: i64) -> Arc<[Entry<T>]> {
        let kept = || self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().hours.get(&hour) {
            return Arc::clone(known);
        }
        let written = write(world, hour);
        let mut pages = kept();
        if pages.hours.len() >= HOURS_KEPT || pages.entries + written.len() > ENTRIES_KEPT {
            pages.hours.clear();
            pages.entries = 0;
        }
        pages.entries += written.len();
        pages.hours.insert(hour, Arc::clone(&written));
        written
    }
}

fn write<T: Event>(world: &World, hour: i64) -> Arc<[Entry<T>]> {
    let seconds = hour * 3600..(hour + 1) * 3600;
    let mut page = Page {
        seconds: seconds.clone(),
        notes: Vec::new(),
    };
    for minute in hour * 60..(hour + 1) * 60 + T::reach(&world.plan) {
        T::happen(world, minute, &mut page);
    }
    page.notes.sort_by_key(|(at, _, _)| *at);
    let zone = &world.traffic.timezone;
    // The offset seldom changes; looking it up for every row would be most of the work.
    let steady = offset_at(zone, seconds.start - LONGEST_FOLD) == offset_at(zone, seconds.end)
        && offset_at(zone, seconds.start) == offset_at(zone, seconds.end);
    let of_hour = offset_at(zone, seconds.start);
    page.notes
        .into_iter()
        .map(|(at, visible, row)| {
            let (wall, dated) = if steady {
                (at + of_hour, at)
            } else {
                let wall = at + offset_at(zone, at);
                (wall, taken_for(zone, wall).unwrap_or(at))
            };
            Entry {
                at,
                wall,
                dated,
                visible,
                row,
            }
        })
        .collect()
}

fn offset_at(zone: &TimeZone, second: i64) -> i64 {
    Timestamp::from_second(second).map_or(0, |instant| i64::from(zone.to_offset(instant).seconds()))
}

/// The instant that a text stands for, the earlier one where it stands for two.
fn taken_for(zone: &TimeZone, wall: i64) -> Option<i64> {
    let text = Offset::UTC.to_datetime(Timestamp::from_second(wall).ok()?);
    let instant = zone.to_ambiguous_timestamp(text).compatible().ok()?;
    Some(instant.as_second())
}
