//! Generates the tables of metrics and reasons from the code, and checks that a real page shows nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use prometheus_client::encoding::text::encode;
use wolkvox_exporter::client::Reason;
use wolkvox_exporter::health;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::metrics::{Family, Kind, process};
use wolkvox_exporter::reports::{REPORTS, Report};
use wolkvox_simulator::OperationPlan;

use super::{file, text};
use crate::ledger::Folder;
use crate::support::{Stage, at, zone};

const NOON: &str = "2026-11-20T17:00:00Z";
const REGENERATE: &str = "WRITE_DOCS=1 cargo test --test exporter documentation";

/// A metric as documented.
struct Entry {
    name: String,
    kind: &'static str,
    labels: Vec<String>,
    fixed_values: BTreeMap<String, Vec<&'static str>>,
    buckets: &'static [f64],
    help: String,
}

impl Entry {
    fn of_family(family: &Family) -> Self {
        let (kind, buckets): (_, &[f64]) = match family.kind {
            Kind::Gauge => ("gauge", &[]),
            Kind::Counter => ("counter", &[]),
            Kind::Info => ("info", &[]),
            Kind::Histogram(bounds) => ("histogram", bounds),
        };
        let fixed = family.fixed_values.iter();
        Self {
            name: family.sample_name(),
            kind,
            labels: [&["operation"], family.labels]
                .concat()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            fixed_values: fixed
                .map(|(label, values)| ((*label).to_owned(), values.to_vec()))
                .collect(),
            buckets,
            help: family.help.to_owned(),
        }
    }

    /// The unit of the metric, according to its name.
    fn unit(&self) -> &'static str {
        let name = self.name.trim_end_matches("_total");
        let units = [
            ("_timestamp_seconds", "seconds since 1970"),
            ("_time_seconds", "seconds"),
            ("_seconds", "seconds"),
            ("_bytes", "bytes"),
            ("_ratio", "share, 1 is 100 %"),
            ("_cost", "money"),
        ];
        // The start time of the process is a timestamp despite its conventional name.
        let name = if name == "process_start_time_seconds" {
            "_timestamp_seconds"
        } else {
            name
        };
        let unit = units.iter().find(|(ending, _)| name.ends_with(ending));
        unit.map_or("", |(_, unit)| unit)
    }

    fn row(&self) -> String {
        let labels: Vec<String> = self
            .labels
            .iter()
            .map(|label| match self.fixed_values.get(label) {
                Some(values) => format!("`{label}` = {}", values.join(", ")),
                None => format!("`{label}`"),
            })
            .collect();
        let mut help = self.help.clone();
        if !self.buckets.is_empty() {
            let bounds: Vec<String> = self.buckets.iter().map(f64::to_string).collect();
            write!(help, " Buckets up to {}.", bounds.join(", ")).unwrap();
        }
        let (name, kind, unit) = (&self.name, self.kind, self.unit());
        format!("| `{name}` | {kind} | {} | {unit} | {help} |\n", labels.join("; "))
    }
}

fn table(entries: &[Entry]) -> String {
    let rows: String = entries.iter().map(Entry::row).collect();
    format!("| metric | type | labels | unit | meaning |\n|---|---|---|---|---|\n{rows}")
}

fn of_families(families: &[&'static Family]) -> Vec<Entry> {
    families.iter().map(|family| Entry::of_family(family)).collect()
}

/// The metrics of the process, from a page with nothing else.
fn of_process() -> Vec<Entry> {
    let mut page = String::new();
    let (registry, gauges) = process::registry(at(NOON));
    gauges.certificate().set(Some(at(NOON)));
    encode(&mut page, &registry).unwrap();
    let mut entries: Vec<Entry> = Vec::new();
    let mut help = "";
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').unwrap().1;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            let (kind, ending) = match kind {
                "gauge" => ("gauge", ""),
                "counter" => ("counter", "_total"),
                "info" => ("info", "_info"),
                other => panic!("{name} is a {other}"),
            };
            entries.push(Entry {
                name: format!("{name}{ending}"),
                kind,
                labels: Vec::new(),
                fixed_values: BTreeMap::new(),
                buckets: &[],
                help: help.to_owned(),
            });
        } else if let Some((_, labels)) = line.split_once('{') {
            // The last piece is a value without a label.
            let mut labels: Vec<&str> = labels.split("=\"").collect();
            labels.pop();
            let names = labels
                .iter()
                .map(|label| label.rsplit(['"', ',']).next().unwrap().to_owned());
            entries.last_mut().unwrap().labels = names.collect();
        }
    }
    entries
}

