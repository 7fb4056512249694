//! Properties of random texts and durations.

use std::time::Duration;

use proptest::prelude::*;
use wolkvox_exporter::reports::IVR;

use super::{DEFAULTS, parse, with};

proptest! {
    /// Whatever is cut out of a good file, put into it or moved about: mistakes or values, never a panic, and every
    /// mistake is in a line that the file has.
    #[test]
    fn no_text_makes_it_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), 0..40usize, piece()), 1..6)) {
        let defaults = "defaults: {timezone: America/Lima, reports: {ivr: {interval: 1m, reread: {back: 1h}}}}";
        let mut text: Vec<char> = format!("{defaults}{DEFAULTS}").chars().collect();
        for (at, cut, put) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, put.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(mistakes) = parse(&text) {
            prop_assert!(!mistakes.to_string().is_empty());
            // For YAML a lone carriage return ends a line, too.
            let lines = text.split(['\n', '\r']).count();
            for mistake in &mistakes {
                prop_assert!(mistake.line.is_some_and(|line| (1..=lines).contains(&line)), "{mistake:?} in\n{text}");
                prop_assert!(!mistake.text.contains(char::is_control), "{mistake:?}");
            }
        }
    }

    /// A number comes back as the interval that it was, or as a mistake: never as something else.
    #[test]
    fn durations_are_what_is_written(millis in 0..200_000_000_u64) {
        let parsed = parse(&with(&format!("reports: {{ivr: {{interval: {millis}ms}}}}")));
        if (1_000..=86_400_000).contains(&millis) {
            prop_assert_eq!(parsed.unwrap().operations[0].reports[&IVR].interval, Duration::from_millis(millis));
        } else {
            prop_assert!(parsed.is_err());
        }
    }
}

/// What an edit puts in: YAML's own signs, values out of place, or anything.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            "\n",
            "\n  ",
            "- ",
            ": ",
            "{",
            "}",
            "[",
            "]",
            "'",
            "\"",
            "|",
            ">",
            "&a ",
            "*a",
            "!x ",
            "? ",
            "---\n",
            "...\n",
            "\t",
            "%YAML",
            "0s",
            "-1",
            "~",
            "null",
            "99999999999999999999y",
            "reports:",
            "\r",
            "\u{feff}",
            "\\x",
            "#",
            "@",
            "`",
        ])
        .prop_map(str::to_owned),
        ".{0,20}",
    ]
}
