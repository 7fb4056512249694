//! What stands at the place of a state file and is none.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use wolkvox_exporter::ledger::{Ledger, Storage};

use super::{BIRTH, Folder, moment};

fn open(folder: &std::path::Path) -> Result<Ledger, String> {
    let storage = Storage::file(folder, "acme");
    Ledger::open(storage, Duration::ZERO, 5000, moment(BIRTH)).map_err(|error| error.to_string())
}

/// As when the volume that it leads to is not mounted. A new state in its place would begin at 0.
#[test]
fn a_link_that_leads_nowhere_is_refused_and_stays() {
    let folder = Folder::new("links");
    let (state, volume) = (folder.0.join("state"), folder.0.join("volume"));
    fs::create_dir_all(&state).unwrap();
    let link = state.join("acme.redb");
    symlink("../volume/acme.redb", &link).unwrap();
    for _ in 0..2 {
        let error = open(&state).unwrap_err();
        let target = state.join("../volume/acme.redb");
        assert!(
            error.contains(&format!("it is a link to {}", target.display())),
            "{error}"
        );
        assert!(error.contains("mount the volume"), "{error}");
        assert!(link.is_symlink() && !volume.exists());
        let error = Storage::file(&state, "acme").exists().unwrap_err().to_string();
        assert!(error.contains("it is a link to"), "not even to look at: {error}");
    }

    fs::create_dir_all(&volume).unwrap();
    drop(open(&volume).unwrap());
    let day = jiff::civil::date(2026, 11, 20);
    open(&state).unwrap().commit_calls(day, 7, moment(BIRTH)).unwrap();
    assert_eq!(open(&volume).unwrap().calls_used(day), 7, "through the link");
    assert!(link.is_symlink());

    // While it runs, the volume goes and comes back.
    let mut ledger = open(&state).unwrap();
    fs::rename(&volume, folder.0.join("away")).unwrap();
    drop(ledger);
    let error = open(&state).unwrap_err();
    assert!(error.contains("it is a link to"), "{error}");
    fs::rename(folder.0.join("away"), &volume).unwrap();
    ledger = open(&state).unwrap();
    assert_eq!(ledger.calls_used(day), 7);
}

#[test]
fn a_folder_that_is_a_link_to_nowhere_is_refused() {
    let folder = Folder::new("folder-links");
    fs::create_dir_all(&folder.0).unwrap();
    let (link, volume) = (folder.0.join("state"), folder.0.join("volume"));
    symlink(&volume, &link).unwrap();
    for state in [link.clone(), link.join("of/acme")] {
        let error = open(&state).unwrap_err();
        let expected = format!("its folder {} is a link to {}", link.display(), volume.display());
        assert!(
            error.contains(&expected) && error.contains("mount the volume"),
            "{error}"
        );
        assert!(link.is_symlink() && !volume.exists());
    }
    fs::create_dir(&volume).unwrap();
    drop(open(&link).unwrap());
    assert!(volume.join("acme.redb").is_file());
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = Folder::new("no-files");
    fs::create_dir_all(&folder.0).unwrap();
    let place = folder.0.join("acme.redb");
    fs::create_dir(&place).unwrap();
    let error = open(&folder.0).unwrap_err();
    assert!(error.contains("acme.redb: it is not a file; "), "{error}");
    fs::remove_dir(&place).unwrap();
    assert!(Command::new("mkfifo").arg(&place).status().unwrap().success());
    let error = open(&folder.0).unwrap_err();
    assert!(error.contains("acme.redb: it is not a file; "), "{error}");
    fs::remove_file(&place).unwrap();
    // As some file systems leave a file after a power failure.
    fs::write(&place, "").unwrap();
    let error = open(&folder.0).unwrap_err();
    assert!(error.contains("it is an empty file; restore it"), "{error}");
    assert_eq!(fs::metadata(&place).unwrap().len(), 0);
}
