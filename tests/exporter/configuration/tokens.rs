//! Tokens: where they come from, and that they are never printed.

use std::fs;

use insta::assert_snapshot;
use secrecy::ExposeSecret;
use wolkvox_exporter::config::{Config, Operation, Token, TokenError, TokenSource, check_config};

use super::{OTHER_SECRET, SECRET, folder, good, variables, with};

#[test]
fn a_token_that_cannot_be_read_says_why() {
    let long = "x".repeat(5000);
    let files = [
        ("empty", " \n"),
        ("two", "a\nb\n"),
        ("blank", "a b"),
        ("accent", "señal"),
        ("long", long.as_str()),
    ];
    let folder = folder("token", &files);
    let operation = |(index, source): (usize, &str)| format!("  - {{name: o{index}, server: 1, {source}}}\n");
    let text = [
        "token_file: empty",
        "token_file: two",
        "token_file: blank",
        "token_file: accent",
        "token_file: long",
        "token_file: missing",
        "token_file: .",
        "token_file: ''",
        "token_env: UNSET",
        "token_env: BLANK",
        &format!("token_env: {SECRET}"),
        &format!("token_file: {SECRET}"),
        &format!("token: {SECRET}"),
        "server: 2",
        "token_file: \"a\\nb\\e[1m\"",
        &format!("token_file: {SECRET} old"),
        &format!("token_file: {SECRET}/{}", "x".repeat(300)),
        &format!("token_env: A {SECRET}"),
    ];
    let text = format!(
        "operations:\n{}",
        text.into_iter().enumerate().map(operation).collect::<String>()
    );
    let mistakes = Config::parse(&text, "w.yml", &folder, &variables(&[("BLANK", " ")]))
        .unwrap_err()
        .to_string();
    assert!(!mistakes.contains(SECRET));
    assert_snapshot!(mistakes.replace(&folder.display().to_string(), "FOLDER"), @r#"
    w.yml:2: operations[0].token_file: the token file FOLDER/empty is empty: it must contain the token
    w.yml:3: operations[1].token_file: the token file FOLDER/two has more than one line: it must contain only the token
    w.yml:4: operations[2].token_file: the token file FOLDER/blank does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    w.yml:5: operations[3].token_file: the token file FOLDER/accent does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    w.yml:6: operations[4].token_file: the token file FOLDER/long does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    w.yml:7: operations[5].token_file: cannot read the token file FOLDER/missing: No such file or directory (os error 2)
    w.yml:8: operations[6].token_file: cannot read the token file FOLDER/.: it is a folder, not a file
    w.yml:9: operations[7].token_file: is empty: a path is expected
    w.yml:10: operations[8].token_env: the environment variable UNSET is not set
    w.yml:11: operations[9].token_env: the environment variable BLANK is empty: it must contain the token
    w.yml:12: operations[10].token_env: this looks like the token itself, not like the name of a variable: take it out of the configuration
    w.yml:13: operations[11].token_file: this looks like the token itself, not like the path of a file: take it out of the configuration
    w.yml:14: operations[12].token: a token does not belong in this file, which gets copied, mailed and committed: put it into a file of its own and set `token_file`, or into an environment variable and set `token_env`
    w.yml:15: operations[13]: `token_file` is missing, for example `token_file: acme.token` (or `token_env`); or put the token into NAME.token beside this file
    w.yml:15: operations[13].server: given twice; the first one is on line 15
    w.yml:16: operations[14].token_file: cannot read the token file FOLDER/a\nb\u{1b}[1m: No such file or directory (os error 2)
    w.yml:17: operations[15].token_file: this looks like the token itself, not like the path of a file: take it out of the configuration
    w.yml:18: operations[16].token_file: this looks like the token itself, not like the path of a file: take it out of the configuration
    w.yml:19: operations[17].token_env: this looks like the token itself, not like the name of a variable: take it out of the configuration
    "#);
}

#[test]
fn a_token_is_read_again_from_where_it_came() {
    let folder = folder("again", &[("acme.token", SECRET)]);
    let source = TokenSource::File(folder.join("acme.token"));
    assert_eq!(source.read(&|_| None).unwrap().expose_secret(), SECRET);
    fs::write(folder.join("acme.token"), format!("  {OTHER_SECRET}\r\n")).unwrap();
    assert_eq!(source.read(&|_| None).unwrap().expose_secret(), OTHER_SECRET);
    fs::remove_file(folder.join("acme.token")).unwrap();
    assert!(matches!(source.read(&|_| None), Err(TokenError::Unreadable { .. })));

    let source = TokenSource::Environment("A".to_owned());
    assert_eq!(source.read(&variables(&[("A", "x")])).unwrap().expose_secret(), "x");
    assert_eq!(Token::given("y").source.read(&|_| None).unwrap().expose_secret(), "y");
}

#[test]
fn a_token_is_never_printed() {
    let mut config = good(&with(
        "proxy: http://me:swordfish@proxy.example:3128\nreports: {ivr: {interval: 1s}}",
    ));
    config
        .operations
        .push(Operation::new("code", "http://gateway", Token::given(OTHER_SECRET)));
    let everything = format!(
        "{config:?} {config:#?} {} {:?}",
        check_config(&config, 1, &config.warnings()),
        config.warnings()
    );
    for secret in [SECRET, OTHER_SECRET, "swordfish"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
    assert!(everything.contains("proxy.example"));

    let errors = [
        TokenSource::Given("two\nlines".into()).read(&|_| None),
        TokenSource::Environment("A".to_owned()).read(&|_| Some("two\nlines".to_owned())),
    ];
    let errors = format!(
        "{errors:?} {}",
        errors
            .each_ref()
            .map(|error| error.as_ref().unwrap_err().to_string())
            .join(" ")
    );
    assert!(!errors.contains("two"), "{errors}");
}
