//! What was taken for granted about the API and did not hold in the last 24 hours.

use maud::{Markup, html};

use super::format::ago;
use super::{PageData, texts as text};
use crate::health::OperationHealth;
use crate::reports::Assumption;

/// The part of an operation; nothing where all assumptions hold.
pub(super) fn part(operation: &OperationHealth, data: PageData<'_>) -> Markup {
    let say = |text| data.language.say(text);

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
            h3 { (say(text::ASSUMPTIONS)) }
            p.muted { (say(text::TAKEN_FOR_GRANTED)) }
            ul {
                @for (report, health, assumption, at) in broken {
                    li {
                        strong { (report.name) } ": " (say(assumption.meaning()))
                        " (" (say(text::LAST_SEEN)) " " (ago(data.now, at, data.language)) "). "
                        @if assumption == Assumption::KnownWords {
                            (say(text::UNKNOWN_WORDS))
                            @for (n, (field, word)) in health.violations.words().enumerate() {
                                @if n > 0 { ", " }
                                (field) " “" (word) "”"
                            }
                            ". "
                        }
                        strong { (say(text::WHAT_TO_DO)) } (say(assumption.advice())) "."
                    }
                }
            }
        }
    }
}
