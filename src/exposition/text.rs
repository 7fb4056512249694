//! Renders series with `prometheus-client`, and turns its OpenMetrics into the older text format.
//!
//! Sample lines are the same in both formats, since we send neither exemplars nor timestamps. The headers of counters and
//! infos differ: OpenMetrics names the family, text 0.0.4 names the samples.
//!
//! The library only writes a whole page of OpenMetrics, so we split what it wrote at the headers. That relies on details
//! which a new version of the library may change: `# HELP` is the first line of each family, and `# EOF` is left to us. The
//! tests below pin its exact text; when one of them fails after an update, check `split` and `header`.

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

/// Renders series into a header and sample lines for each family; a family without series is left out.
pub(crate) fn render(operation: &Arc<str>, families: Vec<FamilySeries>) -> Vec<(Header, Bytes)> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(SeriesCollector {
        operation: Arc::clone(operation),
        families,
    }));
    let mut page = String::new();
    // Fails only if an encoder refuses a value, and ours are plain numbers and text.
    if encode_registry(&mut page, &registry).is_err() {
        tracing::error!(operation = %operation, "series could not be rendered; please report it");
        return Vec::new();
    }
    // The blocks keep this buffer until the next change, and it has grown by doubling.
    page.shrink_to_fit();
    split(page.into())
}

/// The metrics of the process, and the end of the page.
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

/// Splits OpenMetrics text into families. Each begins with `# HELP`; no sample line can, since line breaks in labels are
/// escaped.
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

/// A header in both formats, from the one in OpenMetrics.
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

/// The series of an operation, in the form in which the library takes them.
#[derive(Debug)]
struct SeriesCollector {
    operation: Arc<str>,
    families: Vec<FamilySeries>,
}

