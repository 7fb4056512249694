//! Everything is tested through the public surface: a simulated API over HTTP in, the page of metrics over HTTP out.

// The exception of clippy for tests does not reach the helpers beside them.
#![allow(clippy::unwrap_used)]

mod answers;
mod backfill;
mod call_durations;
mod check_api;
mod configuration;
mod documentation;
mod events;
mod faults;
// Its checks are public for the targets of fuzz/, which are other crates.
#[expect(unreachable_pub)]
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;
mod kill;
mod ledger;
mod lifecycle;
mod privacy;
mod reload;
mod schedule;
mod scrape;
mod seeds;
mod shards;
mod status;
mod support;
mod values;
mod web;
