//! Without a command: the exporter.

use std::sync::Arc;

use wolkvox_exporter::cli::Flags;
use wolkvox_exporter::config::{ConfigSource, Shard};
use wolkvox_exporter::durations::span;
use wolkvox_exporter::failure::Failure;
use wolkvox_exporter::secret::hide_path;

use super::server::{WebSetup, serve};
use super::{block_on, read_config};
use crate::signals::hangups;

pub(crate) fn run(flags: Flags, shard: Shard) -> Result<(), Failure> {
    let web = WebSetup::new(&flags)?;
    block_on(async {
        // Caught from here on, since it would end the process: reading files may take a while.
        let _early = hangups()?;
        let config = read_config(&flags, shard)?;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            revision = env!("BUILD_REVISION"),
            operations = config.operations.len(),
            new_series_hold = span(config.new_series_hold),
            series_limit = config.series_limit,
            state_path = config.state_path.as_deref().map(hide_path),
            "wolkvox_exporter starts"
        );
        for warning in config.warnings() {
            tracing::warn!("configuration: {warning}");
        }
        let flags = Arc::new(flags);
        let source_flags = Arc::clone(&flags);
        let source = ConfigSource::from_fn(move || read_config(&source_flags, shard));
        Ok(serve(&flags, web, config, Some(source), |_| Ok(())).await?)
    })
}
