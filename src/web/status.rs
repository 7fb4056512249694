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
mod language;
mod operation;
mod overview;
mod queues;
mod style;
mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tokio::time::Instant;

use self::format::counted;
pub(super) use self::language::{chosen, negotiate};
pub(super) use self::style::POLICY;
use self::style::STYLE;
use self::texts as text;
use crate::config::Shard;
use crate::health::OperationHealth;
use crate::language::Language;
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
    /// The language of the page.
    pub(super) language: Language,
    /// Whether the query asks for it, so that links do, too.
    pub(super) language_is_chosen: bool,
}

impl PageData<'_> {
    /// The address of an operation's page.
    fn link(self, operation: &str) -> String {
        if self.language_is_chosen {
            format!("?operation={operation}&lang={}", self.language.tag())
        } else {
            format!("?operation={operation}")
        }
    }

    /// The address of the page of all operations.
    fn link_to_all(self) -> String {
        if self.language_is_chosen {
            format!("?lang={}", self.language.tag())
        } else {
            ".".to_owned()
        }
    }
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
    let say = |text| data.language.say(text);
    let language = data.language;
    let markup = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="refresh" content=(REFRESH);
                title { (title(&health, language)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (say(text::TITLE)) }
                    nav aria-label=(say(text::ENDPOINTS)) {
                        // Relative, so that they work behind a proxy that adds a prefix.
                        a href=(data.telemetry_path.trim_start_matches('/')) { (say(text::METRICS)) }
                        a href="-/ready" { (say(text::READY)) }
                        a href="-/healthy" { (say(text::HEALTHY)) }
                        @for other in Language::ALL.into_iter().filter(|other| *other != language) {
                            a lang=(other.tag()) hreflang=(other.tag()) href=(in_language(other, chosen.map(|(name, _)| &**name))) {
                                (other.own_name())
                            }
                        }
                    }
                }
                main {
                    (failures::verdict(&health, data))
                    @if let Some((name, operation)) = chosen {
                        (failures::cards([(name, operation)], data))
                        p {
                            a href=(data.link_to_all()) {
                                (language.all_operations(&counted(health.len() as u64, text::AN_OPERATION, language)))
                            }
                        }
                        (operation::section(name, operation, data))
                    } @else if let Some(unknown) = &requested {
                        (unknown_operation(unknown, &health, data))
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
                    @if data.shard != Shard::ONLY { (language.shard(data.shard)) " · " }
                    (say(text::AS_OF))
                    (data.now.strftime("%Y-%m-%d %H:%M:%S UTC")) " · " (language.refreshes(REFRESH))
                }
            }
        }
    };
    (status, markup)
}

/// The address of the same page in a language.
fn in_language(language: Language, operation: Option<&str>) -> String {
    match operation {
        Some(operation) => format!("?operation={operation}&lang={}", language.tag()),
        None => format!("?lang={}", language.tag()),
    }
}

/// What to say where there is no such operation: which ones there are.
fn unknown_operation(name: &str, health: &BTreeMap<Arc<str>, OperationHealth>, data: PageData<'_>) -> Markup {
    html! {
        section {
            h2 { (data.language.unknown_operation(name, data.shard)) }
            @if !health.is_empty() {
                p {
                    (data.language.say(text::THERE_ARE))
                    @for (n, name) in health.keys().enumerate() {
                        @if n > 0 { ", " }
                        a href=(data.link(name)) { (name) }
                    }
                }
            }
        }
    }
}

/// The number of failing reports comes first, since tabs are narrow.
fn title(health: &BTreeMap<Arc<str>, OperationHealth>, language: Language) -> String {
    let title = language.say(text::TITLE);
    match failures::failing(health) {
        0 => title.to_owned(),
        failing => format!("({failing}) {title}"),
    }
}
