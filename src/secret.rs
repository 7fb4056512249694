//! Secrets in the wrong place: a token pasted as a name, an address or a flag is never printed.
//!
//! Everything that repeats what a person wrote asks [`looks_secret`], and nothing else decides.

use std::borrow::Cow;
use std::path::Path;

/// What is shown instead of something that looks like a secret.
pub const HIDDEN: &str = "<looks like a secret, not shown>";

/// Wolkvox's tokens have 52 hex digits; other systems begin at about this length.
const SHORTEST: usize = 24;
/// Hex digits in a row that are a secret whatever they are. Hashes of commits are mostly written shorter.
const HEX_DIGITS: usize = 32;
/// Changes between letters and digits, or from small letters to capitals. In random characters every second or third is one.
const CHANGES: usize = 6;
/// Random characters without capitals: names of hosts and pods have up to 20 of them.
const RANDOM_WITHOUT_CAPITALS: usize = 24;
/// A part made of words has this many letters in each, and not more than this many numbers.
const SHORTEST_WORD: usize = 3;
const MOST_NUMBERS: usize = 2;

/// Whether a text contains something that looks like a secret: 24 or more letters, digits and `+/=_-.` in a row, which either
/// have 32 hex digits in a row, or are mixed like random characters. That takes Wolkvox's tokens, hashes and keys in hex, in
/// base64 and in base32 with digits, JWTs and UUIDs.
///
/// It does not take what is made of words and numbers: paths, names of hosts, zones and variables, `centro-de-atencion-2026`,
/// `sha256`, `ContactCenter2026`, and such names with up to 20 random small letters and digits, as pods have. Nor does it take
/// a secret without any digit or change of case, or a shorter one.
pub fn looks_secret(text: &str) -> bool {
    pieces(text).any(|(piece, may_be)| may_be && is_random(piece))
}

/// A text for a message. What looks like a secret in it is replaced, with all letters, digits and `+/=_-.` around it.
pub fn hide(text: &str) -> Cow<'_, str> {
    if !looks_secret(text) {
        return Cow::Borrowed(text);
    }
    let shown = pieces(text).map(|(piece, may_be)| if may_be && is_random(piece) { HIDDEN } else { piece });
    Cow::Owned(shown.collect())
}

/// A path for a message.
pub fn hide_path(path: &Path) -> String {
    hide(&path.to_string_lossy()).into_owned()
}

/// Refuses a path that looks like a secret.
pub fn refuse_path(path: &Path, instead: &str) -> Result<(), String> {
    if is_secret_as_path(path) {
        refuse(&path.to_string_lossy(), instead)
    } else {
        Ok(())
    }
}

/// Refuses a value that looks like a secret and would be shown: as a label, in a log line or in an error. `instead` is the
/// setting for the path of a token's file.
pub fn refuse(text: &str, instead: &str) -> Result<(), String> {
    if looks_secret(text) {
        Err(format!(
            "this looks like a secret, which does not belong here and is not shown: put a token into a file of its own, and the \
             path of that file into {instead}"
        ))
    } else {
        Ok(())
    }
}

/// Whether a path is rather a secret, pasted where a path belongs. The part of a path that exists is none: volumes and
/// packages are often named by a hash.
pub fn is_secret_as_path(path: &Path) -> bool {
    if !looks_secret(&path.to_string_lossy()) {
        return false;
    }
    let existing = path.ancestors().find(|part| part.symlink_metadata().is_ok());
    let rest = existing.and_then(|existing| path.strip_prefix(existing).ok());
    looks_secret(&rest.unwrap_or(path).to_string_lossy())
}

/// The text in pieces, and whether each consists of the characters that secrets have.
fn pieces(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let may_be = is_part(first);
        let end = rest.find(|c| is_part(c) != may_be).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some((piece, may_be))
    })
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=_-.".contains(c)
}

fn is_random(piece: &str) -> bool {
    if piece.len() < SHORTEST {
        return false;
    }
    // With the hyphens of a UUID.
    let mut hex = piece.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    if hex.any(|part| part.bytes().filter(u8::is_ascii_hexdigit).count() >= HEX_DIGITS) {
        return true;
    }
    // No name has a `+` between letters.
    let parts = piece.split(|c: char| !c.is_ascii_alphanumeric() && c != '+');
    let mixed = parts
        .map(|part| (part.len(), changes(part)))
        .filter(|(_, changes)| *changes > 0);
    let (length, changes) = mixed.fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    let has_capitals = piece.bytes().any(|byte| byte.is_ascii_uppercase());
    changes >= CHANGES && (has_capitals || length >= RANDOM_WITHOUT_CAPITALS)
}

