//! The secret of an operation: where it comes from and what it is.

use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::path::{Path, PathBuf};

use crate::yaml::file::read_at_most;

/// Real tokens have 52 characters; a file longer than this is some other file.
const LONGEST: u64 = 4096;

/// A word of so many letters and digits is taken as a token where a name is expected.
const SHORTEST_TOKEN: usize = 24;
/// And in the name of a folder: hashes that folders are named by are shorter.
const SHORTEST_TOKEN_OF_FOLDERS: usize = 40;

/// Where a token comes from, so that it can be read again after it was changed there.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// A file whose only line is the token.
    File(PathBuf),
    /// The environment variable of this name.
    Environment(String),
    /// Given by code, as the demo does.
    Given(SecretString),
}

/// A token and its source. Neither shows the secret when printed.
#[derive(Clone, Debug)]
pub struct Token {
    /// Where to read it again.
    pub source: TokenSource,
    /// What was read last: visible ASCII without spaces, at least one character.
    pub value: SecretString,
}

/// Why there is no token. Never holds what was read.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be opened or read.
    #[error("cannot read the token file {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// What should be the name of a file or of a variable is most likely the token itself.
    #[error("this looks like the token itself, not like the {0}: take it out of the configuration")]
    Misplaced(&'static str),
    /// The variable is not set, or its value is no Unicode text.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// Nothing but blanks.
    #[error("{0} is empty: it must hold the token")]
    Empty(String),
    /// More than one line.
    #[error("{0} has more than one line: it must hold the token and nothing else")]
    SeveralLines(String),
    /// Characters that no token has, or too many of them.
    #[error("{0} holds no token: one consists of visible ASCII characters without spaces, at most 4096 of them")]
    Unfit(String),
}

impl TokenSource {
    /// Reads the token as it is now. `lookup_env` gives the value of an environment variable.
    pub fn read(&self, lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<SecretString, TokenError> {
        match self {
            Self::File(path) => match read_at_most(path, LONGEST) {
                Ok(Some(bytes)) => check(&bytes, || format!("the token file {}", path.display())),
                Ok(None) => Err(TokenError::Unfit(format!("the token file {}", path.display()))),
                Err(error) if leads_nowhere(&error) && has_secret(path) => Err(TokenError::Misplaced("path of a file")),
                Err(error) => Err(TokenError::Unreadable {
                    path: path.clone(),
                    error,
                }),
            },
            Self::Environment(name) => match lookup_env(name) {
                Some(value) => check(value.as_bytes(), || format!("the environment variable {name}")),
                None if looks_secret(name, SHORTEST_TOKEN) => Err(TokenError::Misplaced("name of a variable")),
                None => Err(TokenError::Unset(name.clone())),
            },
            Self::Given(value) => check(value.expose_secret().as_bytes(), || "the token given".to_owned()),
        }
    }
}

impl Token {
    /// A token that code made up, for demos and tests.
    pub fn given(value: impl Into<SecretString>) -> Self {
        let value = value.into();
        Self {
            source: TokenSource::Given(value.clone()),
            value,
        }
    }

    /// Reads the token for the first time.
    pub fn from_source(source: TokenSource, lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<Self, TokenError> {
        let value = source.read(lookup_env)?;
        Ok(Self { source, value })
    }
}

fn check(bytes: &[u8], place: impl FnOnce() -> String) -> Result<SecretString, TokenError> {
    let token = bytes.trim_ascii();
    if token.is_empty() {
        Err(TokenError::Empty(place()))
    } else if token.contains(&b'\n') {
        Err(TokenError::SeveralLines(place()))
    } else if bytes.len() as u64 > LONGEST || !token.iter().all(u8::is_ascii_graphic) {
        Err(TokenError::Unfit(place()))
    } else {
        Ok(String::from_utf8_lossy(token).into_owned().into())
    }
}

/// With more behind it, a token may be too long for a name, or no name at all.
fn leads_nowhere(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename | InvalidInput)
}

/// Whether a path that leads nowhere is rather a token, or has one in it. Folders may have long names that are none.
fn has_secret(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    looks_secret(&name, SHORTEST_TOKEN) || looks_secret(&path.to_string_lossy(), SHORTEST_TOKEN_OF_FOLDERS)
}

/// Whether there is something like a token in a text: those seen are 52 characters of lowercase hex. An error must not
/// repeat it then.
fn looks_secret(text: &str, shortest: usize) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.len() >= shortest && word.bytes().any(|byte| byte.is_ascii_digit()))
}

impl PartialEq for TokenSource {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(two)) => one == two,
            (Self::Environment(one), Self::Environment(two)) => one == two,
            (Self::Given(one), Self::Given(two)) => one.expose_secret() == two.expose_secret(),
            (Self::File(_) | Self::Environment(_) | Self::Given(_), _) => false,
        }
    }
}

/// For a reload: an operation whose token was replaced is a changed one.
impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.value.expose_secret() == other.value.expose_secret()
    }
}
