//! Properties of the mistakes in any configuration.

use std::path::PathBuf;

use wolkvox_exporter::config::Mistakes;

/// Looks like a real token, so that it is recognised where a name is expected.
pub(crate) const SECRET: &str = "3f9a0c5be1d24786a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b";

/// A folder of this process.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("wolkvox_exporter-fuzz-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
}

/// The input as a configuration. It has to be UTF-8, since other text is refused earlier. A fuzzer sees what we compare
/// with, and may write the secret where messages may quote it: such inputs prove nothing.
pub(crate) fn text(input: &[u8]) -> Option<&str> {
    str::from_utf8(input).ok().filter(|text| !text.contains(SECRET))
}

/// Each mistake has a line of the file, fits on one line, and does not contain the secret.
pub(crate) fn are_sound(text: &str, mistakes: &Mistakes) {
    let lines = text.replace("\r\n", "\n").split(['\n', '\r']).count();
    let message = mistakes.to_string();
    assert!(!message.contains(SECRET), "the message contains the secret: {message}");
    assert_eq!(message.lines().count(), mistakes.iter().count(), "{message:?}");
    assert!(mistakes.iter().count() > 0, "refused without a mistake");
    for mistake in mistakes {
        assert!(
            mistake.line.is_none_or(|line| (1..=lines).contains(&line)),
            "a file of {lines} lines: {mistake:?}"
        );
        assert!(
            !mistake.text.is_empty() && !mistake.text.contains(char::is_control),
            "{mistake:?}"
        );
        assert!(
            mistake.path.len() < 1000,
            "a path of {} bytes: {mistake:?}",
            mistake.path.len()
        );
    }
}
