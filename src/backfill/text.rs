//! The history as OpenMetrics with timestamps.
//!
//! Names, labels and headers are those of `/metrics`, rendered by the same code: a series is rendered once, at zero, and its
//! lines are repeated with the value and time of each sample. The whole text is never in memory.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::history::{History, SampleGrid};
use super::plan::Plan;
use crate::exposition::{Format, text};
use crate::ledger::total::Total;
use crate::metrics::Family;
use crate::metrics::series::{Amount, FamilySeries, Label, Value};
use crate::reports::Report;

/// How much was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Series. A histogram has one for each bucket, and its sum and count.
    pub series: u64,
    /// Samples.
    pub samples: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Writes the whole history, unless it is stopped.
pub(super) fn write(
    out: &mut impl Write,
    operation: &Arc<str>,
    target_labels: &str,
    plan: &Plan,
    grid: SampleGrid,
    history: &History,
    stop: &CancellationToken,
) -> io::Result<Written> {
    let mut writer = Writer {
        out,
        stop,
        operation,
        target_labels,
        written: Written::default(),
    };
    for (report, end) in &plan.ends {
        let seconds: Vec<String> = grid.seconds(end.at).map(|second| second.to_string()).collect();
        let mut families = report.families.to_vec();
        families.sort_unstable();
        for family in families {
            let mut page = FamilySeries::new(family);
            let series: Vec<_> = history.series(report, family).collect();
            for (key, zero, _, _) in &series {
                page.push(key.labels.clone(), zero.value());
            }
            writer.family(page, |writer, n, lines| {
                let (_, zero, begin, growth) = series[n];
                let mut total = zero.clone();
                let mut values = values(family, &total);
                for (slot, second) in seconds.iter().enumerate().skip(begin as usize) {
                    let slot = u32::try_from(slot).unwrap_or(u32::MAX);
                    if let Some(growth) = growth.and_then(|growth| growth.get(&slot)) {
                        total.add_total(growth);
                        values = self::values(family, &total);
                    }
                    writer.samples(lines, &values, second)?;
                }
                Ok(())
            })?;
        }
    }
    for family in plan
        .ends
        .keys()
        .flat_map(|report| report.names)
        .collect::<BTreeSet<_>>()
    {
        let of_family = || plan.ends.iter().filter(|(report, _)| report.names.contains(family));
        let Some(end) = of_family().map(|(_, end)| end.at).max() else {
            continue;
        };
        let seconds: Vec<String> = grid.seconds(end).map(|second| second.to_string()).collect();
        let reports: Vec<&'static Report> = of_family().map(|(report, _)| *report).collect();
        let names: Vec<_> = history.names(family, &reports).collect();
        let mut page = FamilySeries::new(family);
        for (id, name, _) in &names {
            page.push(
                [Label::Owned((*id).to_owned()), Label::Owned((*name).to_owned())],
                Value::Info,
            );
        }
        writer.family(page, |writer, n, lines| {
            let (_, _, first) = names[n];
            writer.constant(lines, &seconds[(first as usize).min(seconds.len())..])
        })?;
    }
    writer.put(b"# EOF\n")?;
    writer.out.flush()?;
    Ok(writer.written)
}

/// A line of a series: the text before its value, and the index of the value.
struct Line {
    head: String,
    value: usize,
}

struct Writer<'w, W> {
    out: &'w mut W,
    stop: &'w CancellationToken,
    operation: &'w Arc<str>,
    target_labels: &'w str,
    written: Written,
}

impl<W: Write> Writer<'_, W> {
    /// Writes the header of a family, and lets each series write its samples. Writes nothing for a family without series.
    fn family(
        &mut self,
        page: FamilySeries,
        mut series: impl FnMut(&mut Self, usize, &[Line]) -> io::Result<()>,
    ) -> io::Result<()> {
        let (family, count) = (page.family, page.series.len());
        for (header, lines) in text::render(self.operation, vec![page]) {
            self.put(&header.lines(Format::OpenMetrics))?;
            let lines = String::from_utf8_lossy(&lines);
            let lines: Vec<&str> = lines.lines().collect();
            for (n, lines) in lines.chunks(lines.len() / count).enumerate() {
                if self.stop.is_cancelled() {
                    return Err(io::Error::other("it was stopped"));
                }
                let lines = self.lines(family, lines);
                self.written.series += lines.len() as u64;
                series(self, n, &lines)?;
            }
        }
        Ok(())
    }

    fn lines(&self, family: &Family, lines: &[&str]) -> Vec<Line> {
        let mut buckets = 2..;
        let lines = lines.iter().filter_map(|line| {
            // Every series has a label, at least the operation, and no value contains a space.
            let (name, rest) = line.split_once('{')?;
            let (labels, _) = rest.rsplit_once(' ')?;
            let value = match name.strip_prefix(family.name) {
                Some("_count") => 1,
                Some("_bucket") => buckets.next()?,
                _ => 0,
            };
            let head = format!("{name}{{{},{labels} ", self.target_labels);
            Some(Line { head, value })
        });
        lines.collect()
    }

    fn constant(&mut self, lines: &[Line], seconds: &[String]) -> io::Result<()> {
        let values = ["1".to_owned()];
        seconds
            .iter()
            .try_for_each(|second| self.samples(lines, &values, second))
    }

    fn samples(&mut self, lines: &[Line], values: &[String], second: &str) -> io::Result<()> {
        for line in lines {
            for part in [
                line.head.as_bytes(),
                values[line.value].as_bytes(),
                b" ",
                second.as_bytes(),
                b"\n",
            ] {
                self.put(part)?;
            }
            self.written.samples += 1;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// The values as text: one for a counter; sum, count and cumulative buckets for a histogram.
fn values(family: &Family, total: &Total) -> Vec<String> {
    match total.value() {
        Value::Amount(Amount::Count(count)) => vec![count.to_string()],
        Value::Amount(Amount::Sum(sum)) => vec![sum.as_f64().to_string()],
        Value::Histogram(histogram) => {
            let mut cumulative = 0;
            let buckets = histogram.counts.iter().map(|count| {
                cumulative += count;
                cumulative.to_string()
            });
            let buckets: Vec<String> = buckets.collect();
            let first = [histogram.sum.as_f64().to_string(), cumulative.to_string()];
            first.into_iter().chain(buckets).collect()
        }
        Value::Number(_) | Value::Info => {
            debug_assert!(false, "{} is no counter", family.name);
            vec![String::new()]
        }
    }
}
