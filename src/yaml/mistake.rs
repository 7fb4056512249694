//! Mistakes in a configuration, with their files and lines.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::secret::{HIDDEN, hide, looks_secret};

/// One mistake in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mistake {
    /// The file as it was given. `None` for an environment variable.
    pub file: Option<Arc<str>>,
    /// The line of the file, from 1. `None` if it concerns the whole file or an environment variable.
    pub line: Option<usize>,
    /// The path of the key (`operations[0].reports.ivr`) or the environment variable; empty for the whole file.
    pub path: String,
    /// What is wrong and how to correct it. Never contains what looks like a secret.
    pub text: String,
}

/// All mistakes in one configuration, file by file and in the order of their lines: nobody should have to start the exporter
/// five times to find five typing errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// The mistakes in one file, or in the environment, sorted by line.
    fn new(mut list: Vec<Mistake>) -> Self {
        // A mistake in a default is found again with each operation that uses it.
        let mut seen = HashSet::new();
        list.retain(|mistake| seen.insert(mistake.clone()));
        // The sort is stable. Mistakes without a line come first.
        list.sort_by_key(|mistake| mistake.line);
        // Names from the file may contain anything. A message must not break lines or send codes to the terminal.
        for Mistake { path, text, .. } in &mut list {
            *path = hide(path).into_owned();
            *text = hide(text).into_owned();
            if text.contains(char::is_control) {
                *text = text.escape_debug().to_string();
            }
        }
        Self(list)
    }

    /// A mistake that makes it impossible to find others.
    pub(crate) fn single(file: &str, line: Option<usize>, text: String) -> Self {
        Self::new(vec![Mistake {
            file: Some(file.into()),
            line,
            path: String::new(),
            text,
        }])
    }

    /// Adds those of another file.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// `Ok` if there are none.
    pub(crate) fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Where the mistakes are, a line each: `wolkvox.yml:7: operations[0].name`. Neither values nor the file's folder.
    pub fn places(&self) -> String {
        let place = |mistake: &Mistake| {
            let path = mistake.file.as_deref().map(Path::new);
            let name = path.and_then(Path::file_name).map(|name| name.to_string_lossy());
            mistake.place(name.as_deref())
        };
        let mut places: Vec<_> = self.0.iter().map(place).collect();
        places.dedup();
        places.join("\n")
    }

    /// The mistakes, file by file and in the order of their lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Mistakes {
    type Item = &'a Mistake;
    type IntoIter = std::slice::Iter<'a, Mistake>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Mistake {
    /// The file, the line and the key, as far as there are any.
    fn place(&self, file: Option<&str>) -> String {
        let mut place = match (file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.to_owned(),
            (None, _) => String::new(),
        };
        if !place.is_empty() && !self.path.is_empty() {
            place.push_str(": ");
        }
        place + &self.path
    }
}

/// One line per mistake: `wolkvox.yml:7: operations[0].name: …`, as compilers write it, so that editors can jump there.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let place = mistake.place(mistake.file.as_deref());
            if !place.is_empty() {
                write!(f, "{place}: ")?;
            }
            f.write_str(&mistake.text)?;
        }
        Ok(())
    }
}

/// Collects the mistakes of one file, or of the environment. Shared by everything that reads, hence the cell.
#[derive(Default)]
pub(crate) struct Diagnostics {
    file: Option<Arc<str>>,
    list: RefCell<Vec<Mistake>>,
}

impl Diagnostics {
    pub(crate) fn of(file: &str) -> Self {
        Self {
            file: Some(file.into()),
            list: RefCell::default(),
        }
    }

    pub(crate) fn add(&self, line: Option<usize>, path: impl Into<String>, text: impl Into<String>) {
        self.list.borrow_mut().push(Mistake {
            file: self.file.clone(),
            line,
            path: path.into(),
            text: text.into(),
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.list.borrow().len()
    }

    pub(crate) fn into_mistakes(self) -> Mistakes {
        Mistakes::new(self.list.into_inner())
    }
}

/// A value in quotes, for messages.
pub(crate) fn quoted(text: &str) -> String {
    if looks_secret(text) {
        HIDDEN.to_owned()
    } else {
        format!("`{}`", shown(text))
    }
}

/// A text from the file for use in messages: shortened, on one line, and never a secret.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    // Before it is shortened: half of a secret does not look like one.
    if looks_secret(text) {
        return HIDDEN.to_owned();
    }
    let mut short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
