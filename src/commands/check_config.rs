//! `check-config`: checks the configuration and sums up what it means.

use std::fs;
use std::path::PathBuf;

use wolkvox_exporter::cli::Flags;
use wolkvox_exporter::config::{self, Config, ConfigError, Shard};
use wolkvox_exporter::failure::Failure;
use wolkvox_exporter::web::WebConfig;

use super::{environment, print};

pub(crate) fn run(flags: &Flags, files: &[PathBuf], shard: Shard) -> Result<(), Failure> {
    let files = named(&flags.config_files, files)?;
    let web = flags.web_config_file.as_deref();
    // The check itself failed, as opposed to its usage: exit code 1.
    let mut mistakes = Vec::new();
    let config = match Config::find(files, &environment) {
        Ok(config) => Some(config),
        Err(ConfigError::Mistakes(found)) => {
            mistakes.push(found.to_string());
            None
        }
        Err(missing @ ConfigError::Missing) => return Err(missing.into()),
    };
    if let Some(Err(found)) = web.map(WebConfig::load) {
        mistakes.push(found.to_string());
    }
    let Some(mut config) = config.filter(|_| mistakes.is_empty()) else {
        return Err(Failure::Failed(mistakes.join("\n")));
    };
    config.state_path = flags.state_path.clone().or(config.state_path);
    let mut warnings = config.warnings();
    warnings.extend(config.state_path.as_deref().and_then(config::state_folder_warning));
    warnings.extend(web.into_iter().flat_map(config::web_warnings));
    Ok(print(&config::check_config(&config, shard.total(), &warnings))?)
}

/// The files to check. The flag and the command may both name them, if they name the same.
fn named<'f>(by_flag: &'f [PathBuf], by_command: &'f [PathBuf]) -> Result<&'f [PathBuf], Failure> {
    let place = |path: &PathBuf| fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    match (by_flag, by_command) {
        (by_flag, []) => Ok(by_flag),
        ([], by_command) => Ok(by_command),
        (by_flag, by_command) if by_flag.iter().map(place).eq(by_command.iter().map(place)) => Ok(by_command),
        _ => Err(Failure::Usage(
            "check-config and --config.file name different files: use one way to name them".to_owned(),
        )),
    }
}
