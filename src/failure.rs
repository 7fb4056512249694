//! Why a command failed, and the exit code that says so.

use std::process::ExitCode;

use crate::config::ConfigError;

/// A failure, in words for the person who ran the command.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Wrong usage or a wrong configuration.
    #[error("{0}")]
    Usage(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    /// 2 for wrong usage or configuration, 1 for everything else.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(format!("{error:#}"))
    }
}
