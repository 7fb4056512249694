//! Where the state of an operation is stored: a redb database, normally one file per operation.

use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, StorageError, TableDefinition, TableError, WriteTransaction,
};

use super::panics::{Failure, OpenDatabase, caught};
use crate::language::{Language, Message, Text, system_error};

/// The format that this version writes. A file of a later version is refused.
const FORMAT: u64 = 1;
/// The cache of one operation. It can be small, since the totals are kept in memory as well, and must be: there may be two
/// hundred operations. What does not fit is read from the cache of the system.
const CACHE_BYTES: usize = 128 << 10;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("wolkvox_exporter");

/// Why the state cannot be used or saved, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("state {storage}: {what}")]
pub struct StateError {
    /// The path of the file, or a name for other storage.
    pub storage: String,
    /// What happened and what to do.
    pub what: Message,
}

impl From<StateError> for Message {
    fn from(error: StateError) -> Self {
        let spanish = format!("estado {}: {}", error.storage, error.what.spanish());
        Self::new(error.to_string(), spanish)
    }
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
        self.check_links(path)?;
        path.try_exists().map_err(|error| self.inaccessible(&error))
    }

    /// Whether there is a file, which outlives the process.
    pub(super) fn is_on_disk(&self) -> bool {
        self.path.is_some()
    }

    /// The size of the file; `None` for other storage.
    pub fn size_bytes(&self) -> Option<u64> {
        Some(fs::metadata(self.path.as_ref()?).ok()?.len())
    }

    /// Opens a state that existed before. If its file is gone, this fails: a new file would look as if nothing had ever been
    /// counted.
    pub(super) fn open_existing(&self) -> Result<OpenDatabase, StateError> {
        if self.path.is_some() && !self.exists()? {
            return Err(self.error(Text::new(
                "the file is gone; restore it, or restart the exporter to start from zero",
                "el archivo ya no está; restáurelo, o reinicie el exportador para empezar de cero",
            )));
        }
        self.open()
    }

    /// Opens the state, or creates it if there is none.
    ///
    /// Every page is compared with its checksum, also in a file that was closed in order: a changed byte would otherwise
    /// make the database panic, or change the counts.
    pub(super) fn open(&self) -> Result<OpenDatabase, StateError> {
        if let Some(path) = &self.path {
            self.check_place(path)?;
        }
        if let Some(folder) = self.path.as_ref().and_then(|path| path.parent()) {
            let created = fs::create_dir_all(folder);
            created.map_err(|error| {
                let what = Text::new("its folder cannot be created", "no se puede crear su carpeta");
                self.error(explained(what, &system_error(&error), error.kind()))
            })?;
        }
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
        let opened = caught(|| Ok((self.open)(&mut builder)?));
        let database = OpenDatabase::from(
            opened.map_err(|failure| self.failed(Text::new("it cannot be opened", "no se puede abrir"), failure))?,
        );
        if let Some(path) = &self.path {
            keep_from_others(path);
        }
        self.check_format(&database)?;
        Ok(database)
    }

    /// Does something that reads the database.
    pub(super) fn read<T>(&self, read: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, StateError> {
        caught(read).map_err(|failure| self.failed(Text::new("it cannot be read", "no se puede leer"), failure))
    }

    fn check_format(&self, database: &Database) -> Result<(), StateError> {
        let (format, is_new) = self.read(|| {
            let reading = database.begin_read()?;
            match reading.open_table(META) {
                Ok(table) => Ok((table.get("format")?.map(|format| format.value()), false)),
                Err(TableError::TableDoesNotExist(_)) => Ok((None, reading.list_tables()?.count() == 0)),
                Err(TableError::Storage(error)) => Err(error.into()),
                Err(_) => Ok((None, false)),
            }
        })?;
        match format {
            Some(FORMAT) => Ok(()),
            Some(later) => Err(self.error(Message::new(
                format!(
                    "it was written by a later version of the exporter (format {later}, this one knows {FORMAT}); \
                     run that version, or move the file away to start from zero"
                ),
                format!(
                    "lo escribió una versión posterior del exportador (formato {later}; esta conoce el {FORMAT}); \
                     ejecute esa versión, o mueva el archivo para empezar de cero"
                ),
            ))),
            None if is_new => {
                let written = caught(|| {
                    let writing = begin_write(database)?;
                    writing.open_table(META)?.insert("format", FORMAT)?;
                    Ok(writing.commit()?)
                });
                written.map_err(|failure| self.saving_error(failure))
            }
            None => Err(self.error(Text::new(
                "it is the database of another program; set another state_path, or move the file away",
                "es la base de datos de otro programa; indique otro state_path, o mueva el archivo",
            ))),
        }
    }

    /// Refuses links that lead nowhere, such as to a volume that is not mounted: a new state would take their place.
    fn check_links(&self, path: &Path) -> Result<(), StateError> {
        let missing = path
            .ancestors()
            .take_while(|path| matches!(path.try_exists(), Ok(false)));
        let mut links = missing.filter_map(|path| Some((path, fs::read_link(path).ok()?)));
        let Some((link, target)) = links.next() else {
            return Ok(());
        };
        let target = link.parent().unwrap_or(link).join(target);
        let (link, target, is_folder) = (link.display(), target.display(), link != path);
        Err(if is_folder {
            self.error(Message::new(
                format!(
                    "its folder {link} is a link to {target}, which is not there; mount the volume, or correct the link"
                ),
                format!(
                    "su carpeta {link} es un enlace a {target}, que no existe; monte el volumen, o corrija el enlace"
                ),
            ))
        } else {
            self.error(Message::new(
                format!(
                    "it is a link to {target}, which is not there; mount the volume, or remove the link to start from zero"
                ),
                format!(
                    "es un enlace a {target}, que no existe; monte el volumen, o borre el enlace para empezar de cero"
                ),
            ))
        })
    }

    /// Refuses what cannot be a state.
    fn check_place(&self, path: &Path) -> Result<(), StateError> {
        self.check_links(path)?;
        match fs::metadata(path) {
            Ok(found) if !found.is_file() => Err(self.error(Text::new(
                "it is not a file; move it away, or set another state_path",
                "no es un archivo; muévalo, o indique otro state_path",
            ))),
            Ok(found) if found.len() == 0 => Err(self.error(Text::new(
                "it is an empty file; restore it from a backup, or remove it to start from zero",
                "es un archivo vacío; restáurelo de una copia, o bórrelo para empezar de cero",
            ))),
            // What is wrong with the folder is told when it is created.
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(self.inaccessible(&error))
            }
            _ => Ok(()),
        }
    }

    fn inaccessible(&self, error: &io::Error) -> StateError {
        let why = system_error(error);
        self.error(Message::new(
            format!("it cannot be accessed: {why}; run this as the exporter's user, and check the disk"),
            format!(
                "no se puede acceder a él: {}; ejecute esto con el usuario del exportador, y revise el disco",
                why.spanish()
            ),
        ))
    }

    pub(super) fn error(&self, what: impl Into<Message>) -> StateError {
        StateError {
            storage: self.name.clone(),
            what: what.into(),
        }
    }

    pub(super) fn saving_error(&self, failure: Failure) -> StateError {
        self.failed(Text::new("it could not be saved", "no se pudo guardar"), failure)
    }

    /// What failed, why, and what to do.
    fn failed(&self, what: Text, failure: Failure) -> StateError {
        self.known(failure)
            .unwrap_or_else(|error| self.error(explained(what, &cause(&error), kind(&error))))
    }

    /// What is said in the same words whatever was done, or the error of the disk.
    fn known(&self, failure: Failure) -> Result<StateError, redb::Error> {
        let error = match failure {
            Failure::Error(error) => error,
            Failure::Panic(panic) => {
                return Ok(self.error(Message::new(
                    format!(
                        "it is probably damaged, since the database failed: {panic}; restore it from a backup, or move the \
                         file away to start from zero. If that does not help, please report it"
                    ),
                    format!(
                        "probablemente está dañado, porque la base de datos falló: {panic}; restáurelo de una copia, o mueva \
                         el archivo para empezar de cero. Si eso no ayuda, repórtelo"
                    ),
                )));
            }
        };
        Ok(match &error {
            redb::Error::DatabaseAlreadyOpen => self.error(Text::new(
                "another process has it open; stop that process, or give each exporter its own state_path",
                "otro proceso lo tiene abierto; detenga ese proceso, o dele a cada exportador su propio state_path",
            )),
            redb::Error::UpgradeRequired(_) | redb::Error::LockProtocolMismatch => self.error(Message::new(
                format!(
                    "it was written by another version of the database: {error}; move the file away to start from zero"
                ),
                format!("lo escribió otra versión de la base de datos: {error}; mueva el archivo para empezar de cero"),
            )),
            redb::Error::Corrupted(_) => self.damaged(&error),
            _ if matches!(kind(&error), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => self.damaged(&error),
            _ => return Err(error),
        })
    }

    fn damaged(&self, error: &redb::Error) -> StateError {
        let why = cause(error);
        self.error(Message::new(
            format!("it is damaged: {why}; restore it from a backup, or move the file away to start from zero"),
            format!(
                "está dañado: {}; restáurelo de una copia, o mueva el archivo para empezar de cero",
                why.spanish()
            ),
        ))
    }
}

