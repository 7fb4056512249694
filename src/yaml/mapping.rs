//! Reads mappings key by key and notes what is wrong with them.
//!
//! The keys that a mapping may have are those that are asked for: there is no second list to keep in step.

use super::document::{Entry, Node, Value};
use super::mistake::{Notes, quoted, shown};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Entries;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// A value, where it stands and what it is called.
pub(crate) struct Field<'a> {
    node: &'a Node,
    /// The line of the key, since that is where a reader looks; in a list, the line of the item.
    pub(crate) line: usize,
    /// `operations[0].server`
    pub(crate) path: String,
    notes: &'a Notes,
}

impl<'a> Field<'a> {
    pub(crate) fn root(node: &'a Node, notes: &'a Notes) -> Self {
        Self {
            node,
            line: node.line,
            path: String::new(),
            notes,
        }
    }

    pub(crate) fn mistake(&self, text: impl Into<String>) {
        self.notes.add(Some(self.line), self.path.as_str(), text);
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
        if let Value::Mapping(entries) = &self.node.value {
            Some(Mapping {
                entries,
                line: self.line,
                path: self.path,
                notes: self.notes,
                known: vec![],
                refused: vec![],
            })
        } else {
            self.expected(what);
            None
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
                notes: self.notes,
            }
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// A single value as `parse` reads it; `what` describes it for those who wrote something else altogether.
    pub(crate) fn parse<T>(&self, what: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let Value::Scalar(text) = &self.node.value else {
            self.expected(what);
            return None;
        };
        parse(text).map_err(|wrong| self.mistake(wrong)).ok()
    }
}

/// A mapping of which each known key is asked for once; [`Mapping::finish`] then speaks about the rest.
pub(crate) struct Mapping<'a> {
    entries: &'a [Entry],
    line: usize,
    path: String,
    notes: &'a Notes,
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
}

impl<'a> Mapping<'a> {
    /// The value of a key that the mapping may have.
    pub(crate) fn field(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.known.push(key);
        self.find(key)
    }

    fn find(&self, key: &str) -> Option<Field<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(Field {
            node: &entry.value,
            line: entry.line,
            path: self.path_of(key),
            notes: self.notes,
        })
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// A key that the mapping must not have, although one could think so. True when it is there.
    pub(crate) fn refuse(&mut self, key: &'static str, why: &str) -> bool {
        self.refused.push(key);
        self.find(key).inspect(|field| field.mistake(why)).is_some()
    }

    /// A mistake about the mapping as a whole.
    pub(crate) fn mistake(&self, text: impl Into<String>) {
        self.notes.add(Some(self.line), self.path.as_str(), text);
    }

    /// How many mistakes there are so far: to see whether reading a key has made any.
    pub(crate) fn mistakes(&self) -> usize {
        self.notes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of `key` as `parse` reads it. `None` when it is absent or wrong.
    pub(crate) fn value<T>(
        &mut self,
        key: &'static str,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.field(key)?.parse(what, parse)
    }

    /// A duration within `bounds`; `default` when it is absent (or wrong: then nobody will use the result).
    pub(crate) fn duration(&mut self, key: &'static str, bounds: &Bounds, default: Duration) -> Duration {
        const WHAT: &str = "a duration such as 90s, 5m or 2h";
        let parse = |text: &str| match humantime::parse_duration(text.trim()) {
            Ok(duration) if duration < bounds.least || duration > bounds.most => Err(format!(
                "{} is out of range: from {} to {} is allowed{}",
                quoted(text),
                span(bounds.least),
                span(bounds.most),
                bounds.reason
            )),
            Ok(duration) => Ok(duration),
            // humantime's own words add nothing to the example.
            Err(_) => Err(format!("expected {WHAT}; found {}", quoted(text))),
        };
        self.value(key, WHAT, parse).unwrap_or(default)
    }

    /// A whole number from 1 on; `default` when it is absent (or wrong).
    pub(crate) fn count<N: FromStr + Default + PartialEq + Display>(&mut self, key: &'static str, default: N) -> N {
        let what = format!("a whole number from 1 on, such as {default}");
        let parse = |text: &str| match text.trim().parse::<N>() {
            Ok(number) if number != N::default() => Ok(number),
            _ => Err(format!("expected {what}; found {}", quoted(text))),
        };
        self.value(key, &what, parse).unwrap_or(default)
    }

    /// Every value, by its key: of a mapping whose keys are names that the user chose. A key given twice is a mistake.
    pub(crate) fn all(self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        self.note_strangers(false);
        self.entries.iter().map(move |entry| {
            let field = Field {
                node: &entry.value,
                line: entry.line,
                path: self.path_of(&shown(&entry.key)),
                notes: self.notes,
            };
            (entry.key.as_str(), field)
        })
    }

    /// Notes keys given twice and keys nobody has asked for.
    pub(crate) fn finish(self) {
        self.note_strangers(true);
    }

    fn note_strangers(&self, unknown: bool) {
        // By name: a file of nothing but keys must not take the square of their number.
        let mut first_lines = HashMap::new();
        for Entry { key, line, .. } in self.entries {
            let note = |text: String| self.notes.add(Some(*line), self.path_of(&shown(key)), text);
            match first_lines.entry(key) {
                Entries::Occupied(first) => note(format!("given twice; the first one is on line {}", first.get())),
                Entries::Vacant(place) => {
                    place.insert(*line);
                    if unknown && !self.known.iter().chain(&self.refused).any(|known| known == key) {
                        match nearest(key, self.known.iter().copied()) {
                            Some(near) => note(format!("unknown key; did you mean `{near}`?")),
                            None => note(format!("unknown key; the keys here are {}", self.known.join(", "))),
                        }
                    }
                }
            }
        }
    }
}

/// What a duration may be.
pub(crate) struct Bounds {
    pub(crate) least: Duration,
    pub(crate) most: Duration,
    /// Goes on after "is allowed": empty, or `, because …`.
    pub(crate) reason: &'static str,
}

/// A duration as one would write it: humantime would call 31 days "1month 13h 26m 24s".
pub(crate) fn span(duration: Duration) -> String {
    let days = duration.as_secs() / 86_400;
    if days > 0 && duration == Duration::from_secs(days * 86_400) {
        format!("{days}d")
    } else {
        humantime::format_duration(duration).to_string()
    }
}

/// The candidate that `word` is most likely a misspelling of, if it looks like one at all.
pub(crate) fn nearest<S: AsRef<str>>(word: &str, candidates: impl IntoIterator<Item = S>) -> Option<S> {
    const ALIKE: f64 = 0.6;
    let word = word.to_lowercase();
    let length = word.chars().count();
    // Lengths alone may rule it out; comparing takes time and memory by both.
    let comparable = |candidate: &S| {
        let other = candidate.as_ref().chars().count();
        length.min(other) as f64 >= ALIKE * length.max(other) as f64
    };
    candidates
        .into_iter()
        .filter(comparable)
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
