//! Whether the folder of the state can be used, for `check-config`. The exporter itself finds out by using it.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::secret::hide_path;

/// What is wrong with the folder, as far as this user can see without creating it.
pub fn state_folder_warning(folder: &Path) -> Option<String> {
    let shown = hide_path(folder);
    let nearest = folder.ancestors().find(|part| part.symlink_metadata().is_ok());
    // A relative path begins in the present folder.
    let nearest = nearest
        .filter(|part| !part.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !nearest.is_dir() {
        return Some(format!(
            "the state folder {shown} cannot be used: {} is not a folder",
            hide_path(nearest)
        ));
    }
    let access = accessat(CWD, nearest, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS);
    let error = access.err()?;
    Some(if nearest == folder {
        format!(
            "this user cannot write to the state folder {shown} ({error}): run check-config as the exporter's user, or change the owner"
        )
    } else {
        format!(
            "the state folder {shown} does not exist, and this user cannot create it ({error}): create it for the exporter's user"
        )
    })
}
