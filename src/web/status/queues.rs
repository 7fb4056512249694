//! What happens now in the queues of an operation: the skills that lose most first.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::format::{number, percent};
use super::graphics::bar;
use super::{PageData, texts as text};
use crate::health::ReportHealth;
use crate::language::Language;
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
    let say = |text| data.language.say(text);
    html! {
        h3 { (say(text::QUEUES_NOW)) }
        @match skills {
            None if report.last_success.is_some() => p.muted { (say(text::EXPIRED)) },
            None => p.muted { (say(text::NOT_READ)) },
            Some([]) => p.muted { (say(text::NO_SKILL)) },
            Some(skills) => (table(skills, data.language)),
        }
    }
}

/// How many calls and chats wait in all skills.
pub(super) fn waiting(skills: &[SkillNow]) -> u64 {
    skills.iter().filter_map(|skill| skill.queue).sum()
}

fn table(skills: &[SkillNow], language: Language) -> Markup {
    let say = |text| language.say(text);
    let is_idle = |skill: &&SkillNow| skill.queue.unwrap_or(0) == 0 && skill.inbound.unwrap_or(0) == 0;
    let (idle, mut busy): (Vec<&SkillNow>, Vec<&SkillNow>) = skills.iter().partition(is_idle);
    busy.sort_by_key(|skill| Reverse((skill.queue, skill.abandoned)));
    let seconds = skills.first().map_or(20, |skill| skill.wanted_seconds);
    html! {
        @if busy.is_empty() {
            p.muted { (say(text::NOBODY_WAITS)) }
        } @else {
            table.queues {
                thead {
                    tr {
                        th { (say(text::SKILL)) } th.number { (say(text::IN_QUEUE)) } th { (language.answered_within(seconds)) }
                        th.number { (say(text::ABANDONED)) } th.number { (say(text::CALLS)) }
                    }
                }
                tbody { @for skill in busy { (row(skill, language)) } }
            }
        }
        @if !idle.is_empty() { p.muted { (language.without_calls(idle.len())) } }
    }
}

fn row(skill: &SkillNow, language: Language) -> Markup {
    let say = |text| language.say(text);
    let waiting = skill.queue.map_or_else(|| "–".to_owned(), number);
    let count = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), number);
    html! {
        tr {
            td.title {
                span.name { @if skill.name.is_empty() { (say(text::SKILL)) " " (skill.id) } @else { (skill.name) } }
                @if !skill.name.is_empty() { small { (skill.id) } }
            }
            td.number data-label=(say(text::IN_QUEUE)) { @if skill.queue > Some(0) { strong.state.wait { (waiting) } } @else { (waiting) } }
            td.half data-label=(say(text::SERVICE_LEVEL)) {
                @if let Some(ratio) = skill.service_level() {
                    (bar(ratio, rating(ratio), say(text::SERVICE_LEVEL))) " " span.figure { (percent(ratio)) }
                } @else { "–" }
            }
            td.number data-label=(say(text::ABANDONMENT)) {
                (count(skill.abandoned))
                @if let Some(ratio) = skill.abandon_ratio { small { (percent(ratio)) } }
            }
            td.number data-label=(say(text::CALLS)) { (count(skill.inbound)) }
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
