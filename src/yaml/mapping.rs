//! Reads mappings key by key, and records mistakes.
//!
//! The known keys of a mapping are the keys that are read: there is no second list to maintain.

use super::document::{Entry, Node, Value};
use super::file::YamlFile;
use super::mistake::{quoted, shown};
use crate::durations::span;
use crate::secret::{looks_secret, refuse};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Entries;
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// A value with its line and path.
#[derive(Clone)]
pub(crate) struct Field<'a> {
    node: &'a Node,
    /// The line of the key; in a list, the line of the item.
    pub(crate) line: usize,
    /// `operations[0].server`
    pub(crate) path: String,
    file: &'a YamlFile,
    /// Has the keys that a mapping here lacks.
    defaults: Option<Box<Field<'a>>>,
}

impl<'a> Field<'a> {
    pub(crate) fn root(file: &'a YamlFile) -> Self {
        Self {
            node: &file.root,
            line: file.root.line,
            path: String::new(),
            file,
            defaults: None,
        }
    }

    pub(crate) fn mistake(&self, text: impl Into<String>) {
        self.file.diagnostics.add(Some(self.line), self.path.as_str(), text);
    }

    /// The folder to which relative paths here are relative.
    pub(crate) fn folder(&self) -> &'a Path {
        &self.file.folder
    }

    /// Whether both are on the same line of one file.
    pub(crate) fn is_beside(&self, other: &Field<'_>) -> bool {
        std::ptr::eq(self.file, other.file) && self.line == other.line
    }

    /// Where it is, for a message about `other`: `line 7`, or `line 7 of conf.d/acme.yml` if it is in another file.
    pub(crate) fn place_seen_from(&self, other: &Field<'_>) -> String {
        if std::ptr::eq(self.file, other.file) {
            format!("line {}", self.line)
        } else {
            format!("line {} of {}", self.line, self.file.name)
        }
    }

    /// A key without a value.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.node.value, Value::Null)
    }

    fn expected(&self, what: &str) {
        let found = match self.node.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping of keys",
        };
        self.mistake(format!("expected {what}; found {found}"));
    }

    pub(crate) fn mapping(self, what: &str) -> Option<Mapping<'a>> {
        if let Value::Mapping(_) = &self.node.value {
            Some(Mapping::of(self))
        } else {
            self.expected(what);
            None
        }
    }

    /// A mapping, or a key without a value: then all its values are defaults.
    pub(crate) fn mapping_or_nothing(self, what: &str) -> Option<Mapping<'a>> {
        if self.is_null() {
            Some(Mapping::of(self))
        } else {
            self.mapping(what)
        }
    }

    fn entries(&self) -> &'a [Entry] {
        match &self.node.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key, from the defaults if the mapping here lacks it.
    fn find(&self, key: &str) -> Option<Field<'a>> {
        let default = self.defaults.as_ref().and_then(|defaults| defaults.find(key));
        let Some(entry) = self.entries().iter().find(|entry| entry.key == key) else {
            return default;
        };
        Some(Field {
            node: &entry.value,
            line: entry.line,
            path: self.path_of(key),
            file: self.file,
            defaults: default.map(Box::new),
        })
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(crate) fn items(&self, what: &str) -> Option<Vec<Field<'a>>> {
        let Value::Sequence(items) = &self.node.value else {
            self.expected(what);
            return None;
        };
        let item = |(index, node): (usize, &'a Node)| {
            let path = format!("{}[{index}]", self.path);
            Field {
                node,
                line: node.line,
                path,
                file: self.file,
                defaults: None,
            }
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The values of the mapping itself by key.
    fn own(&self) -> Vec<(&'a str, Field<'a>)> {
        let field = |entry: &'a Entry| Field {
            node: &entry.value,
            line: entry.line,
            path: self.path_of(&shown(&entry.key)),
            file: self.file,
            defaults: None,
        };
        let entries = self.entries().iter();
        entries.map(|entry| (entry.key.as_str(), field(entry))).collect()
    }

    /// A single value as `parse` reads it. `what` describes it in the message if it is a list, a mapping or missing.
    pub(crate) fn parse<T>(&self, what: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let Value::Scalar(text) = &self.node.value else {
            self.expected(what);
            return None;
        };
        parse(text).map_err(|wrong| self.mistake(wrong)).ok()
    }

    /// The same of a value that is shown in labels, logs or messages: something that looks like a secret is refused.
    pub(crate) fn parse_shown<T>(&self, what: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.parse(what, |text| {
            refuse(text, "`token_file`")?;
            parse(text)
        })
    }

    /// A duration within `bounds`.
    pub(crate) fn duration(&self, bounds: &Bounds<'_>) -> Option<Duration> {
        const WHAT: &str = "a duration such as 90s, 5m or 2h";
        self.parse_shown(WHAT, |text| match humantime::parse_duration(text.trim()) {
            Ok(duration) if duration < bounds.least || duration > bounds.most => Err(format!(
                "{} is out of range: from {} to {} is allowed{}",
                quoted(text),
                span(bounds.least),
                span(bounds.most),
                bounds.reason
            )),
            Ok(duration) => Ok(duration),
            // humantime's own message adds nothing to the example.
            Err(_) => Err(format!("expected {WHAT}; found {}", quoted(text))),
        })
    }

    /// A whole number from 1 on.
    pub(crate) fn count<N: Count>(&self, example: &N) -> Option<N> {
        let what = format!("a whole number from 1 on, such as {example}");
        self.parse_shown(&what, |text| match text.trim().parse::<N>() {
            Ok(number) if number != N::default() => Ok(number),
            _ => Err(format!("expected {what}; found {}", quoted(text))),
        })
    }
}

