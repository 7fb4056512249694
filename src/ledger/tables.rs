//! The committed state as tables on disk.
//!
//! Keys and values are JSON: people can read them, and a field can be added without a new format. Only the keys of facts are
//! plain bytes, since there are hundreds of thousands of them; see [`facts`](super::facts).

use jiff::civil::Date;
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError,
    WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::counters::Counter;
use super::state::{Bounds, State, StateChange, oldest_call_day};
use crate::metrics::series::{Label, SeriesKey};
use crate::metrics::{Family, Kind};
use crate::reports::events::Name;
use crate::reports::values;
use crate::reports::{REPORTS, Report};

type JsonTable = TableDefinition<'static, &'static str, &'static [u8]>;

const COUNTERS: JsonTable = TableDefinition::new("counters");
const DAYS: JsonTable = TableDefinition::new("days");
const EVENTS: JsonTable = TableDefinition::new("events");
const SOURCES: JsonTable = TableDefinition::new("sources");
const NAMES: JsonTable = TableDefinition::new("names");
/// The bounds with which the histograms of a family were counted.
const BOUNDS: JsonTable = TableDefinition::new("bounds");
const CALLS: TableDefinition<'_, &str, u32> = TableDefinition::new("calls");
const HASH_KEY: TableDefinition<'_, &str, u128> = TableDefinition::new("hash_key");

impl State {
    /// Reads everything that is committed. Series and reports that this version does not know stay on disk.
    pub(super) fn read(database: &Database) -> Result<Self, redb::Error> {
        let transaction = database.begin_read()?;
        let mut state = Self::default();
        let families: Vec<&'static Family> = all_families().collect();
        let family = |name: &str| families.iter().find(|family| family.name == name).copied();

        read_table(&transaction, BOUNDS, |name, bounds: Vec<f64>| {
            state.bounds.insert(name.to_owned(), bounds);
        })?;
        read_table(&transaction, COUNTERS, |key, mut value: Counter| {
            let Ok((name, labels)) = serde_json::from_str::<(String, Vec<String>)>(key) else {
                return;
            };
            let Some(family) = family(&name).filter(|family| family.labels.len() == labels.len()) else {
                return;
            };
            value
                .total
                .use_bounds_of(family, state.bounds.get(&name).map(Vec::as_slice));
            let mut named = family.labels.iter().zip(&labels);
            let may_be_shown = named.all(|(name, label)| values::may_be_shown(name, label));
            let labels = labels.into_iter().map(Label::Owned).collect();
            let key = SeriesKey { family, labels };
            if !may_be_shown {
                state.unfit.counters.push(key);
            } else if value.total.fits(family) {
                state.counters.insert(key, value);
            }
        })?;
        read_table(&transaction, NAMES, |key, value: Name| {
            let Ok((name, id)) = serde_json::from_str::<(String, String)>(key) else {
                return;
            };
            let Some(family) = family(&name) else { return };
            if [&id, &value.name]
                .into_iter()
                .all(|text| values::printable(text) == **text)
            {
                state.names.insert((family, id), value);
            } else {
                state.unfit.names.push((family, id));
            }
        })?;
        read_table(&transaction, DAYS, |key, value| {
            state.days.extend(Report::named(key).map(|report| (report, value)))
        })?;
        read_table(&transaction, EVENTS, |key, value| {
            state.events.extend(Report::named(key).map(|report| (report, value)))
        })?;
        read_table(&transaction, SOURCES, |key, value| {
            state.sources.extend(Report::named(key).map(|report| (report, value)))
        })?;
        if let Some(table) = existing(transaction.open_table(CALLS))? {
            for entry in table.iter()? {
                let (day, used) = entry?;
                let day = day.value().parse::<Date>().ok();
                state.calls.extend(day.map(|day| (day, used.value())));
            }
        }
        if let Some(table) = existing(transaction.open_table(HASH_KEY))? {
            state.hash_key = table.get("hash_key")?.map(|key| key.value());
        }
        Ok(state)
    }
}

