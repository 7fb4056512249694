//! What was taken for granted about the API and did not hold in the last 24 hours.

use jiff::Timestamp;
use maud::{Markup, html};

use super::format::ago;
use crate::health::OperationHealth;
use crate::reports::Assumption;

/// The part of an operation; nothing where all assumptions hold.
pub(super) fn part(operation: &OperationHealth, now: Timestamp) -> Markup {
    let broken: Vec<_> = operation
        .reports
        .iter()
        .flat_map(|(report, health)| {
            let broken = health.violations.broken().iter();
            broken.map(move |(assumption, at)| (*report, health, *assumption, *at))
        })
        .collect();
    html! {
        @if !broken.is_empty() {
            h3 { "Assumptions" }
            p.muted { "The exporter takes these for granted about the API, and they did not hold in the last 24 hours." }
            ul {
                @for (report, health, assumption, at) in broken {
                    li {
                        strong { (report.name) } ": " (assumption.meaning()) " (last " (ago(now, at)) "). "
                        @if assumption == Assumption::KnownWords {
                            "Unknown: "
                            @for (n, (field, word)) in health.violations.words().enumerate() {
                                @if n > 0 { ", " }
                                (field) " “" (word) "”"
                            }
                            ". "
                        }
                        strong { "What to do: " } (assumption.advice()) "."
                    }
                }
            }
        }
    }
}
