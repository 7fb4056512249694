//! Arguments, logging, exit codes: 0 is fine, 1 failed, 2 is usage or configuration.

use std::fmt::Display;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Parser;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use wolkvox_exporter::app::{self, ConfigSource, Start};
use wolkvox_exporter::backfill;
use wolkvox_exporter::check_api;
use wolkvox_exporter::cli::{Arguments, Command, DEFAULT_PORT, Flags, LogFormat, LogLevel};
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::{Config, Shard, check_config};
use wolkvox_exporter::demo;
use wolkvox_exporter::reload::ReloadHandle;
use wolkvox_exporter::web::{self, Limits, ServerSettings, WebConfig};
use wolkvox_simulator::{SimulatedClock, Simulator};

/// The simulator alone listens next to the exporter.
const SIMULATOR_PORT: u16 = DEFAULT_PORT + 1;

/// What is left to do after the drain has this long to end.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// A failure and the exit code that it means.
enum Failure {
    Failed(anyhow::Error),
    Configuration(String),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr(&arguments.flags);
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(error)) => {
            print_error(&format!("{error:#}"));
            ExitCode::from(1)
        }
        Err(Failure::Configuration(text)) => {
            print_error(&text);
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let shard = arguments.flags.shard().map_err(Failure::Configuration)?;
    if let Some(Command::CheckConfig { file }) = &arguments.command {
        let config = Config::load(file, &environment).map_err(anyhow::Error::from)?;
        return Ok(print(&check_config(&config, shard.total()))?);
    }
    let front = match &arguments.command {
        None | Some(Command::Demo { .. }) => Front::new(&arguments.flags)?,
        Some(_) => Front::default(),
    };
    // The provider is process-wide, and so is its choice: ring alone is built in.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().context("the asynchronous runtime cannot be started")?;
    let result = runtime.block_on(run_command(arguments, front, shard));
    // What still waits for a disk or for a name server must not keep the process.
    runtime.shutdown_timeout(SHUTDOWN);
    result
}

async fn run_command(arguments: Arguments, front: Front, shard: Shard) -> Result<(), Failure> {
    let Arguments { command, flags } = arguments;
    match command {
        Some(Command::CheckConfig { .. }) => Ok(()),
        Some(Command::Demo { seed }) => Ok(run_demo(&flags, front, shard, seed).await?),
        Some(Command::Simulator { .. }) if shard != Shard::ONLY => Err(Failure::Configuration(
            "the simulator serves all its operations: give --shard.total to the exporters that read them".to_owned(),
        )),
        Some(Command::Simulator { seed }) => Ok(run_simulator(&flags, seed).await?),
        Some(Command::CheckApi { shapes }) => {
            let config = configuration_with(&flags).map_err(Failure::Configuration)?;
            Ok(run_check_api(&config, shapes).await?)
        }
        Some(Command::Backfill(options)) => {
            let config = configuration_with(&flags).map_err(Failure::Configuration)?;
            run_backfill(&config, &options).await
        }
        None => {
            let config = configuration_with(&flags).map_err(Failure::Configuration)?;
            Ok(run_exporter(flags, front, config).await?)
        }
    }
}

/// The configuration: the named file, else `./wolkvox.yml` if there is one, else the environment.
fn configuration(file: Option<&Path>) -> Result<Config, String> {
    let default = Path::new("wolkvox.yml");
    let file = file.or_else(|| default.exists().then_some(default));
    let config = match file {
        Some(file) => Config::load(file, &environment).map(Some),
        None => Config::from_environment(&environment),
    };
    let config = config.map_err(|mistakes| mistakes.to_string())?;
    config.ok_or_else(|| {
        "there is no configuration: give --config.file, put a wolkvox.yml here, or set WOLKVOX_SERVER and WOLKVOX_TOKEN; \
         to try it without an account: wolkvox_exporter demo"
            .to_owned()
    })
}

/// The configuration, with what the flags say instead.
fn configuration_with(flags: &Flags) -> Result<Config, String> {
    let mut config = configuration(flags.config_file.as_deref())?;
    config.state_path = flags.state_path.clone().or(config.state_path);
    config.keep(flags.shard()?);
    Ok(config)
}

