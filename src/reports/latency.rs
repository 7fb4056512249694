//! `real_time.php?api=latency`: the connections of the agents, as totals of the operation.
//!
//! `data` has one object with the lists `by_agent`, `by_ip` and `by_pbx`. Only `by_agent` is read, and of it neither the agent
//! nor the address.

use std::time::Duration;

use serde::Deserialize;

use super::current::{self, Current, CurrentReport, CurrentState, count, gauges};
use super::values::{self, OTHER, begins};
use super::{Assumption, Kind, MINUTE, Outcome, REAL_TIME, Report, Tally, View};
use crate::metrics::Family;
use crate::metrics::series::{Label, Value};
use crate::wire::Endpoint;
use crate::wire::fields::{self, Leaf};

/// The report.
pub static LATENCY: Report = Report {
    name: "latency",
    state_id: 7,
    endpoint: Endpoint {
        script: REAL_TIME,
        api: "latency",
    },
    filter: None,
    seconds: None,
    interval: MINUTE.saturating_mul(5),
    quiet_interval: Some(MINUTE.saturating_mul(15)),
    timeout: Duration::from_secs(30),
    families: &[&CONNECTED, &BY_LATENCY, &MAX, &MEAN, &PACKET_LOSS, &REJECTING],
    names: &[],
    fields: &["latency_ms", "tx_ploss", "rx_ploss", "network_rejection"],
    kind: Kind::Current(CurrentState {
        reader: |_| current::rows_of(Connections::default()),
        is_urgent: true,
    }),
};

static CONNECTED: Family = Family::gauge(
    "wolkvox_agents_connected",
    &["connection", "platform"],
    "Agents with a connection by its kind and by what they work in, from the fields connection_type and platform of real_time latency.",
)
.with_fixed_values(&[("connection", &CONNECTIONS), ("platform", &PLATFORMS)]);
static BY_LATENCY: Family = Family::gauge(
    "wolkvox_agents_by_latency",
    &["latency"],
    "Connected agents by latency, from the field latency_ms of real_time latency. Up to 150 ms is good, up to 400 ms acceptable.",
)
.with_fixed_values(&[("latency", &BANDS)]);
static MAX: Family = Family::gauge(
    "wolkvox_agents_latency_max_seconds",
    &[],
    "Highest latency of a connected agent, from the field latency_ms of real_time latency.",
);
static MEAN: Family = Family::gauge(
    "wolkvox_agents_latency_mean_seconds",
    &[],
    "Mean latency of the connected agents, from the field latency_ms of real_time latency.",
);
static PACKET_LOSS: Family = Family::gauge(
    "wolkvox_agents_with_packet_loss",
    &["direction"],
    "Connected agents that lose more than 1 % of their packets, from the fields tx_ploss and rx_ploss of real_time latency.",
)
.with_fixed_values(&[("direction", &DIRECTIONS)]);
static REJECTING: Family = Family::gauge(
    "wolkvox_agents_rejecting_calls",
    &[],
    "Connected agents whose network rejects calls, from the field network_rejection of real_time latency, over 1.",
);

const CONNECTIONS: [&str; 3] = ["ethernet", "wifi", OTHER];
const PLATFORMS: [&str; 3] = ["app", "web", OTHER];
/// The values of the label `latency`.
pub const BANDS: [&str; 4] = ["0-150ms", "151-400ms", "401-500ms", "501ms+"];
/// The highest latency of each band but the last, in milliseconds.
const BAND_ENDS: [f64; BANDS.len() - 1] = [150.0, 400.0, 500.0];
const DIRECTIONS: [&str; 2] = ["tx", "rx"];
/// Above this, lost packets and rejections are trouble.
const TROUBLE: f64 = 0.01;

/// The fields that we need of a row.
#[derive(Deserialize)]
struct ConnectionRow<'a> {
    #[serde(borrow, default)]
    latency_ms: Leaf<'a>,
    #[serde(borrow, default)]
    agent_status: Leaf<'a>,
    #[serde(borrow, default)]
    tx_ploss: Leaf<'a>,
    #[serde(borrow, default)]
    rx_ploss: Leaf<'a>,
    #[serde(borrow, default)]
    network_rejection: Leaf<'a>,
    #[serde(borrow, default)]
    connection_type: Leaf<'a>,
    #[serde(borrow, default)]
    platform: Leaf<'a>,
}

/// The connections as one answer describes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LatencyNow {
    /// Connected agents by latency, in the order of [`BANDS`].
    pub bands: [u64; BANDS.len()],
    /// Connected agents, also those without a readable latency.
    pub connected: u64,
    /// Those that lose packets, in one direction or both.
    pub losing_packets: u64,
}

