//! What the reports about skills have in common: the parameter, the name, the channel of a call, and the bounds of waits.

use std::collections::BTreeMap;

use super::Filter;
use super::events::Events;
use super::values::{NONE, OTHER, begins};
use crate::metrics::Family;
use crate::metrics::series::FamilySeries;

/// Narrows a report to one skill.
pub(super) const FILTER: Filter = Filter {
    key: "skill_id",
    all: "all",
};

/// The name of a skill. Several reports give it.
pub(super) static INFO: Family = Family::info(
    "wolkvox_skill",
    &["skill_id", "skill"],
    "Newest name of a skill, from the field skill_name of skills, skill_2 and skill_10.",
);

/// Upper bounds of the waits, in seconds. Chats wait for hours; conversations that nobody closes end after 23 hours.
pub(super) const WAITS: [f64; 16] = [
    5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0, 3600.0, 21600.0, 86400.0,
];

/// The values of the label `channel`.
pub(super) const CHANNELS: [&str; 5] = ["voice", "chat", "omni", OTHER, NONE];

/// The channel of a call. The vendor's page lists sixteen values.
pub(super) fn channel(events: &mut Events, text: &str) -> &'static str {
    const VOICE: [&str; 10] = [
        "inbound",
        "outbound",
        "out_pre",
        "internal",
        "transfer",
        "conference",
        "voice",
        "voz",
        "call",
        "llamada",
    ];
    match () {
        () if text.is_empty() => NONE,
        () if begins(text, &VOICE) => "voice",
        () if begins(text, &["chat", "whatsapp", "webchat"]) => "chat",
        () if begins(text, &["omni", "email", "e-mail", "mail", "correo"]) => "omni",
        () => {
            events.unknown_word("type_interaction", text);
            OTHER
        }
    }
}

/// The names of skills by id, from the series of an operation's names.
pub(crate) fn names(families: &[FamilySeries]) -> BTreeMap<String, String> {
    let infos = families.iter().filter(|names| names.family == &INFO);
    let series = infos.flat_map(|names| &names.series);
    series
        .map(|info| (info.labels[0].to_string(), info.labels[1].to_string()))
        .collect()
}
