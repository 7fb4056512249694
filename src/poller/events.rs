//! Polls events: a window that continues where the last one ended, in pieces that fit the API's record limit, and from
//! time to time a reread of earlier rows.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Poll, Poller};
use crate::client::{ApiError, Reason};
use crate::config::ReportConfig;
use crate::fetch::pieces::second_after;
use crate::fetch::queries::{self, EventQuery};
use crate::fetch::{clocks, window};
use crate::ledger::{EventProgress, PartOf, Piece, Rereading};
use crate::reports::Outcome;
use crate::reports::events::{Collected, EventRows};

/// How much earlier a window begins after a change of time zone: no two zones are further apart.
const ZONE_MARGIN: SignedDuration = SignedDuration::from_hours(26);
/// Up to this many intervals behind, all pieces of a window are live. Further behind, every piece after the first is catch-up
/// and draws on the catch-up allowance, so that it does not starve the live polls.
const LIVE_INTERVALS: u32 = 3;
const LIVE_PIECES: u64 = 64;
/// Rows younger than this are never backlog, however short the interval: many rows appear some minutes after their
/// date.
const LEAST_BACKLOG: Duration = Duration::from_secs(15 * 60);
/// A catch-up gives way to the other reports after one interval, but not before this.
const LEAST_TURN: Duration = Duration::from_secs(60);
/// From this many rows on, an answer of which none can be used is a failed poll. One or two bad rows of a quiet night are not.
const FEWEST_UNUSABLE: u64 = 3;
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A span of time to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    from: Timestamp,
    until: Timestamp,
    purpose: Purpose,
}

/// The requests that a poll may make.
struct Requests {
    live: u64,
    catch_up: u64,
}

impl Requests {
    fn any_left(&self) -> bool {
        self.live + self.catch_up > 0
    }

    /// Takes one request; returns true if it belongs to catching up.
    fn take_one(&mut self) -> bool {
        let is_catch_up = self.live == 0;
        let kind = if is_catch_up {
            &mut self.catch_up
        } else {
            &mut self.live
        };
        *kind = kind.saturating_sub(1);
        is_catch_up
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Birth {
        /// The end of the span, as rows are dated.
        born: Timestamp,
    },
    Window,
    Reread {
        /// When the reread began, perhaps in an earlier poll.
        began: Timestamp,
    },
}

impl Span {
    /// What a piece of it that ends at `until` is part of, for the commit.
    fn part_of(self, until: Timestamp) -> PartOf {
        match self.purpose {
            Purpose::Birth { born } => PartOf::Birth {
                until: self.until,
                born,
            },
            Purpose::Window => PartOf::Window,
            Purpose::Reread { began } => PartOf::Reread(Rereading {
                began,
                next: second_after(until),
                until: self.until,
            }),
        }
    }
}

impl Purpose {
    fn is_birth(self) -> bool {
        matches!(self, Purpose::Birth { .. })
    }

    fn is_reread(self) -> bool {
        matches!(self, Purpose::Reread { .. })
    }
}

impl Poller {
    /// Polls a report of events. Each complete piece is committed and published on its own.
    pub(super) async fn poll_events(&mut self, poll: &mut Poll, rows: EventRows) -> Result<(), ApiError> {
        // Row dates have whole seconds.
        let now = Timestamp::from_second(poll.now.as_second()).unwrap_or(poll.now);
        poll.now = now;
        let zone_changed = self.check_source(poll).await?;
        let progress = self.ledger.lock().event_progress(poll.report).cloned();
        clocks::check_step_back(progress.as_ref().map(|progress| progress.covered), now)?;

        let zone = &self.operation.timezone;
        let mut live = match &progress {
            None => birth_span(&poll.config, now, zone),
            Some(progress) => live_span(progress, &poll.config, now, zone_changed),
        };
        if let Some(from) = self.polled(poll.report).unfinished {
            // If pieces are shorter than the overlap, reaching back each time would make no progress.
            live.from = live.from.max(from).min(now);
        }
        let live_within = LIVE_INTERVALS * poll.config.interval + poll.config.settle;
        let is_outage = progress
            .as_ref()
            .is_some_and(|progress| positive(now.duration_since(progress.covered)) > live_within);
        let mut requests = Requests {
            live: if is_outage { 1 } else { LIVE_PIECES },
            catch_up: self.calls_for_catch_up(now),
        };
        if !self.read_span(poll, rows, live, &mut requests).await? {
            return Ok(());
        }
        self.commit_source(poll).await?;
        let Some(progress) = progress else { return Ok(()) };
        let Some(span) = reread_span(&progress, &poll.config, live.from, now) else {
            return Ok(());
        };
        let report = poll.report;
        if span.from > span.until {
            // The window has all of it.
            self.commit(now, move |ledger, now| ledger.commit_reread(report, now))
                .await?;
        } else {
            let mut requests = Requests {
                live: 0,
                catch_up: self.calls_for_reread(report, now),
            };
            match self.read_span(poll, rows, span, &mut requests).await {
                Ok(_) => self.reread_succeeded(report),
                Err(error) => self.reread_failed(poll, error)?,
            }
        }
        Ok(())
    }

