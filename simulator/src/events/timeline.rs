//! The rows of a report in the order of their dates, generated and cached an hour at a time.

use std::{collections::HashMap, ops::Range, sync::Arc};

use fastrand::Rng;
use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use parking_lot::Mutex;

use super::{EventPlan, EventSource, RowFilter, RowQuery, Seen};

/// Size of the cache: a quiet month in hours, or a busy day in rows.
const HOURS_CACHED: usize = 800;
const ENTRIES_CACHED: usize = 400_000;

/// Seconds; no clock was ever put back further.
const LONGEST_FOLD: i64 = 3 * 3600;

/// A row and its times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<T> {
    /// When it happened, in seconds since the epoch.
    pub(super) at: i64,
    /// Its date as the row shows it, in seconds of the local wall clock.
    pub(super) wall: i64,
    /// The instant that a client reads from that text: within a repeated hour, the earlier one.
    pub(super) dated: i64,
    /// When the report first shows it.
    pub(super) visible: i64,
    /// When the report no longer shows it, since its date has changed.
    pub(super) gone: Option<i64>,
    pub(super) row: T,
}

/// A kind of row.
pub(super) trait Event: Copy {
    /// How far before the minute that generates it a row may be dated.
    fn lookahead_minutes(plan: &EventPlan) -> i64;

    /// Adds the rows that a minute generates.
    fn generate(source: &EventSource, minute: i64, hour: &mut HourBuilder<Self>);

    /// A random number of the call, the same in all its rows.
    fn key(&self) -> u64;

    /// Whether a request with this filter selects the row.
    fn matches(&self, source: &EventSource, filter: &RowFilter) -> bool;
}

/// When a row is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showing {
    /// Its date.
    pub(super) at: i64,
    /// When the report first shows it.
    pub(super) visible: i64,
    /// Whether it is shown with an earlier date at first.
    pub(super) moves: bool,
}

/// Collects the rows of an hour.
pub(super) struct HourBuilder<T> {
    seconds: Range<i64>,
    rows: Vec<Version<T>>,
}

/// A row as it is shown during some time.
struct Version<T> {
    at: i64,
    visible: i64,
    gone: Option<i64>,
    row: T,
}

impl<T: Copy> HourBuilder<T> {
    /// Adds a row, and perhaps twins of it, each with a delay of its own.
    pub(super) fn add(&mut self, showing: Showing, row: T, twin: T, plan: &EventPlan, late: &mut Rng) {
        self.push(showing, row, plan);
        for _ in 0..plan.twins_of_row(late) {
            let delay = plan.lateness.draw(late);
            let visible = showing.visible.max(showing.at + delay);
            self.push(Showing { visible, ..showing }, twin, plan);
        }
    }

    fn push(&mut self, showing: Showing, row: T, plan: &EventPlan) {
        let Showing { at, visible, moves } = showing;
        let mut add = |at, visible, gone| {
            if self.seconds.contains(&at) {
                self.rows.push(Version { at, visible, gone, row });
            }
        };
        if moves {
            let (by, after) = plan.moved.seconds();
            // No report shows a date that is still to come.
            let changed = (visible - by + after).max(at);
            add(at - by, visible - by, Some(changed));
            add(at, changed, None);
        } else {
            add(at, visible, None);
        }
    }
}

/// All rows of a kind.
#[derive(Debug)]
pub(super) struct Timeline<T> {
    cache: Mutex<Cache<T>>,
}

#[derive(Debug)]
struct Cache<T> {
    hours: HashMap<i64, Arc<[Entry<T>]>>,
    entries: usize,
}

impl<T> Default for Timeline<T> {
    fn default() -> Timeline<T> {
        Timeline {
            cache: Mutex::new(Cache {
                hours: HashMap::new(),
                entries: 0,
            }),
        }
    }
}

impl<T: Event> Timeline<T> {
    /// The rows of an answer, oldest first by the text of their dates.
    pub(super) fn answer(&self, source: &EventSource, query: &RowQuery) -> Vec<Entry<T>> {
        let mut rows = Vec::new();
        for (from, until) in query.window.instants(&source.traffic.timezone) {
            self.each(source, from, until.min(query.now), |entry| {
                let shown = entry.visible <= query.now && entry.gone.is_none_or(|gone| query.now < gone);
                let hidden = query.hidden_days.contains(&entry.wall.div_euclid(86_400));
                if shown && !hidden && entry.row.matches(source, &query.filter) {
                    rows.push(*entry);
                }
            });
        }
        rows.sort_by_key(|entry| entry.wall);
        rows
    }

