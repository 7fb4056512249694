//! A token in the wrong place is refused and never printed, whatever place that is.
//!
//! The keys, variables and flags come from the code, so that a new one cannot be forgotten.

mod program;

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use wolkvox_exporter::config::{Config, Mistakes, check_config};
use wolkvox_exporter::web::WebConfig;

use self::program::{run, text_of};
use crate::ledger::Folder;

const HEX: &str = "5f3a9c0be1d24786a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b";
const TOKENS: [&str; 3] = [
    HEX,
    "q7Rk2+Zt9xLmB4vW/8sYpN3hJdC6fGa1uEoTiXyKzQ==",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0ODc1In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
];
/// Not similar to any key.
const STRANGER: &str = "qqqqqqqqqqqqqqqqqqqqqqqq";
const SOUND: &str = "token-of-the-test";

/// No 12 characters of the token in a row, in whatever case.
#[track_caller]
fn assert_hidden(token: &str, text: &str, where_it_was: &str) {
    let (token, text) = (token.to_lowercase(), text.to_lowercase());
    for part in token.as_bytes().windows(12) {
        let part = std::str::from_utf8(part).unwrap();
        assert!(!text.contains(part), "{where_it_was}: {part} of a token is in\n{text}");
    }
}

fn parse(text: &str) -> Result<Config, Mistakes> {
    let lookup = |name: &str| (name == "A").then(|| SOUND.to_owned());
    Config::parse(text, "wolkvox.yml", Path::new("/etc/wolkvox"), &lookup)
}

/// All that can be shown of a configuration or its mistakes.
fn all_output(parsed: &Result<Config, Mistakes>) -> String {
    match parsed {
        Ok(config) => format!(
            "{config:?}\n{:?}\n{}",
            config.warnings(),
            check_config(config, 3, &config.warnings())
        ),
        Err(mistakes) => format!("{mistakes}\n{mistakes:?}"),
    }
}

/// A mapping of the schema, as the text before and after its keys.
#[derive(Clone, Debug)]
struct Place {
    before: String,
    after: String,
}

impl Place {
    fn with(&self, keys: &str) -> String {
        format!("{}{keys}{}", self.before, self.after)
    }

    /// A value of a key here, with a sound operation around it or beside it, so that this value alone decides.
    fn in_sound_configuration(&self, key: &str, value: &str) -> String {
        const OPERATION: &str = "{operations: [{";
        let text = self.with(&format!("{key}: {value}"));
        let Some(inner) = text.strip_prefix(OPERATION) else {
            let end = if key == "operations" {
                ""
            } else {
                ", operations: [{name: acme, server: 1, token_env: A}]"
            };
            return format!("{}{end}}}\n", text.strip_suffix("}\n").unwrap());
        };
        let is_own = self.before == OPERATION;
        let replaced = |other: &str| {
            is_own && (key == other || [("server", "url"), ("token_env", "token_file")].contains(&(other, key)))
        };
        let rest = [("name", "acme"), ("server", "1"), ("token_env", "A")];
        let rest = rest.iter().filter(|(other, _)| !replaced(other));
        let rest: String = rest.map(|(key, value)| format!("{key}: {value}, ")).collect();
        format!("{OPERATION}{rest}{inner}")
    }

    fn below(&self, open: &str, close: &str) -> Self {
        Self {
            before: format!("{}{open}", self.before),
            after: format!("{close}{}", self.after),
        }
    }

    /// Its keys, as the message about an unknown key lists them.
    fn keys(&self, mistakes: &dyn Fn(&str) -> String) -> Vec<String> {
        let mistakes = mistakes(&self.with(&format!("{STRANGER}: 1")));
        let list = mistakes.lines().find_map(|line| {
            let (before, list) = line.split_once(": unknown key; the keys here are ")?;
            before.contains(STRANGER).then_some(list)
        });
        list.map_or_else(Vec::new, |list| list.split(", ").map(str::to_owned).collect())
    }

    /// This mapping and all below it, each with its keys.
    fn walk(self, mistakes: &dyn Fn(&str) -> String, found: &mut Vec<(Self, Vec<String>)>) {
        let keys = self.keys(mistakes);
        if keys.is_empty() {
            return;
        }
        for key in &keys {
            self.below(&format!("{key}: {{"), "}").walk(mistakes, found);
            self.below(&format!("{key}: [{{"), "}]").walk(mistakes, found);
        }
        found.push((self, keys));
    }
}

