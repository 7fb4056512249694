//! `incident SECONDS LENGTH`
//!
//! Serves an operation in which callers of a skill give up, SECONDS after the start and for LENGTH seconds, and the agents of another
//! one leave for good; a third one goes on as usual. Prints an exporter configuration that polls it every second, then serves until it is killed.
//!
//! A minute has as many calls as the rules expect in an hour of a usual day.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::net::TcpListener;
use wolkvox_simulator::{
    CallMix, EventPlan, Incident, IncidentKind, OperationPlan, SimulatedClock, Simulator, SimulatorConfig,
};

/// The calls of some hours in a minute.
const VOLUME: f64 = 180.0;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut seconds = std::env::args().skip(1).map(|text| text.parse::<i64>());
    let (Some(Ok(after)), Some(Ok(length))) = (seconds.next(), seconds.next()) else {
        anyhow::bail!("usage: incident SECONDS LENGTH");
    };
    let from = Timestamp::now() + SignedDuration::from_secs(after);
    let spike = IncidentKind::Abandonment {
        skill: Some(0),
        share: 0.6,
    };
    let leave = IncidentKind::AgentsLeave { skill: Some(1) };
    // The agents do not come back: their conversations are longer than LENGTH, and who is talking at its end was answered.
    let incidents = [(spike, length), (leave, 86_400)];
    let incidents = incidents.map(|(kind, length)| Incident::new(kind, from, from + SignedDuration::from_secs(length)));
    // Callers wait as little as a minute's calls do.
    let call_mix = CallMix {
        answered_within: 2,
        ..CallMix::calm()
    };
    let plan = OperationPlan::new("acme", TimeZone::UTC)
        .never_closes()
        .volume(VOLUME)
        .skills(3)
        .call_mix(call_mix)
        .events(EventPlan::calm())
        .incidents(incidents.to_vec());
    let simulator = Simulator::new(SimulatorConfig {
        seed: 7,
        clock: SimulatedClock::system(),
        operations: vec![plan],
    });
    let served = simulator.start(TcpListener::bind("127.0.0.1:0").await?)?;
    let operation = &simulator.operations()[0];
    // JSON is YAML. Written in one call, so that a waiting reader gets all of it.
    let report = serde_json::json!({"interval": "1s", "timeout": "10s", "max_age": "10s"});
    let events = serde_json::json!({
        "interval": "1s", "timeout": "10s", "max_age": "10s", "overlap": "30s",
        "reread": {"every": "10m", "back": "1m"},
    });
    let config = serde_json::json!({
        "new_series_hold": "4s",
        "operations": [{
            "name": operation.name(), "url": served.url(), "token_env": "INCIDENT_TOKEN", "timezone": "UTC",
            "daily_calls": 1_000_000,
            "reports": {
                "campaigns": report, "call_durations": report, "skills": report, "abandoned_calls": events, "ivr": events,
            },
        }],
    });
    println!("{}", serde_json::json!({"token": operation.token(), "config": config}));
    std::future::pending().await
}