    /// Reads a span in order, and returns whether it is complete. Stops without an error when no requests are left or
    /// when the other reports have waited too long; the next poll continues.
    async fn read_span(
        &mut self,
        poll: &mut Poll,
        rows: EventRows,
        span: Span,
        requests: &mut Requests,
    ) -> Result<bool, ApiError> {
        let report = poll.report;
        if span.from > span.until || span.until > poll.now {
            return Err(ApiError::new(
                Reason::Other,
                "the window ends before it begins or in the future; this is a bug",
            ));
        }
        let mut from = span.from;
        let mut has_committed = false;
        let mut used = self.budget.used();
        while from <= span.until {
            if has_committed {
                self.give_way().await;
                used = self.budget.used();
            }
            let is_late = !span.purpose.is_birth() && poll.began.elapsed() > poll.config.interval.max(LEAST_TURN);
            if !requests.any_left() || (has_committed && is_late) {
                return Ok(false);
            }
            let until = self.polled(report).piece_length.end(from, span.until);
            let operation = Arc::clone(&self.operation);
            let choice = poll.config.choice.clone();
            let query = EventQuery {
                report,
                rows,
                from,
                until,
                zone: &operation.timezone,
                choice: &choice,
                hash_key: self.ledger.lock().hash_key(),
                final_before: earlier(poll.now, signed(poll.config.reread.back)),
            };
            let answer = query.fetch(&mut self.api(poll)).await;
            if let Ok(answer) = &answer {
                self.check_limit(poll, &query, answer).await;
            }
            let usual = self.settings.cut_at;
            let polled = self.polled(report);
            let cut_at = polled.record_limit.cut_at(usual);
            let Some(complete) = polled.piece_length.accept(from, until, answer, cut_at)? else {
                continue;
            };
            if complete.is_capped {
                tracing::warn!(
                    operation = &*operation.name,
                    report = report.name,
                    "a single second reached the API's record limit: some of its rows may be missing"
                );
                self.polled(report).health.capped_windows += 1;
            }
            poll.rows += complete.count;
            let collected = &complete.collected;
            let is_blind = collected.rows.is_empty() && collected.tally.rows(Outcome::Invalid) >= FEWEST_UNUSABLE;
            // A reread has nothing to lose: live rows are read.
            if is_blind && !span.purpose.is_reread() {
                self.record_rows(report, &collected.tally, poll.now);
                return Err(queries::unusable(&collected.tally));
            }
            self.commit_piece(poll, span.part_of(until), until, complete.collected)
                .await?;
            // Failed requests are charged to the piece that they preceded: if a live piece needed them, they do not
            // count as catch-up.
            if requests.take_one() {
                self.budget.record_catch_up(self.budget.used().saturating_sub(used));
            }
            used = self.budget.used();
            has_committed = true;
            from = second_after(until);
            if !span.purpose.is_reread() {
                self.polled(report).unfinished = Some(from);
            }
        }
        if !span.purpose.is_reread() {
            self.polled(report).unfinished = None;
        }
        Ok(true)
    }

