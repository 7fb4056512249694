//! Shows what values look like without showing them: enough to fix a parser, too little to identify anybody.
//!
//! A shape keeps length, case and ASCII punctuation. Words of the vendor's lists are shown as free values are, since a
//! parser cannot be fixed without them. Keys can also hold data, so they are shown only if they look like
//! field names. Names of rows in an object, and of values inside values, are shown only if the exporter knows them.

use std::collections::HashMap;
use std::fmt;

use parking_lot::Mutex;
use serde_json::Value;

use crate::reports::values;
use crate::wire::Rows;
use crate::wire::json::{self, Broken};

/// Shapes shown per field; the others are summed up.
const SHOWN: usize = 20;
/// Different shapes remembered per field: a comment may have a new one in each of 60,000 rows.
const REMEMBERED: usize = 2000;
/// Fields remembered per report.
const MOST_FIELDS: usize = 200;
/// Characters shown of a shape or a key.
const LONGEST_SHAPE: usize = 64;
const LONGEST_KEY: usize = 40;
/// A key with this many digits may be a person's number.
const TOO_MANY_DIGITS: usize = 6;

/// Known names, shown anywhere: the buckets of `cdr_4`, and the fields of a bucket.
const KNOWN: [&str; 9] = [
    "0_5_seg",
    "6_20_seg",
    "21_60_seg",
    "61_120_seg",
    "greater_than_121",
    "calls",
    "minutes",
    "cost",
    "percentage",
];

/// Fields whose values are words of the vendor's lists. They are shown as they are, since exactly they are needed.
const WORDS: [&str; 6] = [
    "status",
    "result",
    "type_interaction",
    "hang_up",
    "type_of_row",
    "agent_status",
];

/// The shapes in one answer.
#[derive(Clone, Debug, Default)]
pub struct Shapes {
    keys: Vec<(String, String)>,
    fields: Vec<(String, Field)>,
    index: HashMap<String, usize>,
    /// Number of values of fields beyond the limit.
    left_out: u64,
}

#[derive(Clone, Debug, Default)]
struct Field {
    shapes: HashMap<String, u64>,
    left_out: u64,
}

impl Shapes {
    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.fields.is_empty()
    }

    /// Records a row, and its key if the rows are in an object.
    fn row(&mut self, key: Option<&str>, row: &Value) {
        if let Some(key) = key {
            self.note("(key of the row)", format!("key     {}", known_key(key)));
        }
        match row {
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.value(&field_key(key), value);
                }
            }
            other => self.value("(row)", other),
        }
    }

    /// Records a key of the answer other than its rows.
    fn key(&mut self, key: &str, json: &[u8]) {
        let shape = match json {
            b"[" => "list".to_owned(),
            b"{" => "object".to_owned(),
            json => serde_json::from_slice(json).map_or_else(|_| "unreadable".to_owned(), |value| of_value(&value)),
        };
        if self.keys.len() < MOST_FIELDS {
            self.keys.push((field_key(key), shape));
        }
    }

    fn value(&mut self, name: &str, value: &Value) {
        match value {
            Value::String(word) if WORDS.contains(&name) && !word.trim().is_empty() => {
                self.note(name, format!("word    \"{}\"", values::free(word)));
            }
            _ => self.note(name, of_value(value)),
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(&format!("{name}[]"), item)),
            Value::Object(entries) => entries
                .iter()
                .for_each(|(key, value)| self.value(&format!("{name}.{}", known_key(key)), value)),
            _ => {}
        }
    }

    fn note(&mut self, name: &str, shape: String) {
        let at = match self.index.get(name) {
            Some(at) => *at,
            None if self.fields.len() < MOST_FIELDS => {
                self.index.insert(name.to_owned(), self.fields.len());
                self.fields.push((name.to_owned(), Field::default()));
                self.fields.len() - 1
            }
            None => {
                self.left_out += 1;
                return;
            }
        };
        let field = &mut self.fields[at].1;
        if field.shapes.len() < REMEMBERED || field.shapes.contains_key(&shape) {
            *field.shapes.entry(shape).or_default() += 1;
        } else {
            field.left_out += 1;
        }
    }
}