impl StateChange {
    /// Writes the change to the tables.
    pub(super) fn write(&self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        if !self.counters.is_empty() || !self.dropped.is_empty() {
            let mut table = transaction.open_table(COUNTERS)?;
            for key in &self.dropped {
                table.remove(series_text(key).as_str())?;
            }
            for (key, counter) in &self.counters {
                table.insert(series_text(key).as_str(), json(counter).as_slice())?;
            }
        }
        if !self.names.is_empty() || !self.dropped_names.is_empty() {
            let mut table = transaction.open_table(NAMES)?;
            for (family, id) in &self.dropped_names {
                table.remove(json_text(&(family.name, id)).as_str())?;
            }
            for ((family, id), name) in &self.names {
                table.insert(json_text(&(family.name, id)).as_str(), json(name).as_slice())?;
            }
        }
        if let Some(report) = self.forget_progress {
            transaction.open_table(DAYS)?.remove(report.name)?;
            transaction.open_table(EVENTS)?.remove(report.name)?;
        }
        write_entry(transaction, DAYS, self.day.as_ref())?;
        write_entry(transaction, EVENTS, self.event.as_ref())?;
        write_entry(transaction, SOURCES, self.source.as_ref())?;
        if let Some((day, used)) = self.calls {
            let mut table = transaction.open_table(CALLS)?;
            table.insert(day.to_string().as_str(), used)?;
            table.retain_in(..oldest_call_day(day).to_string().as_str(), |_, _| false)?;
        }
        for (name, bounds) in &self.bounds {
            transaction
                .open_table(BOUNDS)?
                .insert(name.as_str(), json(bounds).as_slice())?;
        }
        if let Some(key) = self.hash_key {
            transaction.open_table(HASH_KEY)?.insert("hash_key", key)?;
        }
        Ok(())
    }
}

/// All families of which a state has series or names.
fn all_families() -> impl Iterator<Item = &'static Family> {
    let families = REPORTS
        .into_iter()
        .flat_map(|report| report.families.iter().chain(report.names));
    families.copied()
}

/// The bounds of all histograms by the names of their families.
pub(super) fn bounds() -> Bounds {
    let bounds = all_families().filter_map(|family| match family.kind {
        Kind::Histogram(bounds) => Some((family.name.to_owned(), bounds.to_vec())),
        Kind::Gauge | Kind::Counter | Kind::Info => None,
    });
    bounds.collect()
}

fn write_entry<T: Serialize>(
    transaction: &WriteTransaction,
    table: JsonTable,
    entry: Option<&(&'static Report, T)>,
) -> Result<(), redb::Error> {
    if let Some((report, value)) = entry {
        transaction
            .open_table(table)?
            .insert(report.name, json(value).as_slice())?;
    }
    Ok(())
}

fn read_table<T: DeserializeOwned>(
    transaction: &ReadTransaction,
    table: JsonTable,
    mut add: impl FnMut(&str, T),
) -> Result<(), redb::Error> {
    let Some(table) = existing(transaction.open_table(table))? else {
        return Ok(());
    };
    for entry in table.iter()? {
        let (key, value) = entry?;
        let value = serde_json::from_slice(value.value())
            .map_err(|error| StorageError::Corrupted(format!("an entry cannot be read: {error}")))?;
        add(key.value(), value);
    }
    Ok(())
}

/// A table, or `None` where nothing was ever written to it.
fn existing<T>(opened: Result<T, TableError>) -> Result<Option<T>, TableError> {
    match opened {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn series_text(key: &SeriesKey) -> String {
    json_text(&(key.family.name, &key.labels))
}

fn json_text(value: &impl Serialize) -> String {
    String::from_utf8(json(value)).unwrap_or_default()
}

/// Cannot fail for our own plain structs.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
