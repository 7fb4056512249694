//! Cuts a span of time into pieces that fit the API's record limit, for polls and backfills.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::client::{Answer, ApiError, Reason};
use crate::reports::events::Collected;

/// The API answers for at most this many days at once.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);
/// The vendor's limit is 60,000 records. Cuts are silent, so integrations against it already treat 59,000 as a failure.
pub const CUT_AT: u64 = 59_000;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// How much time the next piece of a report may cover, judging by earlier pieces.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct PieceLength(SignedDuration);

/// The complete answer for a piece.
pub(crate) struct CompletePiece {
    pub(crate) collected: Collected,
    /// The number of rows in the answer.
    pub(crate) count: u64,
    /// Whether a single second reached the record limit, so that some of its rows may be missing.
    pub(crate) is_capped: bool,
}

impl Default for PieceLength {
    fn default() -> Self {
        Self(LONGEST)
    }
}

impl PieceLength {
    /// The last second of the piece that begins at `from`, in a span that ends at `until`.
    pub(crate) fn end(self, from: Timestamp, until: Timestamp) -> Timestamp {
        from.saturating_add(self.0 - SECOND).unwrap_or(until).min(until)
    }

    /// Accepts the answer for a piece, and adapts the length to it. Returns `None` if the answer was too large: request
    /// smaller pieces then.
    pub(crate) fn accept(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        answer: Result<Answer<Collected>, ApiError>,
        cut_at: u64,
    ) -> Result<Option<CompletePiece>, ApiError> {
        let Answer { rows, count, .. } = match answer {
            Ok(answer) => answer,
            // Too large, and the API says so instead of cutting the answer.
            Err(error) if error.reason == Reason::TooLarge && from < until => {
                self.halve(from, until);
                return Ok(None);
            }
            Err(error) => {
                if error.reason == Reason::Timeout {
                    // Perhaps there was too much to find in time, so ask for less next.
                    self.halve(from, until);
                }
                return Err(error);
            }
        };
        let is_cut = count >= cut_at;
        if is_cut && from < until {
            // What is missing is unknown, so discard the answer and ask for smaller pieces.
            self.halve(from, until);
            return Ok(None);
        }
        self.adapt(until.duration_since(from) + SECOND, count, cut_at);
        Ok(Some(CompletePiece {
            collected: rows,
            count,
            is_capped: is_cut,
        }))
    }

    /// Half of the span, in whole seconds.
    fn halve(&mut self, from: Timestamp, until: Timestamp) {
        self.0 = SignedDuration::from_secs(((until.as_second() - from.as_second() + 1) / 2).max(1));
    }

    /// Aims at two thirds of the record limit, judging by the density of the last piece.
    fn adapt(&mut self, last: SignedDuration, count: u64, cut_at: u64) {
        let wanted = i128::from(last.as_secs()) * i128::from(cut_at) * 2 / 3 / i128::from(count.max(1));
        let longest = i128::from(LONGEST.as_secs());
        self.0 = SignedDuration::from_secs(i64::try_from(wanted.clamp(1, longest)).unwrap_or(1));
    }
}

/// The second after an instant, where the next piece begins.
pub(crate) fn second_after(at: Timestamp) -> Timestamp {
    at.saturating_add(SECOND).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::reports::events::{Asked, Events};

    const CUT_AT: u64 = 900;
    const DAY: i64 = 24 * 3600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn rows(count: u64) -> Result<Answer<Collected>, ApiError> {
        Ok(Answer {
            rows: Events::new(&TimeZone::UTC, 0, Asked::ANYTHING).collected(),
            date: None,
            count,
            bytes: 0,
            announced: None,
        })
    }

    /// Passes an answer for the seconds `from..=until`; returns whether the piece is complete, or why it failed.
    fn give(
        length: &mut PieceLength,
        (from, until): (i64, i64),
        answer: Result<Answer<Collected>, ApiError>,
    ) -> Result<bool, Reason> {
        let complete = length.accept(at(from), at(until), answer, CUT_AT);
        complete
            .map(|complete| complete.is_some())
            .map_err(|error| error.reason)
    }

    /// The length of the next piece in seconds.
    fn seconds(length: PieceLength) -> i64 {
        length.end(at(0), Timestamp::MAX).as_second() - at(0).as_second() + 1
    }

    #[test]
    fn a_piece_ends_with_its_stretch_or_after_31_days() {
        let length = PieceLength::default();
        assert_eq!(length.end(at(0), at(9)), at(9));
        assert_eq!(
            length.end(at(0), at(40 * DAY)),
            at(31 * DAY - 1),
            "both ends are included"
        );
    }

    #[test]
    fn an_answer_that_may_be_cut_is_thrown_away_and_asked_in_halves() {
        let mut length = PieceLength::default();
        assert_eq!(give(&mut length, (0, 99), rows(CUT_AT)), Ok(false));
        assert_eq!(seconds(length), 50);
        assert_eq!(give(&mut length, (0, 49), rows(CUT_AT - 1)), Ok(true));
    }

    #[test]
    fn a_single_second_that_may_be_cut_is_taken_as_it_is() {
        let mut length = PieceLength::default();
        let complete = length.accept(at(5), at(5), rows(CUT_AT), CUT_AT).unwrap().unwrap();
        assert!(complete.is_capped);
        assert_eq!(complete.count, CUT_AT);
        assert_eq!(seconds(length), 1);
    }

    #[test]
    fn the_next_piece_is_as_long_as_two_thirds_of_an_answer_take() {
        let mut length = PieceLength::default();
        assert_eq!(give(&mut length, (0, 99), rows(300)), Ok(true));
        assert_eq!(seconds(length), 200, "3 rows a second, and 600 wanted");
        assert_eq!(give(&mut length, (0, 99), rows(0)), Ok(true));
        assert_eq!(seconds(length), 60_000, "as if there had been one row");
        assert_eq!(give(&mut length, (0, DAY - 1), rows(1)), Ok(true));
        assert_eq!(seconds(length), 31 * DAY);
    }

    #[test]
    fn too_large_an_answer_is_asked_in_halves_and_a_timeout_fails_the_poll() {
        let mut length = PieceLength::default();
        let error = |reason| Err(ApiError::new(reason, "no answer"));
        assert_eq!(give(&mut length, (0, 99), error(Reason::TooLarge)), Ok(false));
        assert_eq!(seconds(length), 50);
        assert_eq!(
            give(&mut length, (0, 0), error(Reason::TooLarge)),
            Err(Reason::TooLarge)
        );
        assert_eq!(give(&mut length, (0, 19), error(Reason::Timeout)), Err(Reason::Timeout));
        assert_eq!(seconds(length), 10, "the next poll asks for less");
        assert_eq!(give(&mut length, (0, 99), error(Reason::Connect)), Err(Reason::Connect));
        assert_eq!(seconds(length), 10);
    }
}
