//! The configuration: read once, checked as a whole, then plain values.
//!
//! A configuration that could be read is sound: whatever can be known to be wrong before the first call is a
//! [`Mistake`], and all mistakes are found in one go.

mod environment;
mod operation;
mod report;
mod server;
mod shard;
mod source;
mod summary;
mod token;

pub use crate::yaml::mistake::{Mistake, Mistakes};
pub use operation::{CaFile, Operation};
pub use report::{ReportConfig, Reread};
pub use shard::Shard;
pub use source::{ConfigError, ConfigSource};
pub use summary::check_config;
pub use token::{Token, TokenError, TokenSource};

use crate::yaml::mapping::{Bounds, Field};
use crate::yaml::mistake::Notes;
use operation::{Draft, Place, Surroundings};
use report::{DAY, MINUTE};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const HOLD: Bounds = Bounds {
    least: Duration::ZERO,
    most: DAY,
    reason: "",
};

/// What the exporter is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The folder with one file of state per operation; without it counts start anew at each start.
    pub state_path: Option<PathBuf>,
    /// How long a new counter series shows 0 before its value: 0 s (off) to 24 h, default 2 min.
    /// At least two scrape intervals, since Prometheus cannot see the first increment of a series born at 5.
    pub new_series_hold: Duration,
    /// Label sets per operation and family, from 1 on; default 5000. A histogram counts as one.
    pub series_limit: usize,
    /// Names and tokens are unique. There is at least one, unless all belong to other shards.
    pub operations: Vec<Operation>,
    /// Which part of the whole configuration this is.
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
            operations: Vec::new(),
            shard: Shard::ONLY,
            elsewhere: Vec::new(),
        }
    }
}

impl Config {
    /// Keeps the operations of one shard, and only the names of the others. The file is the same for all shards, so
    /// this is done when it has been checked as a whole.
    pub fn keep(&mut self, shard: Shard) {
        self.shard = shard;
        let others = self.operations.extract_if(.., |operation| !shard.has(&operation.name));
        self.elsewhere.extend(others.map(|operation| operation.name));
    }

    /// Reads the file at `path`. Relative paths in it start at its folder; `lookup_env` gives the value of an
    /// environment variable.
    pub fn load(path: &Path, lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Mistakes> {
        let text = crate::yaml::file::read_text(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &path.display().to_string(), folder, lookup_env)
    }

    /// Reads a configuration from `text`; mistakes call it `file_name`, and relative paths in it start at `folder`.
    /// Token files and variables are read, and files that are named must be there.
    pub fn parse(
        text: &str,
        file_name: &str,
        folder: &Path,
        lookup_env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        let root = crate::yaml::document::read(text)
            .map_err(|error| Mistakes::single(file_name, Some(error.line), error.text))?;
        let notes = Notes::default();
        let config = read(Field::root(&root, &notes), &Surroundings { folder, lookup_env }, &notes);
        notes.verdict(Some(file_name))?;
        Ok(config)
    }
}

/// Reads what there is. The result is good for something only if no mistake was noted.
fn read(root: Field<'_>, around: &Surroundings<'_>, notes: &Notes) -> Config {
    let mut config = Config::default();
    let Some(mut keys) = root.mapping("keys, at least `operations`") else {
        return config;
    };
    config.state_path = keys.value("state_path", "a folder such as /var/lib/wolkvox_exporter", |text| {
        operation::path_in(around.folder, text)
    });
    config.new_series_hold = keys.duration("new_series_hold", &HOLD, config.new_series_hold);
    config.series_limit = keys.count("series_limit", config.series_limit);

    const WHAT: &str = "a list of operations, each starting with `- name: …`";
    match keys.field("operations") {
        None => keys.mistake(format!("`operations` is missing: {WHAT}")),
        Some(field) => match field.items(WHAT) {
            Some(items) if items.is_empty() => field.mistake(format!("expected {WHAT}; found none")),
            items => {
                let drafts: Vec<Draft> = items
                    .into_iter()
                    .flatten()
                    .filter_map(|item| operation::read(item, around))
                    .collect();
                compare(&drafts, notes);
                config.operations = drafts.into_iter().map(|draft| draft.operation).collect();
            }
        },
    }
    keys.finish();
    config
}

/// Notes what two operations must not have in common.
fn compare(drafts: &[Draft], notes: &Notes) {
    let mut names = HashMap::new();
    let mut tokens = HashMap::new();
    for draft in drafts {
        if let Some(place) = &draft.name_at {
            let name = &draft.operation.name;
            let first: &Place = names.entry(name).or_insert(place);
            if !std::ptr::eq(first, place) {
                let text = format!("the name `{name}` is taken by the operation on line {}", first.line);
                notes.add(Some(place.line), &*place.path, text);
            }
        }
        if let Some(place) = &draft.token_at {
            let token = draft.operation.token.value.expose_secret();
            let (other, first): &(&Draft, &Place) = tokens.entry(token).or_insert((draft, place));
            if !std::ptr::eq(*first, place) {
                notes.add(
                    Some(place.line),
                    &*place.path,
                    format!(
                        "{} has the same token as {} on line {}: Wolkvox takes one call at a time per token, so each \
                         operation needs its own",
                        draft.title(),
                        other.title(),
                        first.line
                    ),
                );
            }
        }
    }
}
