//! Which operations and reports are checked, if not all.

use std::collections::BTreeSet;

use crate::config::{Config, Shard};
use crate::reports::{REPORTS, Report};
use crate::yaml::mapping::nearest;
use crate::yaml::mistake::quoted;

/// Keeps the operations and reports of these names; no name of a kind means all. An error says which one is not there, and
/// which are.
pub fn select(config: &mut Config, operations: &[String], reports: &[String]) -> Result<(), String> {
    for name in operations {
        if config.elsewhere.iter().any(|other| **other == **name) {
            let shard = Shard::of(name, config.shard.total());
            return Err(format!(
                "operation {name} belongs to shard {shard}: give --shard.index={shard}"
            ));
        }
        check("operation", name, &names(config))?;
    }
    for name in reports {
        check("report", name, &REPORTS.map(|report| report.name))?;
    }
    let is_chosen = |chosen: &[String], name: &str| chosen.is_empty() || chosen.iter().any(|other| other == name);
    config
        .operations
        .retain(|operation| is_chosen(operations, &operation.name));
    let configured = config.operations.iter().flat_map(|operation| operation.reports.keys());
    let configured: BTreeSet<&'static Report> = configured.copied().collect();
    let configured: Vec<&str> = configured.into_iter().map(|report| report.name).collect();
    if let Some(name) = reports.iter().find(|name| !configured.contains(&name.as_str())) {
        return Err(format!(
            "the report {name} is not configured for {}; configured reports: {}",
            names(config).join(", "),
            configured.join(", ")
        ));
    }
    for operation in &mut config.operations {
        operation.reports.retain(|report, _| is_chosen(reports, report.name));
    }
    config.operations.retain(|operation| !operation.reports.is_empty());
    Ok(())
}

fn names(config: &Config) -> Vec<&str> {
    config.operations.iter().map(|operation| &*operation.name).collect()
}

fn check(what: &str, name: &str, all: &[&str]) -> Result<(), String> {
    if all.contains(&name) {
        return Ok(());
    }
    let hint = match nearest(name, all.iter().copied()) {
        Some(near) => format!("; did you mean {near}?"),
        None => String::new(),
    };
    Err(format!(
        "there is no {what} {}{hint}; there are: {}",
        quoted(name),
        all.join(", ")
    ))
}
