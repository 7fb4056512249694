//! What `check-config` says of the state folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use wolkvox_exporter::config::state_folder_warning;

use super::folder;

#[test]
fn a_state_folder_that_cannot_be_used_is_warned_of() {
    let folder = folder("state-folder", &[("file", "")]);
    assert_eq!(state_folder_warning(&folder), None);
    assert_eq!(state_folder_warning(&folder.join("a/b")), None, "it can be created");
    let file = folder.join("file");
    let shown = file.display();
    assert_eq!(
        state_folder_warning(&file.join("a")).unwrap(),
        format!("the state folder {shown}/a cannot be used: {shown} is not a folder")
    );
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let warnings = [state_folder_warning(&folder), state_folder_warning(&folder.join("a"))];
    // Root may write everywhere.
    if fs::write(folder.join("probe"), "").is_ok() {
        assert_eq!(warnings, [None, None]);
    } else {
        let [Some(own), Some(new)] = warnings else {
            panic!("{warnings:?}")
        };
        assert!(own.starts_with("this user cannot write to the state folder"), "{own}");
        assert!(new.contains("does not exist, and this user cannot create it"), "{new}");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
}
