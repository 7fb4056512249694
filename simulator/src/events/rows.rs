//! The JSON of the row reports.

use std::collections::BTreeMap;

use super::{
    Events, RowQuery,
    changes::{FirstStep, FirstWait},
    fake_people::Person,
    previews::{Preview, PreviewRow},
    steps::{Step, StepResult},
    timeline::{Entry, Event},
    waits::{Wait, WaitResult},
};
use crate::{
    answers::{Answer, AnswerWriter},
    centre::Centre,
    json::Json,
    switches::WaitWords,
};

/// More than three thousand years.
pub(super) const ABSURD_SECONDS: u64 = 99_999_999_999;

impl Events {
    pub(crate) fn waits(&self, query: &RowQuery, writer: &AnswerWriter<'_>) -> Answer {
        let entries = writer.ordered(self.waits.answer(&self.source, query));
        let centre = &self.source.traffic.centre;
        let rows = entries.iter().map(|entry| writer.wait(entry, centre, query.now));
        writer.rows(query, entries.len(), rows)
    }

    pub(crate) fn previews(&self, query: &RowQuery, writer: &AnswerWriter<'_>) -> Answer {
        let entries = writer.ordered(self.previews.answer(&self.source, query));
        let totals = if writer.switches.total_rows {
            writer.preview_totals(&entries)
        } else {
            Vec::new()
        };
        let rows = entries.iter().map(|entry| writer.preview(entry, query.now));
        writer.rows(query, entries.len() + totals.len(), rows.chain(totals))
    }

    pub(crate) fn steps(&self, query: &RowQuery, writer: &AnswerWriter<'_>) -> Answer {
        let entries = writer.ordered(self.steps.answer(&self.source, query));
        let centre = &self.source.traffic.centre;
        let rows = entries.iter().map(|entry| writer.step(entry, centre, query.now));
        writer.rows(query, entries.len(), rows)
    }
}