/// Begins a commit in two phases: the disk has the whole commit before it becomes the last one. So a last commit that does
/// not fit its checksums is always damage. In one phase it might also be one that was not completed, and the database would
/// go back to the commit before without a word.
pub(super) fn begin_write(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// The cause without the words that the database puts before it.
fn cause(error: &redb::Error) -> Message {
    match error {
        redb::Error::Corrupted(what) => what.clone().into(),
        redb::Error::Io(error) => system_error(error),
        other => other.to_string().into(),
    }
}

fn kind(error: &redb::Error) -> ErrorKind {
    match error {
        redb::Error::Io(error) => error.kind(),
        _ => ErrorKind::Other,
    }
}

/// What failed, why, and what to do about such an error.
fn explained(what: Text, why: &Message, kind: ErrorKind) -> Message {
    let to_do = match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Text::new("make room on its disk", "libere espacio en su disco")
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Text::new(
            "the exporter must be able to write to it: check its permissions, and how its disk is mounted",
            "el exportador debe poder escribirlo: revise sus permisos, y cómo está montado su disco",
        ),
        _ => Text::new(
            "check the disk, and the permissions of the folder",
            "revise el disco, y los permisos de la carpeta",
        ),
    };
    let say = |text| Language::Spanish.say(text);
    Message::new(
        format!("{what}: {why}; {to_do}"),
        format!("{}: {}; {}", say(what), why.spanish(), say(to_do)),
    )
}

/// Takes the rights of others to read a state, which has the key of the hashes. Earlier versions left them to the umask.
fn keep_from_others(path: &Path) {
    const OTHERS: u32 = 0o077;
    let changed = fs::metadata(path).and_then(|metadata| {
        let mode = metadata.permissions().mode();
        if mode & OTHERS == 0 {
            return Ok(());
        }
        fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS))
    });
    if let Err(error) = changed {
        tracing::debug!(path = %path.display(), %error, "others may read the state");
    }
}

/// Opens the file, or creates it if there is none. If the process is killed while redb creates a file, the file is no
/// database and would always be refused. So it is created under another name and renamed when it is complete.
fn open_file(builder: &mut Builder, path: &Path) -> Result<Database, DatabaseError> {
    if path.try_exists()? {
        return builder.open(path);
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
    if path.try_exists()? {
        drop(database);
        return builder.open(path);
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
