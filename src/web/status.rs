//! The status page for people: what is broken and what to do about it, then what happens now, and how campaigns and
//! queues have been doing.
//!
//! It uses no scripts or external resources, which its content security policy enforces. Few operations are all on one
//! page; many have an overview, and a page each.

mod abandonments;
mod agents;
mod assumptions;
mod campaigns;
mod concerns;
mod failures;
mod format;
mod graphics;
mod operation;
mod overview;
mod queues;
mod style;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tokio::time::Instant;

use self::format::counted;
pub(super) use self::style::POLICY;
use self::style::STYLE;
use crate::config::Shard;
use crate::health::OperationHealth;
use crate::published::Published;

/// Up to this many operations are shown in full on one page.
const SHOWN_IN_FULL: usize = 3;
/// How often the page refreshes, in seconds.
const REFRESH: u32 = 10;

/// The data on the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageData<'a> {
    /// The state to show.
    pub(super) published: &'a Published,
    /// The time, for how long ago things were.
    pub(super) now: Timestamp,
    /// The same by the monotonic clock, from which the last hour is counted back.
    pub(super) instant: Instant,
    /// The path of the metrics.
    pub(super) telemetry_path: &'a str,
    /// The shard of this process.
    pub(super) shard: Shard,
}

/// The page, or with the query `operation=NAME` the page of one operation.
pub(super) fn page(data: PageData<'_>, query: &str) -> (StatusCode, Markup) {
    let health = data.published.health();
    let requested = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "operation");
    let requested = requested.map(|(_, name)| name);
    let chosen = requested.as_ref().and_then(|name| health.get_key_value(&**name));
    let status = match (&requested, chosen) {
        (Some(_), None) => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    };
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="refresh" content=(REFRESH);
                title { (title(&health)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Wolkvox exporter" }
                    nav aria-label="Endpoints" {
                        // Relative, so that they work behind a proxy that adds a prefix.
                        a href=(data.telemetry_path.trim_start_matches('/')) { "Metrics" }
                        a href="-/ready" { "Ready" }
                        a href="-/healthy" { "Healthy" }
                    }
                }
                main {
                    (failures::verdict(&health, data))
                    @if let Some((name, operation)) = chosen {
                        (failures::cards([(name, operation)], data))
                        p { a href="." { "← All " (counted(health.len(), "operation")) } }
                        (operation::section(name, operation, data))
                    } @else if let Some(unknown) = &requested {
                        (unknown_operation(unknown, &health))
                    } @else {
                        (failures::cards(&health, data))
                        @if health.len() > 1 { (overview::table(&health, data)) }
                        @if health.len() <= SHOWN_IN_FULL {
                            @for (name, operation) in overview::in_order(&health, data) { (operation::section(name, operation, data)) }
                        }
                    }
                }
                footer {
                    "wolkvox_exporter " (env!("CARGO_PKG_VERSION")) " (" (env!("BUILD_REVISION")) ") · "
                    @if data.shard != Shard::ONLY { (data.shard) " · " }
                    "as of "
                    (data.now.strftime("%Y-%m-%d %H:%M:%S UTC")) " · refreshes every " (REFRESH) " s"
                }
            }
        }
    };
    (status, markup)
}

/// What to say where there is no such operation: which ones there are.
fn unknown_operation(name: &str, health: &BTreeMap<Arc<str>, OperationHealth>) -> Markup {
    html! {
        section {
            h2 { "There is no operation “" (name) "”" }
            @if !health.is_empty() {
                p {
                    "There are: "
                    @for (n, name) in health.keys().enumerate() {
                        @if n > 0 { ", " }
                        a href={ "?operation=" (name) } { (name) }
                    }
                }
            }
        }
    }
}

/// The number of failing reports comes first, since tabs are narrow.
fn title(health: &BTreeMap<Arc<str>, OperationHealth>) -> String {
    match failures::failing(health) {
        0 => "Wolkvox exporter".to_owned(),
        failing => format!("({failing}) Wolkvox exporter"),
    }
}
