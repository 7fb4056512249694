//! The page for people: what is broken and what to do about it, then how campaigns and queues are doing.
//!
//! It needs no script and nothing from elsewhere, and its content security policy holds it to that. The time is passed
//! in. With few operations everything is on one page; with many there is an overview, and a page for each.

mod abandonments;
mod campaigns;
mod failures;
mod graphics;
mod operation;
mod overview;
mod style;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tokio::time::Instant;

pub(super) use self::style::POLICY;
use self::style::STYLE;
use self::words::counted;
use crate::config::Shard;
use crate::health::OperationHealth;
use crate::published::Published;

/// So many operations are shown in full, one below the other.
const SHOWN_IN_FULL: usize = 3;
/// Seconds after which a browser asks again.
const REFRESH: u32 = 10;

/// What the page is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources<'a> {
    /// What is known.
    pub(super) published: &'a Published,
    /// Now, for ages.
    pub(super) now: Timestamp,
    /// Now, for what is withdrawn.
    pub(super) instant: Instant,
    /// Where the metrics are.
    pub(super) telemetry_path: &'a str,
    /// Which shard this is.
    pub(super) shard: Shard,
}

/// The page; with a query of `operation=NAME` that of one operation.
pub(super) fn page(sources: Sources<'_>, query: Option<&str>) -> Markup {
    sources.published.expire(sources.instant);
    let health = sources.published.health();
    // Names of operations have no character that a query would escape.
    let asked = query.and_then(|query| query.split('&').find_map(|part| part.strip_prefix("operation=")));
    let chosen = asked.and_then(|name| health.get_key_value(name));
    html! {
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
                        // Relative, so that they hold behind a proxy that adds a prefix.
                        a href=(sources.telemetry_path.trim_start_matches('/')) { "Metrics" }
                        a href="-/ready" { "Ready" }
                        a href="-/healthy" { "Healthy" }
                    }
                }
                main {
                    (failures::verdict(&health, sources.shard))
                    @if let Some((name, operation)) = chosen {
                        (failures::cards([(name, operation)], sources.now))
                        p { a href="." { "← All " (counted(health.len(), "operation")) } }
                        (operation::section(name, operation, sources))
                    } @else {
                        (failures::cards(&health, sources.now))
                        @if asked.is_some() { p { "There is no operation of that name." } }
                        @if health.len() > 1 { (overview::table(&health, sources)) }
                        @if health.len() <= SHOWN_IN_FULL {
                            @for (name, operation) in overview::in_order(&health) { (operation::section(name, operation, sources)) }
                        }
                    }
                }
                footer {
                    "wolkvox_exporter " (env!("CARGO_PKG_VERSION")) " (" (env!("BUILD_REVISION")) ") · "
                    @if sources.shard != Shard::ONLY { (sources.shard) " · " }
                    "as of "
                    (sources.now.strftime("%Y-%m-%d %H:%M:%S UTC")) " · reloads every " (REFRESH) " s"
                }
            }
        }
    }
}

/// What a tab shows: the number of failing reports first, since tabs are narrow.
fn title(health: &BTreeMap<Arc<str>, OperationHealth>) -> String {
    match failures::failing(health) {
        0 => "Wolkvox exporter".to_owned(),
        failing => format!("({failing}) Wolkvox exporter"),
    }
}
