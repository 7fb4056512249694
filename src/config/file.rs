//! Files that people write: short, or not what they should be.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a whole file; `None` when it is longer than `most` bytes.
pub(crate) fn read_at_most(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // One more than allowed, so that the excess is seen.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}
