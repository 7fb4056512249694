//! `reports_manager.php?api=skill_10`: calls and chats that an agent answered, one row each.
//!
//! **Identity.** A row has one fact: how long the call waited, once that is there. `skill_id`, `conn_id` and `date` identify
//! it, as in [`abandoned_calls`](super::abandoned_calls). A row that does not say how long counts nowhere.

use std::time::Duration;

use super::events::{self, EventReport, EventRows, Events};
use super::skill::{self, CHANNELS, Call, CallRow, WAITS};
use super::values::{self, begins};
use super::{Kind, MINUTE, REPORTS_MANAGER, Report};
use crate::metrics::Family;
use crate::wire::Endpoint;
use crate::wire::fields;

/// The report.
pub static ANSWERED_CALLS: Report = Report {
    name: "answered_calls",
    state_id: 9,
    endpoint: Endpoint {
        script: REPORTS_MANAGER,
        api: "skill_10",
    },
    filter: Some(skill::FILTER),
    seconds: None,
    interval: MINUTE.saturating_mul(5),
    quiet_interval: None,
    timeout: Duration::from_secs(90),
    families: &[&ANSWER_TIME],
    names: &[&skill::INFO],
    fields: &["date", "answer_time"],
    kind: Kind::Events(EventRows {
        read: events::read::<AnsweredCalls>,
        rows_share_facts: false,
        settle: Duration::ZERO,
        totals: None,
    }),
};

static ANSWER_TIME: Family = Family::histogram(
    "wolkvox_answer_time_seconds",
    &["skill_id", "channel"],
    &WAITS,
    "How long answered calls and chats had waited, from the field answer_time of skill_10.",
)
.with_free_labels(&["skill_id"])
.with_fixed_values(&[("channel", &CHANNELS)]);

const CALL: u8 = b'a';

struct AnsweredCalls;

impl EventReport for AnsweredCalls {
    type Row<'a> = CallRow<'a>;

    fn row(events: &mut Events, row: &CallRow<'_>) {
        let Some(Call {
            date,
            skill,
            conn,
            channel,
        }) = skill::call(events, row)
        else {
            return;
        };
        let skill = &*skill;
        // Nobody knows the words of this report. Whatever does not say otherwise was answered.
        if !begins(values::word(&row.result), &["aband"])
            && let Some(waited) = events.tally().read("answer_time", fields::duration(&row.answer_time))
        {
            let fields = [skill, conn];
            let call = events.identity(&date, CALL, &fields);
            let series = events.series(&ANSWER_TIME, &[skill, channel]);
            events.time(&date, call, series, waited);
        }
        events.add(&date);
    }
}
