//! An operation's own labels, such as `client` and `country`, for its info metric.

use std::collections::BTreeMap;

use crate::health;
use crate::reports::REPORTS;
use crate::secret::refuse;
use crate::yaml::mapping::Field;
use crate::yaml::mistake::quoted;

const WHAT: &str = "labels such as {client: acme, country: co}";
/// Labels and rules of Prometheus and Alertmanager that have a meaning there.
const RESERVED: [&str; 9] = [
    "job",
    "instance",
    "le",
    "quantile",
    "alertname",
    "alertstate",
    "severity",
    "audience",
    "kpi",
];
const MOST: usize = 20;
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 128;

/// Reads names and values. An empty value takes away a label that `defaults` has.
pub(super) fn read(field: Field<'_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let Some(keys) = field.clone().mapping(WHAT) else {
        return labels;
    };
    for (name, value) in keys.all_with_defaults() {
        let text = match value.is_null() {
            true => Some(String::new()),
            false => value.parse_shown("a text such as acme", label_value),
        };
        if let Err(wrong) = refuse(name, "`token_file`").and_then(|()| label_name(name)) {
            value.mistake(wrong);
        }
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            labels.insert(name.to_owned(), text);
        }
    }
    if labels.len() > MOST {
        field.mistake(format!("has {} labels: {MOST} at most", labels.len()));
    }
    labels
}

fn label_name(name: &str) -> Result<(), String> {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_valid = name.len() <= LONGEST_NAME
        && name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit());
    if !is_valid {
        return Err(format!(
            "expected a label of 1 to {LONGEST_NAME} letters (a–z), digits and `_`, not beginning with a digit; found {}",
            quoted(name)
        ));
    }
    if name.starts_with("__") || RESERVED.contains(&name) {
        return Err(format!(
            "{} is reserved by Prometheus: choose another label",
            quoted(name)
        ));
    }
    if is_used(name) {
        return Err(format!(
            "{} is a label of other metrics: choose another one",
            quoted(name)
        ));
    }
    Ok(())
}

/// Whether series have a label of this name already. A join would replace its value.
fn is_used(name: &str) -> bool {
    let of_reports = REPORTS
        .iter()
        .flat_map(|report| report.families.iter().chain(report.names));
    let families = of_reports.chain(&health::FAMILIES);
    name == "operation" || families.flat_map(|family| family.labels).any(|label| *label == name)
}

fn label_value(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().count() > LONGEST_VALUE || text.contains(char::is_control) {
        return Err(format!(
            "expected at most {LONGEST_VALUE} characters on one line; found {}",
            quoted(text)
        ));
    }
    Ok(text.to_owned())
}
