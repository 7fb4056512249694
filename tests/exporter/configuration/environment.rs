//! An operation configured by environment variables alone.

use insta::assert_snapshot;
use wolkvox_exporter::config::{Config, Operation, Token, TokenSource};

use super::{SECRET, folder, variables};

#[test]
fn the_environment_makes_one_operation() {
    let lookup = variables(&[
        ("WOLKVOX_SERVER", "wv22"),
        ("WOLKVOX_TOKEN", SECRET),
        ("WOLKVOX_TOKEN_FILE", ""),
    ]);
    let config = Config::from_environment(&lookup).unwrap().unwrap();
    let token = Token::from_source(TokenSource::Environment("WOLKVOX_TOKEN".to_owned()), &lookup).unwrap();
    let expected = Operation::new("wolkvox", "https://wv0022.wolkvox.com", token);
    assert_eq!(
        config,
        Config {
            operations: vec![expected],
            ..Config::default()
        }
    );

    let folder = folder("environment", &[("t", SECRET)]);
    let file = folder.join("t").display().to_string();
    let config = Config::from_environment(&variables(&[
        ("WOLKVOX_SERVER", "http://127.0.0.1:8080/"),
        ("WOLKVOX_TOKEN_FILE", &file),
        ("WOLKVOX_TIMEZONE", "america/santiago"),
        ("WOLKVOX_OPERATION", "acme"),
    ]));
    let operation = config.unwrap().unwrap().operations.remove(0);
    assert_eq!(
        (&*operation.name, operation.base_url.as_str()),
        ("acme", "http://127.0.0.1:8080")
    );
    assert_eq!(
        (operation.timezone_name.as_str(), operation.timezone.iana_name()),
        ("America/Santiago", Some("America/Santiago"))
    );
    assert_eq!(operation.token.source, TokenSource::File(file.into()));

    assert_eq!(Config::from_environment(&|_| None), Ok(None));
    assert_eq!(
        Config::from_environment(&variables(&[("WOLKVOX_SERVER", " ")])),
        Ok(None)
    );
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let wrong = |pairs: &[(&str, &str)]| Config::from_environment(&variables(pairs)).unwrap_err().to_string();
    assert_snapshot!(wrong(&[
        ("WOLKVOX_SERVER", "wolkvox"),
        ("WOLKVOX_TOKEN", "a b"),
        ("WOLKVOX_TIMEZONE", "Bogota"),
        ("WOLKVOX_OPERATION", "a b"),
    ]), @r#"
    WOLKVOX_OPERATION: expected a name of 1 to 64 letters (a–z), digits, `_` and `-`, such as acme; found `a b`
    WOLKVOX_SERVER: expected the number of the server such as "0001", or its full address; found `wolkvox`
    WOLKVOX_TOKEN: the environment variable WOLKVOX_TOKEN does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    WOLKVOX_TIMEZONE: the tz database has no zone `Bogota`; did you mean `America/Bogota`?
    "#);
    assert_snapshot!(wrong(&[("WOLKVOX_SERVER", "1")]), @"WOLKVOX_TOKEN: is not set; it (or WOLKVOX_TOKEN_FILE) is needed with WOLKVOX_SERVER");
    assert_snapshot!(wrong(&[("WOLKVOX_SERVER", "1"), ("WOLKVOX_TOKEN", "a"), ("WOLKVOX_TOKEN_FILE", "b")]), @"WOLKVOX_TOKEN: cannot be combined with WOLKVOX_TOKEN_FILE: keep one of them");
    assert_snapshot!(wrong(&[("WOLKVOX_SERVER", "1"), ("WOLKVOX_TOKEN_FILE", "/no/such.token")]), @"WOLKVOX_TOKEN_FILE: cannot read the token file /no/such.token: No such file or directory (os error 2)");
}
