//! What is committed, as it stands in memory and as it lies on disk.
//!
//! Keys and values are JSON: they can be looked at, and a field can be added without a new format. Only the keys of facts,
//! of which there are hundreds of thousands, are bare bytes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use redb::{Database, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError, WriteTransaction};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::counters::{Counter, CounterUpdates};
use super::days::DayProgress;
use super::events::EventProgress;
use super::oldest_call_day;
use crate::metrics::Family;
use crate::metrics::series::{Label, SeriesKey};
use crate::reports::ReportKind;
use crate::reports::events::Name;

const COUNTERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("counters");
const DAYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("days");
const EVENTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("events");
const SOURCES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("sources");
const NAMES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("names");
const CALLS: TableDefinition<'_, &str, u32> = TableDefinition::new("calls");
const HASH_KEY: TableDefinition<'_, &str, u128> = TableDefinition::new("hash_key");

/// From where a report is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSource {
    /// The base address of the API.
    pub server: String,
    /// The name of the operation's zone.
    pub zone: String,
    /// The only id that is asked for; `None` for all.
    pub filter: Option<String>,
}

impl ReportSource {
    /// Whether its events are others. The zone is only how they are dated.
    pub fn is_another_stream(&self, other: &ReportSource) -> bool {
        self.server != other.server || self.filter != other.filter
    }
}

/// All that is committed but the keys of facts.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) counters: BTreeMap<SeriesKey, Counter>,
    pub(super) days: BTreeMap<ReportKind, DayProgress>,
    pub(super) events: BTreeMap<ReportKind, EventProgress>,
    pub(super) sources: BTreeMap<ReportKind, ReportSource>,
    pub(super) names: BTreeMap<(&'static Family, String), Name>,
    pub(super) calls: BTreeMap<Date, u32>,
    pub(super) hash_key: Option<u128>,
}

