//! The files of a web configuration, and whether they have changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::yaml::file::read_at_most;

/// Longest file in bytes. A certificate chain has a few kilobytes, a bundle of all public CAs a few hundred.
const LONGEST: u64 = 4 << 20;

/// The files of one configuration, each with its stamp from just before it was read.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    seen: Vec<(PathBuf, Option<Stamp>)>,
}

/// Changes whenever the file does, and also when another file takes its name: by a rename or, as with Kubernetes
/// secrets, by a symbolic link in its path.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Files {
    /// Starts with the configuration itself. Relative paths are relative to its folder.
    pub(super) fn of(configuration: &Path) -> Self {
        let mut files = Self {
            folder: configuration.parent().unwrap_or(Path::new("")).to_owned(),
            seen: Vec::new(),
        };
        files.record(configuration);
        files
    }

    fn record(&mut self, path: &Path) {
        self.seen.push((path.to_owned(), stamp(path)));
    }

    /// Reads a file that the configuration names.
    pub(super) fn read(&mut self, name: &str) -> Result<(PathBuf, Vec<u8>), String> {
        if name.trim().is_empty() {
            return Err("is empty: the path of a file is expected".to_owned());
        }
        let path = self.folder.join(name);
        // Before reading, so that a write in between is noticed as a change.
        self.record(&path);
        match read_at_most(&path, LONGEST) {
            Ok(Some(bytes)) => Ok((path, bytes)),
            Ok(None) => Err(format!(
                "{} is longer than 4 MiB: check that it is the right file",
                path.display()
            )),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
        }
    }

    /// Whether one of them has changed.
    pub(super) fn changed(&self) -> bool {
        self.seen.iter().any(|(path, seen)| stamp(path) != *seen)
    }
}

/// `None` if there is no such file.
fn stamp(path: &Path) -> Option<Stamp> {
    let data = fs::metadata(path).ok()?;
    Some(Stamp {
        device: data.dev(),
        inode: data.ino(),
        length: data.len(),
        modified: (data.mtime(), data.mtime_nsec()),
    })
}
