//! Broken rows among good ones.

use std::iter;

use crate::{
    json::{Json, Key},
    switches::{BrokenRow, BrokenRows},
};

/// Stands in an answer, quotes included, for what no JSON writer would write.
pub(super) const MARK: &str = "\"<what is broken>\"";

const NAMES: [&str; 4] = ["skill_name", "rp_name", "customer_name", "agent_name"];
const IDS: [&str; 3] = ["skill_id", "campaign_id", "rp_id"];
const TIMES: [&str; 5] = ["abandon_time", "answer_time", "time", "time_state_now", "count"];

impl BrokenRows {
    /// Puts the broken row into its place among some rows, and gives the bytes that must replace [`MARK`] in the answer.
    pub(super) fn put_among(&self, rows: &mut Vec<Json>) -> Vec<u8> {
        let place = (rows.len() as f64 * self.place.clamp(0.0, 1.0)) as usize;
        let like = place.min(rows.len().saturating_sub(1));
        let Some(Json::Object(fields)) = rows.get(like) else {
            return Vec::new();
        };
        let (row, raw) = self.kind.made_of(fields.clone());
        if self.kind == BrokenRow::KeysTwice {
            rows[like] = row;
        } else {
            rows.insert(place, row);
        }
        raw
    }
}

impl BrokenRow {
    /// The row, made of the fields of a good one, and what stands for its mark.
    fn made_of(self, fields: Vec<(Key, Json)>) -> (Json, Vec<u8>) {
        let mark = Json::text(MARK.trim_matches('"'));
        let with = |keys: &[&str], value: Json| {
            let mut fields = fields.clone();
            match fields.iter_mut().find(|(key, _)| keys.contains(&key.as_ref())) {
                Some((_, old)) => *old = value,
                // The switches leave that field out. Without it the row would be a good one.
                None => fields.push(("broken".into(), value)),
            }
            Json::Object(fields)
        };
        let marked = |keys: &[&str], raw: &[u8]| (with(keys, mark.clone()), raw.to_vec());
        match self {
            BrokenRow::LoneSurrogate => marked(&NAMES, br#""Ventas \ud83d""#),
            BrokenRow::ControlCharacter => marked(&NAMES, b"\"Ventas\nM\x01vil\""),
            BrokenRow::InvalidEscape => marked(&NAMES, br#""Ventas \x41""#),
            BrokenRow::Latin1 => marked(&NAMES, b"\"Campa\xf1a\""),
            BrokenRow::NotANumber => marked(&TIMES, b"NaN"),
            BrokenRow::TooLargeANumber => marked(&TIMES, b"1e400"),
            BrokenRow::LongId => (with(&IDS, Json::Text("4".repeat(5000))), Vec::new()),
            BrokenRow::MissingValue => (mark, br#"{"date": "2026-11-18 12:00:00", "conn_id":}"#.to_vec()),
            BrokenRow::Unclosed => (mark, br#"{"date": "2026-11-18 12:00:00", "conn_id": "1""#.to_vec()),
            BrokenRow::Text => (Json::text("row"), Vec::new()),
            BrokenRow::Null => (Json::Null, Vec::new()),
            BrokenRow::Huge => {
                let notes = ("notes".into(), Json::Text("n".repeat(2_000_000)));
                (Json::Object(iter::once(notes).chain(fields).collect()), Vec::new())
            }
            BrokenRow::KeysTwice => {
                let twice = ["date"].iter().chain(&TIMES).filter_map(|twice| {
                    let (key, _) = fields.iter().find(|(key, _)| key == twice)?;
                    Some((key.clone(), Json::text("?")))
                });
                let twice: Vec<_> = twice.collect();
                (Json::Object(twice.into_iter().chain(fields).collect()), Vec::new())
            }
        }
    }
}