/// What one commit changes.
#[derive(Debug, Default)]
pub(super) struct StateChange {
    pub(super) counters: BTreeMap<SeriesKey, Counter>,
    pub(super) dropped: Vec<SeriesKey>,
    pub(super) day: Option<(ReportKind, DayProgress)>,
    pub(super) event: Option<(ReportKind, EventProgress)>,
    pub(super) source: Option<(ReportKind, ReportSource)>,
    /// The report that is to be born anew.
    pub(super) forget_progress: Option<ReportKind>,
    pub(super) hash_key: Option<u128>,
    pub(super) names: BTreeMap<(&'static Family, String), Name>,
    pub(super) calls: Option<(Date, u32)>,
    /// Series that come into being with it.
    pub(super) born: Vec<SeriesKey>,
}

impl State {
    /// Reads all that is committed. Series and reports that this version does not know stay on disk, unseen.
    pub(super) fn read(database: &Database) -> Result<Self, redb::Error> {
        let reading = database.begin_read()?;
        let mut state = Self::default();
        let families: Vec<&'static Family> = ReportKind::ALL.iter().flat_map(|report| report.families()).collect();
        let family = |name: &str| families.iter().find(|family| family.name == name).copied();
        let report = |name: &str| ReportKind::ALL.into_iter().find(|report| report.name() == name);

        read_table(&reading, COUNTERS, |key, value: Counter| {
            let Ok((name, labels)) = serde_json::from_str::<(String, Vec<String>)>(key) else {
                return;
            };
            if let Some(family) = family(&name).filter(|f| f.labels.len() == labels.len() && value.total.fits(f)) {
                let labels = labels.into_iter().map(Label::Owned).collect();
                state.counters.insert(SeriesKey { family, labels }, value);
            }
        })?;
        read_table(&reading, NAMES, |key, value: Name| {
            let Ok((name, id)) = serde_json::from_str::<(String, String)>(key) else {
                return;
            };
            if let Some(family) = family(&name) {
                state.names.insert((family, id), value);
            }
        })?;
        read_table(&reading, DAYS, |key, value| {
            state.days.extend(report(key).map(|report| (report, value)))
        })?;
        read_table(&reading, EVENTS, |key, value| {
            state.events.extend(report(key).map(|report| (report, value)))
        })?;
        read_table(&reading, SOURCES, |key, value| {
            state.sources.extend(report(key).map(|report| (report, value)))
        })?;
        match reading.open_table(CALLS) {
            Ok(table) => {
                for entry in table.iter()? {
                    let (day, used) = entry?;
                    state
                        .calls
                        .extend(day.value().parse::<Date>().ok().map(|day| (day, used.value())));
                }
            }
            Err(TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(error.into()),
        }
        match reading.open_table(HASH_KEY) {
            Ok(table) => state.hash_key = table.get("hash_key")?.map(|key| key.value()),
            Err(TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(state)
    }

    /// Takes over a change that is on disk.
    pub(super) fn apply(&mut self, change: StateChange) {
        for key in change.dropped {
            self.counters.remove(&key);
        }
        self.counters.extend(change.counters);
        self.names.extend(change.names);
        if let Some(report) = change.forget_progress {
            self.days.remove(&report);
            self.events.remove(&report);
        }
        self.days.extend(change.day);
        self.events.extend(change.event);
        self.sources.extend(change.source);
        self.hash_key = change.hash_key.or(self.hash_key);
        if let Some((day, used)) = change.calls {
            self.calls.insert(day, used);
            self.calls = self.calls.split_off(&oldest_call_day(day));
        }
    }
}

impl StateChange {
    pub(super) fn with_calls(self, day: Date, used: u32) -> Self {
        Self {
            calls: Some((day, used)),
            ..self
        }
    }

    pub(super) fn merge_counters(&mut self, counters: CounterUpdates<'_>) {
        self.counters.extend(counters.changed);
        self.born.extend(counters.born);
    }

    /// Takes the names that are newer than those in the state, as far as the limit goes.
    pub(super) fn merge_names(
        &mut self,
        state: &State,
        names: &BTreeMap<(&'static Family, String), Name>,
        limit: usize,
    ) {
        let mut room: BTreeMap<&'static Family, usize> = BTreeMap::new();
        for (id, name) in names {
            match state.names.get(id) {
                Some(known) if known.at > name.at || known.name == name.name => continue,
                None => {
                    let known = || state.names.keys().filter(|(family, _)| *family == id.0).count();
                    let room = room.entry(id.0).or_insert_with(|| limit.saturating_sub(known()));
                    if *room == 0 {
                        continue;
                    }
                    *room -= 1;
                }
                Some(_) => {}
            }
            self.names.insert(id.clone(), name.clone());
        }
    }

    /// Writes it to the tables.
    pub(super) fn write(&self, writing: &WriteTransaction) -> Result<(), redb::Error> {
        if !self.counters.is_empty() || !self.dropped.is_empty() {
            let mut table = writing.open_table(COUNTERS)?;
            for key in &self.dropped {
                table.remove(series_text(key).as_str())?;
            }
            for (key, counter) in &self.counters {
                table.insert(series_text(key).as_str(), json(counter).as_slice())?;
            }
        }
        if !self.names.is_empty() {
            let mut table = writing.open_table(NAMES)?;
            for ((family, id), name) in &self.names {
                table.insert(text(&(family.name, id)).as_str(), json(name).as_slice())?;
            }
        }
        if let Some(report) = self.forget_progress {
            writing.open_table(DAYS)?.remove(report.name())?;
            writing.open_table(EVENTS)?.remove(report.name())?;
        }
        put(writing, DAYS, self.day.as_ref())?;
        put(writing, EVENTS, self.event.as_ref())?;
        put(writing, SOURCES, self.source.as_ref())?;
        if let Some((day, used)) = self.calls {
            let mut table = writing.open_table(CALLS)?;
            table.insert(day.to_string().as_str(), used)?;
            table.retain_in(..oldest_call_day(day).to_string().as_str(), |_, _| false)?;
        }
        if let Some(key) = self.hash_key {
            writing.open_table(HASH_KEY)?.insert("hash_key", key)?;
        }
        Ok(())
    }
}

fn put<T: Serialize>(
    writing: &WriteTransaction,
    table: TableDefinition<'_, &'static str, &'static [u8]>,
    entry: Option<&(ReportKind, T)>,
) -> Result<(), redb::Error> {
    if let Some((report, value)) = entry {
        writing
            .open_table(table)?
            .insert(report.name(), json(value).as_slice())?;
    }
    Ok(())
}

fn read_table<T: DeserializeOwned>(
    reading: &redb::ReadTransaction,
    table: TableDefinition<'_, &'static str, &'static [u8]>,
    mut take: impl FnMut(&str, T),
) -> Result<(), redb::Error> {
    let table = match reading.open_table(table) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for entry in table.iter()? {
        let (key, value) = entry?;
        let value = serde_json::from_slice(value.value())
            .map_err(|error| StorageError::Corrupted(format!("an entry cannot be read: {error}")))?;
        take(key.value(), value);
    }
    Ok(())
}

fn series_text(key: &SeriesKey) -> String {
    text(&(key.family.name, &key.labels))
}

fn text(value: &impl Serialize) -> String {
    String::from_utf8(json(value)).unwrap_or_default()
}

/// Our own plain structs, which always have a JSON form.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
