//! The JSON of the row reports.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::Offset};

use super::{
    Events, RowQuery,
    fake_people::Person,
    previews::{Preview, PreviewRow},
    steps::Step,
    timeline::Entry,
    waits::{Wait, WaitResult},
};
use crate::{
    answers::{Answer, AnswerWriter},
    centre::Centre,
    json::Json,
    switches::{OverLimit, TimeText, WaitWords},
};

impl Events {
    pub(crate) fn waits(&self, query: &RowQuery, writer: &AnswerWriter<'_>) -> Answer {
        let entries = self.waits.answer(&self.source, query);
        let centre = &self.source.traffic.centre;
        writer.rows(entries.len(), entries.iter().map(|entry| writer.wait(entry, centre)))
    }

    pub(crate) fn previews(&self, query: &RowQuery, writer: &AnswerWriter<'_>) -> Answer {
        let entries = self.previews.answer(&self.source, query);
        let totals = if writer.switches.total_rows {
            writer.preview_totals(&entries)
        } else {
            Vec::new()
        };
        let rows = entries.iter().map(|entry| writer.preview(entry, query.now));
        writer.rows(entries.len() + totals.len(), rows.chain(totals))
    }

    pub(crate) fn steps(&self, query: &RowQuery, writer: &AnswerWriter<'_>) -> Answer {
        let entries = self.steps.answer(&self.source, query);
        let centre = &self.source.traffic.centre;
        writer.rows(entries.len(), entries.iter().map(|entry| writer.step(entry, centre)))
    }
}

impl AnswerWriter<'_> {
    /// An answer with the rows that the record limit allows.
    fn rows(&self, count: usize, rows: impl Iterator<Item = Json>) -> Answer {
        let limit = self.switches.record_limit.map_or(usize::MAX, |limit| limit as usize);
        if count == 0 {
            return self.no_rows();
        }
        if count > limit && self.switches.over_limit == OverLimit::BadRequest {
            return self.bad_request(&format!("The query returns more than {limit} records"));
        }
        self.ok(&self.envelope(count.min(limit), Some(Json::List(rows.take(limit).collect()))))
    }

    fn wait(&self, entry: &Entry<Wait>, centre: &Centre) -> Json {
        let wait = &entry.row;
        let skill = &centre.skills[wait.skill];
        self.row(vec![
            ("skill_name", Json::text(skill.name)),
            ("skill_id", self.id(skill.id)),
            ("conn_id", Json::Text(wait.conn_id())),
            ("date", date(entry)),
            ("result", Json::text(words(wait.result, self.switches.wait_words))),
            ("ani", Json::Text(wait.person.telephone())),
            ("abandon_time", self.integer(wait.seconds.into())),
            ("type_interaction", self.text(wait.interaction.text)),
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
            hang_up: call.map_or("", |call| call.hang_up.text),
            interaction: call.map_or("", |call| call.interaction.text),
            call_result: call.map_or("", |call| call.result),
            date: date(entry),
            time: call.map(|call| call.seconds.into()),
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
                    date: date(last),
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
                Json::Text(self.switches.row_type_case.apply(fields.kind)),
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

    fn step(&self, entry: &Entry<Step>, centre: &Centre) -> Json {
        let step = &entry.row;
        let point = &centre.routing_points[step.routing_point];
        self.row(vec![
            ("rp_id", self.id(point.id)),
            ("rp_name", Json::text(point.name)),
            ("cod_opc_menu", self.text(step.option.text(step.person))),
            ("dn_transfer", self.text(step.transfer.text(step.person))),
            ("date", date(entry)),
            ("result", Json::text(if step.hung_up { "hung up" } else { "ok" })),
            ("ani", Json::Text(step.person.telephone())),
            ("time", self.time(step.seconds.into())),
            ("customer_id", self.text(step.person.customer_id())),
            ("conn_id", Json::Text(step.conn_id())),
        ])
    }

    /// Ids never have thousands commas.
    fn id(&self, id: u32) -> Json {
        match self.integer(0) {
            Json::Integer(_) => Json::Integer(id.into()),
            _ => Json::Text(id.to_string()),
        }
    }

    fn text(&self, text: impl Into<String>) -> Json {
        let text = text.into();
        if text.is_empty() {
            self.blank()
        } else {
            Json::Text(text)
        }
    }

    fn time(&self, seconds: u64) -> Json {
        match self.switches.times {
            TimeText::Seconds => self.integer(seconds),
            TimeText::Clock => Json::Text(format!(
                "{:02}:{:02}:{:02}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            )),
        }
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
        (WaitResult::Odd, _) => "overflow",
    }
}

/// `2026-11-18 12:00:00`.
fn date<T>(entry: &Entry<T>) -> Json {
    let text = Timestamp::from_second(entry.wall).map_or_else(
        |_| String::new(),
        |wall| {
            let local = Offset::UTC.to_datetime(wall);
            format!("{} {}", local.date(), local.time())
        },
    );
    Json::Text(text)
}