    /// Commits a piece and publishes what it counted.
    async fn commit_piece(
        &mut self,
        poll: &mut Poll,
        part_of: PartOf,
        until: Timestamp,
        answer: Collected,
    ) -> Result<(), ApiError> {
        let (report, now, config) = (poll.report, poll.now, &poll.config);
        let piece = Piece {
            report,
            until,
            part_of,
            overlap: signed(config.overlap),
            reread_back: signed(config.reread.back),
            reread_reach: signed(config.reread.reach()),
            record_limit: self.reports[report].record_limit.learned,
            answer,
            backlog_before: earlier(now, signed((config.interval * 3).max(LEAST_BACKLOG) + config.settle)),
        };
        let calls = self.calls_to_save(now);
        let committed = self
            .commit(now, move |ledger, now| ledger.commit_piece(&piece, calls, now))
            .await?;
        poll.add(0, &committed.tally);
        let covered = self
            .ledger
            .lock()
            .event_progress(report)
            .map(|progress| progress.covered);
        let newest = self.ledger.lock().newest_row(report);
        self.record_rows(report, &committed.tally, now);
        let health = &mut self.polled(report).health;
        health.backlog_rows += committed.backlog;
        health.lateness.add(&committed.lateness);
        health.data = covered.or(health.data);
        health.newest_row = newest.or(health.newest_row);
        for (family, rows) in committed.folded {
            self.add_dropped(family, rows);
        }
        self.publish_changes(report);
        Ok(())
    }
}

/// The first window, until rows are settled: it reads back only to learn ids and names.
fn birth_span(config: &ReportConfig, now: Timestamp, zone: &TimeZone) -> Span {
    let until = earlier(now, signed(config.settle));
    let born = window::as_dated(until, zone);
    Span {
        // In the second pass of an hour that comes twice, also to learn the rows of the first that are dated after the birth.
        from: earlier(until, signed(config.overlap)).min(born),
        until,
        purpose: Purpose::Birth { born },
    }
}

/// The window that continues where the last one ended, until rows are settled.
fn live_span(progress: &EventProgress, config: &ReportConfig, now: Timestamp, zone_changed: bool) -> Span {
    let overlap = signed(config.overlap);
    let settled = earlier(now, signed(config.settle));
    let margin = if zone_changed {
        ZONE_MARGIN
    } else {
        SignedDuration::ZERO
    };
    let from = earlier(earlier(progress.covered, overlap), margin)
        .max(progress.born)
        .max(progress.forgotten_before);
    let until = settled.max(progress.born);
    Span {
        from: from.min(until),
        until,
        purpose: Purpose::Window,
    }
}

/// The rest of a reread that was not complete, or the span before the window when one is due. It may be empty.
fn reread_span(progress: &EventProgress, config: &ReportConfig, live_from: Timestamp, now: Timestamp) -> Option<Span> {
    let readable_from = progress.born.max(progress.forgotten_before);
    if let Some(Rereading { began, next, until }) = progress.rereading
        && readable_from <= until
    {
        return Some(Span {
            from: next.max(readable_from),
            until,
            purpose: Purpose::Reread { began },
        });
    }
    if positive(now.duration_since(progress.reread_at)) < config.reread.every {
        return None;
    }
    let from = earlier(now, signed(config.reread.reach()))
        .min(progress.next_reread_from(now, signed(config.reread.back)))
        .max(readable_from);
    Some(Span {
        from,
        until: earlier(live_from, SECOND),
        purpose: Purpose::Reread { began: now },
    })
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn positive(time: SignedDuration) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::IVR;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn progress(born: &str, covered: &str, reread_at: &str) -> EventProgress {
        EventProgress {
            born: at(born),
            covered: at(covered),
            forgotten_before: at(born),
            reread_at: at(reread_at),
            reread_ended: None,
            rereading: None,
            record_limit: None,
            newest: None,
        }
    }

    /// In Santiago the clock goes back from 24:00 to 23:00 on 4 April 2026, at 03:00 UTC.
    #[test]
    fn a_birth_is_dated_like_rows() {
        let mut config = ReportConfig::new(&IVR);
        let zone = TimeZone::get("America/Santiago").unwrap();
        let span = |config: &ReportConfig, now| {
            let span = birth_span(config, at(now), &zone);
            let Purpose::Birth { born } = span.purpose else {
                panic!("{:?}", span.purpose);
            };
            [span.from, span.until, born].map(|at| at.to_string())
        };
        let usual = ["2026-04-05T00:58:00Z", "2026-04-05T02:58:00Z", "2026-04-05T02:58:00Z"];
        assert_eq!(span(&config, "2026-04-05T03:00:00Z"), usual);
        let second_pass = ["2026-04-05T01:23:00Z", "2026-04-05T03:23:00Z", "2026-04-05T02:23:00Z"];
        assert_eq!(span(&config, "2026-04-05T03:25:00Z"), second_pass);
        config.overlap = Duration::from_secs(600);
        let from_the_first = ["2026-04-05T02:23:00Z", "2026-04-05T03:23:00Z", "2026-04-05T02:23:00Z"];
        assert_eq!(span(&config, "2026-04-05T03:25:00Z"), from_the_first);
    }

    #[test]
    fn a_window_reaches_back_by_the_overlap_but_not_before_the_birth() {
        let config = ReportConfig::new(&IVR);
        let now = at("2026-11-20T12:00:00Z");
        let span = |progress: &EventProgress, zone_changed| live_span(progress, &config, now, zone_changed);
        let old = progress("2026-11-01T00:00:00Z", "2026-11-20T11:55:00Z", "2026-11-20T09:00:00Z");
        assert_eq!(span(&old, false).from, at("2026-11-20T09:55:00Z"));
        assert_eq!(span(&old, true).from, at("2026-11-19T07:55:00Z"));
        let young = progress("2026-11-20T11:00:00Z", "2026-11-20T11:55:00Z", "2026-11-20T11:00:00Z");
        assert_eq!(span(&young, true).from, at("2026-11-20T11:00:00Z"));
    }

    #[test]
    fn a_reread_is_disjoint_from_the_window_by_one_second() {
        let config = ReportConfig::new(&IVR);
        let now = at("2026-11-20T12:00:00Z");
        let live_from = at("2026-11-20T09:55:00Z");
        let due = progress("2026-11-01T00:00:00Z", "2026-11-20T11:55:00Z", "2026-11-20T06:00:00Z");
        let span = reread_span(&due, &config, live_from, now).unwrap();
        assert_eq!(
            (span.from, span.until),
            (at("2026-11-18T06:00:00Z"), at("2026-11-20T09:54:59Z"))
        );
        let early = progress("2026-11-01T00:00:00Z", "2026-11-20T11:55:00Z", "2026-11-20T06:00:01Z");
        assert_eq!(reread_span(&early, &config, live_from, now), None);
    }
}
