//! Events in the order of their dates, an hour at a time.

use std::{collections::HashMap, ops::Range, sync::Arc};

use fastrand::Rng;
use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use parking_lot::Mutex;

use super::{EventPlan, EventSource, RowFilter, RowQuery, Seen};

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
    fn lookahead_minutes(plan: &EventPlan) -> i64;

    /// Writes down what a minute made.
    fn generate(source: &EventSource, minute: i64, hour: &mut HourBuilder<Self>);

    /// Whether a request that is narrowed down asks for it.
    fn matches(&self, source: &EventSource, filter: &RowFilter) -> bool;
}

/// An hour that is being written.
pub(super) struct HourBuilder<T> {
    seconds: Range<i64>,
    notes: Vec<(i64, i64, T)>,
}

impl<T: Copy> HourBuilder<T> {
    /// A row of `at`, shown from `visible` on, and perhaps once more, with a delay of each copy's own.
    pub(super) fn add(&mut self, at: i64, visible: i64, row: T, plan: &EventPlan, late: &mut Rng, copy: T) {
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
pub(super) struct Timeline<T> {
    pages: Mutex<Hours<T>>,
}

#[derive(Debug)]
struct Hours<T> {
    hours: HashMap<i64, Arc<[Entry<T>]>>,
    entries: usize,
}

impl<T> Default for Timeline<T> {
    fn default() -> Timeline<T> {
        Timeline {
            pages: Mutex::new(Hours {
                hours: HashMap::new(),
                entries: 0,
            }),
        }
    }
}

impl<T: Event> Timeline<T> {
    /// The rows of an answer, in the order of their dates' texts.
    pub(super) fn answer(&self, source: &EventSource, query: &RowQuery) -> Vec<Entry<T>> {
        let mut rows = Vec::new();
        for (from, until) in query.window.instants(&source.traffic.timezone) {
            self.each(source, from, until.min(query.now), |entry| {
                if entry.visible <= query.now && entry.row.matches(source, &query.filter) {
                    rows.push(*entry);
                }
            });
        }
        rows.sort_by_key(|entry| entry.wall);
        rows
    }

    /// The rows whose dates a reader takes for instants from `from` to `until`, both included.
    pub(super) fn dated(
        &self,
        source: &EventSource,
        from: i64,
        until: i64,
        seen: Seen,
        mut each: impl FnMut(&Entry<T>),
    ) {
        let zone = &source.traffic.timezone;
        // Rows of a repeated hour happened later than their dates are taken for.
        let offset = |second| offset_at(zone, second);
        let folds = offset(until - LONGEST_FOLD) != offset(until) || offset(until) != offset(until + LONGEST_FOLD);
        let last = if folds { until + LONGEST_FOLD } else { until };
        self.each(source, from, last, |entry| {
            if (from..=until).contains(&entry.dated) && seen.includes(entry.visible) {
                each(entry);
            }
        });
    }

    fn each(&self, source: &EventSource, from: i64, until: i64, mut each: impl FnMut(&Entry<T>)) {
        for hour in from.div_euclid(3600)..=until.div_euclid(3600) {
            let page = self.page(source, hour);
            let begin = page.partition_point(|entry| entry.at < from);
            let end = page.partition_point(|entry| entry.at <= until);
            page.get(begin..end).unwrap_or_default().iter().for_each(&mut each);
        }
    }

    fn page(&self, source: &EventSource, hour: i64) -> Arc<[Entry<T>]> {
        let kept = || self.pages.lock();
        if let Some(known) = kept().hours.get(&hour) {
            return Arc::clone(known);
        }
        let written = write(source, hour);
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

fn write<T: Event>(source: &EventSource, hour: i64) -> Arc<[Entry<T>]> {
    let seconds = hour * 3600..(hour + 1) * 3600;
    let mut page = HourBuilder {
        seconds: seconds.clone(),
        notes: Vec::new(),
    };
    for minute in hour * 60..(hour + 1) * 60 + T::lookahead_minutes(&source.plan) {
        T::generate(source, minute, &mut page);
    }
    page.notes.sort_by_key(|(at, _, _)| *at);
    let zone = &source.traffic.timezone;
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
                (wall, instant_read_from(zone, wall).unwrap_or(at))
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
fn instant_read_from(zone: &TimeZone, wall: i64) -> Option<i64> {
    let text = Offset::UTC.to_datetime(Timestamp::from_second(wall).ok()?);
    let instant = zone.to_ambiguous_timestamp(text).compatible().ok()?;
    Some(instant.as_second())
}
