//! What a report is read from, and when that is no longer the same stream of events.

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// What a report is read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSource {
    /// The base address of the API.
    pub server: String,
    /// The name of the operation's time zone.
    pub zone: String,
    /// The id that is asked for; `None` for all ids.
    pub filter: Option<String>,
}

impl ReportSource {
    /// Whether the other source has different events. The zone does not matter: it only says how the events are dated. Nor
    /// does the spelling of the address.
    pub fn is_another_stream(&self, other: &ReportSource) -> bool {
        is_other_place(&self.server, &other.server) || self.filter != other.filter
    }
}

/// Whether two addresses lead to different places. `http` and `https` on their usual ports do not.
fn is_other_place(one: &str, other: &str) -> bool {
    let place = |text: &str| {
        let url = Url::parse(text).ok()?;
        let host = url.host_str()?.to_owned();
        Some((host, url.port(), url.path().trim_end_matches('/').to_owned()))
    };
    match (place(one), place(other)) {
        (Some(one), Some(other)) => one != other,
        _ => one != other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_is_the_same_place() {
        let same = [
            "https://wv0001.wolkvox.com",
            "https://WV0001.wolkvox.com:443/",
            "http://wv0001.wolkvox.com",
        ];
        for address in same {
            assert!(!is_other_place(same[0], address), "{address}");
        }
        let others = [
            "https://wv0002.wolkvox.com",
            "https://wv0001.wolkvox.com:8443",
            "https://wv0001.wolkvox.com/acme",
        ];
        for address in others {
            assert!(is_other_place(same[0], address), "{address}");
        }
    }
}
