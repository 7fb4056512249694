//! Everything is tested through the public surface: a simulated API over HTTP in, the page of metrics over HTTP out.

// The exception of clippy for tests does not reach the helpers beside them.
#![allow(clippy::unwrap_used)]

mod answers;
mod backfill;
mod call_durations;
mod check_api;
mod configuration;
mod events;
mod faults;
mod kill;
mod ledger;
mod lifecycle;
mod privacy;
mod reload;
mod schedule;
mod scrape;
mod simulator;
mod status;
mod support;
mod values;
mod web;
