//! Compares the documentation with the code wherever possible.

use std::fs;
use std::path::{Path, PathBuf};

mod links;
mod messages;
mod metrics;
mod settings;

/// The path of a file of the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Its text.
fn text(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below a folder with this extension, sorted.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The section of a page below a heading, up to the next heading of the same or a higher level.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let level = heading.chars().take_while(|c| *c == '#').count();
    let from = page
        .find(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading}"));
    let below = &page[from + heading.len() + 2..];
    let ends = |n: usize| below.find(&format!("\n{} ", "#".repeat(n)));
    let end = (1..=level).filter_map(ends).min().unwrap_or(below.len());
    &below[..end]
}

/// The cells of the table row that begins with this key.
fn row<'p>(page: &'p str, key: &str) -> Option<Vec<&'p str>> {
    let line = page.lines().find(|line| {
        line.strip_prefix("| `")
            .and_then(|line| line.strip_prefix(key))
            .is_some_and(|rest| rest.starts_with(['`', '=', ' ']))
    })?;
    Some(line.trim_matches('|').split(" | ").map(str::trim).collect())
}

/// The keys of all table rows in this section: the first words in backticks.
fn row_keys(page: &str) -> Vec<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).collect()
}
