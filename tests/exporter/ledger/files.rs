//! Files and disks that the ledger refuses, repairs or reopens.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use wolkvox_exporter::ledger::{Ledger, Storage};

use super::{BIRTH, Disk, Folder, moment};

#[test]
fn files_that_are_no_state_are_refused_by_name() {
    let folder = Folder::new("foreign");
    let open = |operation: &str| {
        Ledger::open(Storage::file(&folder.0, operation), Duration::ZERO, 5000, moment(BIRTH))
            .map_err(|error| error.to_string())
    };
    let first = open("acme").unwrap();
    let error = open("acme").unwrap_err();
    assert!(
        error.contains("acme.redb") && error.contains("another process has it open"),
        "{error}"
    );
    drop(first);
    open("acme").unwrap();

    std::fs::write(
        folder.0.join("text.redb"),
        "this is no database, and long enough to be looked at".repeat(200),
    )
    .unwrap();
    let error = open("text").unwrap_err();
    assert!(
        error.contains("text.redb") && error.contains("move the file away"),
        "{error}"
    );

    let table = redb::TableDefinition::<&str, u64>::new("wolkvox_exporter");
    let write = |name: &str, table: redb::TableDefinition<'_, &str, u64>, format| {
        let database = redb::Database::create(folder.0.join(name)).unwrap();
        let writing = database.begin_write().unwrap();
        writing.open_table(table).unwrap().insert("format", format).unwrap();
        writing.commit().unwrap();
    };
    write("later.redb", table, 2);
    let error = open("later").unwrap_err();
    assert!(
        error.contains("later.redb") && error.contains("later version of the exporter"),
        "{error}"
    );
    write("other.redb", redb::TableDefinition::new("something"), 1);
    let error = open("other").unwrap_err();
    assert!(
        error.contains("other.redb") && error.contains("another program"),
        "{error}"
    );

    let mut bytes = std::fs::read(folder.0.join("acme.redb")).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    std::fs::write(folder.0.join("cut.redb"), bytes).unwrap();
    let error = open("cut").unwrap_err();
    assert!(error.contains("cut.redb"), "{error}");

    std::fs::write(folder.0.join("file"), "").unwrap();
    let below_a_file = Storage::file(&folder.0.join("file"), "acme");
    assert!(Ledger::open(below_a_file, Duration::ZERO, 5000, moment(BIRTH)).is_err());
}

/// A process may be killed while the file is made for the first time; redb alone would refuse what is left of it.
#[test]
fn a_file_that_was_half_made_is_made_again() {
    let folder = Folder::new("half-made");
    let open = |operation: &str| {
        Ledger::open(Storage::file(&folder.0, operation), Duration::ZERO, 5000, moment(BIRTH)).map(drop)
    };
    open("whole").unwrap();
    assert!(folder.0.join("whole.redb").exists() && !folder.0.join("whole.redb.new").exists());
    let mut refused = 0;
    for writes in 0.. {
        let disk = Disk::default();
        disk.fail_after(writes);
        if Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH)).is_ok() {
            assert!(writes > 3, "{writes} writes");
            break;
        }
        let operation = format!("killed-{writes}");
        std::fs::write(folder.0.join(format!("{operation}.redb.new")), disk.bytes()).unwrap();
        open(&operation).unwrap();
        open(&operation).unwrap();
        assert!(!folder.0.join(format!("{operation}.redb.new")).exists());
        let bare = format!("bare-{writes}");
        std::fs::write(folder.0.join(format!("{bare}.redb")), disk.bytes()).unwrap();
        refused += u32::from(open(&bare).is_err());
    }
    assert!(refused > 0, "there is no need to make the file beside its place");
}

/// A disk that comes back as another one after a failure is not taken for the state of before.
#[test]
fn another_disk_is_no_new_state() {
    let day = (jiff::civil::date(2026, 11, 18), 1);
    // The disk fails once, and when it is opened again it is another one.
    let disk = Disk::default();
    let other = Disk::default();
    let is_other = Arc::new(Mutex::new(false));
    let storage = {
        let (disk, other, is_other) = (disk.clone(), other.clone(), Arc::clone(&is_other));
        Storage::custom("on one of two disks", move |builder| {
            let disk = if *is_other.lock().unwrap() {
                other.clone()
            } else {
                disk.clone()
            };
            builder.create_with_backend(disk)
        })
    };
    let mut ledger = Ledger::open(storage, Duration::ZERO, 5000, moment(BIRTH)).unwrap();
    disk.fail_after(0);
    ledger.commit_calls(day.0, 3, moment(BIRTH)).unwrap_err();
    *is_other.lock().unwrap() = true;
    let error = ledger.commit_calls(day.0, 3, moment(BIRTH)).unwrap_err().to_string();
    assert!(error.contains("another state is in its place"), "{error}");
    disk.mend();
    *is_other.lock().unwrap() = false;
    ledger.commit_calls(day.0, 3, moment(BIRTH)).unwrap();
}
