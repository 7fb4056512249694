//! The ways to read the answers: only receiving them, parsing their rows, and counting as the exporter does.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
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
use super::{ANSWERS, Outcome, ROWS};

const REREAD_BACK: SignedDuration = SignedDuration::from_hours(48);
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

/// Reads the rows of the bodies from memory with `serde_json` alone; returns the number of rows. Only that takes time.
pub(crate) async fn read_from_memory(address: String, scripts: Vec<&'static str>) -> Outcome<Run> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        data: Counted<'a>,
    }
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only(std::iter::empty())
        .build()?;
    let mut run = Run::default();
    for script in scripts {
        let url = format!("{address}/api/v2/{script}?api=skill_2");
        let body = client.get(url).send().await?.text().await?;
        let begin = Instant::now();
        let Counted(complete, _) = serde_json::from_str::<Body<'_>>(&body)?.data;
        run.time += begin.elapsed();
        if complete != rows_of(script) {
            return Err("rows were lost".into());
        }
        run.amount += complete as u64;
    }
    Ok(run)
}

/// How many rows a list has that are complete. Each is dropped as soon as it is read.
struct Counted<'a>(usize, PhantomData<&'a ()>);

impl<'de: 'a, 'a> Deserialize<'de> for Counted<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<'a>(PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for List<'a> {
            type Value = Counted<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("rows")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
                let mut complete = 0;
                while let Some(row) = rows.next_element::<AbandonedRow<'_>>()? {
                    complete += usize::from(row.is_complete());
                }
                Ok(Counted(complete, PhantomData))
            }
        }

        deserializer.deserialize_seq(List(PhantomData))
    }
}

/// Counts all long answers when it is asked for the short one, and later reads them again; returns how many rows are known.
pub(crate) async fn again(address: String, scripts: Vec<&'static str>, storage: Storage) -> Outcome<Run> {
    let outcome = match scripts[..] {
        ["short"] => RowOutcome::Counted,
        _ => RowOutcome::Duplicate,
    };
    let kept = SignedDuration::from_hours(30 * 24);
    commit_all(address, vec!["long"; ANSWERS], storage, outcome, kept).await
}

/// Does what the exporter does, with one window of a day per answer; returns how many rows were counted.
pub(crate) async fn count(address: String, scripts: Vec<&'static str>, storage: Storage) -> Outcome<Run> {
    commit_all(address, scripts, storage, RowOutcome::Counted, REREAD_BACK).await
}

/// Commits answers, in which all rows are expected to have one outcome, and forgets rows that are older than `kept`.
async fn commit_all(
    address: String,
    scripts: Vec<&'static str>,
    storage: Storage,
    outcome: RowOutcome,
    kept: SignedDuration,
) -> Outcome<Run> {
    let piece = |part_of, until, answer| piece(part_of, until, answer, kept);
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
        let window = piece(PartOf::Window, until, answer.rows.finish());
        let before = Instant::now();
        let committed = ledger.commit_piece(&window, (day, 1), moment(until))?;
        // Nothing is forgotten before it is reread.
        let reread = piece(
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
        let rows = committed.tally.rows(outcome);
        if rows != rows_of(script) as u64 {
            return Err(format!("{rows} rows are {outcome:?}, of {}", answer.count).into());
        }
        run.amount += rows;
    }
    run.time = begin.elapsed();
    Ok(run)
}

/// A piece with the default overlap.
fn piece(part_of: PartOf, until: Timestamp, answer: Collected, reread_back: SignedDuration) -> Piece {
    Piece {
        report: &ABANDONED_CALLS,
        until,
        part_of,
        overlap: SignedDuration::from_hours(2),
        reread_back,
        reread_reach: reread_back + SignedDuration::from_hours(6),
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
        json::row(json, |row: &AbandonedRow<'_>| {
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
