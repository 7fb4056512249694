//! Metric families: name, type, labels, help. Each is defined where its values come from: those of a report in the
//! report's file, the exporter's own in [`health`](crate::health) and [`process`].

pub mod process;
pub mod series;

/// A metric family. Each is a static; families with equal names are equal.
#[derive(Debug)]
pub struct Family {
    /// The name without the suffix that its type adds (`_total`, `_info`).
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The names of the labels apart from `operation`, in the order of the values in a series.
    pub labels: &'static [&'static str],
    /// The labels whose values become `_other` when a family has too many label sets: those with free values, or the id
    /// if the family has only an id. Empty if the number of label sets is fixed.
    pub free_labels: &'static [&'static str],
    /// The labels with fixed values, and the values.
    pub fixed_values: &'static [(&'static str, &'static [&'static str])],
    /// What it is, and its report and field, in one line.
    pub help: &'static str,
}

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A current value.
    Gauge,
    /// A value that only grows.
    Counter,
    /// Labels that describe an id.
    Info,
    /// Counts by upper bound; the list does not include `+Inf`.
    Histogram(&'static [f64]),
}

impl Family {
    /// A gauge.
    pub const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Gauge,
            labels,
            free_labels: &[],
            fixed_values: &[],
            help,
        }
    }

    /// A counter. Give the name without `_total`.
    pub const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Counter,
            labels,
            free_labels: &[],
            fixed_values: &[],
            help,
        }
    }

    /// An info. Give the name without `_info`.
    pub const fn info(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Info,
            labels,
            free_labels: &[],
            fixed_values: &[],
            help,
        }
    }

    /// A histogram.
    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        bounds: &'static [f64],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind: Kind::Histogram(bounds),
            labels,
            free_labels: &[],
            fixed_values: &[],
            help,
        }
    }

    /// Sets [`Self::free_labels`].
    #[must_use]
    pub const fn with_free_labels(self, free_labels: &'static [&'static str]) -> Self {
        Self { free_labels, ..self }
    }

    /// Sets [`Self::fixed_values`].
    #[must_use]
    pub const fn with_fixed_values(self, fixed_values: &'static [(&'static str, &'static [&'static str])]) -> Self {
        Self { fixed_values, ..self }
    }

    /// The name for queries.
    pub fn sample_name(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Info => format!("{}_info", self.name),
            Kind::Gauge | Kind::Histogram(_) => self.name.to_owned(),
        }
    }
}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.name == other.name
    }
}

impl Eq for Family {}

impl PartialOrd for Family {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Family {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name)
    }
}
