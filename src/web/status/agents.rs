//! What the agents of an operation do now, and how they are connected. No agent is named.

use maud::{Markup, html};

use super::PageData;
use super::format::{number, span};
use super::graphics::{Share, stacked, swatch};
use crate::health::ReportHealth;
use crate::reports::agents::{AgentsNow, STATES};
use crate::reports::latency::LatencyNow;
use crate::reports::{AGENTS, LATENCY, View};

/// The states as people call them, in the order of [`STATES`].
const NAMES: [&str; STATES.len()] = [
    "ready",
    "ringing",
    "talking",
    "after-call work",
    "auxiliary",
    "logged out",
    "other",
];
/// The places of the states whose longest time is worth a look: after-call work and auxiliary states.
const LONG: [usize; 2] = [3, 4];
/// The place of those who are logged out.
const LOGGED_OUT: usize = 5;
/// Auxiliary states that are named; the rest is added up.
const MOST_AUX: usize = 6;

/// The bar, or the reason why there is none.
pub(super) fn part(operation: &str, report: &ReportHealth, data: PageData<'_>) -> Markup {
    let view = data.published.view(operation, &AGENTS);
    html! {
        h3 { "Agents now" }
        @match view.as_deref() {
            Some(View::Agents(agents)) => (states(agents)),
            _ if report.last_success.is_some() => p.muted { "Not shown: the last data is older than max_age." },
            _ => p.muted { "Not read yet." },
        }
    }
}

/// The connections, if they are known.
pub(super) fn connections(operation: &str, data: PageData<'_>) -> Markup {
    let view = data.published.view(operation, &LATENCY);
    html! {
        @if let Some(View::Latency(LatencyNow { bands, connected, losing_packets })) = view.as_deref() {
            p {
                strong { (number(*connected)) } " connected"
                @let slow: u64 = bands[2..].iter().sum();
                @if slow > 0 { " · " strong.state.wait { (number(slow)) } " above 400 ms" }
                @if *losing_packets > 0 { " · " strong.state.wait { (number(*losing_packets)) } " losing packets" }
            }
        }
    }
}

/// Agents that are logged in, of all states.
pub(super) fn logged_in(agents: &AgentsNow) -> u64 {
    agents.states.iter().sum::<u64>() - agents.states[LOGGED_OUT]
}

fn states(agents: &AgentsNow) -> Markup {
    let shares = NAMES.iter().zip(agents.states).enumerate();
    let shares = shares.filter(|(n, _)| *n != LOGGED_OUT);
    let shares: Vec<Share> = shares
        .map(|(n, (name, count))| Share {
            class: format!("agent{n}"),
            name,
            count,
        })
        .collect();
    let (named, others) = agents.aux.split_at(agents.aux.len().min(MOST_AUX));
    html! {
        @if logged_in(agents) == 0 {
            p.muted { "Nobody is logged in." }
        } @else {
            p.agents { (stacked(&shares)) }
            p.key {
                @for share in shares.iter().filter(|share| share.count > 0) {
                    span { (swatch(&share.class)) " " strong { (number(share.count)) } " " (share.name) }
                }
            }
            @if !named.is_empty() {
                p.muted {
                    "Auxiliary: "
                    @for (n, (name, count)) in named.iter().enumerate() {
                        @if n > 0 { ", " }
                        (name) " " (number(*count))
                    }
                    @if !others.is_empty() { ", others " (number(others.iter().map(|(_, count)| count).sum())) }
                }
            }
            @for state in LONG {
                @if let Some(time) = agents.longest[state] {
                    p.muted { "Longest in " (NAMES[state]) ": " (span(time)) }
                }
            }
        }
    }
}
