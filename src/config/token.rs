//! The token of an operation, and where it comes from.

use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::path::{Path, PathBuf};

use super::private_file::others_may_read;
use crate::secret::{hide, hide_path, is_secret_as_path, looks_secret};
use crate::yaml::file::read_at_most;

/// In bytes. Real tokens have 52 characters, so a longer file is the wrong one.
const LONGEST: u64 = 4096;

const UTF_8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const UTF_16_MARK: &[u8] = &[0xff, 0xfe];
const UTF_16_BIG_MARK: &[u8] = &[0xfe, 0xff];

/// Where a token comes from, to read it again after a change.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// A file that contains only the token.
    File(PathBuf),
    /// The environment variable of this name.
    Environment(String),
    /// A value in the program, for the demo and tests.
    Given(SecretString),
}

/// A token and its source. `Debug` shows the secret of neither.
#[derive(Clone, Debug)]
pub struct Token {
    /// The source.
    pub source: TokenSource,
    /// The token as last read: visible ASCII characters without spaces, at least one.
    pub value: SecretString,
    /// Whether it came from a file that other users of the machine may read.
    pub others_may_read: bool,
}

/// Why there is no token. Never contains what was read.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be opened or read.
    #[error("cannot read the token file {}: {error}", hide_path(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The name of a file or variable looks like the token itself.
    #[error("this looks like the token itself, not like the {0}: take it out of the configuration")]
    Misplaced(&'static str),
    /// The variable is not set, or its value is not Unicode.
    #[error("the environment variable {} is not set", hide(.0))]
    Unset(String),
    /// It is empty or blank.
    #[error("{0} is empty: it must contain the token")]
    Empty(String),
    /// It has more than one line.
    #[error("{0} has more than one line: it must contain only the token")]
    SeveralLines(String),
    /// It has quotation marks around the token, which other programs would take away.
    #[error("{0} has a quotation mark at its beginning or end: it must contain only the token")]
    Quoted(String),
    /// It is a text of Windows, with an invisible mark before the token.
    #[error("{0} begins with a byte order mark, which some Windows editors write: save it as plain ASCII text")]
    ByteOrderMark(String),
    /// It has characters that are not allowed in a token, or too many characters.
    #[error("{0} does not contain a token: a token has at most 4096 visible ASCII characters and no spaces")]
    NotAToken(String),
}

impl TokenSource {
    /// Reads the current token. `lookup_env` returns the value of an environment variable.
    pub fn read(&self, lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<SecretString, TokenError> {
        match self {
            Self::File(path) => match read_at_most(path, LONGEST) {
                Ok(Some(bytes)) => check(&bytes, || file(path)),
                Ok(None) => Err(TokenError::NotAToken(file(path))),
                Err(error) if leads_nowhere(&error) && is_secret_as_path(path) => {
                    Err(TokenError::Misplaced("path of a file"))
                }
                Err(error) => Err(TokenError::Unreadable {
                    path: path.clone(),
                    error,
                }),
            },
            Self::Environment(name) => match lookup_env(name) {
                Some(value) => check(value.as_bytes(), || format!("the environment variable {}", hide(name))),
                None if looks_secret(name) => Err(TokenError::Misplaced("name of a variable")),
                None => Err(TokenError::Unset(name.clone())),
            },
            Self::Given(value) => check(value.expose_secret().as_bytes(), || "the token given".to_owned()),
        }
    }
}

impl Token {
    /// A token that is a value in the program, for the demo and tests.
    pub fn given(value: impl Into<SecretString>) -> Self {
        let value = value.into();
        Self {
            source: TokenSource::Given(value.clone()),
            value,
            others_may_read: false,
        }
    }

    /// Reads the token for the first time.
    pub fn from_source(source: TokenSource, lookup_env: &dyn Fn(&str) -> Option<String>) -> Result<Self, TokenError> {
        let value = source.read(lookup_env)?;
        let others_may_read = matches!(&source, TokenSource::File(path) if others_may_read(path));
        Ok(Self {
            source,
            value,
            others_may_read,
        })
    }
}

fn file(path: &Path) -> String {
    format!("the token file {}", hide_path(path))
}

fn check(bytes: &[u8], source: impl FnOnce() -> String) -> Result<SecretString, TokenError> {
    let token = bytes.trim_ascii();
    if token.is_empty() {
        Err(TokenError::Empty(source()))
    } else if [UTF_8_MARK, UTF_16_MARK, UTF_16_BIG_MARK]
        .iter()
        .any(|mark| token.starts_with(mark))
    {
        Err(TokenError::ByteOrderMark(source()))
    } else if token.contains(&b'\n') {
        Err(TokenError::SeveralLines(source()))
    } else if [token.first(), token.last()]
        .iter()
        .any(|end| matches!(end, Some(b'"' | b'\'')))
    {
        Err(TokenError::Quoted(source()))
    } else if bytes.len() as u64 > LONGEST || !token.iter().all(u8::is_ascii_graphic) {
        Err(TokenError::NotAToken(source()))
    } else {
        Ok(String::from_utf8_lossy(token).into_owned().into())
    }
}

/// Whether no file can have this path. A token with something after it may be too long for a name.
fn leads_nowhere(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename | InvalidInput)
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

/// For a reload: a replaced token changes the operation.
impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.value.expose_secret() == other.value.expose_secret()
    }
}
