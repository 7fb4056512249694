//! The file next to the output that keeps what was read, so that an interrupted backfill can be resumed: a line of JSON for
//! the parameters, and one for each complete answer. It has hashes and counts, but no personal data and no token.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Failure;
use super::plan::Parameters;
use super::records::Record;

/// The format that this version writes.
const FORMAT: u32 = 2;

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    wolkvox_exporter_backfill: u32,
    pub(super) parameters: Parameters,
    /// When the backfill began. Without a state, the history ends there.
    pub(super) began: Timestamp,
    /// The key of the hashes, if there is no state to take it from.
    pub(super) hash_key: Option<String>,
}

impl Header {
    pub(super) fn new(parameters: Parameters, began: Timestamp, hash_key: Option<u128>) -> Self {
        Self {
            wolkvox_exporter_backfill: FORMAT,
            parameters,
            began,
            hash_key: hash_key.map(|key| format!("{key:032x}")),
        }
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// The path of the journal of an output.
    pub(super) fn path_of(output: &Path) -> PathBuf {
        with_ending(output, ".partial")
    }

    /// Reads the journal of an interrupted backfill, if there is one.
    pub(super) fn read(path: &Path) -> Result<Option<(Header, Vec<Record>, Self)>, Failure> {
        let unusable = |what: &dyn std::fmt::Display| {
            Failure::Failed(format!("{}: {what}; remove it to start over", path.display()))
        };
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(&format!("it cannot be opened: {error}"))),
        };
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        let (mut header, mut records, mut good) = (None, Vec::new(), 0);
        loop {
            line.clear();
            let length = lines
                .read_until(b'\n', &mut line)
                .map_err(|error| unusable(&format!("it cannot be read: {error}")))?;
            if line.last() != Some(&b'\n') {
                break; // the end, or a line that a crash cut short
            }
            let damaged = |error: serde_json::Error| unusable(&format!("it is damaged: {error}"));
            if header.is_none() {
                let first: Header = serde_json::from_slice(&line).map_err(damaged)?;
                if first.wolkvox_exporter_backfill != FORMAT {
                    return Err(unusable(&"it was written by another version of the exporter"));
                }
                header = Some(first);
            } else {
                records.push(serde_json::from_slice(&line).map_err(damaged)?);
            }
            good += length as u64;
        }
        let Some(header) = header else { return Ok(None) };
        let cut = file.set_len(good).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(|error| unusable(&format!("it cannot be written: {error}")))?;
        let path = path.to_owned();
        Ok(Some((header, records, Self { path, file })))
    }

    /// Creates the file.
    pub(super) fn begin(path: &Path, header: &Header) -> Result<Self, Failure> {
        // Readable only by the owner: with the key, one could try out whether a telephone number is among the hashes.
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        let file = opened.map_err(|error| Failure::Failed(format!("{} cannot be created: {error}", path.display())))?;
        let mut journal = Self {
            path: path.to_owned(),
            file,
        };
        journal.append_line(header)?;
        sync_folder(path).map_err(|error| journal.failure(&error))?;
        Ok(journal)
    }

    /// Appends the result of a complete answer. It is on disk when this returns.
    pub(super) fn append(&mut self, record: &Record) -> Result<(), Failure> {
        self.append_line(record)
    }

    fn append_line(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        let written = serde_json::to_vec(line).map_err(io::Error::other).and_then(|mut text| {
            text.push(b'\n');
            self.file.write_all(&text)?;
            self.file.sync_data()
        });
        written.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        let path = self.path.display();
        Failure::Failed(format!(
            "{path} cannot be written: {error}; check the disk, and run the same command again to resume"
        ))
    }

    /// Removes the file once everything is in the output.
    pub(super) fn remove(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(
                "{} is no longer needed and cannot be removed: {error}",
                self.path.display()
            );
        }
    }
}

/// The path with `ending` appended to the file's name.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut text = OsString::from(path);
    text.push(ending);
    PathBuf::from(text)
}

/// Saves to disk that a file was created or renamed.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
