//! The ways to read the answers: only receiving them, parsing their rows, and counting as the exporter does.

use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::Deserialize;
use wolkvox_exporter::client::{Allowance, Answer, CallBudget, Client, RetryPolicy};
use wolkvox_exporter::clock::Moment;
use wolkvox_exporter::config::{Operation, Token};
use wolkvox_exporter::ledger::{Ledger, PartOf, Piece, Rereading, Storage};
use wolkvox_exporter::reports::events::{Asked, Collected, EventReader, Events};
use wolkvox_exporter::reports::{ABANDONED_CALLS, Kind, Outcome as RowOutcome};
use wolkvox_exporter::wire::fields::Leaf;
use wolkvox_exporter::wire::json::{self, Broken};
use wolkvox_exporter::wire::{Endpoint, Query, Rows};

use super::process::Run;
use super::{Outcome, ROWS};

/// The day of the first answer's rows. Each answer has its own day, so that all rows are new.
const FIRST_DAY: Date = date(2026, 6, 1);

/// The ceiling: receives the bodies chunk by chunk and drops them; returns the number of bytes.
pub(crate) async fn drain(address: String, scripts: Vec<&'static str>) -> Outcome<Run> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only(std::iter::empty())
        .build()?;
    let begin = Instant::now();
    let mut bytes = 0;
    for script in scripts {
        let url = format!("{address}/api/v2/{script}?api=skill_2");
        let mut response = client.get(url).send().await?.error_for_status()?;
        while let Some(chunk) = response.chunk().await? {
            bytes += chunk.len() as u64;
        }
    }
    Ok(Run {
        time: begin.elapsed(),
        amount: bytes,
        ..Run::default()
    })
}

/// Requests as the exporter does.
struct Asking {
    client: Client,
    budget: CallBudget,
}

impl Asking {
    fn new(address: String) -> Outcome<Self> {
        let operation = Operation::new("bench", address, Token::given("token"));
        Ok(Self {
            client: Client::new(&operation, RetryPolicy::default())?,
            budget: CallBudget::new(u32::MAX, FIRST_DAY, 0),
        })
    }

    async fn fetch<R: Rows>(&mut self, script: &'static str, rows: impl Fn() -> R) -> Outcome<Answer<R>> {
        let query = Query {
            endpoint: Endpoint { script, api: "skill_2" },
            parameters: Vec::new(),
        };
        let allowance = Allowance {
            timeout: Duration::from_secs(60),
            retry_within: Duration::ZERO,
            budget: &mut self.budget,
            attempts: &mut Vec::new(),
        };
        Ok(self.client.fetch(&query, allowance, rows).await?)
    }
}

fn rows_of(script: &str) -> usize {
    if script == "long" { ROWS } else { 1 }
}

/// Reads with a minimal report; returns the number of rows.
pub(crate) async fn parse(address: String, scripts: Vec<&'static str>) -> Outcome<Run> {
    let mut asking = Asking::new(address)?;
    let begin = Instant::now();
    let mut count = 0;
    for script in scripts {
        let answer = asking.fetch(script, Abandoned::default).await?;
        if answer.rows.complete != rows_of(script) || answer.rows.other != 0 {
            return Err("rows were lost".into());
        }
        count += answer.count;
    }
    Ok(Run {
        time: begin.elapsed(),
        amount: count,
        ..Run::default()
    })
}

/// Does what the exporter does, with one window of a day per answer; returns how many rows were counted.
pub(crate) async fn count(address: String, scripts: Vec<&'static str>, storage: Storage) -> Outcome<Run> {
    let zone = TimeZone::get("America/Bogota")?;
    let end_of = |day: Date| -> Outcome<Timestamp> { Ok(day.at(23, 59, 59, 0).to_zoned(zone.clone())?.timestamp()) };
    let moment = |wall| Moment {
        wall,
        monotonic: tokio::time::Instant::now(),
    };
    let birth = end_of(FIRST_DAY.yesterday()?)?;
    let mut ledger = Ledger::open(storage, Duration::ZERO, 10_000, moment(birth))?;
    let born = piece(
        PartOf::Birth {
            until: birth,
            born: birth,
        },
        birth,
        Events::new(&zone, 0, Asked::ANYTHING).collected(),
    );
    ledger.commit_piece(&born, (FIRST_DAY, 1), moment(birth))?;

    let Kind::Events(events) = &ABANDONED_CALLS.kind else {
        return Err("the report has no events".into());
    };
    let mut asking = Asking::new(address)?;
    let begin = Instant::now();
    let mut run = Run::default();
    for (number, script) in scripts.into_iter().enumerate() {
        let hash_key = ledger.hash_key();
        let day = FIRST_DAY.checked_add((number as i64).days())?;
        let asked = Asked {
            first: day.at(0, 0, 0, 0),
            last: day.at(23, 59, 59, 0),
            final_before: Timestamp::MIN,
        };
        let answer = asking
            .fetch(script, || EventReader::new(events, Events::new(&zone, hash_key, asked)))
            .await?;
        let until = end_of(day)?;
        let piece = piece(PartOf::Window, until, answer.rows.finish());
        let before = Instant::now();
        let committed = ledger.commit_piece(&piece, (day, 1), moment(until))?;
        // Nothing is forgotten before it is reread.
        let reread = self::piece(
            PartOf::Reread(Rereading {
                began: until,
                next: Timestamp::MAX,
                until,
            }),
            until,
            Events::new(&zone, 0, asked).collected(),
        );
        ledger.commit_piece(&reread, (day, 1), moment(until))?;
        run.commits += before.elapsed();
        let counted = committed.tally.rows(RowOutcome::Counted);
        if counted != rows_of(script) as u64 {
            return Err(format!("{counted} rows were counted of {}", answer.count).into());
        }
        run.amount += counted;
    }
    run.time = begin.elapsed();
    Ok(run)
}

/// A piece with the default overlap and reread.
fn piece(part_of: PartOf, until: Timestamp, answer: Collected) -> Piece {
    Piece {
        report: &ABANDONED_CALLS,
        until,
        part_of,
        overlap: SignedDuration::from_hours(2),
        reread_back: SignedDuration::from_hours(48),
        reread_reach: SignedDuration::from_hours(54),
        record_limit: None,
        answer,
        backlog_before: Timestamp::MIN,
    }
}

/// Counts rows that have the fields that abandoned calls need.
#[derive(Default)]
struct Abandoned {
    complete: usize,
    other: usize,
}

#[derive(Deserialize)]
struct AbandonedRow<'a> {
    #[serde(borrow, default)]
    skill_id: Leaf<'a>,
    #[serde(borrow, default)]
    conn_id: Leaf<'a>,
    #[serde(borrow, default)]
    date: Leaf<'a>,
    #[serde(borrow, default)]
    abandon_time: Leaf<'a>,
}

impl Rows for Abandoned {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        json::row(json, |row: AbandonedRow<'_>| {
            if row.is_complete() {
                self.complete += 1;
            } else {
                self.other += 1;
            }
        })
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {
        self.other += 1;
    }
}

impl AbandonedRow<'_> {
    fn is_complete(&self) -> bool {
        let needed = [&self.skill_id, &self.conn_id, &self.date, &self.abandon_time];
        needed
            .iter()
            .all(|leaf| matches!(leaf, Leaf::Text(text) if !text.is_empty()))
    }
}
