//! The format and encoding that a scraper asks for.

use mediatype::{MediaTypeList, Name, ReadParams};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus text 0.0.4: the default.
    Text,
}

impl Format {
    /// The `Content-Type` of the format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The format with the highest q value in an `Accept` header, the first one of equals. A header without any of our
    /// formats gets text 0.0.4 rather than an error, as from the official client libraries: a scrape in another format is
    /// better than none.
    pub fn negotiate(accept: &str) -> Self {
        let mut best: Option<(u16, Self)> = None;
        for range in MediaTypeList::new(accept).flatten() {
            let parameter = |name: &'static str| {
                range
                    .get_param(Name::new_unchecked(name))
                    .map(|value| value.unquoted_str().into_owned())
            };
            let version = parameter("version");
            let version = version.as_deref();
            let format = match (range.ty.as_str(), range.subty.as_str()) {
                (ty, subty) if is(ty, "application") && is(subty, "openmetrics-text") => version
                    .is_none_or(|version| version == "1.0.0")
                    .then_some(Self::OpenMetrics),
                (ty, subty) if is(ty, "text") && (is(subty, "plain") || subty == "*") => {
                    version.is_none_or(|version| version == "0.0.4").then_some(Self::Text)
                }
                ("*", "*") => Some(Self::Text),
                _ => None,
            };
            let quality = parameter("q").map_or(1000, |q| thousandths(&q));
            if let Some(format) = format.filter(|_| quality > 0 && best.is_none_or(|(other, _)| quality > other)) {
                best = Some((quality, format));
            }
        }
        best.map_or(Self::Text, |(_, format)| format)
    }
}

/// Whether an `Accept-Encoding` header allows gzip.
pub fn accepts_gzip(accept_encoding: &str) -> bool {
    let quality = |wanted: &str| weighted(accept_encoding).find(|(name, _)| is(name, wanted));
    quality("gzip")
        .or_else(|| quality("*"))
        .is_some_and(|(_, quality)| quality > 0)
}

/// The values of a header such as `Accept-Encoding` or `Accept-Language`, each with its q value in thousandths.
pub(crate) fn weighted(list: &str) -> impl Iterator<Item = (&str, u16)> {
    list.split(',').map(|value| {
        let mut parts = value.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let q = parts.find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")));
        (name, q.map_or(1000, thousandths))
    })
}

fn is(text: &str, name: &str) -> bool {
    text.eq_ignore_ascii_case(name)
}

/// A q value in thousandths; 0 if it is not a number.
fn thousandths(q: &str) -> u16 {
    let q: f32 = q.trim().parse().unwrap_or(0.0);
    (q.clamp(0.0, 1.0) * 1000.0) as u16
}
