//! Reloads the web configuration when it, a certificate, key or CA changes.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use super::{WebConfig, WebSettings};
use crate::metrics::process::CertificateExpiry;

/// The result of one check of the files.
enum Change {
    Unchanged,
    Changed(WebConfig),
    Rejected(String),
}

/// Checks the files at the interval `every` until `stop`, and replaces `live` when they have changed and are valid.
///
/// Certificate and key are two files that nobody can replace at the same instant, so a mismatch may last a moment. The
/// last valid settings stay in effect meanwhile, and the files are tried again at every check.
pub(in crate::web) async fn watch(
    config: WebConfig,
    live: Arc<ArcSwap<WebSettings>>,
    certificate: CertificateExpiry,
    every: Duration,
    stop: CancellationToken,
) {
    let mut config = Arc::new(config);
    let mut logged = None;
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        let (last, retry) = (Arc::clone(&config), logged.is_some());
        // File systems may hang, and a CA bundle takes a while.
        let checking = tokio::task::spawn_blocking(move || check(&last, retry));
        let Some(checked) = stop.run_until_cancelled(checking).await else {
            return;
        };
        let file = config.path.display();
        match checked.unwrap_or(Change::Unchanged) {
            Change::Unchanged => {}
            Change::Changed(next) => {
                tracing::info!(%file, tls = next.has_tls(), users = next.users(), "web configuration reloaded");
                live.store(Arc::clone(&next.settings));
                certificate.set(next.certificate_expires());
                config = Arc::new(next);
                logged = None;
            }
            Change::Rejected(text) => {
                if logged.as_ref() != Some(&text) {
                    tracing::error!(%file, "the changed web configuration is not used, the previous one stays in effect: {text}");
                }
                logged = Some(text);
            }
        }
    }
}

fn check(last: &WebConfig, retry: bool) -> Change {
    if !retry && !last.files.changed() {
        return Change::Unchanged;
    }
    match WebConfig::load(&last.path) {
        Err(mistakes) => Change::Rejected(format!(
            "{}; correct it, it is tried again every second",
            mistakes.to_string().replace('\n', "; ")
        )),
        // A half-written file, or one emptied by a full disk, must not turn off protection.
        Ok(next) => match last.settings.protection_lost_in(&next.settings) {
            Some(what) => Change::Rejected(format!(
                "it would turn off {what}: if that is intended, restart the exporter, otherwise correct it"
            )),
            None => Change::Changed(next),
        },
    }
}
