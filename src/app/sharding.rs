//! What is said of a shard at a start and a reload: how much is its own, and whose state lies where it does not belong.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::{Config, Shard};

/// So many operations are named.
const MOST_NAMES: usize = 10;

/// Logs what belongs to this shard. Lists the folder of the state, so it may wait for the disk.
pub(super) fn tell(config: &Config) {
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
        "state_path has state of operations that belong to other shards: {}. Unless the shards share this folder, move each \
         file to the state_path of its shard while both are stopped, or delete it if that shard counts already: an \
         operation that came back to it would count again what the other shard has counted",
        names.join(", ")
    );
}

/// The operations of other shards with a file in the folder.
fn foreign_state<'c>(config: &'c Config, folder: &Path) -> BTreeSet<&'c str> {
    // A folder that is not there yet has none; one that cannot be read is told by whoever opens the state.
    let files = folder.read_dir().into_iter().flatten().flatten();
    let present: BTreeSet<_> = files.map(|file| file.file_name()).collect();
    let has_file = |name: &&str| present.contains(format!("{name}.redb").as_ref() as &std::ffi::OsStr);
    config.elsewhere.iter().map(|name| &**name).filter(has_file).collect()
}

fn with_shard(name: &str, shard: Shard) -> String {
    format!("{name} (shard {})", Shard::of(name, shard.total()))
}
