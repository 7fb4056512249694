//! Logs, at a start and a reload, how many operations belong to this shard, and warns of state files that do not.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::{Config, Shard};

/// At most this many operations are named.
const MOST_NAMES: usize = 10;

/// Logs what belongs to this shard. May wait for the disk, since it lists the folder of the state.
pub(super) fn log_shard(config: &Config) {
    let shard = config.shard;
    if shard == Shard::ONLY {
        return;
    }
    let own = config.operations.len();
    let all = own + config.elsewhere.len();
    tracing::info!("{shard}: {own} of {all} operations");
    let foreign = match &config.state_path {
        Some(folder) => foreign_state(config, folder),
        None => BTreeSet::new(),
    };
    if foreign.is_empty() {
        return;
    }
    let mut names: Vec<String> = foreign
        .iter()
        .take(MOST_NAMES)
        .map(|name| with_shard(name, shard))
        .collect();
    if foreign.len() > MOST_NAMES {
        names.push(format!("and {} more", foreign.len() - MOST_NAMES));
    }
    tracing::warn!(
        "state_path has state files of operations that belong to other shards: {}. Unless the shards share this folder, move \
         each file to the state_path of its shard while both are stopped, or delete it if that shard is already counting: \
         an operation that returned to this file would count everything since then a second time",
        names.join(", ")
    );
}

/// The operations of other shards with a file in the folder.
fn foreign_state<'c>(config: &'c Config, folder: &Path) -> BTreeSet<&'c str> {
    // A missing folder has none. If it cannot be read, opening the state reports it.
    let files = folder.read_dir().into_iter().flatten().flatten();
    let present: BTreeSet<_> = files.map(|file| file.file_name()).collect();
    let has_file = |name: &&str| present.contains(format!("{name}.redb").as_ref() as &std::ffi::OsStr);
    config.elsewhere.iter().map(|name| &**name).filter(has_file).collect()
}

fn with_shard(name: &str, shard: Shard) -> String {
    format!("{name} (shard {})", Shard::of(name, shard.total()))
}