/// What the exporter meets its clients with. Made before there are other threads: taking over sockets changes the
/// environment.
#[derive(Default)]
struct Front {
    sockets: Vec<std::net::TcpListener>,
    web: Option<WebConfig>,
}

impl Front {
    fn new(flags: &Flags) -> Result<Self, Failure> {
        let web = flags.web_config_file.as_deref().map(WebConfig::load).transpose();
        Ok(Self {
            web: web.map_err(|mistakes| Failure::Configuration(mistakes.to_string()))?,
            sockets: web::handed_over().context("the sockets of the service manager cannot be used")?,
        })
    }
}

async fn run_exporter(flags: Flags, front: Front, config: Config) -> anyhow::Result<()> {
    let flags = Arc::new(flags);
    let again = Arc::clone(&flags);
    let source = ConfigSource::from_fn(move || configuration_with(&again));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        revision = env!("BUILD_REVISION"),
        operations = config.operations.len(),
        new_series_hold = ?config.new_series_hold,
        series_limit = config.series_limit,
        state_path = ?config.state_path,
        "wolkvox_exporter starts"
    );
    for warning in config.warnings() {
        tracing::warn!("configuration: {warning}");
    }
    export(&flags, front, config, Some(source), |_| Ok(())).await
}

async fn run_check_api(config: &Config, shapes: bool) -> anyhow::Result<()> {
    let verdict = check_api::check(config, shapes, &Clock::system(), &mut io::stdout())
        .await
        .context("cannot write to standard output")?;
    match verdict.failed {
        0 => Ok(()),
        failed => bail!("{failed} of {} reports failed", verdict.reports),
    }
}

async fn run_backfill(config: &Config, options: &backfill::Options) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let (signal, stopping) = (stop_signal()?, stop.clone());
    tokio::spawn(async move {
        signal.await;
        stopping.cancel();
    });
    let settings = backfill::FetchSettings::default();
    let done = backfill::run(config, options, settings, &Clock::system(), &stop, &mut io::stdout()).await;
    match done {
        Ok(_) => Ok(()),
        Err(backfill::Failure::Usage(text)) => Err(Failure::Configuration(text)),
        Err(failure @ backfill::Failure::Failed(_)) => Err(Failure::Failed(anyhow!("{failure}"))),
    }
}

async fn run_demo(flags: &Flags, front: Front, shard: Shard, seed: u64) -> anyhow::Result<()> {
    let simulator = Simulator::demo(seed, SimulatedClock::system());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("the simulator cannot listen")?;
    let served = simulator.start(listener).context("the simulator cannot start")?;
    let mut config = demo::config(&simulator, &served.url());
    config.state_path = flags.state_path.clone();
    config.keep(shard);
    let names: Vec<&str> = config.operations.iter().map(|operation| &*operation.name).collect();
    let names = names.join(", ");
    export(flags, front, config, None, |bases| {
        let mut text = format!("A demo with the simulated operations {names}. Open\n");
        for base in bases {
            text.push_str(&format!(
                "  {base}/          the status page\n  {base}{}   the metrics\n",
                flags.telemetry_path
            ));
        }
        print(&text)
    })
    .await
}

async fn run_simulator(flags: &Flags, seed: u64) -> anyhow::Result<()> {
    let simulator = Simulator::demo(seed, SimulatedClock::system());
    let mut served = Vec::new();
    for listener in listeners(flags, SIMULATOR_PORT).await? {
        served.push(simulator.start(listener).context("the simulator cannot start")?);
    }
    let mut text = String::new();
    for server in &served {
        text.push_str(&format!("A simulated Wolkvox API is served at {}\n", server.url()));
    }
    for operation in simulator.operations() {
        let zone = operation.timezone().iana_name().unwrap_or_default();
        text.push_str(&format!(
            "  operation {} ({zone}): token {}\n",
            operation.name(),
            operation.token()
        ));
    }
    print(&text)?;
    stop_signal()?.await;
    Ok(())
}