/// A type of whole numbers that are never negative.
pub(crate) trait Count: FromStr + Default + PartialEq + Display {}
impl Count for u32 {}
impl Count for usize {}

/// A mapping. Each known key is read once; [`Mapping::finish`] reports the rest.
pub(crate) struct Mapping<'a> {
    field: Field<'a>,
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
}

impl<'a> Mapping<'a> {
    fn of(field: Field<'a>) -> Self {
        Self {
            field,
            known: vec![],
            refused: vec![],
        }
    }

    /// From here on, keys that this mapping lacks, and keys in the mappings below it, are looked up in `defaults`. Mistakes
    /// in a value from there name its line and path.
    pub(crate) fn fall_back_to(&mut self, defaults: Option<&Field<'a>>) {
        self.field.defaults = defaults.cloned().map(Box::new);
    }

    /// The value of a known key.
    pub(crate) fn field(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.known.push(key);
        self.field.find(key)
    }

    /// Whether the mapping itself has the key, not only its defaults.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys().any(|own| own == key)
    }

    /// The keys of the mapping itself.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.field.entries().iter().map(|entry| entry.key.as_str())
    }

    /// The value of a key that is read elsewhere.
    pub(crate) fn peek(&self, key: &str) -> Option<Field<'a>> {
        self.field.find(key)
    }

    /// A key that is not allowed, with an explanation. True if it is present.
    pub(crate) fn refuse(&mut self, key: &'static str, why: &str) -> bool {
        self.refused.push(key);
        self.field.find(key).inspect(|field| field.mistake(why)).is_some()
    }

    /// A mistake about the mapping as a whole.
    pub(crate) fn mistake(&self, text: impl Into<String>) {
        self.field.mistake(text);
    }

    /// The number of mistakes so far, to see whether reading a key adds any.
    pub(crate) fn mistakes(&self) -> usize {
        self.field.file.diagnostics.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.field.entries().is_empty()
    }

    /// The value of `key` as `parse` reads it. `None` if it is missing or wrong.
    pub(crate) fn value<T>(
        &mut self,
        key: &'static str,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.field(key)?.parse(what, parse)
    }

    /// The same of a value that is shown: something that looks like a secret is refused.
    pub(crate) fn shown_value<T>(
        &mut self,
        key: &'static str,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.field(key)?.parse_shown(what, parse)
    }

    /// A duration within `bounds`; `default` if it is missing (or wrong, but then the result is not used).
    pub(crate) fn duration(&mut self, key: &'static str, bounds: &Bounds<'_>, default: Duration) -> Duration {
        self.optional_duration(key, bounds).unwrap_or(default)
    }

    /// A duration within `bounds`; `None` if it is missing (or wrong).
    pub(crate) fn optional_duration(&mut self, key: &'static str, bounds: &Bounds<'_>) -> Option<Duration> {
        self.field(key)?.duration(bounds)
    }

    /// A whole number from 1 on; `default` if it is missing (or wrong).
    pub(crate) fn count<N: Count>(&mut self, key: &'static str, default: N) -> N {
        self.field(key)
            .and_then(|field| field.count(&default))
            .unwrap_or(default)
    }

    /// All values by key, for a mapping whose keys are names that the user chose. A duplicate key is a mistake.
    pub(crate) fn all(&self) -> Vec<(&'a str, Field<'a>)> {
        self.report_keys(false);
        self.field.own()
    }

    /// The same, and then those that only the defaults have.
    pub(crate) fn all_with_defaults(&self) -> Vec<(&'a str, Field<'a>)> {
        let mut all = self.all();
        let defaults = self.field.defaults.iter().flat_map(|defaults| defaults.own());
        all.extend(defaults.filter(|(key, _)| !self.has(key)));
        all
    }

    /// Reports duplicate keys and unknown keys.
    pub(crate) fn finish(self) {
        self.report_keys(true);
    }

    fn report_keys(&self, unknown_too: bool) {
        // A map, so that a file with very many keys does not take quadratic time.
        let mut first_lines = HashMap::new();
        for Entry { key, line, .. } in self.field.entries() {
            let path = || self.field.path_of(&shown(key));
            let report = |text: String| self.field.file.diagnostics.add(Some(*line), path(), text);
            match first_lines.entry(key) {
                Entries::Occupied(first) => report(format!("given twice; the first one is on line {}", first.get())),
                Entries::Vacant(place) => {
                    place.insert(*line);
                    if unknown_too && !self.known.iter().chain(&self.refused).any(|known| known == key) {
                        match nearest(key, self.known.iter().copied()) {
                            _ if looks_secret(key) => report(format!(
                                "unknown key that looks like a secret: put a secret into a file of its own; the keys here are {}",
                                self.known.join(", ")
                            )),
                            Some(near) => report(format!("unknown key; did you mean `{near}`?")),
                            None => report(format!("unknown key; the keys here are {}", self.known.join(", "))),
                        }
                    }
                }
            }
        }
    }
}

