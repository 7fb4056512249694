//! Reads events: a window that goes on where the last one ended, in pieces that fit the API's record limit, and now and
//! then what lies further back.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Poller, positive};
use crate::client::{ApiError, Reason};
use crate::config::ReportConfig;
use crate::fetch::clocks;
use crate::fetch::pieces::second_after;
use crate::fetch::queries::EventQuestion;
use crate::ledger::{EventProgress, PartOf, Piece, ReportSource};
use crate::reports::ReportKind;
use crate::reports::events::Collected;

/// How much earlier a window begins when the zone was changed: no two clocks are further apart.
const ZONE_MARGIN: SignedDuration = SignedDuration::from_hours(26);
/// A window that ends within so many intervals is the live poll's, however many pieces it takes; an older one is a catch-up
/// beyond its first piece, and must not starve the live polls.
const LIVE_INTERVALS: u32 = 3;
const LIVE_PIECES: u64 = 64;
/// No row is backlog sooner, however often is polled: many a row shows some minutes after its date.
const LEAST_BACKLOG: Duration = Duration::from_secs(15 * 60);
/// A catch-up lets the other reports have their turn after one interval, and not before this.
const LEAST_TURN: Duration = Duration::from_secs(60);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A stretch of time to be read.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: Timestamp,
    until: Timestamp,
    purpose: Purpose,
}

/// The requests that a poll may make.
struct Requests {
    live: u64,
    spare: u64,
}

impl Requests {
    fn any_left(&self) -> bool {
        self.live + self.spare > 0
    }

    /// Takes one; true when it is a catch-up's.
    fn take_one(&mut self) -> bool {
        let is_catch_up = self.live == 0;
        let kind = if is_catch_up { &mut self.spare } else { &mut self.live };
        *kind = kind.saturating_sub(1);
        is_catch_up
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Birth,
    Window,
    Reread,
}

impl Purpose {
    /// What the piece that ends at `until` is part of.
    fn part_of(self, until: Timestamp, is_last: bool) -> PartOf {
        match self {
            Purpose::Birth => PartOf::Birth {
                born: is_last.then_some(until),
            },
            Purpose::Window => PartOf::Window,
            Purpose::Reread => PartOf::Reread { ended: is_last },
        }
    }
}

impl Poller {
    /// Polls a report of events. Each complete piece is committed and shown on its own.
    pub(super) async fn poll_events(&mut self, report: ReportKind, now: Timestamp) -> Result<usize, ApiError> {
        let config = self.config(report).clone();
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let zone_changed = self.check_source(report, &config, now).await?;
        let progress = self.ledger().event_progress(report).cloned();
        clocks::check_step_back(progress.as_ref().map(|progress| progress.covered), now)?;

        let mut live = live_span(progress.as_ref(), &config, now, zone_changed);
        if let Some(from) = self.unfinished.get(&report) {
            // With pieces shorter than the overlap, reaching back each time would get nowhere.
            live.from = live.from.max(*from).min(now);
        }
        let is_outage = progress
            .as_ref()
            .is_some_and(|progress| positive(now.duration_since(progress.covered)) > LIVE_INTERVALS * config.interval);
        let mut requests = Requests {
            live: if is_outage { 1 } else { LIVE_PIECES },
            spare: self.budget.spare(self.calls_until_midnight(now)),
        };
        let (mut rows, is_complete) = self.read_span(report, &config, live, now, &mut requests).await?;
        if !is_complete {
            return Ok(rows);
        }
        self.commit_source(report, &config, now).await?;
        requests.live = 0;
        if let Some(progress) = progress
            && let Some(span) = reread_span(&progress, &config, live.from, now)
            && requests.any_left()
        {
            rows += self.read_span(report, &config, span, now, &mut requests).await?.0;
        }
        Ok(rows)
    }

    fn source(&self, config: &ReportConfig) -> ReportSource {
        ReportSource {
            server: self.operation.base_url.clone(),
            zone: self.operation.timezone_name.clone(),
            filter: config.filter.clone(),
        }
    }

    /// Another server or filter gives other events: the report is born anew. Another zone only dates them otherwise,
    /// and says so here.
    pub(super) async fn check_source(
        &mut self,
        report: ReportKind,
        config: &ReportConfig,
        now: Timestamp,
    ) -> Result<bool, ApiError> {
        let source = self.source(config);
        let Some(before) = self.ledger().source(report).cloned() else {
            return Ok(false);
        };
        if before.is_another_stream(&source) {
            tracing::warn!(
                operation = &*self.operation.name,
                report = report.name(),
                "server or filter was changed: totals stay, and what is dated before now is not counted"
            );
            self.commit_source(report, config, now).await?;
            return Ok(false);
        }
        Ok(before.zone != source.zone)
    }

    pub(super) async fn commit_source(
        &mut self,
        report: ReportKind,
        config: &ReportConfig,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let source = self.source(config);
        if self.ledger().source(report) == Some(&source) {
            return Ok(());
        }
        self.commit(now, move |ledger, now| ledger.commit_source(report, &source, now))
            .await
    }

