//! The configuration: read once, checked as a whole, then plain values.
//!
//! A [`Config`] is valid: everything that can be checked before the first API call has been checked, and all
//! [`Mistakes`] are reported together.

mod ca_file;
mod effective;
mod environment;
mod files;
mod hours;
mod labels;
mod operation;
mod private_file;
mod report;
mod server;
mod shard;
mod source;
mod state_folder;
mod summary;
mod timezone;
mod token;

pub use crate::yaml::mistake::{Mistake, Mistakes};
pub use ca_file::CaFile;
pub use hours::Hours;
pub use operation::Operation;
pub use report::{ReportConfig, Reread};
pub use shard::Shard;
pub use source::{ConfigError, ConfigSource};
pub use state_folder::state_folder_warning;
pub use summary::{check_config, web_warnings};
pub use token::{Token, TokenError, TokenSource};

use crate::yaml::file::YamlFile;
use crate::yaml::mapping::{Bounds, Field, Mapping};
use operation::ParsedOperation;
use report::{DAY, MINUTE};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const HOLD: Bounds = Bounds {
    least: Duration::ZERO,
    most: DAY,
    reason: "",
};

/// What the exporter does.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The folder of the state, one file per operation. Without it, counts start from 0 at every start.
    pub state_path: Option<PathBuf>,
    /// How long a new counter series shows 0 before its value: 0 s (off) to 24 h, default 2 min. It should be at least
    /// two scrape intervals: Prometheus cannot see the first increment of a series that first appears at 5.
    pub new_series_hold: Duration,
    /// Maximum number of label sets per operation and family, at least 1; default 5000. A histogram counts as one.
    pub series_limit: usize,
    /// The keys in `defaults`, for `check-config`. Their values are in the operations.
    pub defaults: Vec<String>,
    /// At least one, unless all belong to other shards. Names and tokens are unique.
    pub operations: Vec<Operation>,
    /// The shard whose operations these are.
    pub shard: Shard,
    /// The names of the operations that belong to other shards.
    pub elsewhere: Vec<Arc<str>>,
}

/// The defaults, without any operation.
impl Default for Config {
    fn default() -> Self {
        Self {
            state_path: None,
            new_series_hold: 2 * MINUTE,
            series_limit: 5000,
            defaults: Vec::new(),
            operations: Vec::new(),
            shard: Shard::ONLY,
            elsewhere: Vec::new(),
        }
    }
}

impl Config {
    /// Keeps the operations of one shard, and only the names of the others. The files are the same for all shards, so
    /// this comes after checking them as a whole.
    pub fn keep(&mut self, shard: Shard) {
        self.shard = shard;
        let others = self.operations.extract_if(.., |operation| !shard.has(&operation.name));
        self.elsewhere.extend(others.map(|operation| operation.name));
    }

