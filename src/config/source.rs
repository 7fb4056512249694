//! Where the configuration comes from: a file or the environment, at the start and at each reload.

use super::Config;
use crate::yaml::mistake::Mistakes;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The file that is read if none is named.
const DEFAULT_FILE: &str = "wolkvox.yml";

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It has mistakes.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// There is neither a file nor the environment variables.
    #[error(
        "there is no configuration: give --config.file, create ./{DEFAULT_FILE}, or set WOLKVOX_SERVER and WOLKVOX_TOKEN; \
         to try the exporter without an account, run wolkvox_exporter demo"
    )]
    Missing,
}

impl Config {
    /// Reads `file`; without one, `./wolkvox.yml` if it exists; otherwise the environment.
    pub fn find(file: Option<&Path>, lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let default = Path::new(DEFAULT_FILE);
        match file.or_else(|| default.exists().then_some(default)) {
            Some(file) => Ok(Self::load(file, lookup_env)?),
            None => Self::from_environment(lookup_env)?.ok_or(ConfigError::Missing),
        }
    }
}

/// Reads the configuration again, for a reload. An error lists all mistakes.
#[derive(Clone)]
pub struct ConfigSource(Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>);

impl ConfigSource {
    /// A source that calls `read`, which may wait for the disk.
    pub fn from_fn(read: impl Fn() -> Result<Config, ConfigError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The configuration as it is now.
    pub fn read(&self) -> Result<Config, ConfigError> {
        (self.0)()
    }
}

impl fmt::Debug for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfigSource")
    }
}
