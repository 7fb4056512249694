//! `--web.config.file`: TLS, passwords and headers, with the schema of Prometheus's exporter-toolkit
//! (<https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>).
//!
//! A site has one such file for all its exporters, so the schema is exactly the same. Parts that are not supported are
//! refused, never ignored.

mod files;
mod tls;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use self::files::Files;
pub(super) use self::tls::Tls;
pub(super) use self::watch::watch;
use super::auth::Users;
use crate::yaml::file::YamlFile;
use crate::yaml::mapping::{Field, Mapping};
use crate::yaml::mistake::{Mistakes, quoted};

/// A valid web configuration.
#[derive(Debug)]
pub struct WebConfig {
    path: PathBuf,
    files: Files,
    pub(super) settings: Arc<WebSettings>,
}

/// The settings in the file. The default is the behaviour without a file: plain HTTP without a password.
#[derive(Debug, Default)]
pub(super) struct WebSettings {
    pub(super) tls: Option<Tls>,
    pub(super) users: Users,
    /// Headers for every answer.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl WebSettings {
    /// Whether a connection that was accepted with `other` meets the present TLS settings.
    pub(super) fn has_same_tls(&self, other: &Self) -> bool {
        match (&self.tls, &other.tls) {
            (None, None) => true,
            (Some(own), Some(other)) => Arc::ptr_eq(&own.config, &other.config),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl WebConfig {
    /// Reads the file at `path` and the files that it names. Relative paths are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let mut files = Files::of(path);
        let file = YamlFile::load(path)?;
        let settings = read(Field::root(&file), &mut files);
        file.diagnostics.into_mistakes().into_result()?;
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

    /// When its certificate expires. `None` without TLS.
    pub(super) fn certificate_expires(&self) -> Option<Timestamp> {
        self.settings.tls.as_ref()?.expires
    }

    /// The number of users. Without users, no password is needed.
    pub fn users(&self) -> usize {
        self.settings.users.len()
    }
}

impl WebSettings {
    /// A protection that `next` would turn off.
    fn protection_lost_in(&self, next: &Self) -> Option<&'static str> {
        let requires = |settings: &Self| settings.tls.as_ref().is_some_and(|tls| tls.requires_certificate);
        if self.tls.is_some() && next.tls.is_none() {
            Some("TLS")
        } else if requires(self) && !requires(next) {
            Some("client certificates")
        } else if self.users.len() > 0 && next.users.len() == 0 {
            Some("passwords")
        } else {
            None
        }
    }
}

fn read(root: Field<'_>, files: &mut Files) -> WebSettings {
    let mut settings = WebSettings::default();
    // An empty file protects nothing, as in the toolkit.
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
        "is not supported: scrapes are cheap, and too many at once are refused anyway",
    );
    keys.finish();
    settings
}

/// A section that is not empty.
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
            "is not supported: only HTTP/1.1 is served, which Prometheus speaks too; remove this or set it to false",
        );
    }
    if let Some(field) = self::section(&mut keys, "headers")
        && let Some(mut names) = field.mapping("headers with their values")
    {
        // The headers that the toolkit allows.
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

/// `None` for an empty value: the header is not sent.
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
        .map_err(|_| "has characters that are not allowed in a header".to_owned())
}

fn users(section: Field<'_>) -> Users {
    let mut users = Users::default();
    let Some(keys) = section.mapping("users, each with the bcrypt hash of the password") else {
        return users;
    };
    for (name, field) in keys.all() {
        if name.contains(':') || name.contains(char::is_control) {
            field.mistake("a name with a colon or a control character cannot be sent: choose another name");
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
