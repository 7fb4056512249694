//! Panics of the database library. It promises errors for a damaged file, but does not keep that promise everywhere.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use redb::Database;

/// Why the database failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// With an error.
    Error(redb::Error),
    /// With a panic: where, and what it said.
    Panic(String),
}

impl From<redb::Error> for Failure {
    fn from(error: redb::Error) -> Self {
        Self::Error(error)
    }
}

thread_local! {
    /// Whether a panic of this thread will become an error.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    /// Where that happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does something with the database. A panic becomes a failure, and nothing is printed about it.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Failure> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A second panic, while the first one unwinds, ends the process.
            if IS_CAUGHT.get() && PLACE.take().is_none() {
                PLACE.set(Some(place(info)));
            } else {
                print(info);
            }
        }));
    });
    let before = IS_CAUGHT.replace(true);
    // After a panic the database is closed and opened again, so nobody sees what it left behind.
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(before);
    match result {
        Ok(result) => Ok(result?),
        Err(panic) => Err(Failure::Panic(format!(
            "{} ({})",
            message(&*panic),
            PLACE.take().unwrap_or_default()
        ))),
    }
}

/// File and line, without the folders of the machine that compiled it.
fn place(info: &PanicHookInfo<'_>) -> String {
    let Some(location) = info.location() else {
        return "somewhere".to_owned();
    };
    let file = location.file();
    format!("{}:{}", file.rsplit('/').next().unwrap_or(file), location.line())
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic")
}

/// A database whose closing does not panic either.
#[derive(Debug)]
pub(super) struct OpenDatabase(Option<Database>);

impl From<Database> for OpenDatabase {
    fn from(database: Database) -> Self {
        Self(Some(database))
    }
}

impl Deref for OpenDatabase {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.0.as_ref().expect("only closing takes it")
    }
}

impl Drop for OpenDatabase {
    fn drop(&mut self) {
        let database = self.0.take();
        // Nothing can be done about a failure, and nothing is lost: the next opening repairs the file.
        let _ = caught(|| {
            drop(database);
            Ok(())
        });
    }
}
