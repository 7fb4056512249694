//! All tests use the public surface: a simulated API over HTTP goes in, the page of metrics over HTTP comes out.

// Clippy's exception for tests does not cover helpers outside of test functions.
#![allow(clippy::unwrap_used)]

mod answers;
mod backfill;
mod bad_rows;
mod call_durations;
mod call_results;
mod check_api;
mod command_line;
mod configuration;
mod documentation;
mod encodings;
mod envelopes;
mod events;
mod faults;
// Public because the fuzz targets, which are other crates, use its checks.
#[expect(unreachable_pub)]
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;
mod kill;
mod ledger;
mod lifecycle;
mod log;
mod now;
mod privacy;
mod reload;
mod schedule;
mod scrape;
mod secrets;
mod seeds;
mod shards;
mod status;
mod support;
mod upgrade;
mod values;
mod variants;
mod web;
