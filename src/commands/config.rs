//! `config`: prints the configuration in effect.

use wolkvox_exporter::cli::Flags;
use wolkvox_exporter::config::Shard;
use wolkvox_exporter::failure::Failure;

use super::{print, read_config};

pub(crate) fn run(flags: &Flags, shard: Shard) -> Result<(), Failure> {
    Ok(print(&read_config(flags, shard)?.effective())?)
}
