//! Checks configurations: a valid one is within its bounds, each mistake of an invalid one has a position, and no
//! message contains a secret.

use std::path::PathBuf;
use std::sync::OnceLock;

use wolkvox_exporter::config::Config;

use super::mistakes::{self, SECRET};

/// A secret in each place where one belongs or could be put by mistake. The input is appended.
const STARTS: [&str; 5] = [
    "",
    "operations:\n  - token_file: SECRET\n",
    "operations:\n  - token_env: SECRET\n",
    "operations:\n  - token: SECRET\n",
    "operations:\n  - proxy: http://user:SECRET@proxy.example:3128\n    token_env: A\n",
];

/// The input is the text of a configuration, in a folder with the token file `token`; the variables A and B are tokens.
pub fn check(input: &[u8]) -> bool {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = mistakes::folder("config");
        std::fs::write(folder.join("token"), SECRET).expect("the token file");
        folder
    });
    let Some(text) = mistakes::text(input) else {
        return false;
    };
    let mut good = false;
    for start in STARTS {
        let text = format!("{}{text}", start.replace("SECRET", SECRET));
        let lookup = |name: &str| match name {
            "A" => Some(SECRET.to_owned()),
            "B" => Some(SECRET.to_uppercase()),
            _ => None,
        };
        match Config::parse(&text, "wolkvox.yml", folder, &lookup) {
            Ok(config) => {
                is_sound(&config);
                good |= start.is_empty();
            }
            Err(mistakes) => mistakes::are_sound(&text, &mistakes),
        }
    }
    good
}

fn is_sound(config: &Config) {
    let shown = format!("{config:?}");
    assert!(!shown.contains(SECRET), "the secret is shown: {shown}");
    assert!(!config.operations.is_empty() && config.series_limit > 0, "{shown}");
    let mut names: Vec<&str> = config.operations.iter().map(|operation| &*operation.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), config.operations.len(), "a name twice: {shown}");
    for operation in &config.operations {
        let name = &operation.name;
        assert!(
            (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)),
            "{shown}"
        );
        assert!(
            operation.base_url.starts_with("http") && !operation.base_url.ends_with('/'),
            "{shown}"
        );
        assert!(
            operation.daily_calls > 0 && !operation.reports.is_empty() && operation.calls_per_day() > 0,
            "{shown}"
        );
        for report in operation.reports.values() {
            assert!(
                report.max_age.is_none_or(|max_age| max_age >= 2 * report.interval) && !report.timeout.is_zero(),
                "{shown}"
            );
        }
    }
}
