//! A Prometheus exporter for Wolkvox contact centres.
//!
//! A background poller reads each operation's reports from the Wolkvox API, keeps the latest state and every count, and
//! serves them on `/metrics`. Data flows one way through the modules:
//!
//! ```text
//! config ─▶ poller (one task per operation: its reports one after the other, on a fixed grid)
//!             │  fetch ▸ client: query ▸ request ▸ envelope ▸ rows, one by one as they arrive
//!             ▼
//!           reports: row ▸ what it means (current gauges, facts to count, or day totals)
//!             ▼
//!           ledger: what is new? ▸ commit to disk ▸ totals      (skipped by reports of the current state)
//!             ▼
//!           published ▸ exposition: a text block per family and operation, rendered again only when it changed
//!             ▼
//!           web: /metrics, status page, health, reload
//! ```
//!
//! Reports know neither HTTP nor Prometheus text; the exposition knows neither reports nor the web; only the poller
//! connects them. Each report is defined in one file under [`reports`].

pub mod app;
pub mod backfill;
pub mod check_api;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod durations;
pub mod exposition;
pub mod failure;
pub mod fetch;
pub mod health;
pub mod language;
pub mod ledger;
pub mod metrics;
pub mod poller;
pub mod published;
pub mod reload;
pub mod reports;
pub mod secret;
pub mod web;
pub mod wire;
mod yaml;
