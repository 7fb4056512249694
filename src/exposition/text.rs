//! Rendering by `prometheus-client`, and the difference between OpenMetrics and the older text format.
//!
//! The library writes OpenMetrics only. Sample lines are the same in both formats, since we send neither exemplars nor
//! timestamps; the headers of counters and infos are not: OpenMetrics names the family, 0.0.4 the sample.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::Format;
use crate::metrics::Kind;
use crate::metrics::series::{Amount, FamilySeries, Value};

/// The header of a family in both formats.
#[derive(Debug)]
pub(crate) struct Header {
    family: String,
    open_metrics: Bytes,
    text: Bytes,
}

impl Header {
    pub(super) fn family(&self) -> &str {
        &self.family
    }

    pub(crate) fn lines(&self, format: Format) -> Bytes {
        match format {
            Format::OpenMetrics => self.open_metrics.clone(),
            Format::Text => self.text.clone(),
        }
    }
}

/// Renders series into one header and its sample lines per family; families without series leave nothing.
pub(crate) fn render(operation: &Arc<str>, families: Vec<FamilySeries>) -> Vec<(Header, Bytes)> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(SeriesCollector {
        operation: Arc::clone(operation),
        families,
    }));
    let mut page = String::new();
    // Writing to a string fails only if an encoder refuses a value, and ours are plain numbers and text.
    if encode_registry(&mut page, &registry).is_err() {
        tracing::error!(operation = %operation, "series could not be rendered; please report it");
        return Vec::new();
    }
    // It grew by doubling, and the blocks keep it until the next change.
    page.shrink_to_fit();
    split(page.into())
}

/// The metrics of the process, which end the page.
pub(super) fn process_part(format: Format, registry: &Registry) -> Result<Bytes, fmt::Error> {
    let mut page = String::new();
    encode_registry(&mut page, registry)?;
    let mut lines = String::new();
    for (header, samples) in split(page.into()) {
        lines.push_str(&String::from_utf8_lossy(&header.lines(format)));
        lines.push_str(&String::from_utf8_lossy(&samples));
    }
    if format == Format::OpenMetrics {
        encode_eof(&mut lines)?;
    }
    Ok(lines.into())
}

/// Splits OpenMetrics text at its families. A line that begins with `# HELP` begins one: no sample line can, since line
/// breaks in labels are escaped.
fn split(page: Bytes) -> Vec<(Header, Bytes)> {
    const HELP: &[u8] = b"# HELP ";
    let mut families = Vec::new();
    let mut rest = page;
    while rest.starts_with(HELP) {
        let next = memchr::memmem::find(&rest, b"\n# HELP ").map_or(rest.len(), |at| at + 1);
        let mut samples = rest.split_to(next);
        let mut header_end = 0;
        while samples[header_end..].starts_with(b"# ") {
            header_end += memchr::memchr(b'\n', &samples[header_end..]).map_or(samples.len() - header_end, |at| at + 1);
        }
        let header = header(&samples.split_to(header_end));
        if !samples.is_empty() {
            families.push((header, samples));
        }
    }
    families
}

/// Both forms of a header, from the OpenMetrics one.
fn header(lines: &Bytes) -> Header {
    let text = String::from_utf8_lossy(lines);
    let family = text.split(' ').nth(2).unwrap_or_default().to_owned();
    let kind = text
        .lines()
        .find_map(|line| line.strip_prefix("# TYPE ")?.split(' ').nth(1))
        .unwrap_or_default()
        .to_owned();
    let (suffix, kind) = match kind.as_str() {
        "counter" => ("_total", "counter"),
        "info" => ("_info", "gauge"),
        "unknown" => ("", "untyped"),
        other => ("", other),
    };
    let mut classic = String::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ').skip(1);
        match (words.next(), words.next(), words.next()) {
            (Some("HELP"), Some(name), help) => {
                classic.push_str(&format!("# HELP {name}{suffix} {}\n", help.unwrap_or_default()));
            }
            (Some("TYPE"), Some(name), _) => classic.push_str(&format!("# TYPE {name}{suffix} {kind}\n")),
            _ => {}
        }
    }
    Header {
        family,
        open_metrics: lines.clone(),
        text: classic.into(),
    }
}

/// The series of an operation, in order.
#[derive(Debug)]
struct SeriesCollector {
    operation: Arc<str>,
    families: Vec<FamilySeries>,
}

impl Collector for SeriesCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut labels = Vec::new();
        for FamilySeries { family, series } in &self.families {
            let kind = match family.kind {
                Kind::Gauge => MetricType::Gauge,
                Kind::Counter => MetricType::Counter,
                Kind::Info => MetricType::Info,
                Kind::Histogram(_) => MetricType::Histogram,
            };
            let mut metric = encoder.encode_descriptor(family.name, family.help, None, kind)?;
            for series in series {
                labels.clear();
                labels.push(("operation", &*self.operation));
                labels.extend(
                    family
                        .labels
                        .iter()
                        .copied()
                        .zip(series.labels.iter().map(AsRef::as_ref)),
                );
                match (&series.value, family.kind) {
                    (Value::Info, _) => metric.encode_info(&labels)?,
                    (value, kind) => encode_value(value, kind, metric.encode_family(&labels)?)?,
                }
            }
        }
        Ok(())
    }
}

fn encode_value(value: &Value, kind: Kind, mut metric: MetricEncoder<'_>) -> Result<(), fmt::Error> {
    match (value, kind) {
        (Value::Amount(Amount::Count(count)), Kind::Counter) => {
            metric.encode_counter::<NoLabelSet, _, u64>(count, None)
        }
        (Value::Amount(Amount::Sum(sum)), Kind::Counter) => {
            metric.encode_counter::<NoLabelSet, _, u64>(&sum.as_f64(), None)
        }
        (Value::Number(number), Kind::Counter) => metric.encode_counter::<NoLabelSet, _, u64>(number, None),
        (Value::Amount(Amount::Count(count)), _) => metric.encode_gauge(count),
        (Value::Amount(Amount::Sum(sum)), _) => metric.encode_gauge(&sum.as_f64()),
        (Value::Number(number), _) => metric.encode_gauge(number),
        (Value::Histogram(histogram), Kind::Histogram(bounds)) => {
            let bounds = bounds.iter().copied().chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(histogram.counts.iter().copied()).collect();
            let count = histogram.counts.iter().sum();
            metric.encode_histogram::<NoLabelSet>(histogram.sum.as_f64(), count, &buckets, None)
        }
        // A family's kind and its values are written side by side; this is a slip of ours.
        (Value::Histogram(_) | Value::Info, _) => Err(fmt::Error),
    }
}
