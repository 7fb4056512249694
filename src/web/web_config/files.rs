//! The files of a web configuration, and whether one of them was changed since.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::yaml::file::read_at_most;

/// A certificate with its chain has some kilobytes, all the CAs of the world some hundred.
const LONGEST: u64 = 4 << 20;

/// The files that were read for one configuration, each as it was just before that.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    seen: Vec<(PathBuf, Option<Stamp>)>,
}

/// What changes when a file does: also when it is another file under the same name, by a rename or, as with the secrets
/// of Kubernetes, by a symbolic link on its way.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Files {
    /// With the configuration itself as the first one; relative paths start at its folder.
    pub(super) fn of(configuration: &Path) -> Self {
        let mut files = Self {
            folder: configuration.parent().unwrap_or(Path::new("")).to_owned(),
            seen: Vec::new(),
        };
        files.note(configuration);
        files
    }

    fn note(&mut self, path: &Path) {
        self.seen.push((path.to_owned(), stamp(path)));
    }

    /// Reads a file that the configuration names.
    pub(super) fn read(&mut self, name: &str) -> Result<(PathBuf, Vec<u8>), String> {
        if name.trim().is_empty() {
            return Err("is empty: the path of a file is expected".to_owned());
        }
        let path = self.folder.join(name);
        // Before it is read: what is written meanwhile is seen as a change.
        self.note(&path);
        match read_at_most(&path, LONGEST) {
            Ok(Some(bytes)) => Ok((path, bytes)),
            Ok(None) => Err(format!("{} is longer than 4 MiB: this is another file", path.display())),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
        }
    }

    /// Whether one of them is not what it was.
    pub(super) fn changed(&self) -> bool {
        self.seen.iter().any(|(path, seen)| stamp(path) != *seen)
    }
}

/// `None` where there is no such file.
fn stamp(path: &Path) -> Option<Stamp> {
    let data = fs::metadata(path).ok()?;
    Some(Stamp {
        device: data.dev(),
        inode: data.ino(),
        length: data.len(),
        modified: (data.mtime(), data.mtime_nsec()),
    })
}
