//! The language that a browser asks for.

use crate::exposition::weighted;
use crate::language::Language;

/// The language that the query asks for, as `lang=es`.
pub(in crate::web) fn chosen(query: &str) -> Option<Language> {
    let (_, tag) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "lang")?;
    of_range(&tag)
}

/// The language with the highest q value in an `Accept-Language` header, the first one of equals. `es-CO` and `es-419` are
/// Spanish, and `*` is what is not named. A header without any of our languages gets English.
pub(in crate::web) fn negotiate(accept_language: &str) -> Language {
    let mut best = None;
    for (range, quality) in weighted(accept_language) {
        let language = match range {
            "*" => unnamed(accept_language),
            range => of_range(range),
        };
        if let Some(language) = language.filter(|_| quality > 0 && best.is_none_or(|(most, _)| quality > most)) {
            best = Some((quality, language));
        }
    }
    best.map_or(Language::English, |(_, language)| language)
}

/// The language of a range such as `es-CO`.
fn of_range(range: &str) -> Option<Language> {
    let primary = range.split('-').next()?;
    Language::ALL
        .into_iter()
        .find(|language| language.tag().eq_ignore_ascii_case(primary))
}

/// The first language that the header does not name.
fn unnamed(accept_language: &str) -> Option<Language> {
    let is_named = |language: &Language| weighted(accept_language).any(|(range, _)| of_range(range) == Some(*language));
    Language::ALL.into_iter().find(|language| !is_named(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_is_wanted_most() {
        let wanted = [
            (
                "es",
                [
                    "es",
                    "es-CO",
                    "es-419,es;q=0.9,en;q=0.8",
                    "ES-mx",
                    "fr, es;q=0.1",
                    "en;q=0.5, es;q=0.6",
                    "es, en",
                    "en;q=0, *",
                    "en;q=0.8, es-PE",
                    "es;q=1.0;x=y, en;q=0.9",
                    "pt-BR,pt;q=0.9,es;q=0.8,en;q=0.7",
                ]
                .as_slice(),
            ),
            (
                "en",
                &[
                    "",
                    "*",
                    "en-US,en;q=0.9",
                    "fr",
                    "fr, *;q=0.5",
                    "es;q=0",
                    "es;q=0.4, en-GB;q=0.5",
                    "en, es",
                    "est",
                    "es;q=no",
                    "en;q=0.9, es;q=0.900",
                    "es;q=0, *;q=0.1",
                ],
            ),
        ];
        for (expected, headers) in wanted {
            for header in headers {
                assert_eq!(negotiate(header).tag(), expected, "{header:?}");
            }
        }
    }

    #[test]
    fn the_query_chooses_a_language_that_exists() {
        assert_eq!(chosen("operation=acme&lang=es"), Some(Language::Spanish));
        assert_eq!(chosen("lang=en"), Some(Language::English));
        for query in ["", "lang=", "lang=fr", "language=es"] {
            assert_eq!(chosen(query), None, "{query}");
        }
    }
}
