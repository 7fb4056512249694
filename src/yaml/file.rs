//! Files that people write: short, or not what they should be.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::mistake::Mistakes;

/// A file longer than this is some other file: the schema fills a thousandth of it.
const LONGEST_FILE: u64 = 4 << 20;

/// Reads a whole file; `None` when it is longer than `most` bytes.
pub(crate) fn read_at_most(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // One more than allowed, so that the excess is seen.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// The text of a configuration file.
pub(crate) fn read_text(path: &Path) -> Result<String, Mistakes> {
    let file_name = path.display().to_string();
    let refuse = |text: String| Mistakes::single(&file_name, None, text);
    let bytes = read_at_most(path, LONGEST_FILE)
        .map_err(|error| refuse(format!("cannot be read: {error}")))?
        .ok_or_else(|| refuse("is longer than 4 MiB: this is no configuration".to_owned()))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        Mistakes::single(&file_name, Some(line), "is not UTF-8 from here on".to_owned())
    })
}
