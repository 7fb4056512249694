//! A YAML text as a tree in which every node has its line, and every scalar is the text as written.
//!
//! A deserialiser cannot be used for two reasons: `server: 0001` must stay `0001`, and all mistakes must be reported
//! with their lines, not only the first. The parser's events are pulled one by one instead of recursively, so that a
//! file with a hundred thousand brackets is a mistake, not a stack overflow.

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Deepest nesting allowed; the schema needs 6.
const DEEPEST: usize = 32;

/// A value with its line.
#[derive(Debug)]
pub(crate) struct Node {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) value: Value,
}

#[derive(Debug)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`: a key without a value.
    Null,
    Scalar(String),
    Sequence(Vec<Node>),
    /// In the order of the file, including duplicate keys. The reader of the mapping reports those.
    Mapping(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The line of the key, from 1.
    pub(crate) line: usize,
    pub(crate) value: Node,
}

/// A text that is not YAML, or uses a feature that is not supported.
pub(crate) struct SyntaxError {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Reads the only document in `text`. An empty text is [`Value::Null`].
pub(crate) fn read(text: &str) -> Result<Node, SyntaxError> {
    // Editors on Windows add a byte order mark.
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut tree = Tree::default();
    // Something missing at the end is reported after the last line: do not name a line that does not exist.
    let last = text.trim_end().replace("\r\n", "\n").split(['\n', '\r']).count();
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| SyntaxError {
            line: error.marker().line().min(last),
            text: format!("not valid YAML: {}", error.info()),
        })?;
        let line = span.start.line().min(last);
        tree.accept(event, line).map_err(|text| SyntaxError { line, text })?;
    }
    Ok(tree.root.unwrap_or(Node {
        line: 1,
        value: Value::Null,
    }))
}

/// The tree under construction: the finished root, and the collections that are still open, outermost first.
#[derive(Default)]
struct Tree {
    root: Option<Node>,
    open: Vec<Open>,
}

struct Open {
    node: Node,
    /// In a mapping: the key whose value comes next, and its line.
    key: Option<(String, usize)>,
}

impl Tree {
    fn accept(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                refuse_extras(anchor, tag.is_some())?;
                if let Some(open) = self.open.last_mut()
                    && matches!(open.node.value, Value::Mapping(_))
                    && open.key.is_none()
                {
                    open.key = Some((text.into_owned(), line));
                    return Ok(());
                }
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                let value = if null {
                    Value::Null
                } else {
                    Value::Scalar(text.into_owned())
                };
                self.add(Node { line, value })
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_extras(anchor, tag.is_some())?;
                self.start(line, Value::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                refuse_extras(anchor, tag.is_some())?;
                self.start(line, Value::Mapping(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.add(open.node),
                None => Ok(()),
            },
            Event::Alias(_) => Err("YAML aliases (`*name`) are not supported: write the value out".to_owned()),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err("a second YAML document starts here (`---`): put everything into one".to_owned())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn start(&mut self, line: usize, value: Value) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("nested more than {DEEPEST} levels deep"));
        }
        if let Some(Open {
            node: Node {
                value: Value::Mapping(_),
                ..
            },
            key: None,
        }) = self.open.last()
        {
            return Err("a key must be a plain word: is a `:` missing, or are there too many braces?".to_owned());
        }
        self.open.push(Open {
            node: Node { line, value },
            key: None,
        });
        Ok(())
    }

    fn add(&mut self, node: Node) -> Result<(), String> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.node.value, open.key.take()) {
            (Value::Sequence(items), _) => items.push(node),
            (Value::Mapping(entries), Some((key, line))) => entries.push(Entry { key, line, value: node }),
            // Cannot happen: only collections are opened, and a scalar without a key becomes the key.
            (Value::Mapping(_) | Value::Null | Value::Scalar(_), _) => {}
        }
        Ok(())
    }
}

fn refuse_extras(anchor: usize, tagged: bool) -> Result<(), String> {
    if anchor > 0 {
        return Err("YAML anchors (`&name`) are not supported: write the value out".to_owned());
    }
    if tagged {
        return Err("YAML tags (`!name`) are not supported: a text that starts with `!` needs quotes".to_owned());
    }
    Ok(())
}