    /// The rows whose dates a client reads as instants from `from` to `until`, both included.
    pub(super) fn dated(
        &self,
        source: &EventSource,
        from: i64,
        until: i64,
        seen: Seen,
        mut each: impl FnMut(&Entry<T>),
    ) {
        let zone = &source.traffic.timezone;
        // Rows of a repeated hour happened later than a client reads from their dates.
        let offset = |second| offset_at(zone, second);
        let folds = offset(until - LONGEST_FOLD) != offset(until) || offset(until) != offset(until + LONGEST_FOLD);
        let last = if folds { until + LONGEST_FOLD } else { until };
        self.each(source, from, last, |entry| {
            if (from..=until).contains(&entry.dated) && seen.includes(entry) {
                each(entry);
            }
        });
    }

    /// The rows of seconds from `from` to `until`, both included, whether they are visible or not, each once.
    pub(super) fn happened(&self, source: &EventSource, from: i64, until: i64, mut each: impl FnMut(&T, i64)) {
        self.each(source, from, until, |entry| {
            // With its final date, if that changes.
            if entry.gone.is_none() {
                each(&entry.row, entry.at);
            }
        });
    }

    fn each(&self, source: &EventSource, from: i64, until: i64, mut each: impl FnMut(&Entry<T>)) {
        for hour in from.div_euclid(3600)..=until.div_euclid(3600) {
            let entries = self.hour(source, hour);
            let begin = entries.partition_point(|entry| entry.at < from);
            let end = entries.partition_point(|entry| entry.at <= until);
            entries.get(begin..end).unwrap_or_default().iter().for_each(&mut each);
        }
    }

    fn hour(&self, source: &EventSource, hour: i64) -> Arc<[Entry<T>]> {
        if let Some(cached) = self.cache.lock().hours.get(&hour) {
            return Arc::clone(cached);
        }
        // Without the lock: other hours can be read meanwhile.
        let generated = generate_hour(source, hour);
        let mut cache = self.cache.lock();
        if cache.hours.len() >= HOURS_CACHED || cache.entries + generated.len() > ENTRIES_CACHED {
            cache.hours.clear();
            cache.entries = 0;
        }
        cache.entries += generated.len();
        cache.hours.insert(hour, Arc::clone(&generated));
        generated
    }
}

fn generate_hour<T: Event>(source: &EventSource, hour: i64) -> Arc<[Entry<T>]> {
    let seconds = hour * 3600..(hour + 1) * 3600;
    let mut builder = HourBuilder {
        seconds: seconds.clone(),
        rows: Vec::new(),
    };
    let lookahead = T::lookahead_minutes(&source.plan) + source.plan.moved.lookahead_minutes();
    for minute in hour * 60..(hour + 1) * 60 + lookahead {
        T::generate(source, minute, &mut builder);
    }
    builder.rows.sort_by_key(|version| version.at);
    let zone = &source.traffic.timezone;
    // Looking up the offset of every row would be most of the work.
    let steady = offset_at(zone, seconds.start - LONGEST_FOLD) == offset_at(zone, seconds.end)
        && offset_at(zone, seconds.start) == offset_at(zone, seconds.end);
    let offset = offset_at(zone, seconds.start);
    builder
        .rows
        .into_iter()
        .map(|version| {
            let Version { at, visible, gone, row } = version;
            let (wall, dated) = if steady {
                (at + offset, at)
            } else {
                let wall = at + offset_at(zone, at);
                (wall, instant_read_from(zone, wall).unwrap_or(at))
            };
            Entry {
                at,
                wall,
                dated,
                visible,
                gone,
                row,
            }
        })
        .collect()
}

fn offset_at(zone: &TimeZone, second: i64) -> i64 {
    Timestamp::from_second(second).map_or(0, |instant| i64::from(zone.to_offset(instant).seconds()))
}

/// The instant that a client reads from a wall-clock time, the earlier one if it occurs twice.
fn instant_read_from(zone: &TimeZone, wall: i64) -> Option<i64> {
    let text = Offset::UTC.to_datetime(Timestamp::from_second(wall).ok()?);
    let instant = zone.to_ambiguous_timestamp(text).compatible().ok()?;
    Some(instant.as_second())
}
