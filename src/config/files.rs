//! The files of a configuration: each may be given by itself, or with all others of its folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::secret::{hide_path, is_secret_as_path};
use crate::yaml::mistake::Mistakes;

/// What the names of configuration files in a folder end in.
const ENDINGS: [&str; 2] = ["yml", "yaml"];

/// The files that `paths` lead to, in the order given; those of a folder by name. Hidden files and folders in a folder are left
/// out, so that one can be a mounted volume of Kubernetes.
pub(super) fn files_of(paths: &[impl AsRef<Path>]) -> Result<Vec<PathBuf>, Mistakes> {
    let mut files = Vec::new();
    let mut mistakes = Mistakes::default();
    for path in paths.iter().map(AsRef::as_ref) {
        // The shell's own `<(…)` is no folder, and what does not exist is reported when it is read.
        if !path.is_dir() || is_secret_as_path(path) {
            files.push(path.to_owned());
            continue;
        }
        match files_in(path) {
            Ok(found) if found.is_empty() => mistakes.extend(Mistakes::single(
                &hide_path(path),
                None,
                "has no files that end in .yml or .yaml".to_owned(),
            )),
            Ok(found) => files.extend(found),
            Err(error) => mistakes.extend(Mistakes::single(
                &hide_path(path),
                None,
                format!("cannot be listed: {error}"),
            )),
        }
    }
    mistakes.into_result()?;
    Ok(files)
}

fn files_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let has_ending = path
            .extension()
            .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
        if has_ending && !is_hidden && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
