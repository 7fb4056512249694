//! Values that are nearly right: the message says what to write, and suggests nothing that would be wrong.

use std::fs;
use std::process::Command;

use insta::assert_snapshot;
use rcgen::generate_simple_self_signed;
use wolkvox_exporter::config::Config;

use super::{SECRET, certificate, folder, good, mistakes, variables, with};

#[test]
fn a_zone_is_suggested_only_where_its_city_is_alike() {
    let zones = [
        "America/Bogata",
        "Bogota",
        "bogotá",
        "America/Colombia/Bogota",
        "America/Sao Paulo",
        "São Paulo",
        "Buenos Aires",
        "America/Mexico-City",
        "Lima, Peru",
        "Colombia",
        "Spain",
        "Chile",
        "Panamá",
        "America/Medellin",
        "COT",
        "PET",
        "BRST",
        "GMT-5",
        "UTC-5",
        "UTC -5",
        "GMT-05:00",
        "-05:00",
        "-5",
        "EST5",
        "5",
        "America",
        "Local",
        "?",
    ];
    let hints = zones.map(|zone| {
        let wrong = mistakes(&with(&format!("timezone: '{zone}'")));
        let hint = wrong.split_once("; ").unwrap().1;
        format!("{zone}: {hint}")
    });
    assert_snapshot!(hints.join("\n"), @"
    America/Bogata: did you mean `America/Bogota`?
    Bogota: did you mean `America/Bogota`?
    bogotá: did you mean `America/Bogota`?
    America/Colombia/Bogota: did you mean `America/Bogota`?
    America/Sao Paulo: did you mean `America/Sao_Paulo`?
    São Paulo: did you mean `America/Sao_Paulo`?
    Buenos Aires: did you mean `America/Buenos_Aires`?
    America/Mexico-City: did you mean `America/Mexico_City`?
    Lima, Peru: name a city with its continent, such as America/Bogota
    Colombia: name a city with its continent, such as America/Bogota
    Spain: name a city with its continent, such as America/Bogota
    Chile: name a city with its continent, such as America/Bogota
    Panamá: did you mean `America/Panama`?
    America/Medellin: name a city with its continent, such as America/Bogota
    COT: abbreviations stand for several zones: name a city, such as America/Bogota
    PET: abbreviations stand for several zones: name a city, such as America/Bogota
    BRST: abbreviations stand for several zones: name a city, such as America/Bogota
    GMT-5: an offset does not say when clocks change: name a city, such as America/Bogota
    UTC-5: an offset does not say when clocks change: name a city, such as America/Bogota
    UTC -5: an offset does not say when clocks change: name a city, such as America/Bogota
    GMT-05:00: an offset does not say when clocks change: name a city, such as America/Bogota
    -05:00: an offset does not say when clocks change: name a city, such as America/Bogota
    -5: an offset does not say when clocks change: name a city, such as America/Bogota
    EST5: an offset does not say when clocks change: name a city, such as America/Bogota
    5: an offset does not say when clocks change: name a city, such as America/Bogota
    America: name a city with its continent, such as America/Bogota
    Local: name a city with its continent, such as America/Bogota
    ?: name a city with its continent, such as America/Bogota
    ");
}

/// `Etc/GMT+5` is UTC-5, and EST has no summer time.
#[test]
fn a_zone_that_is_no_place_is_warned_of() {
    let warnings = |zone: &str| good(&with(&format!("timezone: {zone}"))).warnings();
    for zone in ["Etc/GMT+5", "Etc/GMT-5", "EST", "EST5EDT", "HST"] {
        assert_eq!(
            warnings(zone),
            [format!(
                "acme: timezone {zone} is a fixed offset or an abbreviation (Etc/GMT+5 is UTC-5): name a city, such as America/Bogota"
            )]
        );
    }
    for zone in [
        "America/Bogota",
        "America/Argentina/Buenos_Aires",
        "Cuba",
        "UTC",
        "Etc/UTC",
    ] {
        assert_eq!(warnings(zone), [""; 0]);
    }
    let without = "state_path: s\noperations: [{name: acme, server: 1, token_env: A}]";
    assert_eq!(
        good(without).warnings(),
        ["acme: no timezone: America/Bogota is assumed; set it, here or in the defaults"]
    );
}

#[test]
fn a_token_in_quotes_or_in_a_pipe_is_told() {
    let files = [
        ("double", format!("\"{SECRET}\"\n")),
        ("single", format!("'{SECRET}'")),
        ("half", format!("{SECRET}\"")),
        ("mark", format!("\u{feff}{SECRET}")),
        ("huge", SECRET.repeat(100_000)),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder("quotes", &files);
    let wide: Vec<u8> = format!("\u{feff}{SECRET}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(folder.join("wide"), wide).unwrap();
    let pipe = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let sources = [
        "token_file: double",
        "token_file: single",
        "token_file: half",
        "token_file: mark",
        "token_file: wide",
        "token_file: huge",
        "token_file: pipe",
        "token_file: .",
        "token_file: /dev/zero",
        "token_env: QUOTED",
    ];
    let operations: String = (0..)
        .zip(sources)
        .map(|(n, source)| format!("  - {{name: o{n}, server: 1, {source}}}\n"))
        .collect();
    let quoted = format!("\"{SECRET}\"");
    let quoted = [("QUOTED", quoted.as_str())];
    let lookup = variables(&quoted);
    let mistakes = Config::parse(&format!("operations:\n{operations}"), "w.yml", &folder, &lookup).unwrap_err();
    let mistakes = mistakes.to_string();
    assert!(!mistakes.contains(SECRET), "{mistakes}");
    assert_snapshot!(mistakes.replace(&folder.display().to_string(), "FOLDER"), @"
    w.yml:2: operations[0].token_file: the token file FOLDER/double has a quotation mark at its beginning or end: it must contain only the token
    w.yml:3: operations[1].token_file: the token file FOLDER/single has a quotation mark at its beginning or end: it must contain only the token
    w.yml:4: operations[2].token_file: the token file FOLDER/half has a quotation mark at its beginning or end: it must contain only the token
    w.yml:5: operations[3].token_file: the token file FOLDER/mark begins with a byte order mark, which some Windows editors write: save it as plain ASCII text
    w.yml:6: operations[4].token_file: the token file FOLDER/wide begins with a byte order mark, which some Windows editors write: save it as plain ASCII text
    w.yml:7: operations[5].token_file: the token file FOLDER/huge does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    w.yml:8: operations[6].token_file: cannot read the token file FOLDER/pipe: it is a pipe, not a file
    w.yml:9: operations[7].token_file: cannot read the token file FOLDER/.: it is a folder, not a file
    w.yml:10: operations[8].token_file: cannot read the token file /dev/zero: it is a device, not a file
    w.yml:11: operations[9].token_env: the environment variable QUOTED has a quotation mark at its beginning or end: it must contain only the token
    ");
}

#[test]
fn a_ca_file_without_usable_certificates_is_told() {
    let key = generate_simple_self_signed(vec![]).unwrap().signing_key.serialize_pem();
    let good = certificate();
    let lines: Vec<&str> = good.lines().collect();
    let broken = [&lines[..1], &["AAAA"], &lines[2..]].concat().join("\n");
    let cut = lines[..lines.len() - 1].join("\n");
    let files = [
        ("empty", String::new()),
        ("key", key),
        ("broken", broken),
        ("cut", cut),
        ("huge", "#".repeat(5 << 20)),
        (
            "two",
            format!("# the first\n{good}\n# and the second\n{}", certificate()),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder("ca-files", &files);
    fs::write(folder.join("der"), [0x30, 0x82, 1, 2]).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(folder.join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    let operation =
        |(n, file): (usize, &str)| format!("  - {{name: o{n}, server: 1, token_env: T{n}, ca_file: {file}}}\n");
    let parse = |files: &[&str]| {
        let operations: String = files.iter().copied().enumerate().map(operation).collect();
        let lookup = |name: &str| Some(format!("{name}{SECRET}"));
        Config::parse(&format!("operations:\n{operations}"), "w.yml", &folder, &lookup)
    };
    let mistakes = parse(&["empty", "key", "broken", "cut", "huge", "der", "pipe", "."]).unwrap_err();
    assert_snapshot!(mistakes.to_string().replace(&folder.display().to_string(), "FOLDER"), @"
    w.yml:2: operations[0].ca_file: FOLDER/empty has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----
    w.yml:3: operations[1].ca_file: FOLDER/key has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----
    w.yml:4: operations[2].ca_file: a certificate in FOLDER/broken cannot be used: invalid peer certificate: BadEncoding
    w.yml:5: operations[3].ca_file: FOLDER/cut is not valid PEM, or is incomplete
    w.yml:6: operations[4].ca_file: FOLDER/huge is longer than 4 MiB: check that it is the right file
    w.yml:7: operations[5].ca_file: FOLDER/der is in DER, and PEM is expected: convert it with openssl x509 -inform der
    w.yml:8: operations[6].ca_file: cannot read FOLDER/pipe: it is a pipe, not a file
    w.yml:9: operations[7].ca_file: cannot read FOLDER/.: it is a folder, not a file
    ");
    parse(&["two"]).unwrap();
}

#[test]
fn nothing_is_reached_at_port_0() {
    for line in [
        "proxy: http://proxy.example:0",
        "proxy: http://me:swordfish@proxy.example:0",
    ] {
        let wrong = mistakes(&with(line));
        assert!(wrong.contains("nothing can be reached at port 0"), "{wrong}");
        assert!(!wrong.contains("swordfish"), "{wrong}");
    }
    let wrong = mistakes(&with("").replace("server: 0001", "url: https://wolkvox.example:0"));
    assert!(wrong.contains("nothing can be reached at port 0"), "{wrong}");
}
