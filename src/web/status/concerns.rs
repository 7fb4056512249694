//! What is not well although every report is read.
//!
//! One rule decides the colour. **Red**: a report is not read, since its last poll failed. **Amber**: reports are read, but what they
//! show is missing, late, doubtful or not what was configured, now, and somebody can do something about it. **A note**: what has
//! passed or does no harm yet, such as a row that was not understood, calls of other programs, or a state that is only in memory.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::PageData;
use crate::health::{OperationHealth, ReportHealth};
use crate::language::Text;
use crate::reports::{Kind, Report};

/// Data may be late by as many intervals.
const LATE_INTERVALS: u32 = 3;
/// Data of short intervals may be late by this much all the same.
const LEAST_LATE: Duration = Duration::from_secs(15 * 60);

/// As long as the alert on it looks back.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// A reason for amber, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concern {
    /// The configuration could not be read again.
    OldConfiguration,
    /// The state of the operation could not be saved.
    NotSaved,
    /// Polls are left out to save calls.
    Thinned,
    /// Gauges are withdrawn because they are older than `max_age`.
    Withdrawn,
    /// Data is older than it should be.
    Late,
    /// An assumption about the API was broken in the last 24 hours.
    Doubtful,
    /// The series limit left something out.
    OverLimit,
}

impl Concern {
    /// In a word or two.
    pub(super) const fn name(self) -> Text {
        match self {
            Concern::OldConfiguration => Text::new("old configuration", "configuración anterior"),
            Concern::NotSaved => Text::new("not saved", "sin guardar"),
            Concern::Thinned => Text::new("polls left out", "lecturas omitidas"),
            Concern::Withdrawn => Text::new("withdrawn", "retirado"),
            Concern::Late => Text::new("late", "atrasado"),
            Concern::Doubtful => Text::new("doubtful", "dudoso"),
            Concern::OverLimit => Text::new("over series_limit", "sobre series_limit"),
        }
    }

    /// What is the matter.
    pub(super) const fn what(self) -> Text {
        match self {
            Concern::OldConfiguration => Text::new(
                "The last reload failed. The exporter goes on with the configuration that it had before.",
                "La última recarga falló. El exportador sigue con la configuración que tenía.",
            ),
            Concern::NotSaved => Text::new(
                "The state could not be saved. Counters stand still until it can.",
                "No se pudo guardar el estado. Los contadores no avanzan hasta que se pueda.",
            ),
            Concern::Thinned => Text::new(
                "The calls left for today are too few for all polls, so some are left out. Figures are older than configured.",
                "Las consultas que quedan hoy no alcanzan para todas las lecturas, así que se omiten algunas. Las cifras son más viejas de lo configurado.",
            ),
            Concern::Withdrawn => Text::new(
                "The last data is older than max_age, so these gauges are not shown.",
                "Los últimos datos son más viejos que max_age, así que no se muestran.",
            ),
            Concern::Late => Text::new(
                "The data is older than three intervals. Counters lag behind.",
                "Los datos tienen más de tres intervalos. Los contadores están atrasados.",
            ),
            Concern::Doubtful => Text::new(
                "Something that the exporter takes for granted about the API did not hold in the last 24 hours. Counts may be wrong.",
                "Algo que el exportador da por sentado sobre la API no se cumplió en las últimas 24 horas. Los conteos pueden estar mal.",
            ),
            Concern::OverLimit => Text::new(
                "There are more label sets than series_limit allows. What came later is counted as _other or left out.",
                "Hay más combinaciones de etiquetas de las que permite series_limit. Lo que llegó después se cuenta como _other o se omite.",
            ),
        }
    }

    /// What to do.
    pub(super) const fn advice(self) -> Text {
        match self {
            Concern::OldConfiguration => Text::new(
                "run check-config, correct what it names, and reload again",
                "ejecute check-config, corrija lo que indique y vuelva a recargar",
            ),
            Concern::NotSaved => Text::new("check the disk of state_path", "revise el disco de state_path"),
            Concern::Thinned => Text::new(
                "raise daily_calls if the licences allow it, lengthen the intervals, or say with hours when people work",
                "aumente daily_calls si las licencias lo permiten, alargue los intervalos, o indique con hours cuándo se trabaja",
            ),
            Concern::Withdrawn => Text::new(
                "leave max_age out, and it follows the interval in effect; or make it longer than two intervals",
                "quite max_age, y seguirá al intervalo vigente; o póngalo en más de dos intervalos",
            ),
            Concern::Late => Text::new(
                "after an outage wait until it has caught up; otherwise see how long polls take, and spread reports over longer intervals",
                "después de una caída espere a que se ponga al día; si no, mire cuánto tardan las lecturas y alargue los intervalos",
            ),
            Concern::Doubtful => Text::new(
                "see what the part Assumptions of the operation says",
                "mire lo que dice la sección Supuestos de la operación",
            ),
            Concern::OverLimit => Text::new(
                "see what makes so many ids, or raise series_limit",
                "mire qué produce tantos ids, o aumente series_limit",
            ),
        }
    }
}

/// The concerns of a report, if its last poll succeeded: otherwise its failure explains them.
pub(super) fn of_report(
    operation: &str,
    kind: &'static Report,
    report: &ReportHealth,
    data: PageData<'_>,
) -> Vec<Concern> {
    if report.up != Some(true) {
        return Vec::new();
    }
    let is_withdrawn = matches!(kind.kind, Kind::Current(_)) && data.published.view(operation, kind).is_none();
    let found = [
        (Concern::Thinned, report.one_of > 1),
        (Concern::Withdrawn, is_withdrawn),
        (Concern::Late, !is_withdrawn && is_late(report, data.now)),
        (Concern::Doubtful, !report.violations.broken().is_empty()),
    ];
    found
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(concern, _)| concern)
        .collect()
}

/// The concerns of an operation as a whole.
pub(super) fn of_operation(operation: &OperationHealth, now: Timestamp) -> Vec<Concern> {
    let is_recent = |at: Timestamp| now.duration_since(at) < RECENT;
    let found = [
        (Concern::NotSaved, operation.state.is_failing),
        (Concern::OverLimit, operation.dropped_at.is_some_and(is_recent)),
    ];
    found
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(concern, _)| concern)
        .collect()
}

/// Whether anything of an operation is a concern.
pub(super) fn is_concerned(name: &str, operation: &OperationHealth, data: PageData<'_>) -> bool {
    let mut reports = operation.reports.iter();
    !of_operation(operation, data.now).is_empty()
        || reports.any(|(kind, report)| !of_report(name, kind, report, data).is_empty())
}

/// Whether the oldest of what is shown is older than some intervals.
fn is_late(report: &ReportHealth, now: Timestamp) -> bool {
    let age = |at: Option<Timestamp>| at.map(|at| now.duration_since(at)).unwrap_or_default();
    let allowed = report.interval.saturating_mul(LATE_INTERVALS).max(LEAST_LATE);
    let allowed = SignedDuration::try_from(allowed).unwrap_or(SignedDuration::MAX);
    let settle = SignedDuration::try_from(report.settle).unwrap_or_default();
    age(report.last_success) > allowed || age(report.data) > allowed.saturating_add(settle)
}
