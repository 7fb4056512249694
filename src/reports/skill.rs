//! What the reports about skills have in common: the parameter, the name, the channel of a call, and the bounds of waits.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::Filter;
use super::events::{Events, RowDate};
use super::values::{self, NONE, OTHER, begins};
use crate::metrics::Family;
use crate::metrics::series::FamilySeries;
use crate::wire::fields::Leaf;

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

/// The fields that we need of a row of `skill_2` or `skill_10`. Each has one of the times.
#[derive(Deserialize)]
pub(super) struct CallRow<'a> {
    #[serde(borrow, default)]
    pub(super) skill_name: Leaf<'a>,
    #[serde(borrow, default)]
    pub(super) skill_id: Leaf<'a>,
    #[serde(borrow, default)]
    pub(super) conn_id: Leaf<'a>,
    #[serde(borrow, default)]
    pub(super) date: Leaf<'a>,
    #[serde(borrow, default)]
    pub(super) result: Leaf<'a>,
    #[serde(borrow, default)]
    pub(super) abandon_time: Leaf<'a>,
    #[serde(borrow, default)]
    pub(super) answer_time: Leaf<'a>,
    #[serde(borrow, default)]
    pub(super) type_interaction: Leaf<'a>,
}

/// What a row says of a call before its result.
pub(super) struct Call<'r> {
    pub(super) date: RowDate<'r>,
    pub(super) skill: Cow<'r, str>,
    pub(super) conn: &'r str,
    pub(super) channel: &'static str,
}

/// Reads the call of a row, and the name of its skill. `None` if the row is invalid, which is then counted.
pub(super) fn call<'r>(events: &mut Events, row: &'r CallRow<'_>) -> Option<Call<'r>> {
    let Some(date) = events.date(&row.date) else {
        events.tally().invalid_without("date");
        return None;
    };
    let Some(skill) = values::id(&row.skill_id) else {
        events.tally().invalid_without("skill_id");
        return None;
    };
    let Some(conn) = values::identity(&row.conn_id) else {
        events.tally().invalid_without("conn_id");
        return None;
    };
    let channel = channel(events, values::word(&row.type_interaction));
    events.name(&INFO, &skill, &row.skill_name, &date);
    Some(Call {
        date,
        skill,
        conn,
        channel,
    })
}

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