impl AnswerWriter<'_> {
    fn wait(&self, entry: &Entry<Wait>, centre: &Centre, now: i64) -> Json {
        let wait = &entry.row;
        let unfinished = wait.unfinished_by(now);
        let result = match unfinished {
            Some(FirstWait::NoResult | FirstWait::NoResultNoTime) => self.blank(),
            Some(FirstWait::InQueue) => Json::text(in_queue(self.switches.wait_words)),
            Some(FirstWait::NoTime) | None => Json::text(words(wait.result, self.switches.wait_words)),
        };
        let seconds = match unfinished {
            Some(FirstWait::NoTime | FirstWait::NoResultNoTime) => self.blank(),
            Some(FirstWait::InQueue) => self.duration((wait.seconds / 2).into(), self.switches.wait_times),
            Some(FirstWait::NoResult) | None if wait.absurd_time => self.integer(ABSURD_SECONDS),
            Some(FirstWait::NoResult) | None => self.duration(wait.seconds.into(), self.switches.wait_times),
        };
        let skill = &centre.skills[wait.skill];
        self.row(vec![
            ("skill_name", Json::Text(self.switches.names.text(skill.name))),
            ("skill_id", self.id(skill.id)),
            ("conn_id", Json::Text(wait.conn_id())),
            ("date", self.date(entry)),
            ("result", result),
            ("ani", Json::Text(wait.person.telephone())),
            ("abandon_time", seconds),
            (
                "type_interaction",
                self.text(self.switches.channels.text(wait.interaction.text)),
            ),
            ("customer_id", self.text(wait.person.customer_id())),
        ])
    }

    fn preview(&self, entry: &Entry<Preview>, now: i64) -> Json {
        let row = &entry.row;
        let typed = |typed: super::previews::Typed| self.text(typed.by(now).map_or("", |free| free.text));
        let (kind, result, last_code, call, code) = match row.about {
            PreviewRow::Record { result, last_code } => ("preview", typed(result), last_code, None, self.blank()),
            PreviewRow::Call { call, code } => ("call", self.blank(), "", Some(call), typed(code)),
        };
        // While a call goes on, its row says who calls whom, and nothing more.
        let ended = call.filter(|call| call.final_at <= now);
        let code = if ended.is_some() { code } else { self.blank() };
        let comment = if call.is_some() {
            row.person.comment()
        } else {
            String::new()
        };
        let person = row.person;
        self.preview_row(PreviewFields {
            kind,
            campaign: row.campaign,
            person: Some(person),
            result,
            last_code,
            conn_id: self.text(row.conn_id().unwrap_or_default()),
            hang_up: ended.map_or("", |call| call.hang_up.text),
            interaction: call.map_or("", |call| call.interaction.text),
            call_result: ended.map_or("", |call| call.result),
            date: self.date(entry),
            time: ended.map(|call| {
                if call.absurd_time {
                    ABSURD_SECONDS
                } else {
                    call.seconds.into()
                }
            }),
            code,
            comment,
        })
    }

    /// One total row per campaign. It repeats the calls above and must not be counted.
    fn preview_totals(&self, entries: &[Entry<Preview>]) -> Vec<Json> {
        let mut campaigns: BTreeMap<u32, (u64, &Entry<Preview>)> = BTreeMap::new();
        for entry in entries {
            let sum = campaigns.entry(entry.row.campaign).or_insert((0, entry));
            sum.1 = entry;
            if let PreviewRow::Call { call, .. } = entry.row.about {
                sum.0 += u64::from(call.seconds);
            }
        }
        campaigns
            .into_iter()
            .map(|(campaign, (seconds, last))| {
                self.preview_row(PreviewFields {
                    kind: "total",
                    campaign,
                    person: None,
                    result: Json::text("CONTACTADO"),
                    last_code: "",
                    conn_id: self.blank(),
                    hang_up: "customer",
                    interaction: "out_pre",
                    call_result: "answer",
                    date: self.date(last),
                    time: Some(seconds),
                    code: Json::text("VENTA"),
                    comment: String::new(),
                })
            })
            .collect()
    }

    fn preview_row(&self, fields: PreviewFields) -> Json {
        let person = |text: &dyn Fn(Person) -> String| self.text(fields.person.map(text).unwrap_or_default());
        self.row(vec![
            (
                "type_of_row",
                Json::Text(
                    self.switches
                        .row_type_case
                        .apply(self.switches.row_types.text(fields.kind)),
                ),
            ),
            ("campaign_id", self.id(fields.campaign)),
            ("customer_name", person(&|person| person.first_name().to_owned())),
            ("customer_last_name", person(&|person| person.last_name().to_owned())),
            ("result", fields.result),
            ("last_code_act", self.text(fields.last_code)),
            ("comments_customer_reg", person(&Person::comment)),
            ("customer_id", person(&Person::document)),
            ("agent_id", person(&Person::agent_id)),
            ("conn_id", fields.conn_id),
            ("telephone", person(&Person::telephone)),
            ("hang_up", self.text(fields.hang_up)),
            ("type_interaction", self.text(fields.interaction)),
            ("call_result", self.text(fields.call_result)),
            ("date", fields.date),
            (
                "time",
                fields.time.map_or_else(|| self.blank(), |seconds| self.time(seconds)),
            ),
            ("cod_act", fields.code),
            ("comments", self.text(fields.comment)),
        ])
    }

    fn step(&self, entry: &Entry<Step>, centre: &Centre, now: i64) -> Json {
        let step = &entry.row;
        let unfinished = step.unfinished_by(now);
        let (result, seconds) = match (unfinished, step.result) {
            (Some(FirstStep::MidMenu), _) => (self.blank(), (step.seconds / 2).into()),
            (_, StepResult::Ok) => (Json::text("ok"), step.seconds.into()),
            (_, StepResult::HungUp) => (Json::text("hung up"), step.seconds.into()),
            (_, StepResult::Odd) => (Json::text("transferred"), step.seconds.into()),
        };
        let option = match unfinished {
            Some(FirstStep::NoOption) => self.blank(),
            _ => self.text(step.option.text(step.person)),
        };
        let point = &centre.routing_points[step.routing_point];
        self.row(vec![
            ("rp_id", self.id(point.id)),
            ("rp_name", Json::Text(self.switches.names.text(point.name))),
            ("cod_opc_menu", option),
            ("dn_transfer", self.text(step.transfer.text(step.person))),
            ("date", self.date(entry)),
            ("result", result),
            ("ani", Json::Text(step.person.telephone())),
            (
                "time",
                self.time(if step.absurd_time { ABSURD_SECONDS } else { seconds }),
            ),
            ("customer_id", self.text(step.person.customer_id())),
            ("conn_id", Json::Text(step.conn_id())),
        ])
    }

    /// `time` of preview and IVR calls.
    fn time(&self, seconds: u64) -> Json {
        if seconds == ABSURD_SECONDS {
            self.integer(seconds)
        } else {
            self.duration(seconds, self.switches.times)
        }
    }

    /// `2026-11-18 12:00:00`, or as the switches say.
    pub(super) fn date<T: Event>(&self, entry: &Entry<T>) -> Json {
        let shifted = self.switches.shifted_dates;
        let shift = shifted
            .filter(|shifted| entry.row.key().is_multiple_of(shifted.every.max(1).into()))
            .map_or(0, |shifted| shifted.by.as_secs());
        Json::Text(self.switches.dates.text(entry.wall + shift, entry.at + shift))
    }
}

/// The values of a row of `campaign_5`.
struct PreviewFields {
    kind: &'static str,
    campaign: u32,
    person: Option<Person>,
    result: Json,
    last_code: &'static str,
    conn_id: Json,
    hang_up: &'static str,
    interaction: &'static str,
    call_result: &'static str,
    date: Json,
    time: Option<u64>,
    code: Json,
    comment: String,
}

fn words(result: WaitResult, words: WaitWords) -> &'static str {
    match (result, words) {
        (WaitResult::Abandoned, WaitWords::Lower) => "abandoned",
        (WaitResult::Answered, WaitWords::Lower) => "answered",
        (WaitResult::Abandoned, WaitWords::Upper) => "ABANDON",
        (WaitResult::Answered, WaitWords::Upper) => "ANSWER",
        (WaitResult::Abandoned, WaitWords::Spanish) => "Abandonada",
        (WaitResult::Answered, WaitWords::Spanish) => "Atendida",
        (WaitResult::Abandoned, WaitWords::UpperSpanish) => "ABANDONADA",
        (WaitResult::Answered, WaitWords::UpperSpanish) => "CONTESTADA",
        (WaitResult::Odd, _) => "overflow",
    }
}

fn in_queue(words: WaitWords) -> &'static str {
    match words {
        WaitWords::Lower => "in queue",
        WaitWords::Upper => "IN QUEUE",
        WaitWords::Spanish => "En cola",
        WaitWords::UpperSpanish => "EN COLA",
    }
}
