//! The log on standard error.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use wolkvox_exporter::cli::{LogFormat, LogLevel};

/// The crate of the library and of the program.
const OWN: &str = "wolkvox_exporter";

/// Starts to write the log to standard error.
pub(crate) fn log_to_stderr(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let own = Targets::new().with_target(OWN, level);
    // Libraries may log what they send, so only their warnings are logged: no level shows a token or a row.
    let libraries = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(OWN, LevelFilter::OFF);
    // Only of a library is it worth knowing which it was.
    let registry = tracing_subscriber::registry();
    match format {
        LogFormat::Logfmt => {
            let format = tracing_logfmt::builder;
            registry
                .with(
                    format()
                        .with_target(false)
                        .layer()
                        .with_writer(io::stderr)
                        .with_filter(own),
                )
                .with(format().layer().with_writer(io::stderr).with_filter(libraries))
                .init();
        }
        LogFormat::Json => {
            registry
                .with(
                    fmt::layer()
                        .json()
                        .with_target(false)
                        .with_writer(io::stderr)
                        .with_filter(own),
                )
                .with(fmt::layer().json().with_writer(io::stderr).with_filter(libraries))
                .init();
        }
    }
}
