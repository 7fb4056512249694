//! The languages of the status page. The log and the command line speak English, and so does what displays a text.

mod system;

use std::fmt;
use std::ops::Deref;

pub use self::system::system_error;

/// A language of the status page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English: the default.
    English,
    /// Spanish, as contact centres in Latin America speak it.
    Spanish,
}

impl Language {
    /// All languages; of equally wanted ones the first.
    pub const ALL: [Language; 2] = [Language::English, Language::Spanish];

    /// The subtag of the language.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Spanish => "es",
        }
    }

    /// A text in this language.
    pub const fn say(self, text: Text) -> &'static str {
        match self {
            Language::English => text.english,
            Language::Spanish => text.spanish,
        }
    }
}

/// A text in all languages, so that none can be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    english: &'static str,
    spanish: &'static str,
}

impl Text {
    /// A text.
    pub const fn new(english: &'static str, spanish: &'static str) -> Self {
        Self { english, spanish }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.english)
    }
}

/// What happened, with the details that are known only then. Some details of libraries are in English alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    english: String,
    spanish: Option<String>,
}

impl Message {
    /// A message in all languages.
    pub fn new(english: String, spanish: String) -> Self {
        Self {
            english,
            spanish: Some(spanish),
        }
    }

    /// The message in Spanish, or in English if nobody has translated it.
    pub fn spanish(&self) -> &str {
        self.said(Language::Spanish).1
    }

    /// The message, and the language that it is in.
    pub fn said(&self, language: Language) -> (Language, &str) {
        match (language, &self.spanish) {
            (Language::Spanish, Some(spanish)) => (language, spanish),
            _ => (Language::English, &self.english),
        }
    }
}

impl Deref for Message {
    type Target = str;

    fn deref(&self) -> &str {
        &self.english
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

impl From<Text> for Message {
    fn from(text: Text) -> Self {
        Self::new(text.english.to_owned(), text.spanish.to_owned())
    }
}

impl From<String> for Message {
    fn from(english: String) -> Self {
        Self { english, spanish: None }
    }
}

impl From<&str> for Message {
    fn from(english: &str) -> Self {
        english.to_owned().into()
    }
}