/// Label values that no family lists.
fn fields() -> String {
    let mut table = "| `report` | `field` |\n|---|---|\n".to_owned();
    for report in REPORTS {
        writeln!(table, "| {report} | {} |", report.fields.join(", ")).unwrap();
    }
    table
}

fn reasons() -> String {
    let mut table = "| `reason` | what to do |\n|---|---|\n".to_owned();
    for reason in Reason::ALL {
        writeln!(table, "| `{}` | {} |", reason.name(), reason.advice()).unwrap();
    }
    table
}

/// The entries of a report, with those of the names that it gives.
fn of_report(report: &Report) -> Vec<Entry> {
    let mut entries = of_families(report.families);
    entries.extend(of_families(report.names));
    entries
}

/// All generated parts: the page, the marker in it, the text.
fn made() -> Vec<(&'static str, String, String)> {
    const METRICS: &str = "docs/metrics.md";
    let mut made: Vec<_> = REPORTS
        .into_iter()
        .map(|report| (METRICS, report.name.to_owned(), table(&of_report(report))))
        .collect();
    made.push((
        METRICS,
        "the exporter itself".to_owned(),
        table(&of_families(&health::FAMILIES)),
    ));
    made.push((METRICS, "fields".to_owned(), fields()));
    made.push((METRICS, "process".to_owned(), table(&of_process())));
    made.push(("docs/operations.md", "reasons".to_owned(), reasons()));
    made
}

#[test]
fn the_tables_are_those_of_the_catalogue() {
    for (path, place, table) in made() {
        let page = text(path);
        let (begin, end) = (format!("<!-- {place}: begin -->\n"), format!("<!-- {place}: end -->"));
        let (before, rest) = page
            .split_once(&begin)
            .unwrap_or_else(|| panic!("{path} lacks {begin}"));
        let (shown, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{path} lacks {end}"));
        if std::env::var_os("WRITE_DOCS").is_some() {
            fs::write(file(path), [before, &begin, &table, &end, after].concat()).unwrap();
        } else {
            assert!(
                shown == table,
                "{path}, {place}: does not match the code. Regenerate it: {REGENERATE}\n--- page\n{shown}--- code\n{table}"
            );
        }
    }
}

/// Checks the catalogue: names, labels and fixed values of everything that an exporter shows.
#[tokio::test]
async fn a_real_page_has_the_metrics_of_the_catalogue_and_no_others() {
    let mut catalogue: BTreeMap<String, Entry> = BTreeMap::new();
    let reports = REPORTS.into_iter().flat_map(of_report);
    let all = reports.chain(of_families(&health::FAMILIES)).chain(of_process());
    catalogue.extend(all.map(|entry| (entry.name.clone(), entry)));

    let folder = Folder::new("catalogue");
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with_storage(NOON, plan, Storage::file(&folder.0, "acme"), |operation, _| {
        let all = wolkvox_exporter::config::Operation::new("acme", "", operation.token.clone());
        operation.reports = all.reports;
    })
    .await;
    for now in [NOON, "2026-11-20T17:30:00Z"] {
        for report in REPORTS {
            stage.poll(report, now).await;
        }
    }

    let mut unseen: BTreeSet<&str> = catalogue.keys().map(String::as_str).collect();
    // Over HTTPS alone: `web::tls` has it.
    unseen.remove("wolkvox_exporter_certificate_expiry_timestamp_seconds");
    // With hours alone: `now::order` has it.
    unseen.remove("wolkvox_operation_open");
    for (name, labels, _) in stage.samples().await.iter() {
        let histogram = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let entry = catalogue.get(name).or_else(|| catalogue.get(histogram?));
        let entry = entry.unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        unseen.remove(entry.name.as_str());
        let shown: BTreeSet<&str> = labels
            .keys()
            .map(String::as_str)
            .filter(|label| *label != "le")
            .collect();
        assert_eq!(
            shown,
            entry.labels.iter().map(String::as_str).collect(),
            "labels of {name}"
        );
        for (label, values) in &entry.fixed_values {
            assert!(
                values.contains(&labels[label].as_str()),
                "{name}: {label}={:?}",
                labels[label]
            );
        }
    }
    assert!(unseen.is_empty(), "in the catalogue and never shown: {unseen:?}");
}
