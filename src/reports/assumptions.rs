//! What the exporter takes for granted about the API. Nobody has shown every real answer, so each assumption is checked with
//! each answer.

use super::Kind;
use crate::language::Text;

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
    pub const fn meaning(self) -> Text {
        match self {
            Assumption::DatedOnce => Text::new(
                "rows came again with another date. Each was still counted once, but only where the exporter could see that it had moved",
                "hubo filas que volvieron con otra fecha. Cada una se contó una sola vez, pero solo donde el exportador pudo ver que se había movido",
            ),
            Assumption::InsideWindow => Text::new(
                "rows are dated outside the time that was asked for. They were counted, but the operation's time zone may be wrong",
                "hay filas con fecha fuera del tiempo consultado. Se contaron, pero la zona horaria de la operación puede estar mal",
            ),
            Assumption::RowsDiffer => Text::new(
                "rows of one answer have the same ids and the same date. Events were counted as that many rows; of a campaign or an interval only the first row was used",
                "hay filas de una respuesta con los mismos ids y la misma fecha. Los eventos se contaron como tantas filas; de una campaña o un intervalo solo se usó la primera fila",
            ),
            Assumption::CountMatches => Text::new(
                "an answer had another number of rows than its message says. Rows may be missing",
                "una respuesta tenía otro número de filas que el que dice su mensaje. Pueden faltar filas",
            ),
            Assumption::KnownWords => Text::new(
                "a field has words that the exporter does not know. Where the word decides what a row is, the row was left out; elsewhere it was counted as other",
                "un campo tiene palabras que el exportador no conoce. Donde la palabra decide qué es la fila, se omitió la fila; en los demás casos se contó como other",
            ),
            Assumption::FinalWhenSeen => Text::new(
                "rows came again with other values after they were counted. They stay counted with those they had first",
                "hubo filas que volvieron con otros valores después de contarse. Quedan contadas con los primeros",
            ),
        }
    }

    /// What to do about it.
    pub const fn advice(self) -> Text {
        match self {
            Assumption::InsideWindow => Text::new(
                "compare the operation's timezone with the clock in Wolkvox; if it is right, report what check-api --shapes shows",
                "revise timezone de la operación contra el reloj en Wolkvox; si está bien, repórtenos lo que muestra check-api --shapes",
            ),
            Assumption::FinalWhenSeen => Text::new(
                "raise settle of the report, so that its rows are counted when they no longer change",
                "aumente settle del reporte, para que sus filas se cuenten cuando ya no cambian",
            ),
            _ => Text::new(
                "report what check-api --shapes shows: the exporter has to learn this about the API",
                "repórtenos lo que muestra check-api --shapes: el exportador tiene que aprender esto de la API",
            ),
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
