//! `check-config`: checks a configuration file and sums up what it means.

use std::path::Path;

use wolkvox_exporter::cli::Flags;
use wolkvox_exporter::config::{self, Config, Shard};
use wolkvox_exporter::failure::Failure;

use super::{environment, print};

pub(crate) fn run(flags: &Flags, file: &Path, shard: Shard) -> Result<(), Failure> {
    // The check itself failed, as opposed to its usage: exit code 1.
    let config = Config::load(&[file], &environment).map_err(|mistakes| Failure::Failed(mistakes.to_string()))?;
    let mut warnings = config.warnings();
    warnings.extend(config.state_path.as_deref().and_then(config::state_folder_warning));
    warnings.extend(flags.web_config_file.iter().flat_map(|file| config::web_warnings(file)));
    Ok(print(&config::check_config(&config, shard.total(), &warnings))?)
}
