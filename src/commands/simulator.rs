//! `simulator`: the simulated Wolkvox API alone.

use anyhow::Context;
use wolkvox_exporter::cli::{DEFAULT_PORT, Flags};
use wolkvox_exporter::failure::Failure;
use wolkvox_simulator::{SimulatedClock, Simulator};

use super::server::listen;
use super::{block_on, print};
use crate::signals::stop_signal;

/// The port after the exporter's.
const PORT: u16 = DEFAULT_PORT + 1;

pub(crate) fn run(flags: &Flags, seed: u64) -> Result<(), Failure> {
    block_on(async {
        let simulator = Simulator::demo(seed, SimulatedClock::system());
        let mut served = Vec::new();
        for listener in listen(flags, PORT).await? {
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
    })
}
