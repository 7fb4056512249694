//! What the exporter takes for granted about the API. Nobody has shown every real answer, so each assumption is checked with
//! each answer.

use super::Kind;

/// Something that is taken for granted: the values of the label `assumption`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// A row keeps its date.
    DatedOnce,
    /// Rows are dated within what was asked for.
    InsideWindow,
    /// The rows of one answer differ in what identifies them.
    RowsDiffer,
    /// An answer has as many rows as its message says.
    CountMatches,
    /// The words of a list are known.
    KnownWords,
    /// A row that was counted comes again with the same values.
    FinalWhenSeen,
}

impl Assumption {
    /// All assumptions.
    pub const ALL: [Assumption; 6] = [
        Assumption::DatedOnce,
        Assumption::InsideWindow,
        Assumption::RowsDiffer,
        Assumption::CountMatches,
        Assumption::KnownWords,
        Assumption::FinalWhenSeen,
    ];

    /// The value of the label `assumption`.
    pub const fn name(self) -> &'static str {
        match self {
            Assumption::DatedOnce => "dated_once",
            Assumption::InsideWindow => "inside_window",
            Assumption::RowsDiffer => "rows_differ",
            Assumption::CountMatches => "count_matches",
            Assumption::KnownWords => "known_words",
            Assumption::FinalWhenSeen => "final_when_seen",
        }
    }

    /// The assumptions that are made about reports of a kind.
    pub const fn of(kind: &Kind) -> &'static [Assumption] {
        match kind {
            Kind::Events(_) => &Self::ALL,
            Kind::Current(_) => &[Assumption::RowsDiffer, Assumption::CountMatches, Assumption::KnownWords],
            Kind::DayTotals(_) => &[Assumption::RowsDiffer, Assumption::KnownWords],
        }
    }

    /// What a violation looks like and what it means for the numbers, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Assumption::DatedOnce => {
                "rows came again with another date. Each was still counted once, but only where the exporter could see that \
                 it had moved"
            }
            Assumption::InsideWindow => {
                "rows are dated outside the time that was asked for. They were counted, but the operation's time zone may be \
                 wrong"
            }
            Assumption::RowsDiffer => {
                "rows of one answer have the same ids and the same date. Events were counted as that many rows; of a campaign \
                 or an interval only the first row was used"
            }
            Assumption::CountMatches => {
                "an answer had another number of rows than its message says. Rows may be missing"
            }
            Assumption::KnownWords => {
                "a field has words that the exporter does not know. Where the word decides what a row is, the row was left \
                 out; elsewhere it was counted as other"
            }
            Assumption::FinalWhenSeen => {
                "rows came again with other values after they were counted. They stay counted with those they had first"
            }
        }
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Assumption::InsideWindow => {
                "compare the operation's timezone with the clock in Wolkvox; if it is right, report what check-api --shapes shows"
            }
            Assumption::FinalWhenSeen => {
                "raise settle of the report, so that its rows are counted when they no longer change"
            }
            _ => "report what check-api --shapes shows: the exporter has to learn this about the API",
        }
    }
}

/// The assumptions that a row breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Violated(u8);

impl Violated {
    /// Adds an assumption.
    pub fn add(&mut self, assumption: Assumption) {
        self.0 |= 1 << assumption as u8;
    }

    /// Whether this one is broken.
    pub fn contains(self, assumption: Assumption) -> bool {
        self.0 & (1 << assumption as u8) != 0
    }

    /// The broken assumptions.
    pub fn iter(self) -> impl Iterator<Item = Assumption> {
        Assumption::ALL
            .into_iter()
            .filter(move |assumption| self.contains(*assumption))
    }
}