impl fmt::Display for Shapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keys.is_empty() {
            writeln!(f, "    shapes: the answer has no keys besides its rows")?;
        } else {
            writeln!(f, "    shapes of the answer's keys, in their order")?;
        }
        for (key, shape) in &self.keys {
            writeln!(f, "      {key}: {shape}")?;
        }
        for (name, field) in &self.fields {
            writeln!(f, "    shapes of {name}")?;
            let mut shapes: Vec<(&String, &u64)> = field.shapes.iter().collect();
            shapes.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            for (shape, count) in shapes.iter().take(SHOWN) {
                writeln!(f, "      {count:>6} × {shape}")?;
            }
            let rest = shapes.iter().skip(SHOWN).map(|(_, count)| **count).sum::<u64>() + field.left_out;
            if rest > 0 {
                writeln!(f, "      {rest:>6} × other shapes")?;
            }
        }
        if self.left_out > 0 {
            writeln!(f, "    {} values of other fields", self.left_out)?;
        }
        Ok(())
    }
}

/// The JSON type of a value and its shape.
fn of_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true/false".to_owned(),
        Value::Number(number) => format!("number  {}", of_text(&number.to_string())),
        Value::String(text) => format!("text    \"{}\"", of_text(text)),
        Value::Array(_) => "list".to_owned(),
        Value::Object(_) => "object".to_owned(),
    }
}

/// The shape of a text: digits as 9, letters as a or A, ASCII punctuation and spaces unchanged, anything else as ¤.
pub fn of_text(text: &str) -> String {
    let mut shape = String::new();
    for (n, character) in text.chars().enumerate() {
        if n == LONGEST_SHAPE {
            shape.push('…');
            break;
        }
        match character {
            c if c.is_numeric() => shape.push('9'),
            c if c.is_uppercase() => shape.push('A'),
            c if c.is_alphabetic() => shape.push('a'),
            c if c == ' ' || c.is_ascii_punctuation() => shape.push(c),
            // Written out, since they are invisible.
            c if c.is_whitespace() => shape.extend(c.escape_default()),
            _ => shape.push('¤'),
        }
    }
    shape
}

/// A key that looks like a field name, or the shape of any other key.
fn field_key(key: &str) -> String {
    let looks_like_one = (1..=LONGEST_KEY).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_/ -".contains(&b))
        && key.bytes().filter(u8::is_ascii_digit).count() < TOO_MANY_DIGITS;
    if looks_like_one {
        key.to_owned()
    } else {
        format!("<{}>", of_text(key))
    }
}

/// A key that the exporter knows, or the shape of any other key.
fn known_key(key: &str) -> String {
    if KNOWN.contains(&key) {
        key.to_owned()
    } else {
        format!("<{}>", of_text(key))
    }
}

/// Collects the shapes of an answer, whether it is complete or not.
#[derive(Debug, Default)]
pub(super) struct Sketch(Mutex<Shapes>);

impl Sketch {
    /// The shapes so far.
    pub(super) fn into_shapes(self) -> Shapes {
        self.0.into_inner()
    }
}

/// A reader that records the shape of every row and passes the row on.
pub(super) struct Sketched<'s, R> {
    sketch: &'s Sketch,
    pub(super) rows: R,
}

impl<'s, R> Sketched<'s, R> {
    /// Clears the sketch, since a retry reads the answer from its start.
    pub(super) fn new(sketch: &'s Sketch, rows: R) -> Self {
        *sketch.0.lock() = Shapes::default();
        Self { sketch, rows }
    }
}

impl<R: Rows> Rows for Sketched<'_, R> {
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        let read = self.rows.value(key, json)?;
        if read.is_some() {
            // A row may be readable where not all of it is: a number too large, say, in a field that no report reads.
            let _ = json::row(json, |row: &Value| self.sketch.0.lock().row(key, row));
        }
        Ok(read)
    }

    fn unreadable(&mut self, key: Option<&str>, json: Option<&str>) {
        if let Some(row) = json.and_then(|json| serde_json::from_str(json).ok()) {
            self.sketch.0.lock().row(key, &row);
        }
        self.rows.unreadable(key, json);
    }

    fn extra_key(&mut self, key: &str, json: &[u8]) {
        self.sketch.0.lock().key(key, json);
        self.rows.extra_key(key, json);
    }

    fn nested_list(&self) -> Option<&'static str> {
        self.rows.nested_list()
    }
}
