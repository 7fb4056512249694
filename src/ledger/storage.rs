//! Where the state of an operation is stored: a redb database, normally one file per operation.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageError, TableDefinition, TableError};

/// The format that this version writes. A file of a later version is refused.
const FORMAT: u64 = 1;
/// The cache of one operation. It can be small, since the totals are kept in memory as well.
const CACHE_BYTES: usize = 4 << 20;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("wolkvox_exporter");

/// Why the state cannot be used or saved, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("state {storage}: {what}")]
pub struct StateError {
    /// The path of the file, or a name for other storage.
    pub storage: String,
    /// What happened and what to do.
    pub what: String,
}

/// Opens a database.
type Opener = dyn Fn(&mut Builder) -> Result<Database, DatabaseError> + Send + Sync;

/// Where the state of an operation is stored.
#[derive(Clone)]
pub struct Storage {
    name: String,
    path: Option<PathBuf>,
    open: Arc<Opener>,
}

impl Storage {
    /// In memory: the state is lost when the process ends.
    pub fn memory() -> Self {
        Self::custom("in memory", |builder| {
            builder.create_with_backend(InMemoryBackend::new())
        })
    }

    /// The operation's file in the folder.
    pub fn file(folder: &Path, operation: &str) -> Self {
        let path = folder.join(format!("{operation}.redb"));
        let opened = path.clone();
        Self {
            path: Some(path.clone()),
            ..Self::custom(path.display().to_string(), move |builder| open_file(builder, &opened))
        }
    }

    /// Any other storage, such as a disk of a test.
    pub fn custom(
        name: impl Into<String>,
        open: impl Fn(&mut Builder) -> Result<Database, DatabaseError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            path: None,
            open: Arc::new(open),
        }
    }

    /// Whether there is a state already. Fails if that cannot be known, for example in a folder of another user.
    pub fn exists(&self) -> Result<bool, StateError> {
        let Some(path) = &self.path else { return Ok(false) };
        path.try_exists().map_err(|error| {
            self.error(format!(
                "it cannot be accessed: {error}; run this as the exporter's user"
            ))
        })
    }

    /// The size of the file; `None` for other storage.
    pub fn size_bytes(&self) -> Option<u64> {
        Some(fs::metadata(self.path.as_ref()?).ok()?.len())
    }

    /// Opens a state that existed before. If its file is gone, this fails: a new file would look as if nothing had ever been
    /// counted.
    pub(super) fn open_existing(&self) -> Result<Database, StateError> {
        if self.path.as_ref().is_some_and(|path| !path.exists()) {
            return Err(self.error("the file is gone; restore it, or restart the exporter to start from zero"));
        }
        self.open()
    }

    /// Opens the state, or creates it if there is none.
    pub(super) fn open(&self) -> Result<Database, StateError> {
        if let Some(folder) = self.path.as_ref().and_then(|path| path.parent()) {
            let created = fs::create_dir_all(folder);
            created.map_err(|error| self.error(format!("its folder cannot be created: {error}")))?;
        }
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        let database = (self.open)(&mut builder).map_err(|error| self.opening_error(error))?;
        self.check_format(&database)?;
        Ok(database)
    }

    fn check_format(&self, database: &Database) -> Result<(), StateError> {
        let reading = database.begin_read().map_err(|error| self.error(error))?;
        let (format, is_new) = match reading.open_table(META) {
            Ok(table) => {
                let format = table.get("format").map_err(|error| self.error(error))?;
                (format.map(|format| format.value()), false)
            }
            Err(TableError::TableDoesNotExist(_)) => {
                let tables = reading.list_tables().map_err(|error| self.error(error))?.count();
                (None, tables == 0)
            }
            Err(_) => (None, false),
        };
        match format {
            Some(FORMAT) => Ok(()),
            Some(later) => Err(self.error(format!(
                "it was written by a later version of the exporter (format {later}, this one knows {FORMAT}); \
                 run that version, or move the file away to start from zero"
            ))),
            None if is_new => {
                let result = database.begin_write().map_err(redb::Error::from).and_then(|writing| {
                    writing.open_table(META)?.insert("format", FORMAT)?;
                    Ok(writing.commit()?)
                });
                result.map_err(|error| self.error(error))
            }
            None => {
                Err(self.error("it is the database of another program; set another state_path, or move the file away"))
            }
        }
    }

    pub(super) fn error(&self, what: impl fmt::Display) -> StateError {
        StateError {
            storage: self.name.clone(),
            what: what.to_string(),
        }
    }

    fn opening_error(&self, error: DatabaseError) -> StateError {
        let is_foreign = |error: &StorageError| match error {
            StorageError::Corrupted(_) => true,
            StorageError::Io(error) => {
                matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
            }
            _ => false,
        };
        match error {
            DatabaseError::DatabaseAlreadyOpen => {
                self.error("another process has it open; stop that process, or give each exporter its own state_path")
            }
            DatabaseError::UpgradeRequired(_) | DatabaseError::LockProtocolMismatch => self.error(format!(
                "it was written by another version of the database: {error}; move the file away to start from zero"
            )),
            DatabaseError::Storage(storage) if is_foreign(&storage) => self.error(format!(
                "it is damaged: {storage}; restore it from a backup, or move the file away to start from zero"
            )),
            other => self.error(format!(
                "it cannot be opened: {other}; check the folder's permissions and the disk"
            )),
        }
    }
}

/// Opens the file, or creates it if there is none. If the process is killed while redb creates a file, the file is no
/// database and would always be refused. So it is created under another name and renamed when it is complete.
fn open_file(builder: &mut Builder, path: &Path) -> Result<Database, DatabaseError> {
    if path.exists() {
        return builder.create(path);
    }
    let new = path.with_extension("redb.new");
    let database = match builder.create(&new) {
        Err(DatabaseError::Storage(_)) => {
            // It is incomplete, so nothing was ever counted in it. Any other problem shows up again below.
            let _ = fs::remove_file(&new);
            builder.create(&new)?
        }
        result => result?,
    };
    // Another process may have created it meanwhile, and held the lock of the new file until now.
    if path.exists() {
        drop(database);
        return builder.create(path);
    }
    let named = fs::rename(&new, path).and_then(|()| match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    });
    named.map_err(StorageError::from)?;
    Ok(database)
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