/// Adds up the connections of one answer.
#[derive(Default)]
struct Connections {
    connected: [[u64; PLATFORMS.len()]; CONNECTIONS.len()],
    bands: [u64; BANDS.len()],
    /// The number, the sum and the highest of the latencies, in milliseconds.
    latencies: (u64, f64, f64),
    losing: [u64; DIRECTIONS.len()],
    losing_either: u64,
    rejecting: u64,
    tally: Tally,
}

impl CurrentReport for Connections {
    type Row<'a> = ConnectionRow<'a>;

    const NESTED_LIST: Option<&'static str> = Some("by_agent");

    fn row(&mut self, row: &ConnectionRow<'_>) {
        self.tally.count(Outcome::Counted);
        if !self.is_connected(values::word(&row.agent_status)) {
            return;
        }
        let connection = values::word(&row.connection_type);
        let connection = match () {
            () if begins(connection, &["eth", "lan", "wired", "cable"]) => 0,
            () if begins(connection, &["wi-fi", "wifi", "wi fi", "wlan", "wireless"]) => 1,
            () => CONNECTIONS.len() - 1,
        };
        let platform = values::word(&row.platform);
        let platform = match () {
            () if begins(platform, &["app", "desktop"]) => 0,
            () if begins(platform, &["web", "browser"]) => 1,
            () => PLATFORMS.len() - 1,
        };
        self.connected[connection][platform] += 1;
        let tally = &mut self.tally;
        if let Some(latency) = tally.read("latency_ms", fields::decimal(&row.latency_ms)) {
            let milliseconds = latency.as_f64();
            self.bands[BAND_ENDS.partition_point(|end| *end < milliseconds)] += 1;
            let (number, sum, highest) = &mut self.latencies;
            *number += 1;
            *sum += milliseconds;
            *highest = highest.max(milliseconds);
        }
        // With or without a percent sign.
        let loss = [("tx_ploss", &row.tx_ploss), ("rx_ploss", &row.rx_ploss)];
        let loses = loss.map(|(field, leaf)| {
            let loss = tally.read(field, fields::percent(leaf));
            loss.is_some_and(|loss| loss > TROUBLE)
        });
        for (losing, loses) in self.losing.iter_mut().zip(loses) {
            *losing += u64::from(loses);
        }
        self.losing_either += u64::from(loses.contains(&true));
        let rejection = tally.read("network_rejection", fields::percent(&row.network_rejection));
        self.rejecting += u64::from(rejection.is_some_and(|rejection| rejection > TROUBLE));
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn finish(self, _: usize) -> Current {
        let connected = CONNECTIONS
            .iter()
            .zip(self.connected)
            .flat_map(|(connection, platforms)| {
                let platforms = PLATFORMS.iter().zip(platforms);
                platforms.map(|(platform, agents)| {
                    let labels = [Label::Borrowed(*connection), Label::Borrowed(*platform)];
                    (labels, Some(count(agents)))
                })
            });
        let of = |labels: &'static [&'static str]| labels.iter().map(|label| [Label::Borrowed(*label)]);
        let (number, sum, highest) = self.latencies;
        let seconds = |milliseconds: f64| (number > 0).then(|| Value::Number(milliseconds / 1000.0));
        let alone = |value| [(Vec::<Label>::new(), value)];
        Current {
            series: vec![
                gauges(&CONNECTED, connected),
                gauges(
                    &BY_LATENCY,
                    of(&BANDS).zip(self.bands.map(|agents| Some(count(agents)))),
                ),
                gauges(&MAX, alone(seconds(highest))),
                gauges(&MEAN, alone(seconds(sum / number.max(1) as f64))),
                gauges(
                    &PACKET_LOSS,
                    of(&DIRECTIONS).zip(self.losing.map(|agents| Some(count(agents)))),
                ),
                gauges(&REJECTING, alone(Some(count(self.rejecting)))),
            ],
            left_out: Vec::new(),
            names: Vec::new(),
            tally: self.tally,
            view: View::Latency(LatencyNow {
                bands: self.bands,
                connected: self.connected.iter().flatten().sum(),
                losing_packets: self.losing_either,
            }),
        }
    }
}

impl Connections {
    /// Whether this status is that of a connection. Without a status it is one: only agents with a session are listed.
    fn is_connected(&mut self, status: &str) -> bool {
        match () {
            () if status.is_empty() || begins(status, &["connect", "conect"]) => true,
            () if begins(status, &["disconnect", "desconect"]) => false,
            () => {
                self.tally.violation(Assumption::KnownWords);
                self.tally.unknown_word("agent_status", status);
                false
            }
        }
    }
}
