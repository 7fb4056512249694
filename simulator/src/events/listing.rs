//! Answers that are lists of rows, whole, cut or broken.

use super::{
    RowQuery,
    broken::MARK,
    timeline::{Entry, Event},
};
use crate::{
    answers::{Answer, AnswerWriter},
    json::Json,
    switches::{BrokenRows, CampaignsEnvelope, Code, EmptyRows, OverLimit, RowOrder},
};

/// How an answer with rows is put together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing {
    /// How `code` is written.
    pub(crate) code: Code,
    /// What stands for no rows.
    pub(crate) empty: EmptyRows,
    pub(crate) envelope: CampaignsEnvelope,
    /// The broken row of this answer.
    pub(crate) broken: Option<BrokenRows>,
}

impl AnswerWriter<'_> {
    /// Rows that are oldest first, in the order of answers.
    pub(super) fn ordered<T: Event>(&self, mut entries: Vec<Entry<T>>) -> Vec<Entry<T>> {
        match self.switches.row_order {
            RowOrder::OldestFirst => {}
            RowOrder::NewestFirst => entries.reverse(),
            RowOrder::Mixed => entries.sort_by_key(|entry| entry.row.key()),
        }
        entries
    }

    /// An answer with the rows that the record limit allows.
    pub(super) fn rows(&self, query: &RowQuery, count: usize, rows: impl Iterator<Item = Json>) -> Answer {
        let listing = Listing {
            code: self.switches.code,
            empty: self.switches.empty_rows,
            envelope: CampaignsEnvelope::Data,
            broken: query.broken,
        };
        self.list(listing, count, rows)
    }

    /// The same for any report with rows.
    pub(crate) fn list(&self, listing: Listing, count: usize, rows: impl Iterator<Item = Json>) -> Answer {
        let limit = self.switches.record_limit.map_or(usize::MAX, |limit| limit as usize);
        if count == 0 {
            return self.nothing(listing.empty);
        }
        if count > limit && self.switches.over_limit == OverLimit::BadRequest {
            return self.bad_request(&format!("The query returns more than {limit} records"));
        }
        let (rows, raw) = self.broken_among(listing.broken, rows.take(limit).collect());
        let named = match self.switches.over_limit {
            OverLimit::CountedCut => count.max(rows.len()),
            OverLimit::SilentCut | OverLimit::BadRequest => rows.len(),
        };
        let answer = match listing.envelope {
            CampaignsEnvelope::BareArray => self.ok(&Json::List(rows)),
            CampaignsEnvelope::Data => self.ok(&self.envelope_with(listing.code, named, Some(Json::List(rows)))),
        };
        self.with_broken(answer, raw)
    }

    /// Rows with a broken one among them, and the bytes that [`AnswerWriter::with_broken`] needs.
    pub(crate) fn broken_among(&self, broken: Option<BrokenRows>, mut rows: Vec<Json>) -> (Vec<Json>, Option<Vec<u8>>) {
        let raw = broken.map(|broken| broken.put_among(&mut rows));
        (rows, raw)
    }

    /// The answer with what no JSON writer would write.
    pub(crate) fn with_broken(&self, mut answer: Answer, raw: Option<Vec<u8>>) -> Answer {
        if let Some(raw) = raw {
            answer.replace(MARK.as_bytes(), &raw);
        }
        answer
    }

    /// Ids never have thousands commas.
    pub(crate) fn id(&self, id: u32) -> Json {
        match self.integer(0) {
            Json::Integer(_) => Json::Integer(id.into()),
            _ => Json::Text(id.to_string()),
        }
    }

    pub(crate) fn text(&self, text: impl Into<String>) -> Json {
        let text = text.into();
        if text.is_empty() {
            self.blank()
        } else {
            Json::Text(text)
        }
    }
}
