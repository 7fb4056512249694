//! Checks web configurations: each is read or refused with mistakes that have a position, and no message contains a
//! password.

use std::path::PathBuf;
use std::sync::OnceLock;

use wolkvox_exporter::web::WebConfig;

use super::mistakes::{self, SECRET};

/// A password in place of its hash. The input is appended.
const STARTS: [&str; 2] = ["", "basic_auth_users:\n  admin: SECRET\n"];

/// The input is the text of a web configuration, in a folder with a matching `cert.pem` and `key.pem`.
pub fn check(input: &[u8]) -> bool {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = mistakes::folder("web");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(folder.join("cert.pem"), made.cert.pem()).expect("the certificate");
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("its key");
        folder
    });
    let file = folder.join("web.yml");
    let Some(text) = mistakes::text(input) else {
        return false;
    };
    let mut good = false;
    for start in STARTS {
        let text = format!("{}{text}", start.replace("SECRET", SECRET));
        std::fs::write(&file, &text).expect("the configuration");
        match WebConfig::load(&file) {
            Ok(config) => {
                assert!(!format!("{config:?}").contains(SECRET));
                good |= start.is_empty();
            }
            Err(mistakes) => mistakes::are_sound(&text, &mistakes),
        }
    }
    good
}
