//! Compares the answers of the simulator, over HTTP and on the wire, with its truth and the vendor's pages.

// The exception of clippy for tests does not reach the helpers beside them.
#![allow(clippy::unwrap_used)]

use std::{sync::Once, time::Duration};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use wolkvox_simulator::{
    BucketTotals, DayTotals, DurationBucket, OperationPlan, RunningSimulator, SimulatedClock, SimulatedOperation,
    Simulator, SimulatorConfig,
};

mod agents;
mod answered;
mod changes;
mod faults;
mod incidents;
mod lateness;
mod limits;
mod now;
mod odd_answers;
mod recount;
mod reports;
mod rows;
mod story;
mod switches;
mod time;
mod variants;

/// A running simulator with one operation, and a client.
struct Stage {
    clock: SimulatedClock,
    operation: SimulatedOperation,
    running: RunningSimulator,
    client: Client,
}

impl Stage {
    /// In Bogota, at noon of a working day.
    async fn new() -> Stage {
        Stage::in_zone("America/Bogota", "2026-11-18T12:00:00").await
    }

    async fn in_zone(zone: &str, local: &str) -> Stage {
        let zone = TimeZone::get(zone).unwrap();
        let now = zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap();
        Stage::of(7, OperationPlan::new("acme", zone), now).await
    }

    async fn of(seed: u64, plan: OperationPlan, now: Timestamp) -> Stage {
        let clock = SimulatedClock::fixed(now);
        let simulator = Simulator::new(SimulatorConfig {
            seed,
            clock: clock.clone(),
            operations: vec![plan],
        });
        let running = simulator
            .start(TcpListener::bind("127.0.0.1:0").await.unwrap())
            .unwrap();
        let operation = simulator.operation("acme").unwrap().clone();
        Stage {
            clock,
            operation,
            running,
            client: client(),
        }
    }

    async fn try_get(&self, path_and_query: &str) -> reqwest::Result<Response> {
        let url = format!("{}/api/v2/{path_and_query}", self.running.url());
        self.client
            .get(url)
            .header("wolkvox-token", self.operation.token())
            .send()
            .await
    }

    async fn get(&self, path_and_query: &str) -> (u16, String) {
        let response = self.try_get(path_and_query).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn campaigns(&self) -> (u16, String) {
        self.get("real_time.php?api=campaigns").await
    }

    /// `cdr_4` of a window of `YYYYmmddHHiiss` texts.
    async fn durations(&self, from: &str, until: &str) -> (u16, String) {
        self.get(&format!(
            "reports_manager.php?api=cdr_4&date_ini={from}&date_end={until}"
        ))
        .await
    }

    /// The sums of a window; 0 if the answer says that there is no data.
    async fn totals(&self, from: &str, until: &str) -> DayTotals {
        let (status, body) = self.durations(from, until).await;
        match status {
            404 if body.contains("Validate dates entered") => DayTotals::default(),
            200 => totals_in(&body),
            _ => panic!("{status}: {body}"),
        }
    }
}

fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Client::builder()
        .tls_certs_only([])
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap()
}

fn totals_in(body: &str) -> DayTotals {
    let body: Value = serde_json::from_str(body).unwrap();
    let mut totals = DayTotals::default();
    for bucket in DurationBucket::ALL {
        let fields = &body["data"][bucket.key()];
        totals[bucket] = BucketTotals {
            calls: fields["calls"].as_str().unwrap().parse().unwrap(),
            minutes: fields["minutes"].as_str().unwrap().parse().unwrap(),
            cost_micros: hundredths(fields["cost"].as_str().unwrap()) * 10_000,
        };
    }
    totals
}

/// `15,233.33` as 1523333.
fn hundredths(money: &str) -> u64 {
    let (_, decimals) = money.split_once('.').unwrap();
    assert_eq!(decimals.len(), 2, "{money}");
    money.replace([',', '.'], "").parse().unwrap()
}
