//! `demo`: the exporter with an embedded simulator, to try it without an account.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use wolkvox_exporter::cli::Flags;
use wolkvox_exporter::config::{Config, Operation, Shard, Token};
use wolkvox_exporter::failure::Failure;
use wolkvox_simulator::{SimulatedClock, Simulator};

use super::server::{WebSetup, serve};
use super::{block_on, print};

/// Short enough to watch. The simulator's clock cannot show more than that.
const INTERVAL: Duration = Duration::from_secs(2);
/// Two scrapes of a Prometheus that scrapes a demo.
const HOLD: Duration = Duration::from_secs(4);
const DAILY_CALLS: u32 = 1_000_000;

pub(crate) fn run(flags: &Flags, shard: Shard, seed: u64) -> Result<(), Failure> {
    let web = WebSetup::new(flags)?;
    block_on(async {
        let simulator = Simulator::demo(seed, SimulatedClock::system());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("the simulator cannot listen")?;
        let served = simulator.start(listener).context("the simulator cannot start")?;
        let mut config = config(&simulator, &served.url());
        config.state_path = flags.state_path.clone();
        config.keep(shard);
        let names: Vec<&str> = config.operations.iter().map(|operation| &*operation.name).collect();
        let names = names.join(", ");
        let announce = |bases: &[String]| {
            let mut text = format!("A demo with the simulated operations {names}. Open\n");
            for base in bases {
                text.push_str(&format!(
                    "  {base}/          the status page\n  {base}{}   the metrics\n",
                    flags.telemetry_path
                ));
            }
            print(&text)
        };
        Ok(serve(flags, web, config, None, announce).await?)
    })
}

/// Reads all operations of a simulator that is served at `url`.
fn config(simulator: &Simulator, url: &str) -> Config {
    let operations = simulator.operations().iter().map(|simulated| {
        let mut operation = Operation::new(simulated.name(), url, Token::given(simulated.token()));
        operation.timezone = simulated.timezone().clone();
        operation.timezone_name = simulated.timezone().iana_name().unwrap_or_default().to_owned();
        operation.daily_calls = DAILY_CALLS;
        operation.currency = Some("COP".to_owned());
        for report in operation.reports.values_mut() {
            report.interval = INTERVAL;
            report.quiet_interval = INTERVAL;
            report.max_age = Some(5 * INTERVAL);
            report.timeout = Duration::from_secs(10);
        }
        operation
    });
    Config {
        new_series_hold: HOLD,
        operations: operations.collect(),
        ..Config::default()
    }
}
