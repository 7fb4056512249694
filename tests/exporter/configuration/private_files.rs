//! Files with a secret that other users may read.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use rcgen::generate_simple_self_signed;
use wolkvox_exporter::config::{Config, check_config, web_warnings};

use super::{SECRET, SOUND, folder};

fn chmod(file: &Path, mode: u32) {
    fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
}

/// The warnings of a configuration with this token file.
fn warnings(file: &Path) -> Vec<String> {
    let text = format!(
        "operations: [{{name: acme, server: 1, token_file: '{}'}}]\n{SOUND}",
        file.display()
    );
    let config = Config::parse(&text, "w.yml", Path::new(""), &|_| None).unwrap();
    let warnings = config.warnings();
    for warning in &warnings {
        assert!(check_config(&config, 1, &config.warnings()).contains(&format!("warning: {warning}\n")));
    }
    warnings
}

#[test]
fn a_token_file_that_others_may_read_is_warned_of() {
    let folder = folder("private", &[("t", SECRET)]);
    let file = folder.join("t");
    let expected = format!(
        "acme: other users of this machine may read the token file {}: chmod 600 it, or 640 if it belongs to root and the \
         exporter's group",
        file.display()
    );
    for (mode, is_warned_of) in [
        (0o400, false),
        (0o600, false),
        (0o604, true),
        (0o644, true),
        (0o602, true),
    ] {
        chmod(&file, mode);
        let expected = if is_warned_of { vec![expected.clone()] } else { vec![] };
        assert_eq!(warnings(&file), expected, "{mode:o}");
    }
    // What the package's folder makes of a file of root: only the exporter's group may read it.
    if chown(&file, Some(0), Some(12345)).is_ok() {
        chmod(&file, 0o640);
        assert_eq!(warnings(&file), [""; 0]);
    } else {
        chmod(&file, 0o640);
        assert_eq!(
            warnings(&file),
            [expected],
            "the exporter does not need the group of its own file"
        );
    }
}

/// A pod has no other users: `acme` is a link to `..data/acme`, and `..data` one to a folder of this update.
#[test]
fn files_of_a_kubernetes_secret_are_not_warned_of() {
    let folder = folder("kubernetes", &[]);
    let update = folder.join("..2026_11_21_10_30_00.1234567890");
    fs::create_dir(&update).unwrap();
    fs::write(update.join("acme"), SECRET).unwrap();
    chmod(&update.join("acme"), 0o644);
    symlink(update.file_name().unwrap(), folder.join("..data")).unwrap();
    symlink("..data/acme", folder.join("acme")).unwrap();
    assert_eq!(warnings(&folder.join("acme")), [""; 0]);
    assert_eq!(warnings(&folder.join("..data/acme")), [""; 0]);
    assert_eq!(warnings(&update.join("acme")).len(), 1, "not by the link");
}

#[test]
fn a_key_of_the_web_server_that_others_may_read_is_warned_of() {
    let own = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    let inline = |name: &str, pem: &str| format!("  {name}: |\n    {}\n", pem.trim_end().replace('\n', "\n    "));
    let files = [
        ("server.crt", certificate.clone()),
        ("server.key", key.clone()),
        (
            "web.yml",
            "tls_server_config: {cert_file: server.crt, key_file: server.key}\n".to_owned(),
        ),
        (
            "inline.yml",
            format!(
                "tls_server_config:\n{}{}",
                inline("cert", &certificate),
                inline("key", &key)
            ),
        ),
        ("plain.yml", "basic_auth_users: {}\n".to_owned()),
        (
            "wolkvox.yml",
            "operations: [{name: acme, server: 1, token_file: t}]\n".to_owned(),
        ),
        ("t", SECRET.to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder("web-key", &files);
    let expected = |file: &str| {
        format!(
            "other users of this machine may read {}, which has the key of the certificate: chmod 600 it, or 640 if it \
             belongs to root and the exporter's group",
            folder.join(file).display()
        )
    };
    let found = |file: &str| web_warnings(&folder.join(file));
    for file in ["server.crt", "plain.yml", "web.yml"] {
        chmod(&folder.join(file), 0o644);
    }
    for file in ["web.yml", "inline.yml", "plain.yml", "missing.yml"] {
        assert_eq!(found(file), [""; 0], "{file}");
    }
    chmod(&folder.join("server.key"), 0o644);
    assert_eq!(found("web.yml"), [expected("server.key")]);
    chmod(&folder.join("inline.yml"), 0o644);
    assert_eq!(found("inline.yml"), [expected("inline.yml")]);

    let output = Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
        .arg("check-config")
        .arg(folder.join("wolkvox.yml"))
        .arg(format!("--web.config.file={}", folder.join("web.yml").display()))
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.contains(&format!("warning: {}\n", expected("server.key"))),
        "{output}"
    );
}
