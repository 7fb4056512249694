//! Files that only the exporter should be able to read: tokens, and the key of its own certificate.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::yaml::document::{self, Node, Value};
use crate::yaml::file::read_text;

const OTHERS: u32 = 0o007;
const GROUP: u32 = 0o070;
/// The link through which Kubernetes mounts Secrets.
const KUBERNETES_LINK: &str = "..data";

/// Whether users besides the exporter may read or change a file. A group may where it is how the exporter itself gets at the
/// file: one of root, with the mode 640 and the exporter's group. In a pod there are no other users, so the files of a Secret,
/// which have the mode 644 unless told otherwise, are fine.
pub(super) fn others_may_read(path: &Path) -> bool {
    let Ok(file) = fs::metadata(path) else { return false };
    let is_own = file.uid() != 0 && file.uid() == rustix::process::geteuid().as_raw();
    let unwanted = if is_own { OTHERS | GROUP } else { OTHERS };
    file.mode() & unwanted != 0 && !is_in_kubernetes_secret(path)
}

/// Whether the path leads through the link `..data`, itself or by the link that is the file.
fn is_in_kubernetes_secret(path: &Path) -> bool {
    let leads_through = |path: &Path| path.iter().any(|part| part == KUBERNETES_LINK);
    let is_link =
        |folder: &Path| fs::symlink_metadata(folder.join(KUBERNETES_LINK)).is_ok_and(|data| data.is_symlink());
    let target = fs::read_link(path).unwrap_or_default();
    (leads_through(path) || leads_through(&target)) && path.ancestors().skip(1).any(is_link)
}

/// The file with the private key that a web configuration names, or the configuration itself if the key is in it.
pub(super) fn key_of_web_configuration(file: &Path) -> Option<PathBuf> {
    let root = document::read(&read_text(file).ok()?).ok()?;
    let tls = value_of(&root, "tls_server_config")?;
    if value_of(tls, "key").is_some() {
        return Some(file.to_owned());
    }
    match &value_of(tls, "key_file")?.value {
        Value::Scalar(path) => Some(file.parent().unwrap_or(Path::new("")).join(path)),
        _ => None,
    }
}

fn value_of<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Value::Mapping(entries) = &node.value else {
        return None;
    };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}
