//! What the agents of an operation do now, and how they are connected. No agent is named.

use maud::{Markup, html};

use super::format::{number, span};
use super::graphics::{Share, stacked, swatch};
use super::{PageData, texts as text};
use crate::health::ReportHealth;
use crate::language::Language;
use crate::reports::agents::AgentsNow;
use crate::reports::latency::LatencyNow;
use crate::reports::{AGENTS, LATENCY, View};

/// The places of the states whose longest time is worth a look: after-call work and auxiliary states.
const LONG: [usize; 2] = [3, 4];
/// The place of those who are logged out.
const LOGGED_OUT: usize = 5;
/// Auxiliary states that are named; the rest is added up.
const MOST_AUX: usize = 6;

/// The bar, or the reason why there is none.
pub(super) fn part(operation: &str, report: &ReportHealth, data: PageData<'_>) -> Markup {
    let view = data.published.view(operation, &AGENTS);
    let say = |text| data.language.say(text);
    html! {
        h3 { (say(text::AGENTS_NOW)) }
        @match view.as_deref() {
            Some(View::Agents(agents)) => (states(agents, data.language)),
            _ if report.last_success.is_some() => p.muted { (say(text::EXPIRED)) },
            _ => p.muted { (say(text::NOT_READ)) },
        }
    }
}

/// The connections, if they are known.
pub(super) fn connections(operation: &str, data: PageData<'_>) -> Markup {
    let view = data.published.view(operation, &LATENCY);
    let say = |text| data.language.say(text);
    html! {
        @if let Some(View::Latency(LatencyNow { bands, connected, losing_packets })) = view.as_deref() {
            p {
                strong { (number(*connected)) } (say(text::CONNECTED))
                @let slow: u64 = bands[2..].iter().sum();
                @if slow > 0 { " · " strong.state.wait { (number(slow)) } (say(text::ABOVE_400_MS)) }
                @if *losing_packets > 0 { " · " strong.state.wait { (number(*losing_packets)) } (say(text::LOSING_PACKETS)) }
            }
        }
    }
}

/// Agents that are logged in, of all states.
pub(super) fn logged_in(agents: &AgentsNow) -> u64 {
    agents.states.iter().sum::<u64>() - agents.states[LOGGED_OUT]
}

fn states(agents: &AgentsNow, language: Language) -> Markup {
    let say = |text| language.say(text);
    let shares = text::AGENT_STATES.into_iter().zip(agents.states).enumerate();
    let shares = shares.filter(|(n, _)| *n != LOGGED_OUT);
    let shares: Vec<Share> = shares
        .map(|(n, (name, count))| Share {
            class: format!("agent{n}"),
            name: say(name),
            count,
        })
        .collect();
    let (named, others) = agents.aux.split_at(agents.aux.len().min(MOST_AUX));
    html! {
        @if logged_in(agents) == 0 {
            p.muted { (say(text::NOBODY_IS_LOGGED_IN)) }
        } @else {
            p.agents { (stacked(&shares)) }
            p.key {
                @for share in shares.iter().filter(|share| share.count > 0) {
                    span { (swatch(&share.class)) " " strong { (number(share.count)) } " " (share.name) }
                }
            }
            @if !named.is_empty() {
                p.muted {
                    (say(text::AUXILIARY))
                    @for (n, (name, count)) in named.iter().enumerate() {
                        @if n > 0 { ", " }
                        (name) " " (number(*count))
                    }
                    @if !others.is_empty() { (say(text::OTHERS)) (number(others.iter().map(|(_, count)| count).sum())) }
                }
            }
            @for state in LONG {
                @if let Some(time) = agents.longest[state] {
                    p.muted { (say(text::LONGEST_IN)) (say(text::AGENT_STATES[state])) ": " (span(time)) }
                }
            }
        }
    }
}
