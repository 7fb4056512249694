//! JSON that keeps the order of its keys, and may repeat one.

use std::{borrow::Cow, fmt::Write as _};

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::ser::PrettyFormatter;

use super::switches::{Escapes, Layout};

#[derive(Clone, Debug)]
pub(super) enum Json {
    Null,
    Integer(u64),
    Decimal(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(Key, Json)>),
}

/// A key of an object: nearly always one that the program knows.
pub(super) type Key = Cow<'static, str>;

impl Json {
    pub(super) fn object<K: Into<Key>>(fields: impl IntoIterator<Item = (K, Json)>) -> Json {
        Json::Object(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    pub(super) fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }

    /// The body of an answer: no byte order mark, no newline at the end (seen in real answers).
    pub(super) fn to_text(&self, layout: Layout, escapes: Escapes) -> String {
        let mut bytes = Vec::new();
        let result = match layout {
            Layout::Compact => serde_json::to_writer(&mut bytes, self),
            Layout::Indented => {
                let formatter = PrettyFormatter::with_indent(b"    ");
                self.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))
            }
        };
        result.expect("writing text keys to memory cannot fail");
        let text = String::from_utf8(bytes).expect("serde_json writes UTF-8");
        match escapes {
            Escapes::Raw => text,
            Escapes::Unicode => escaped(&text),
            // Slashes and text beyond ASCII occur only inside strings.
            Escapes::UnicodeAndSlashes => escaped(&text.replace('/', "\\/")),
        }
    }
}

fn escaped(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(ascii, "\\u{unit:04x}").expect("writing to a string cannot fail");
            }
        }
    }
    ascii
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Integer(number) => serializer.serialize_u64(*number),
            Json::Decimal(number) => serializer.serialize_f64(*number),
            Json::Text(text) => serializer.serialize_str(text),
            Json::List(list) => serializer.collect_seq(list),
            Json::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}
