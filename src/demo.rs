//! An exporter against an embedded simulator: the product without an account.

use std::time::Duration;

use wolkvox_simulator::Simulator;

use crate::config::{Config, Operation, Token};

/// Short enough to watch, and no more than the simulator's clock can show.
const INTERVAL: Duration = Duration::from_secs(2);
/// Two scrapes of a Prometheus that scrapes a demo.
const HOLD: Duration = Duration::from_secs(4);
const DAILY_CALLS: u32 = 1_000_000;

/// The configuration that reads all operations of a simulator which serves at `url`.
pub fn config(simulator: &Simulator, url: &str) -> Config {
    let operations = simulator.operations().iter().map(|simulated| {
        let mut operation = Operation::new(simulated.name(), url, Token::given(simulated.token()));
        operation.timezone = simulated.timezone().clone();
        operation.timezone_name = simulated.timezone().iana_name().unwrap_or_default().to_owned();
        operation.daily_calls = DAILY_CALLS;
        operation.currency = Some("COP".to_owned());
        for report in operation.reports.values_mut() {
            report.interval = INTERVAL;
            report.max_age = 5 * INTERVAL;
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
