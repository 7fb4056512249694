//! Every warning and error in the log, and every message with which the exporter exits, says itself what to do, or the page
//! does. Mistakes in the configuration explain themselves.

use std::fs;

use super::{file, files_below, row_keys, section, text};

/// Calls that log a text, in any file.
const LOGGED: &[&str] = &["tracing::warn!(", "tracing::error!("];

/// Calls that make a text the message of an exit or a failed reload, or a warning about the configuration.
const MESSAGES: &[(&str, &[&str])] = &[
    ("src/commands.rs", &["context("]),
    ("src/commands", &["context(", "bail!(", "anyhow!("]),
    ("src/signals.rs", &["context("]),
    ("src/app.rs", &["context(", "bail!(", "anyhow!(", "ReloadError::plain("]),
    (
        "src/app/operations.rs",
        &["context(", "bail!(", "anyhow!(", "ReloadError::plain("],
    ),
    ("src/ledger/storage.rs", &[".error("]),
    ("src/ledger/commit.rs", &[".error("]),
    ("src/config/summary.rs", &["warn(", "push("]),
];

/// What the sentences begin with that say what to do.
const WAYS_OUT: &[&str] = &[
    "check", "chmod", "correct", "give", "leave", "lengthen", "mount", "move", "name", "raise", "remove", "restart",
    "restore", "run", "set", "stop", "use",
];

/// Whether a message has a way out itself: one of these sentences, or one that is inserted behind a semicolon.
fn says_what_to_do(message: &str) -> bool {
    let mut clauses = message.split([';', ':', ',', '.']).map(str::trim);
    let begins = |clause: &str| {
        let mut words = clause
            .split(' ')
            .skip_while(|word| ["so", "or", "and", "please"].contains(word));
        words
            .next()
            .is_some_and(|word| WAYS_OUT.contains(&&*word.to_lowercase()))
    };
    clauses.any(begins) || message.ends_with("; …") || message.contains("report it")
}

/// What has a text in English, and then in Spanish.
const IN_BOTH_LANGUAGES: &[&str] = &["Text::new", "Message::new"];

/// The string literals of the call whose arguments begin here, without those in Spanish.
fn literals(arguments: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut characters = arguments.chars().peekable();
    let mut depth = 1;
    let mut code = String::new();
    // How deep the innermost text in both languages is, and whether it is Spanish by now.
    let mut both: Option<(i32, bool)> = None;
    while let Some(c) = characters.next() {
        match c {
            '(' => {
                depth += 1;
                if IN_BOTH_LANGUAGES.iter().any(|call| code.ends_with(call)) {
                    both = Some((depth, false));
                }
            }
            ')' => {
                depth -= 1;
                both = both.filter(|(at, _)| *at <= depth);
            }
            ',' => both = both.map(|(at, is_spanish)| (at, is_spanish || at == depth)),
            '"' => {
                let mut literal = String::new();
                while let Some(c) = characters.next() {
                    match c {
                        '"' => break,
                        '\\' => match characters.next() {
                            Some('\n') => while characters.next_if(|c| c.is_whitespace()).is_some() {},
                            Some(c) => literal.push(c),
                            None => break,
                        },
                        c => literal.push(c),
                    }
                }
                if both.is_none_or(|(_, is_spanish)| !is_spanish) {
                    literals.push(literal);
                }
            }
            _ => {}
        }
        code.push(c);
        if depth == 0 {
            break;
        }
    }
    literals
}

/// A message as the page writes it, with the inserted values left out.
fn fixed(literal: &str) -> String {
    let mut fixed = String::new();
    let mut rest = literal;
    while let Some((before, inside)) = rest.split_once('{') {
        fixed.push_str(before);
        fixed.push('…');
        rest = inside.split_once('}').map_or("", |(_, after)| after);
    }
    fixed + rest
}

/// The messages of these calls in a source file. With `all_speak`, a call without any literal text is a failure, since
/// it would escape the comparison.
fn messages(source: &str, calls: &[&str], all_speak: bool) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let mut messages = Vec::new();
    for call in calls {
        for (n, _) in source.match_indices(call) {
            let literals = literals(&source[n + call.len()..]);
            let speaking: Vec<String> = literals
                .iter()
                .map(|literal| fixed(literal))
                .filter(|text| text.contains(' ') && text.chars().filter(|c| c.is_alphabetic()).count() > 4)
                .collect();
            assert!(
                !all_speak || !speaking.is_empty(),
                "a log message without literal text: {literals:?}"
            );
            messages.extend(speaking);
        }
    }
    messages
}

#[test]
fn only_english_is_compared() {
    let source = r#"Text::new("a (b), c", "ä"), Message::new(format!("d {}", f(1, 2)), format!("é")), "e")"#;
    assert_eq!(literals(source), ["a (b), c", "d {}", "e"]);
}

#[test]
fn every_message_is_explained() {
    let page = text("docs/operations.md");
    let mut all = Vec::new();
    for path in files_below(&file("src"), ".rs") {
        let source = fs::read_to_string(&path).unwrap();
        all.extend(messages(&source, LOGGED, true));
    }
    for (path, calls) in MESSAGES {
        let sources = match file(path) {
            folder if folder.is_dir() => files_below(&folder, ".rs"),
            one => vec![one],
        };
        let sources = sources.iter().map(|path| fs::read_to_string(path).unwrap());
        let found: Vec<String> = sources.flat_map(|source| messages(&source, calls, false)).collect();
        assert!(!found.is_empty(), "{path} has no messages any more: look at this test");
        all.extend(found);
    }
    all.sort();
    all.dedup();
    let missing: Vec<_> = all
        .iter()
        .filter(|message| !says_what_to_do(message) && !page.contains(&format!("`{message}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "neither these messages nor docs/operations.md say what to do:\n{missing:#?}"
    );
    let shown = [section(&page, "## The log"), section(&page, "## How it ends")].concat();
    let strangers: Vec<_> = row_keys(&shown)
        .into_iter()
        .filter(|message| !all.iter().any(|known| known == message))
        .collect();
    assert!(
        strangers.is_empty(),
        "docs/operations.md explains messages that the code does not have:\n{strangers:#?}"
    );
    assert!(all.len() > 40, "only {} messages were found", all.len());
}

#[test]
fn a_way_out_is_told_from_a_description() {
    for message in [
        "it is an empty file; restore it from a backup, or remove it to start from zero",
        "it cannot be opened: …; …",
        "series could not be rendered; please report it",
        "port 0 means any port: the system chooses another one, so give the one to scrape",
    ] {
        assert!(says_what_to_do(message), "{message}");
    }
    for message in [
        "poll failed: …",
        "polls are suspended",
        "a reread of old rows failed and will go on",
        "the use of it ended: …",
    ] {
        assert!(!says_what_to_do(message), "{message}");
    }
}
