//! What happens now in the queues of an operation: the skills that lose most first.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::PageData;
use super::format::{number, percent};
use super::graphics::bar;
use crate::health::ReportHealth;
use crate::reports::skills::SkillNow;
use crate::reports::{SKILLS, View};

/// From this share of answered calls on a skill does well: the usual target is 80 % within 20 s.
const GOOD: f64 = 0.8;
const POOR: f64 = 0.6;

/// The table, or the reason why there is none.
pub(super) fn part(operation: &str, report: &ReportHealth, data: PageData<'_>) -> Markup {
    let view = data.published.view(operation, &SKILLS);
    let skills = view.as_deref().and_then(|view| match view {
        View::Skills(skills) => Some(skills.as_slice()),
        _ => None,
    });
    html! {
        h3 { "Queues now" }
        @match skills {
            None if report.last_success.is_some() => p.muted { "Not shown: the last data is older than max_age." },
            None => p.muted { "Not read yet." },
            Some([]) => p.muted { "The API lists no skill." },
            Some(skills) => (table(skills)),
        }
    }
}

/// How many calls and chats wait in all skills.
pub(super) fn waiting(skills: &[SkillNow]) -> u64 {
    skills.iter().filter_map(|skill| skill.queue).sum()
}

fn table(skills: &[SkillNow]) -> Markup {
    let is_idle = |skill: &&SkillNow| skill.queue.unwrap_or(0) == 0 && skill.inbound.unwrap_or(0) == 0;
    let (idle, mut busy): (Vec<&SkillNow>, Vec<&SkillNow>) = skills.iter().partition(is_idle);
    busy.sort_by_key(|skill| Reverse((skill.queue, skill.abandoned)));
    let seconds = skills.first().map_or(20, |skill| skill.wanted_seconds);
    html! {
        @if busy.is_empty() {
            p.muted { "Nobody waits, and nobody has called." }
        } @else {
            table.queues {
                thead {
                    tr {
                        th { "Skill" } th.number { "Waiting" } th { "Answered within " (seconds) " s" }
                        th.number { "Abandoned" } th.number { "Calls" }
                    }
                }
                tbody { @for skill in busy { (row(skill)) } }
            }
        }
        @if !idle.is_empty() { p.muted { "Without calls: " (idle.len()) " more." } }
    }
}

fn row(skill: &SkillNow) -> Markup {
    let waiting = skill.queue.map_or_else(|| "–".to_owned(), number);
    let count = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), number);
    html! {
        tr {
            td.title {
                span.name { @if skill.name.is_empty() { "Skill " (skill.id) } @else { (skill.name) } }
                @if !skill.name.is_empty() { small { (skill.id) } }
            }
            td.number data-label="Waiting" { @if skill.queue > Some(0) { strong.state.wait { (waiting) } } @else { (waiting) } }
            td.half data-label="Service level" {
                @if let Some(ratio) = skill.service_level() {
                    (bar(ratio, rating(ratio), "Service level")) " " span.figure { (percent(ratio)) }
                } @else { "–" }
            }
            td.number data-label="Abandoned" {
                (count(skill.abandoned))
                @if let Some(ratio) = skill.abandon_ratio { small { (percent(ratio)) } }
            }
            td.number data-label="Calls" { (count(skill.inbound)) }
        }
    }
}

fn rating(ratio: f64) -> &'static str {
    match ratio {
        GOOD.. => "good",
        POOR.. => "wait",
        _ => "bad",
    }
}
