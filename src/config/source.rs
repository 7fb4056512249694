//! Where the configuration comes from: a file or the environment, at the start and at each reload.

use super::Config;
use crate::yaml::mistake::Mistakes;
use std::fmt;
use std::path::{Path, PathBuf};
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
    /// Reads `files`; without any, `./wolkvox.yml` if it exists; otherwise the environment.
    pub fn find(files: &[PathBuf], lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        if !files.is_empty() {
            Ok(Self::load(files, lookup_env)?)
        } else if Path::new(DEFAULT_FILE).exists() {
            Ok(Self::load(&[DEFAULT_FILE], lookup_env)?)
        } else {
            Self::from_environment(lookup_env)?.ok_or(ConfigError::Missing)
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