/// All mappings of a schema with their keys.
fn schema(mistakes: &dyn Fn(&str) -> String) -> Vec<(Place, Vec<String>)> {
    let root = Place {
        before: "{".to_owned(),
        after: "}\n".to_owned(),
    };
    let mut found = Vec::new();
    root.walk(mistakes, &mut found);
    found
}

/// What people write with a token in it: alone, and inside of other things.
fn values(token: &str) -> Vec<String> {
    vec![
        format!("'{token}'"),
        format!("'{token} 5m'"),
        format!("'centro{token}'"),
        format!("'/etc/wolkvox/{token}.token'"),
        format!("'https://gateway.example/{token}/api/v2'"),
        format!("'http://{token}.example:3128'"),
        format!("'http://me:swordfish@proxy.example/{token}'"),
        format!("'07:00-{token}'"),
        format!("['{token}']"),
        format!("{{'{token}': 1}}"),
        format!("{{'{token}': '{token}'}}"),
        format!("{{Mon: '{token}'}}"),
        format!("['http://gateway/{token}', {{a: '{token}'}}]"),
        format!("\"\\x41{token}\""),
    ]
}

#[test]
fn no_key_takes_or_repeats_a_token() {
    let schema = schema(&|text| parse(text).map_or_else(|mistakes| mistakes.to_string(), |_| String::new()));
    let all: Vec<&String> = schema.iter().flat_map(|(_, keys)| keys).collect();
    for key in [
        "state_path",
        "name",
        "server",
        "url",
        "token_file",
        "token_env",
        "timezone",
        "currency",
        "daily_calls",
        "hours",
        "proxy",
        "ca_file",
        "interval",
        "skill_id",
        "every",
    ] {
        assert!(
            all.iter().any(|found| *found == key),
            "the walk does not come to {key}: {all:?}"
        );
    }
    // Else nothing of it would tell what a value does.
    let sound = Place {
        before: "{operations: [{".to_owned(),
        after: "}]}\n".to_owned(),
    };
    assert!(parse(&sound.in_sound_configuration("daily_calls", "7")).is_ok());
    let root = Place {
        before: "{".to_owned(),
        after: "}\n".to_owned(),
    };
    assert!(parse(&root.in_sound_configuration("state_path", "/var/lib/wolkvox_exporter")).is_ok());
    for token in TOKENS {
        for (place, keys) in &schema {
            for key in keys {
                for value in values(token) {
                    let text = place.in_sound_configuration(key, &value);
                    let parsed = parse(&text);
                    assert_hidden(token, &all_output(&parsed), &text);
                    assert!(parsed.is_err(), "accepted: {text}");
                }
                for text in [
                    place.with(&format!("{key}: 1, '{token}': 1")),
                    place.with(&format!("{key}{token}: 1")),
                    place.with(&format!("'{token}': {{'{token}': 1}}, '{token}': '{token}'")),
                    place.with(&format!("{key}: 1, {key}: '{token}'")),
                ] {
                    let parsed = parse(&text);
                    assert_hidden(token, &all_output(&parsed), &text);
                    assert!(parsed.is_err(), "accepted: {text}");
                }
            }
        }
    }
}

/// A proxy's password may be long and random; a path may lead through a folder that is named by a hash.
#[test]
fn what_may_look_like_a_secret_is_taken_and_not_shown() {
    let config = parse(&format!(
        "operations: [{{name: acme, server: 1, token_env: A, proxy: 'http://me:{HEX}@proxy.example'}}]"
    ));
    assert!(config.is_ok(), "{config:?}");
    assert_hidden(HEX, &all_output(&config), "proxy");

    let folder = Folder::new("secrets-hash");
    fs::create_dir_all(folder.0.join(HEX)).unwrap();
    fs::write(folder.0.join(HEX).join("token"), SOUND).unwrap();
    let text = format!("{{state_path: {HEX}/state, operations: [{{name: acme, server: 1, token_file: {HEX}/token}}]}}");
    let config = Config::parse(&text, "w.yml", &folder.0, &|_| None).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_hidden(
        HEX,
        &format!(
            "{:?} {}",
            config.warnings(),
            check_config(&config, 1, &config.warnings())
        ),
        &text,
    );
}