/// The allowed range of a duration.
pub(crate) struct Bounds<'a> {
    pub(crate) least: Duration,
    pub(crate) most: Duration,
    /// Continues the message after "is allowed": empty, or `, since …`.
    pub(crate) reason: &'a str,
}

/// The candidate that `word` is most likely a misspelling of, if any.
pub(crate) fn nearest<S: AsRef<str>>(word: &str, candidates: impl IntoIterator<Item = S>) -> Option<S> {
    const ALIKE: f64 = 0.6;
    let word = word.to_lowercase();
    let length = word.chars().count();
    // Lengths alone may rule it out. Comparing takes time and memory in proportion to both.
    let is_comparable = |candidate: &S| {
        let other = candidate.as_ref().chars().count();
        length.min(other) as f64 >= ALIKE * length.max(other) as f64
    };
    candidates
        .into_iter()
        .filter(is_comparable)
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(&word, &candidate.as_ref().to_lowercase()),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_a_likely_misspelling() {
        let keys = ["interval", "timeout", "max_age", "overlap"];
        assert_eq!(nearest("intervall", keys), Some("interval"));
        assert_eq!(nearest("TIME_OUT", keys), Some("timeout"));
        assert_eq!(nearest("maxage", keys), Some("max_age"));
        assert_eq!(nearest("color", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