    /// Reads the files at `paths`; a folder stands for all files in it that end in `.yml` or `.yaml`. Relative paths in a file
    /// are relative to its folder; `lookup_env` returns the value of an environment variable.
    pub fn load(paths: &[impl AsRef<Path>], lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Mistakes> {
        let mut read = Vec::new();
        let mut mistakes = Mistakes::default();
        for path in files::files_of(paths)? {
            match YamlFile::load(&path) {
                Ok(file) => read.push(file),
                Err(unreadable) => mistakes.extend(unreadable),
            }
        }
        // Without one of the files, what the others lack cannot be told.
        mistakes.into_result()?;
        Self::of(read, lookup_env)
    }

    /// Reads a configuration from `text`, called `file_name` in messages. Relative paths are relative to `folder`.
    /// Token files and variables are read, and all files must exist.
    pub fn parse(
        text: &str,
        file_name: &str,
        folder: &Path,
        lookup_env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        Self::of(vec![YamlFile::parse(text, file_name, folder)?], lookup_env)
    }

    fn of(files: Vec<YamlFile>, lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Mistakes> {
        let config = read(&files, lookup_env);
        let mut mistakes = Mistakes::default();
        for file in files {
            mistakes.extend(file.diagnostics.into_mistakes());
        }
        mistakes.into_result()?;
        Ok(config)
    }
}

/// Reads as much as possible, to find all mistakes. The result is valid only if there were none.
fn read(files: &[YamlFile], lookup_env: &dyn Fn(&str) -> Option<String>) -> Config {
    const OPERATIONS: &str = "a list of operations, each starting with `- name: …`";
    let mut config = Config::default();
    let mut roots = Vec::new();
    for file in files {
        let root = Field::root(file);
        // Of several files, one may have nothing but comments.
        if files.len() == 1 || !root.is_null() {
            roots.extend(root.mapping("keys, at least `operations`"));
        }
    }

    let state_path = only(&mut roots, "state_path");
    config.state_path = state_path.and_then(|field| {
        field.parse("a folder such as /var/lib/wolkvox_exporter", |text| {
            operation::shown_path_in(field.folder(), text)
        })
    });
    if let Some(field) = only(&mut roots, "new_series_hold") {
        config.new_series_hold = field.duration(&HOLD).unwrap_or(config.new_series_hold);
    }
    if let Some(field) = only(&mut roots, "series_limit") {
        config.series_limit = field.count(&config.series_limit).unwrap_or(config.series_limit);
    }
    let defaults = only(&mut roots, "defaults");
    if let Some(field) = &defaults {
        config.defaults = operation::check_defaults(field.clone());
    }

    let lists: Vec<Field<'_>> = roots.iter_mut().filter_map(|keys| keys.field("operations")).collect();
    if let (true, Some(keys)) = (lists.is_empty(), roots.first()) {
        keys.mistake(format!("`operations` is missing: {OPERATIONS}"));
    }
    let mut parsed = Vec::new();
    for field in &lists {
        match field.items(OPERATIONS) {
            Some(items) if items.is_empty() && lists.len() == 1 => {
                field.mistake(format!("expected {OPERATIONS}; found none"));
            }
            items => {
                let items = items.into_iter().flatten();
                parsed.extend(items.filter_map(|item| operation::read(item, defaults.as_ref(), lookup_env)));
            }
        }
    }
    check_unique(&parsed);
    config.operations = parsed.into_iter().map(|parsed| parsed.operation).collect();
    roots.into_iter().for_each(Mapping::finish);
    config
}

/// The value of a key that only one of several files may have.
fn only<'a>(roots: &mut [Mapping<'a>], key: &'static str) -> Option<Field<'a>> {
    let mut found = roots.iter_mut().filter_map(|keys| keys.field(key));
    let first = found.next()?;
    for other in found {
        other.mistake(format!(
            "given twice; the first one is on {}",
            first.place_seen_from(&other)
        ));
    }
    Some(first)
}

/// Names and tokens must be unique.
fn check_unique(operations: &[ParsedOperation<'_>]) {
    let mut names = HashMap::new();
    let mut tokens = HashMap::new();
    for operation in operations {
        if let Some((name, field)) = &operation.name {
            match names.entry(name) {
                Entry::Vacant(place) => _ = place.insert(field),
                Entry::Occupied(first) => field.mistake(format!(
                    "the name `{name}` is taken by the operation on {}",
                    first.get().place_seen_from(field)
                )),
            }
        }
        if let Some((token, field)) = &operation.token {
            match tokens.entry(token.value.expose_secret()) {
                Entry::Vacant(place) => _ = place.insert((operation, field)),
                Entry::Occupied(first) => {
                    let (other, place) = first.get();
                    field.mistake(format!(
                        "{} has the same token as {} on {}: Wolkvox takes one call at a time per token, so each operation needs \
                         its own",
                        operation.title(),
                        other.title(),
                        place.place_seen_from(field)
                    ));
                }
            }
        }
    }
}
