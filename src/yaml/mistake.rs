//! What is wrong with a configuration, and where.

use std::cell::RefCell;
use std::fmt;

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line of the file, from 1; `None` where no line is to blame (the file as a whole, an environment variable).
    pub line: Option<usize>,
    /// The full path of the key (`operations[0].reports.ivr`) or the environment variable; empty for the file itself.
    pub path: String,
    /// What is wrong and what would be right. Never holds a token.
    pub text: String,
}

/// Everything that is wrong with one configuration, in the order of its lines.
///
/// All of it is found in one go: nobody should have to start the exporter five times to find five typing errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes {
    file: Option<String>,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// The mistakes of `file` (`None`: of the environment), sorted by line.
    pub(crate) fn new(file: Option<&str>, mut list: Vec<Mistake>) -> Self {
        // Stable: what was found first in a line stays first. Mistakes without a line come before all others.
        list.sort_by_key(|mistake| mistake.line);
        // A path from the file may hold anything; a message must neither break the line nor drive a terminal.
        for Mistake { text, .. } in &mut list {
            if text.contains(char::is_control) {
                *text = text.escape_debug().to_string();
            }
        }
        Self {
            file: file.map(str::to_owned),
            list,
        }
    }

    /// A mistake that makes it pointless to look for others.
    pub(crate) fn single(file: &str, line: Option<usize>, text: String) -> Self {
        Self::new(
            Some(file),
            vec![Mistake {
                line,
                path: String::new(),
                text,
            }],
        )
    }

    /// Each mistake, in the order of lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a Mistakes {
    type Item = &'a Mistake;
    type IntoIter = std::slice::Iter<'a, Mistake>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One line a mistake: `wolkvox.yml:7: operations[0].name: …`, as compilers write it, so that editors can jump there.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match (&self.file, mistake.line) {
                (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
                (Some(file), None) => write!(f, "{file}: ")?,
                (None, _) => {}
            }
            if !mistake.path.is_empty() {
                write!(f, "{}: ", mistake.path)?;
            }
            f.write_str(&mistake.text)?;
        }
        Ok(())
    }
}

/// Mistakes while they are being collected. Shared by everything that reads, hence the cell.
#[derive(Default)]
pub(crate) struct Notes(RefCell<Vec<Mistake>>);

impl Notes {
    pub(crate) fn add(&self, line: Option<usize>, path: impl Into<String>, text: impl Into<String>) {
        self.0.borrow_mut().push(Mistake {
            line,
            path: path.into(),
            text: text.into(),
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// `Ok` when nothing was noted.
    pub(crate) fn verdict(self, file: Option<&str>) -> Result<(), Mistakes> {
        let list = self.0.into_inner();
        if list.is_empty() {
            Ok(())
        } else {
            Err(Mistakes::new(file, list))
        }
    }
}

/// A value as a message quotes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// A text from the file such that a message can hold it: short, and on one line whatever is in it.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