impl Collector for SeriesCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut labels = Vec::new();
        for FamilySeries {
            family,
            series,
            own_labels,
        } in &self.families
        {
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
                labels.extend(own_labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
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
        // A family with values of another kind is a bug of ours.
        (Value::Histogram(_) | Value::Info, _) => Err(fmt::Error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Family;
    use crate::metrics::series::{Histogram, Label, Micros};

    static CALLS: Family = Family::counter("calls", &["skill"], "Calls of a skill");
    static COST: Family = Family::counter("cost", &[], "What calls cost");
    static AGENTS: Family = Family::gauge("agents", &["state"], "Agents");
    static SKILL: Family = Family::info("skill", &["id", "name"], "Names");
    static WAIT: Family = Family::histogram("wait_seconds", &["skill"], &[0.5, 10.0], "Waiting times");
    static EMPTY: Family = Family::gauge("empty", &[], "Without series");

    fn series(family: &'static Family, labels: &[&'static str], value: Value) -> FamilySeries {
        let mut series = FamilySeries::new(family);
        let labels: Vec<Label> = labels.iter().copied().map(Label::Borrowed).collect();
        series.push(labels, value);
        series
    }

    /// One family of each kind, with labels that have to be escaped.
    fn families() -> Vec<FamilySeries> {
        let histogram = Histogram {
            counts: vec![1, 0, 2],
            sum: Micros(61_500_000),
        };
        vec![
            series(&CALLS, &["a\"b\\c\n# HELP d"], Value::Amount(Amount::Count(7))),
            series(&COST, &[], Value::Amount(Amount::Sum(Micros(1_250_000)))),
            series(&AGENTS, &["ready"], Value::Number(3.0)),
            series(&SKILL, &["1", "Ventas ñ"], Value::Info),
            series(&WAIT, &["1"], Value::Histogram(histogram)),
            FamilySeries::new(&EMPTY),
        ]
    }

    fn page(format: Format) -> String {
        let rendered = render(&Arc::from("acme"), families());
        let parts = rendered
            .iter()
            .flat_map(|(header, samples)| [header.lines(format), samples.clone()]);
        parts.map(|part| String::from_utf8(part.to_vec()).unwrap()).collect()
    }

    /// What `split` and `header` rely on.
    #[test]
    fn the_library_writes_openmetrics_as_before() {
        let mut registry = Registry::default();
        let operation = Arc::from("acme");
        let families = families();
        registry.register_collector(Box::new(SeriesCollector { operation, families }));
        let mut written = String::new();
        encode_registry(&mut written, &registry).unwrap();
        insta::assert_snapshot!(written, @r##"
        # HELP calls Calls of a skill
        # TYPE calls counter
        calls_total{operation="acme",skill="a\"b\\c\n# HELP d"} 7
        # HELP cost What calls cost
        # TYPE cost counter
        cost_total{operation="acme"} 1.25
        # HELP agents Agents
        # TYPE agents gauge
        agents{operation="acme",state="ready"} 3.0
        # HELP skill Names
        # TYPE skill info
        skill_info{operation="acme",id="1",name="Ventas ñ"} 1
        # HELP wait_seconds Waiting times
        # TYPE wait_seconds histogram
        wait_seconds_sum{operation="acme",skill="1"} 61.5
        wait_seconds_count{operation="acme",skill="1"} 3
        wait_seconds_bucket{le="0.5",operation="acme",skill="1"} 1
        wait_seconds_bucket{le="10.0",operation="acme",skill="1"} 1
        wait_seconds_bucket{le="+Inf",operation="acme",skill="1"} 3
        # HELP empty Without series
        # TYPE empty gauge
        "##);
    }

    #[test]
    fn openmetrics_keeps_every_line_but_those_of_a_family_without_series() {
        insta::assert_snapshot!(page(Format::OpenMetrics), @r##"
        # HELP calls Calls of a skill
        # TYPE calls counter
        calls_total{operation="acme",skill="a\"b\\c\n# HELP d"} 7
        # HELP cost What calls cost
        # TYPE cost counter
        cost_total{operation="acme"} 1.25
        # HELP agents Agents
        # TYPE agents gauge
        agents{operation="acme",state="ready"} 3.0
        # HELP skill Names
        # TYPE skill info
        skill_info{operation="acme",id="1",name="Ventas ñ"} 1
        # HELP wait_seconds Waiting times
        # TYPE wait_seconds histogram
        wait_seconds_sum{operation="acme",skill="1"} 61.5
        wait_seconds_count{operation="acme",skill="1"} 3
        wait_seconds_bucket{le="0.5",operation="acme",skill="1"} 1
        wait_seconds_bucket{le="10.0",operation="acme",skill="1"} 1
        wait_seconds_bucket{le="+Inf",operation="acme",skill="1"} 3
        "##);
    }

    #[test]
    fn text_0_0_4_names_the_samples_of_counters_and_infos() {
        insta::assert_snapshot!(page(Format::Text), @r##"
        # HELP calls_total Calls of a skill
        # TYPE calls_total counter
        calls_total{operation="acme",skill="a\"b\\c\n# HELP d"} 7
        # HELP cost_total What calls cost
        # TYPE cost_total counter
        cost_total{operation="acme"} 1.25
        # HELP agents Agents
        # TYPE agents gauge
        agents{operation="acme",state="ready"} 3.0
        # HELP skill_info Names
        # TYPE skill_info gauge
        skill_info{operation="acme",id="1",name="Ventas ñ"} 1
        # HELP wait_seconds Waiting times
        # TYPE wait_seconds histogram
        wait_seconds_sum{operation="acme",skill="1"} 61.5
        wait_seconds_count{operation="acme",skill="1"} 3
        wait_seconds_bucket{le="0.5",operation="acme",skill="1"} 1
        wait_seconds_bucket{le="10.0",operation="acme",skill="1"} 1
        wait_seconds_bucket{le="+Inf",operation="acme",skill="1"} 3
        "##);
    }

    #[test]
    fn each_family_is_found_by_its_name() {
        let rendered = render(&Arc::from("acme"), families());
        let names: Vec<_> = rendered.iter().map(|(header, _)| header.family()).collect();
        assert_eq!(names, ["calls", "cost", "agents", "skill", "wait_seconds"]);
    }

    #[test]
    fn the_end_of_the_page_is_marked_in_openmetrics_only() {
        let registry = Registry::default();
        assert_eq!(process_part(Format::OpenMetrics, &registry).unwrap(), "# EOF\n");
        assert_eq!(process_part(Format::Text, &registry).unwrap(), "");
    }
}
