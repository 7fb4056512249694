//! A configuration in several files, and tokens beside them.

use std::path::Path;

use insta::assert_snapshot;
use secrecy::ExposeSecret;
use wolkvox_exporter::config::{Config, Mistakes};

use super::{OTHER_SECRET, SECRET, certificate, folder};

fn load(paths: &[&Path]) -> Result<Config, Mistakes> {
    Config::load(paths, &|_| None)
}

/// The mistakes, with paths from `folder` on.
fn mistakes(folder: &Path, paths: &[&Path]) -> String {
    let text = load(paths).unwrap_err().to_string();
    text.replace(&format!("{}/", folder.display()), "")
        .replace(&folder.display().to_string(), "FOLDER")
}

fn names(config: &Config) -> Vec<&str> {
    config.operations.iter().map(|operation| &*operation.name).collect()
}

#[test]
fn a_folder_stands_for_its_files_by_name() {
    let folder = folder(
        "files",
        &[
            ("b.yml", "operations: [{name: b, server: 2}]"),
            ("a.yaml", "operations: [{name: a, server: 1, ca_file: ca.pem}]"),
            (
                "general.yml",
                "state_path: state\ndefaults: {timezone: America/Lima, ca_file: ca.pem}\n",
            ),
            ("empty.yml", "# operations: [{name: c, server: 3}]\n"),
            ("none.yml", "operations: []"),
            ("notes.txt", "no YAML: ["),
            (".hidden.yml", "no YAML: ["),
            ("a.token", SECRET),
            ("b.token", OTHER_SECRET),
            ("ca.pem", &certificate()),
        ],
    );
    let more = super::folder(
        "files-more",
        &[
            ("c.yml", "operations: [{name: c, server: 3, token_file: the-token}]"),
            ("the-token", "c-token"),
        ],
    );
    let file = more.join("c.yml");
    let config = load(&[&folder, &file]).unwrap();
    assert_eq!(names(&config), ["a", "b", "c"]);
    assert_eq!(config.state_path, Some(folder.join("state")));
    for (operation, token) in config.operations.iter().zip([SECRET, OTHER_SECRET, "c-token"]) {
        assert_eq!(operation.token.value.expose_secret(), token);
        assert_eq!(
            operation.timezone_name, "America/Lima",
            "the defaults of one file are for all"
        );
        let ca_file = &operation.ca_file.as_ref().unwrap().path;
        assert_eq!(*ca_file, folder.join("ca.pem"), "relative to the file that names it");
    }
    assert_eq!(names(&load(&[&file]).unwrap()), ["c"]);
}

#[test]
fn mistakes_name_their_file() {
    let folder = folder(
        "files-mistakes/in-a-folder-with-a-long-path-as-it-is-common-on-servers-where-everything-has-its-own-place",
        &[
            (
                "a.yml",
                "series_limit: 10\noperations:\n- {name: acme, server: 1, token_file: t}\n- {name: b, server: 2, tokenfile: t}\n",
            ),
            (
                "b.yml",
                "series_limit: 20\ndefaults:\n  timezone: Bogota\n  reports:\n    ivr: {interval: 10m}\n    skills: {interval: 0s}\n",
            ),
            (
                "c.yml",
                "operations:\n- {name: acme, server: 1, token_file: t}\n- {name: c, server: 3, reports: {ivr: {max_age: 1s}}}\n",
            ),
            ("t", SECRET),
            ("c.token", "two words"),
        ],
    );
    assert_snapshot!(mistakes(&folder, &[&folder]), @"
    a.yml:4: operations[1]: `token_file` is missing, for example `token_file: acme.token` (or `token_env`); or put the token into NAME.token beside this file
    a.yml:4: operations[1].tokenfile: unknown key; did you mean `token_file`?
    b.yml:1: series_limit: given twice; the first one is on line 1 of a.yml
    b.yml:3: defaults.timezone: the tz database has no zone `Bogota`; did you mean `America/Bogota`?
    b.yml:6: defaults.reports.skills.interval: `0s` is out of range: from 1s to 1d is allowed
    c.yml:2: operations[0].name: the name `acme` is taken by the operation on line 3 of a.yml
    c.yml:2: operations[0].token_file: operation `acme` has the same token as operation `acme` on line 3 of a.yml: Wolkvox takes one call at a time per token, so each operation needs its own
    c.yml:3: operations[1].name: the token file c.token does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    c.yml:3: operations[1].reports.ivr.max_age: `1s` is out of range: from 20m to 366d is allowed, since with less than 2 × interval (line 5 of b.yml) one failed poll would hide the report
    ");
    let places = load(&[&folder]).unwrap_err().places();
    assert!(
        places.starts_with("a.yml:4: operations[1]\na.yml:4: operations[1].tokenfile\n"),
        "{places}"
    );
}

/// What could not be read may be what the others lack, so nothing else is told.
#[test]
fn a_file_that_cannot_be_read_is_told_first() {
    let folder = folder(
        "files-unreadable",
        &[("a.yml", "operations: [{}]"), ("b.yml", "a: [1"), ("c.yml", "a: \"x")],
    );
    let (empty, missing) = (super::folder("files-none", &[]), folder.join("d.yml"));
    assert_snapshot!(mistakes(&folder, &[&folder, &missing]), @"
    b.yml:1: not valid YAML: while parsing a flow sequence, expected ',' or ']'
    c.yml:1: not valid YAML: while scanning a quoted scalar, found unexpected end of stream
    d.yml: cannot be read: No such file or directory (os error 2)
    ");
    assert_snapshot!(mistakes(&empty, &[&empty]), @"FOLDER: has no files that end in .yml or .yaml");
    let nothing = super::folder("files-nothing", &[("a.yml", "# x"), ("b.yml", "state_path: s")]);
    assert_snapshot!(mistakes(&nothing, &[&nothing]), @"b.yml:1: `operations` is missing: a list of operations, each starting with `- name: …`");
}
