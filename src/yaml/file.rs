//! Reads small files written by people. A large one is the wrong file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::document::{self, Node};
use super::mistake::{Diagnostics, Mistakes};
use crate::secret::{HIDDEN, is_secret_as_path};

/// Longest configuration file in bytes, a thousand times a real one.
const LONGEST_FILE: u64 = 4 << 20;

/// A YAML file: its values, and the mistakes found in them.
pub(crate) struct YamlFile {
    /// The path as it was given, for messages.
    pub(crate) name: String,
    /// Relative paths in it are relative to this folder.
    pub(crate) folder: PathBuf,
    pub(crate) root: Node,
    pub(crate) diagnostics: Diagnostics,
}

impl YamlFile {
    /// Reads the file at `path`.
    pub(crate) fn load(path: &Path) -> Result<Self, Mistakes> {
        let text = read_text(path)?;
        Self::parse(
            &text,
            &path.display().to_string(),
            path.parent().unwrap_or(Path::new("")),
        )
    }

    /// Reads a text as if it were a file called `name` in `folder`.
    pub(crate) fn parse(text: &str, name: &str, folder: &Path) -> Result<Self, Mistakes> {
        let root = document::read(text).map_err(|error| Mistakes::single(name, Some(error.line), error.text))?;
        Ok(Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            root,
            diagnostics: Diagnostics::of(name),
        })
    }
}

/// Reads a whole file. `None` if it is longer than `limit` bytes. Only a regular file: opening a pipe may wait for ever.
pub(crate) fn read_at_most(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_file() {
        return read_open(File::open(path)?, limit);
    }
    let found = match kind {
        kind if kind.is_dir() => "folder",
        kind if kind.is_fifo() => "pipe",
        kind if kind.is_socket() => "socket",
        _ => "device",
    };
    Err(io::Error::other(format!("it is a {found}, not a file")))
}

fn read_open(file: File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // One byte more than allowed, to detect a longer file.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Whether it is a pipe in a folder, which may have no other end. The shell's own `<(…)` is in none.
fn is_named_pipe(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.file_type().is_fifo() && fs::canonicalize(path).is_ok())
}

/// The text of a configuration file. It may also come through a pipe, as from a shell's `<(…)`.
pub(crate) fn read_text(path: &Path) -> Result<String, Mistakes> {
    let file_name = match path {
        path if is_secret_as_path(path) => HIDDEN.to_owned(),
        path => path.display().to_string(),
    };
    let refuse = |text: String| Mistakes::single(&file_name, None, text);
    let bytes = is_named_pipe(path)
        .and_then(|is_named| match is_named {
            // At a reload, nobody would notice that it waits for ever.
            true => Err(io::Error::other("it is a pipe, not a file")),
            false => read_open(File::open(path)?, LONGEST_FILE),
        })
        .map_err(|error| refuse(format!("cannot be read: {error}")))?
        .ok_or_else(|| refuse("is longer than 4 MiB: this is not a configuration file".to_owned()))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        Mistakes::single(&file_name, Some(line), "is not UTF-8 from here on".to_owned())
    })
}
