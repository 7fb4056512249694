//! Checks content negotiation: the answer matches a second, slow reading of the headers.

use wolkvox_exporter::exposition::{Format, accepts_gzip};

/// A media range and the format that it stands for, if it is one of ours.
const RANGES: [(&str, Option<Format>); 10] = [
    ("application/openmetrics-text", Some(Format::OpenMetrics)),
    ("application/openmetrics-text;version=1.0.0", Some(Format::OpenMetrics)),
    (
        "APPLICATION/OpenMetrics-Text; version=\"1.0.0\"",
        Some(Format::OpenMetrics),
    ),
    ("application/openmetrics-text;version=0.0.1", None),
    ("text/plain", Some(Format::Text)),
    ("text/plain;version=0.0.4", Some(Format::Text)),
    ("text/plain;version=1.0.0;escaping=allow-utf-8", None),
    ("text/*", Some(Format::Text)),
    ("*/*", Some(Format::Text)),
    ("application/json", None),
];
const CODINGS: [&str; 6] = ["gzip", "GZIP", "*", "identity", "br", "x-gzip"];

/// The input is used twice: as the raw headers, the first line for one and the rest for the other, and as choices for
/// building valid headers.
pub fn check(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let (accept, encoding) = text.split_once('\n').unwrap_or((&text, &text));
    let lower = accept.to_ascii_lowercase();
    if !lower.contains("openmetrics-text") {
        assert_eq!(
            Format::negotiate(accept),
            Format::Text,
            "{accept:?} names no OpenMetrics"
        );
    }
    let lower = encoding.to_ascii_lowercase();
    if !lower.contains("gzip") && !lower.contains('*') {
        assert!(!accepts_gzip(encoding), "{encoding:?} names no gzip");
    }

    // Every two bytes are a choice with its weight in thousandths; above 1000 it has no weight, which means 1.
    let choices = input
        .chunks_exact(2)
        .take(12)
        .map(|pair| (usize::from(pair[0]), u32::from(pair[1]) * 5));
    let weighed = |name: &str, q: u32| match q {
        0..=1000 => format!("{name};q={}.{:03}", q / 1000, q % 1000),
        _ => name.to_owned(),
    };
    let join = |list: Vec<String>| list.join(if input.len().is_multiple_of(2) { "," } else { " , " });

    let ranges: Vec<_> = choices.clone().map(|(n, q)| (RANGES[n % RANGES.len()], q)).collect();
    let header = join(ranges.iter().map(|((name, _), q)| weighed(name, *q)).collect());
    let ours = ranges
        .iter()
        .filter_map(|((_, format), q)| Some(((*format)?, (*q).min(1000))));
    let best = ours.clone().map(|(_, q)| q).max().filter(|q| *q > 0);
    let expected = best
        .and_then(|best| ours.clone().find(|(_, q)| *q == best))
        .map_or(Format::Text, |(format, _)| format);
    assert_eq!(Format::negotiate(&header), expected, "{header:?}");

    let codings: Vec<_> = choices.map(|(n, q)| (CODINGS[n % CODINGS.len()], q)).collect();
    let header = join(codings.iter().map(|(name, q)| weighed(name, *q)).collect());
    let first = |wanted: &str| {
        codings
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, q)| *q > 0)
    };
    assert_eq!(
        accepts_gzip(&header),
        first("gzip").or(first("*")).unwrap_or(false),
        "{header:?}"
    );

    Format::negotiate(accept) == Format::OpenMetrics || accepts_gzip(encoding)
}
