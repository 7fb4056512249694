//! `check-api`: reads each configured report once and prints what the API answered.

use std::io;

use anyhow::{Context, anyhow};
use wolkvox_exporter::check_api;
use wolkvox_exporter::cli::Flags;
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::Shard;
use wolkvox_exporter::failure::Failure;

use super::{block_on, read_config};

pub(crate) fn run(
    flags: &Flags,
    shard: Shard,
    operations: &[String],
    reports: &[String],
    shapes: bool,
) -> Result<(), Failure> {
    block_on(async {
        let mut config = read_config(flags, shard)?;
        check_api::select(&mut config, operations, reports).map_err(Failure::Usage)?;
        let verdict = check_api::check(&config, shapes, &Clock::system(), &mut io::stdout())
            .await
            .context("cannot write to standard output")?;
        match verdict.failed {
            0 => Ok(()),
            failed => Err(anyhow!("{failed} of {} reports failed", verdict.reports).into()),
        }
    })
}
