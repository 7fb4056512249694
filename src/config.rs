//! The configuration: read once, checked as a whole, then plain values.
//!
//! A [`Config`] is valid: everything that can be checked before the first API call has been checked, and all
//! [`Mistakes`] are reported together.

mod ca_file;
mod environment;
mod hours;
mod operation;
mod private_file;
mod report;
mod server;
mod shard;
mod source;
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
pub use summary::{check_config, web_warnings};
pub use token::{Token, TokenError, TokenSource};

use crate::yaml::mapping::{Bounds, Field};
use crate::yaml::mistake::Diagnostics;
use operation::{Context, Location, ParsedOperation};
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
    /// Keeps the operations of one shard, and only the names of the others. The file is the same for all shards, so
    /// this comes after checking it as a whole.
    pub fn keep(&mut self, shard: Shard) {
        self.shard = shard;
        let others = self.operations.extract_if(.., |operation| !shard.has(&operation.name));
        self.elsewhere.extend(others.map(|operation| operation.name));
    }

    /// Reads the file at `path`. Relative paths in it are relative to its folder; `lookup_env` returns the value of an
    /// environment variable.
    pub fn load(path: &Path, lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Mistakes> {
        let text = crate::yaml::file::read_text(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &path.display().to_string(), folder, lookup_env)
    }

    /// Reads a configuration from `text`, called `file_name` in messages. Relative paths are relative to `folder`.
    /// Token files and variables are read, and all files must exist.
    pub fn parse(
        text: &str,
        file_name: &str,
        folder: &Path,
        lookup_env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        let root = crate::yaml::document::read(text)
            .map_err(|error| Mistakes::single(file_name, Some(error.line), error.text))?;
        let diagnostics = Diagnostics::default();
        let config = read(
            Field::root(&root, &diagnostics),
            &Context { folder, lookup_env },
            &diagnostics,
        );
        diagnostics.into_result(Some(file_name))?;
        Ok(config)
    }
}

/// Reads as much as possible, to find all mistakes. The result is valid only if there were none.
fn read(root: Field<'_>, context: &Context<'_>, diagnostics: &Diagnostics) -> Config {
    let mut config = Config::default();
    let Some(mut keys) = root.mapping("keys, at least `operations`") else {
        return config;
    };
    config.state_path = keys.value("state_path", "a folder such as /var/lib/wolkvox_exporter", |text| {
        operation::shown_path_in(context.folder, text)
    });
    config.new_series_hold = keys.duration("new_series_hold", &HOLD, config.new_series_hold);
    config.series_limit = keys.count("series_limit", config.series_limit);

    let defaults = keys.field("defaults");
    if let Some(field) = &defaults {
        config.defaults = operation::check_defaults(field.clone(), context);
    }

    const WHAT: &str = "a list of operations, each starting with `- name: …`";
    match keys.field("operations") {
        None => keys.mistake(format!("`operations` is missing: {WHAT}")),
        Some(field) => match field.items(WHAT) {
            Some(items) if items.is_empty() => field.mistake(format!("expected {WHAT}; found none")),
            items => {
                let parsed: Vec<ParsedOperation> = items
                    .into_iter()
                    .flatten()
                    .filter_map(|item| operation::read(item, defaults.as_ref(), context))
                    .collect();
                check_unique(&parsed, diagnostics);
                config.operations = parsed.into_iter().map(|parsed| parsed.operation).collect();
            }
        },
    }
    keys.finish();
    config
}

/// Names and tokens must be unique.
fn check_unique(operations: &[ParsedOperation], diagnostics: &Diagnostics) {
    let mut names = HashMap::new();
    let mut tokens = HashMap::new();
    for operation in operations {
        if let Some((name, location)) = &operation.name {
            let first: &Location = names.entry(name).or_insert(location);
            if first != location {
                let text = format!("the name `{name}` is taken by the operation on line {}", first.line);
                diagnostics.add(Some(location.line), &*location.path, text);
            }
        }
        if let Some((token, location)) = &operation.token {
            let token = token.value.expose_secret();
            let (other, first): &(&ParsedOperation, &Location) = tokens.entry(token).or_insert((operation, location));
            if *first != location {
                diagnostics.add(
                    Some(location.line),
                    &*location.path,
                    format!(
                        "{} has the same token as {} on line {}: Wolkvox takes one call at a time per token, so each \
                         operation needs its own",
                        operation.title(),
                        other.title(),
                        first.line
                    ),
                );
            }
        }
    }
}