/// Serves and polls until told to stop; `announce` hears the URLs once it serves.
async fn export(
    flags: &Flags,
    front: Front,
    config: Config,
    config_source: Option<ConfigSource>,
    announce: impl FnOnce(&[String]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    // Before anything that takes time: without a handler SIGHUP ends a process.
    let hangup = signal(SignalKind::hangup()).context("SIGHUP cannot be caught")?;
    let mut listeners = if front.sockets.is_empty() || !flags.listen_addresses.is_empty() {
        listeners(flags, DEFAULT_PORT).await?
    } else {
        Vec::new()
    };
    for socket in front.sockets {
        listeners.push(TcpListener::from_std(socket).context("a socket of the service manager cannot be used")?);
    }
    let scheme = if front.web.as_ref().is_some_and(WebConfig::has_tls) {
        "https"
    } else {
        "http"
    };
    if let Some(web) = &front.web {
        tracing::info!(
            tls = web.has_tls(),
            users = web.users(),
            "the web configuration was read"
        );
    }
    web::raise_descriptor_limit();
    let limits = Limits::beside(config.operations.len());
    let start = Start::new(config, listeners);
    let running = app::start(Start {
        config_source: config_source.unwrap_or_else(|| start.config_source.clone()),
        enable_lifecycle: flags.enable_lifecycle,
        telemetry_path: flags.telemetry_path.clone(),
        server: ServerSettings {
            config: front.web,
            health_without_auth: flags.health_without_auth,
            limits,
        },
        ..start
    })?;
    let addresses = running.addresses().iter();
    let bases: Vec<String> = addresses.map(|address| browsable(scheme, *address)).collect();
    for url in &bases {
        tracing::info!(url, "serving");
    }
    announce(&bases)?;
    let reloading = tokio::spawn(reload_on_hangup(hangup, running.reload_handle()));
    // Whoever started the exporter is told, if it is systemd and asked for it.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let stop = async {
        stop.await;
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
    };
    running.run_until(stop).await?;
    reloading.abort();
    tracing::info!("stopped");
    Ok(())
}

/// The address as people open it: one of all interfaces is this host's, too.
fn browsable(scheme: &str, address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

async fn listeners(flags: &Flags, default_port: u16) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in flags.listen_addresses_or(default_port) {
        listeners.push(
            web::bind(&address)
                .await
                .with_context(|| format!("cannot listen on {address}"))?,
        );
    }
    Ok(listeners)
}

/// Reads the configuration again at each SIGHUP.
async fn reload_on_hangup(mut hangup: Signal, reload: ReloadHandle) {
    while hangup.recv().await.is_some() {
        tracing::info!("SIGHUP: reading the configuration again");
        if let Ok(began) = NotifyState::monotonic_usec_now() {
            let _ = sd_notify::notify(&[NotifyState::Reloading, began]);
        }
        // The exporter itself says in its log how it went.
        let _ = reload.reload().await;
        let _ = sd_notify::notify(&[NotifyState::Ready]);
    }
}

/// Ends at SIGTERM or SIGINT.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be caught")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
    })
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn log_to_stderr(flags: &Flags) {
    let level = match flags.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Libraries may log what they send, so only their warnings are heard: no level shows a token or a row.
    let targets = Targets::new()
        .with_target("wolkvox_exporter", level)
        .with_default(level.min(LevelFilter::WARN));
    let registry = tracing_subscriber::registry().with(targets);
    match flags.log_format {
        LogFormat::Logfmt => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .event_format(tracing_logfmt::EventsFormatter::default())
                    .fmt_fields(tracing_logfmt::FieldsFormatter::default())
                    .with_writer(io::stderr),
            )
            .init(),
        LogFormat::Json => registry
            .with(tracing_subscriber::fmt::layer().json().with_writer(io::stderr))
            .init(),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}

fn print_error(text: &dyn Display) {
    // Where standard error is closed there is no one to tell.
    let _ = writeln!(io::stderr(), "wolkvox_exporter: {text}");
}