/// How often letters and digits, or small letters and capitals, change in a part. None if it is made of words and numbers:
/// `wv0001`, `ContactCenter2026`.
fn changes(part: &str) -> usize {
    let words = words(part);
    let is_number = |word: &&[u8]| word[0].is_ascii_digit();
    let numbers = words.iter().filter(|word| is_number(word)).count();
    let are_long = words
        .iter()
        .all(|word| is_number(word) || word[0].is_ascii_alphabetic() && word.len() >= SHORTEST_WORD);
    if words.len() <= 2 || are_long && numbers <= MOST_NUMBERS {
        return 0;
    }
    words.len() - 1
}

/// Letters of one case, perhaps with a capital before small letters, or digits, or plus signs.
fn words(part: &str) -> Vec<&[u8]> {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let is_same =
        |one: &u8, next: &u8| kind(*one) == kind(*next) || (one.is_ascii_uppercase() && next.is_ascii_lowercase());
    part.as_bytes().chunk_by(is_same).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_hashes_and_keys_look_like_secrets() {
        for secret in [
            "3f9a0c5be1d24786a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b",
            "D41D8CD98F00B204E9800998ECF8427E",
            "00000000000000000000000000000000",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dcTYooMQauvdEDq54N",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzT9kL2mQ4v",
            "b6gvzjyb2pg0kjfwrn1c5h6qw1sf4l9v",
            "123e4567-e89b-42d3-a456-4266141740ab",
        ] {
            for text in [
                secret.to_owned(),
                format!("/etc/wolkvox/{secret}"),
                format!("https://gateway.example:8080/{secret}/api"),
                format!("centro{secret}norte"),
                format!("{secret}.token"),
                format!("cannot read {secret}: No such file"),
            ] {
                assert!(looks_secret(&text), "{text}");
                let shown = hide(&text);
                assert!(shown.contains(HIDDEN) && !shown.contains(&secret[..8]), "{shown}");
            }
        }
        assert_eq!(
            hide("cannot read /etc/3f9a0c5be1d24786a0b1c2d3e4f50617.pem: it is a pipe"),
            "cannot read <looks like a secret, not shown>: it is a pipe"
        );
    }

    #[test]
    fn names_addresses_and_paths_do_not() {
        for text in [
            "",
            "centro-de-atencion-2026",
            "centrodeatencionalclientedebogota2026",
            "Centro_de_Atencion_al_Cliente_Bogota_Norte_Sede_2_Piso_14_2026",
            "WolkvoxExporterProductionClusterBogotaNorte2026",
            "sala-01-sede-02-piso-03-zona-04-ala-05-turno-06",
            "acme01-bog02-med03-cali04-quil05-sur06",
            "America/Argentina/ComodRivadavia",
            "https://wv0001.wolkvox.com/api/v2/",
            "http://ip-10-0-12-34.us-east-1.compute.internal:8080/gateway",
            "https://wolkvox-gateway-production-x7k2m9q4ra-uc.a.run.app",
            "wolkvox-exporter-7d9f8b6c5d-x2k9q",
            "wolkvox-exporter-13",
            "/var/lib/wolkvox_exporter/state/acme.redb",
            "/srv/app1/v2/conf2026/k8s/wv0001/tokens/x1/acme.token",
            "/opt/wolkvox/releases/4f3a9c2e/config/wolkvox.yml",
            "/etc/tokens/..2026_11_21_10_30_00.1234567890/acme",
            "sha256",
            "WOLKVOX_TOKEN_OF_CENTRO_DE_ATENCION_2026",
            "99999999999999999999y",
            "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:9963",
            "2026-11-21T10:30:00-05:00[America/Bogota]",
        ] {
            assert!(!looks_secret(text), "{text}");
            assert_eq!(hide(text), text);
        }
    }

    #[test]
    fn the_part_of_a_path_that_exists_is_no_secret() {
        let hash = "3f9a0c5be1d24786a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b";
        let folder = std::env::temp_dir().join(format!("wolkvox_exporter-secret-{}", std::process::id()));
        std::fs::create_dir_all(folder.join(hash)).unwrap();
        assert!(!is_secret_as_path(&folder.join(hash).join("acme.token")));
        assert!(is_secret_as_path(&folder.join(hash).join(hash)));
        assert!(is_secret_as_path(&folder.join("a").join(hash)));
        assert!(is_secret_as_path(Path::new(hash)));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
