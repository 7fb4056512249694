//! `backfill`: exports the history before live counting began.

use std::io;

use tokio_util::sync::CancellationToken;
use wolkvox_exporter::backfill::{self, FetchSettings, Options};
use wolkvox_exporter::cli::Flags;
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::Shard;
use wolkvox_exporter::failure::Failure;

use super::{block_on, read_config};
use crate::signals::stop_signal;

pub(crate) fn run(flags: &Flags, shard: Shard, options: &Options) -> Result<(), Failure> {
    block_on(async {
        let config = read_config(flags, shard)?;
        let stop = CancellationToken::new();
        let (signal, stopping) = (stop_signal()?, stop.clone());
        tokio::spawn(async move {
            signal.await;
            stopping.cancel();
        });
        let settings = FetchSettings::default();
        backfill::run(&config, options, settings, &Clock::system(), &stop, &mut io::stdout()).await?;
        Ok(())
    })
}
