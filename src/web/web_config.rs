//! `--web.config.file`: TLS, passwords and headers, with the schema of Prometheus's exporter-toolkit
//! (<https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>).
//!
//! One file serves every exporter of a site, so the schema is kept to the letter. What is in it and not supported is
//! refused, never ignored.

mod files;
mod tls;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};

use self::files::Files;
pub(super) use self::tls::Tls;
pub(super) use self::watch::watch;
use super::auth::Users;
use crate::yaml::document;
use crate::yaml::file::read_text;
use crate::yaml::mapping::{Field, Mapping};
use crate::yaml::mistake::{Mistakes, Notes, quoted};

/// A web configuration that could be read is sound.
#[derive(Debug)]
pub struct WebConfig {
    path: PathBuf,
    files: Files,
    pub(super) settings: Arc<Settings>,
}

/// What it says. The default is what holds without a file: plain HTTP for everyone.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) tls: Option<Tls>,
    pub(super) users: Users,
    /// Headers of every answer.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Settings {
    /// Whether a connection that was made with the others needs no other TLS now.
    pub(super) fn has_same_tls(&self, others: &Self) -> bool {
        match (&self.tls, &others.tls) {
            (None, None) => true,
            (Some(ours), Some(others)) => Arc::ptr_eq(&ours.config, &others.config),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl WebConfig {
    /// Reads the file at `path` and those that it names; relative paths in it start at its folder.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let name = path.display().to_string();
        let mut files = Files::of(path);
        let text = read_text(path)?;
        let root = document::read(&text).map_err(|error| Mistakes::single(&name, Some(error.line), error.text))?;
        let notes = Notes::default();
        let settings = read(Field::root(&root, &notes), &mut files);
        notes.verdict(Some(&name))?;
        Ok(Self {
            path: path.to_owned(),
            files,
            settings: Arc::new(settings),
        })
    }

    /// Whether it is served over TLS.
    pub fn has_tls(&self) -> bool {
        self.settings.tls.is_some()
    }

    /// How many users there are; without any, no password is needed.
    pub fn users(&self) -> usize {
        self.settings.users.len()
    }
}

impl Settings {
    /// What keeps strangers out here, and does not in `next`.
    fn given_up_by(&self, next: &Self) -> Option<&'static str> {
        let demands = |settings: &Self| settings.tls.as_ref().is_some_and(|tls| tls.demands_certificate);
        if self.tls.is_some() && next.tls.is_none() {
            Some("TLS")
        } else if demands(self) && !demands(next) {
            Some("the certificates of clients")
        } else if self.users.len() > 0 && next.users.len() == 0 {
            Some("the passwords")
        } else {
            None
        }
    }
}

fn read(root: Field<'_>, files: &mut Files) -> Settings {
    let mut settings = Settings::default();
    // An empty file protects nothing, as that of the toolkit.
    if root.is_null() {
        return settings;
    }
    let Some(mut keys) = root.mapping("keys such as `tls_server_config` and `basic_auth_users`") else {
        return settings;
    };
    if let Some(section) = section(&mut keys, "tls_server_config") {
        settings.tls = tls::read(section, files);
    }
    if let Some(section) = section(&mut keys, "http_server_config") {
        settings.headers = http(section);
    }
    if let Some(section) = section(&mut keys, "basic_auth_users") {
        settings.users = users(section);
    }
    keys.refuse(
        "rate_limit",
        "is not supported: a scrape costs next to nothing here, and too many at once are refused anyway",
    );
    keys.finish();
    settings
}

/// A section with something in it.
fn section<'a>(keys: &mut Mapping<'a>, key: &'static str) -> Option<Field<'a>> {
    keys.field(key).filter(|field| !field.is_null())
}

fn http(section: Field<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    let Some(mut keys) = section.mapping("the keys `http2` and `headers`") else {
        return headers;
    };
    let http2 = keys.field("http2");
    if let Some(field) = http2
        && field.parse("true or false", flag) == Some(true)
    {
        field.mistake(
            "is not supported: HTTP/1.1 alone is served, which Prometheus speaks as well; take it out or write false",
        );
    }
    if let Some(field) = self::section(&mut keys, "headers")
        && let Some(mut names) = field.mapping("headers with their values")
    {
        // The toolkit allows these five and no others.
        const ALLOWED: [(&str, &[&str]); 5] = [
            ("Content-Security-Policy", &[]),
            ("X-Frame-Options", &["deny", "sameorigin"]),
            ("X-Content-Type-Options", &["nosniff"]),
            ("X-XSS-Protection", &[]),
            ("Strict-Transport-Security", &[]),
        ];
        for (name, values) in ALLOWED {
            let Some(field) = self::section(&mut names, name) else {
                continue;
            };
            let value = field.parse("a value", |text| header_value(text, values));
            if let (Some(Some(value)), Ok(name)) = (value, HeaderName::from_bytes(name.as_bytes())) {
                headers.push((name, value));
            }
        }
        names.finish();
    }
    keys.finish();
    headers
}

/// `None` for a blank one, which is not sent.
fn header_value(text: &str, allowed: &[&str]) -> Result<Option<HeaderValue>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if !allowed.is_empty() && !allowed.contains(&text) {
        return Err(format!("expected {}; found {}", allowed.join(" or "), quoted(text)));
    }
    let value = HeaderValue::from_str(text);
    value
        .map(Some)
        .map_err(|_| "has characters that no header can have".to_owned())
}

fn users(section: Field<'_>) -> Users {
    let mut users = Users::default();
    let Some(keys) = section.mapping("users, each with the bcrypt hash of the password") else {
        return users;
    };
    for (name, field) in keys.all() {
        if name.contains(':') || name.contains(char::is_control) {
            field.mistake("a name with a colon or a control character cannot be sent: choose another one");
        }
        field.parse("a bcrypt hash", |hash| users.add(name, hash));
    }
    users
}

fn flag(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("expected true or false; found {}", quoted(text))),
    }
}
