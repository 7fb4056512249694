//! The address of an operation's API.

use crate::secret::refuse;
use crate::yaml::mistake::quoted;
use reqwest::Url;
use std::net::IpAddr;

/// What `server` should be, for messages.
pub(super) const SERVER: &str = "the number of the server such as \"0001\", or its full address";

/// The base URL of a server as people write it: `0001`, `wv0001`, `wv0001.wolkvox.com`, `https://wv0001.wolkvox.com/`.
pub(super) fn server(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.contains("://") {
        return base_url(text);
    }
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches('/');
    let digits = digits.strip_suffix(".wolkvox.com").unwrap_or(digits);
    let digits = digits.strip_prefix("wv").unwrap_or(digits);
    if (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(format!("https://wv{digits:0>4}.wolkvox.com"))
    } else {
        // With an `@`, it may contain a password.
        let found = if text.contains('@') {
            "something else".to_owned()
        } else {
            quoted(text)
        };
        Err(format!("expected {SERVER}; found {found}"))
    }
}

/// A base URL: without a slash at its end, and without the `/api/v2` that the client adds.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    const EXAMPLE: &str = "such as https://wv0001.wolkvox.com";
    let url = web_address(text, EXAMPLE)?;
    // These messages never repeat the value: what does not belong in it may be a secret.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "must not contain a user or password: an address {EXAMPLE} is enough"
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("must not contain `?` or `#`: an address {EXAMPLE} is enough"));
    }
    let base = url.as_str().trim_end_matches('/');
    Ok(base
        .strip_suffix("/api/v2")
        .unwrap_or(base)
        .trim_end_matches('/')
        .to_owned())
}

/// The address of a proxy. Messages never repeat it, since it may contain user and password, but they name its host.
pub(super) fn proxy(text: &str) -> Result<String, String> {
    let shown = match text.split_once("://") {
        Some((_, rest)) => {
            let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{host}{path}")
        }
        None => text.to_owned(),
    };
    refuse(&shown, "`token_file`")?;
    web_address(text, "such as http://proxy.example:3128").map(|_| text.trim().to_owned())
}

fn web_address(text: &str, example: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|error| format!("expected an address {example}: {error}"))?;
    if url.port() == Some(0) {
        return Err(format!(
            "expected an address {example}: nothing can be reached at port 0"
        ));
    }
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(format!(
            "expected an address {example}: it must start with http:// or https://"
        ))
    }
}

/// The address of a proxy without user and password.
pub(super) fn without_credentials(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) => {
            // Both fail only if the address cannot have credentials.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => "[not an address]".to_owned(),
    }
}

/// Whether the token would travel unencrypted over a network. To this machine itself it may. A proxy gets what is sent to an
/// address with http:// as it is, also if that address is this machine's.
pub(super) fn is_eavesdroppable(base_url: &str, proxy: Option<&str>) -> bool {
    let Ok(url) = Url::parse(base_url) else { return false };
    let leaves = |url: &Url| !is_loopback(url);
    url.scheme() == "http"
        && (leaves(&url) || proxy.is_some_and(|proxy| Url::parse(proxy).is_ok_and(|proxy| leaves(&proxy))))
}

/// Whether an address is this machine itself. A name other than `localhost` may be anything, also `127.0.0.1.example`.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare.unwrap_or(host).parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost",
    }
}