#[test]
fn a_token_that_is_refused_comes_with_what_to_do() {
    let of = |key: &str| {
        let text = format!("operations:\n  - {{name: acme, server: 1, token_env: A, {key}}}\n");
        parse(&text).unwrap_err().to_string()
    };
    let expected = "this looks like a secret, which does not belong here and is not shown: put a token into a file of its own, and \
                    the path of that file into `token_file`";
    for key in ["timezone", "currency", "daily_calls", "proxy", "ca_file"] {
        assert_eq!(
            of(&format!("{key}: {HEX}")),
            format!("wolkvox.yml:2: operations[0].{key}: {expected}")
        );
    }
    let wrong = of(&format!("{HEX}: 1"));
    assert!(wrong.contains("put a secret into a file of its own"), "{wrong}");
}

#[test]
fn no_variable_repeats_a_token() {
    let asked = RefCell::new(Vec::new());
    let _ = Config::from_environment(&|name| {
        asked.borrow_mut().push(name.to_owned());
        (name == "WOLKVOX_SERVER").then(|| "0001".to_owned())
    });
    let asked = asked.into_inner();
    assert!(asked.len() > 4, "{asked:?}");
    for token in TOKENS {
        for misplaced in &asked {
            for value in [
                token.to_owned(),
                format!("https://gateway.example/{token}"),
                format!("/run/secrets/{token}"),
                format!("{token} {token}"),
            ] {
                let parsed = Config::from_environment(&|name| match name {
                    name if name == misplaced => Some(value.clone()),
                    "WOLKVOX_SERVER" => Some("0001".to_owned()),
                    "WOLKVOX_TOKEN" if misplaced != "WOLKVOX_TOKEN_FILE" => Some(SOUND.to_owned()),
                    _ => None,
                });
                let parsed = parsed.map(Option::unwrap);
                assert_hidden(token, &all_output(&parsed), misplaced);
                assert!(
                    parsed.is_err() || misplaced == "WOLKVOX_TOKEN",
                    "{misplaced}={value} is accepted"
                );
            }
        }
    }
    // The program itself, for one of them.
    let output = run(
        &[],
        &[
            ("WOLKVOX_SERVER", HEX),
            ("WOLKVOX_TOKEN", SOUND),
            ("WOLKVOX_OPERATION", HEX),
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    assert_hidden(HEX, &text_of(&output), "the environment");
}

/// It has its own secrets, so some values are taken; none are shown.
#[test]
fn the_web_configuration_repeats_no_token() {
    let folder = Folder::new("secrets-web");
    fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("web.yml");
    let output = |text: &str| {
        fs::write(&file, text).unwrap();
        WebConfig::load(&file).map_or_else(|mistakes| format!("{mistakes}\n{mistakes:?}"), |_| String::new())
    };
    let schema = schema(&output);
    assert!(schema.len() > 3, "{schema:?}");
    for token in TOKENS {
        for (place, keys) in &schema {
            for key in keys {
                let texts = values(token)
                    .into_iter()
                    .map(|value| place.with(&format!("{key}: {value}")));
                for text in texts.chain([place.with(&format!("{key}: 1, '{token}': 1"))]) {
                    assert_hidden(token, &output(&text), &text);
                }
            }
        }
    }
}

proptest! {
    /// A random token that slipped into any place of a file.
    #[test]
    fn a_random_token_anywhere_is_not_shown(token in token(), at in any::<prop::sample::Index>()) {
        const TEXT: &str = "\
state_path: /var/lib/wolkvox_exporter   # a folder
new_series_hold: 2m
defaults: {timezone: America/Lima, reports: {ivr: {reread: {back: 1h}}}}
operations:
  - name: acme
    url: https://gateway.example/wolkvox
    token_env: A
    currency: COP
    proxy: http://127.0.0.1:3128
    hours: {Mon-Fri: \"07:00-20:00\"}
    reports:
      abandoned_calls: {interval: 5m, skill_id: all}
      ivr:
";
        let places: Vec<usize> = TEXT.char_indices().map(|(at, _)| at).collect();
        let mut text = TEXT.to_owned();
        text.insert_str(places[at.index(places.len())], &token);
        let output = all_output(&parse(&text));
        let hidden = !token.as_bytes().windows(12).any(|part| output.contains(std::str::from_utf8(part).unwrap()));
        prop_assert!(hidden, "in\n{text}\n{output}");
    }
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f]{40,100}",
        "[0-9A-F]{40,100}",
        "[A-Za-z0-9+/]{40,98}={0,2}",
        "[A-Za-z0-9]{40,100}"
    ]
}