    /// Reads a span from left to right; says how many rows came, and whether it was read to its end. It stops without an
    /// error when there are no requests left, or when the other reports have waited for too long: the next poll goes on.
    async fn read_span(
        &mut self,
        report: ReportKind,
        config: &ReportConfig,
        span: Span,
        now: Timestamp,
        requests: &mut Requests,
    ) -> Result<(usize, bool), ApiError> {
        if span.from > span.until || span.until > now {
            return Err(ApiError::new(
                Reason::Other,
                "a window ends before it begins or in the future: a bug of ours",
            ));
        }
        let mut rows = 0;
        let mut from = span.from;
        let mut has_committed = false;
        let mut used = self.budget.used();
        while from <= span.until {
            let is_late =
                span.purpose == Purpose::Window && self.poll_began.elapsed() > config.interval.max(LEAST_TURN);
            if !requests.any_left() || (has_committed && is_late) {
                return Ok((rows, false));
            }
            let until = self.piece_lengths.entry(report).or_default().end(from, span.until);
            let operation = Arc::clone(&self.operation);
            let question = EventQuestion {
                report,
                from,
                until,
                zone: &operation.timezone,
                filter: config.filter.as_deref(),
                hash_key: self.ledger().hash_key(),
            };
            let answer = question.ask(&mut self.api(report, now)).await;
            let length = self.piece_lengths.entry(report).or_default();
            let Some(complete) = length.judge(from, until, answer, self.settings.cut_at)? else {
                continue;
            };
            if complete.is_capped {
                self.note_capped(report);
            }
            rows += usize::try_from(complete.count).unwrap_or(usize::MAX);
            let part_of = span.purpose.part_of(until, until == span.until);
            let piece = piece(report, config, part_of, until, now, complete.collected);
            self.commit_and_show(piece, now).await?;
            // What was asked in vain before a piece came through is the piece's: a live one would not be there without it.
            if requests.take_one() {
                self.budget.note_catch_up(self.budget.used().saturating_sub(used));
            }
            used = self.budget.used();
            has_committed = true;
            if span.purpose != Purpose::Reread {
                self.unfinished.insert(report, second_after(until));
            }
            from = second_after(until);
        }
        if span.purpose != Purpose::Reread {
            self.unfinished.remove(&report);
        }
        Ok((rows, true))
    }

    async fn commit_and_show(&mut self, piece: Piece, now: Timestamp) -> Result<(), ApiError> {
        let report = piece.report;
        let calls = self.calls_of_today(now);
        let committed = self
            .commit(now, move |ledger, now| ledger.commit_piece(&piece, calls, now))
            .await?;
        let covered = self.ledger().event_progress(report).map(|progress| progress.covered);
        if let Some(health) = self.health.reports.get_mut(&report) {
            health.tally.add(&committed.tally);
            health.backlog_rows += committed.backlog;
            health.data = covered.or(health.data);
        }
        for (family, rows) in committed.folded {
            self.health.dropped(family, rows);
        }
        self.show_counters(report);
        Ok(())
    }
}

fn piece(
    report: ReportKind,
    config: &ReportConfig,
    part_of: PartOf,
    until: Timestamp,
    now: Timestamp,
    answer: Collected,
) -> Piece {
    let signed = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    Piece {
        report,
        until,
        part_of,
        overlap: signed(config.overlap),
        reread_back: signed(config.reread.back),
        answer,
        backlog_before: earlier(now, signed((config.interval * 3).max(LEAST_BACKLOG))),
    }
}

/// The window that goes on where the last one ended. The first one reads back only to learn ids and names.
fn live_span(progress: Option<&EventProgress>, config: &ReportConfig, now: Timestamp, zone_changed: bool) -> Span {
    let overlap = SignedDuration::try_from(config.overlap).unwrap_or(SignedDuration::ZERO);
    let Some(progress) = progress else {
        return Span {
            from: earlier(now, overlap),
            until: now,
            purpose: Purpose::Birth,
        };
    };
    let margin = if zone_changed {
        ZONE_MARGIN
    } else {
        SignedDuration::ZERO
    };
    let from = earlier(earlier(progress.covered, overlap), margin)
        .max(progress.born)
        .max(progress.forgotten_before);
    Span {
        from: from.min(now),
        until: now,
        purpose: Purpose::Window,
    }
}

/// What lies before the window and is to be read again, when it is time for that.
fn reread_span(progress: &EventProgress, config: &ReportConfig, live_from: Timestamp, now: Timestamp) -> Option<Span> {
    if positive(now.duration_since(progress.reread_at)) < config.reread.every {
        return None;
    }
    let back = SignedDuration::try_from(config.reread.back).unwrap_or(SignedDuration::ZERO);
    let from = earlier(now, back).max(progress.born).max(progress.forgotten_before);
    let until = earlier(live_from, SECOND);
    (from <= until).then_some(Span {
        from,
        until,
        purpose: Purpose::Reread,
    })
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}
