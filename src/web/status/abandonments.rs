//! The calls and chats abandoned in the last hour, by skill.

use maud::{Markup, html};

use super::format::{number, percent, span};
use super::graphics::{histogram, median};
use super::{PageData, texts as text};
use crate::health::ReportHealth;
use crate::language::Language;
use crate::published::abandonments::{LastHour, SkillHour};

/// The table, or the reason why there is none.
pub(super) fn part(operation: &str, report: &ReportHealth, data: PageData<'_>) -> Markup {
    let hour = data.published.abandonments(operation, data.instant);
    let say = |text| data.language.say(text);
    // Totals from the state are there before the first poll.
    let Some(hour) = hour.filter(|_| report.last_success.is_some()) else {
        return html! { h3 { (say(text::ABANDONMENT)) } p.muted { (say(text::NOT_READ)) } };
    };
    let names = data.published.skill_names(operation);
    let (busy, idle): (Vec<&SkillHour>, Vec<&SkillHour>) = hour.skills.iter().partition(|skill| skill.interactions > 0);
    html! {
        h3 { (say(text::ABANDONMENT)) " " (span_in_words(&hour, data.language)) }
        @if busy.is_empty() {
            p.muted { (say(text::NOTHING_COUNTED)) }
        } @else {
            table.abandonments {
                thead {
                    tr {
                        th { (say(text::SKILL)) } th.number { (say(text::ABANDONED)) } th.number { (say(text::OF_ALL_CALLS)) }
                        th { (say(text::WAITED)) }
                    }
                }
                tbody { @for skill in busy { (row(skill, names.get(&*skill.id), hour.bounds, data.language)) } }
            }
            @if !idle.is_empty() { p.muted { (data.language.without_calls_or_chats(idle.len())) } }
        }
    }
}

/// The period covered.
pub(super) fn span_in_words(hour: &LastHour, language: Language) -> String {
    if hour.is_whole() {
        language.say(text::IN_THE_LAST_HOUR).to_owned()
    } else {
        language.since_start(&span(hour.span))
    }
}

fn row(skill: &SkillHour, name: Option<&String>, bounds: &[f64], language: Language) -> Markup {
    let say = |text| language.say(text);
    let ratio = skill.abandoned as f64 / skill.interactions.max(1) as f64;
    let median = median(bounds, &skill.waits, language);
    let label = format!(
        "{}, {}",
        say(text::TIME_TO_ABANDONMENT),
        median.as_deref().unwrap_or("–")
    );
    html! {
        tr {
            td.title {
                @match name.filter(|name| !name.is_empty()) {
                    Some(name) => { span.name { (name) } small { (skill.id) } }
                    None => span.name { (say(text::SKILL)) " " (skill.id) },
                }
            }
            td.number data-label=(say(text::ABANDONMENT)) { strong { (number(skill.abandoned)) } }
            td.number data-label=(say(text::OF_ALL)) { (language.of(&percent(ratio), &number(skill.interactions))) }
            td.wide {
                @if let Some(median) = median {
                    div.waits { (histogram(bounds, &skill.waits, &label, language)) small { (median) } }
                } @else { span.muted { "–" } }
            }
        }
    }
}
