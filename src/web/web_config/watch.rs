//! Takes over a changed web configuration, certificate, key or CA without a restart.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use super::{Settings, WebConfig};

/// What one look at the files has found.
enum Found {
    Nothing,
    Changed(WebConfig),
    Bad(String),
}

/// Looks at the files `every` so often until `stop`, and swaps `live` when they have changed for the good.
///
/// Certificate and key are two files, and no writer replaces both at once: a set that does not fit is not an error to
/// act on but one to wait through. So the last good one stays, and a bad one is tried again at every look.
pub(in crate::web) async fn watch(
    config: WebConfig,
    live: Arc<ArcSwap<Settings>>,
    every: Duration,
    stop: CancellationToken,
) {
    let mut config = Arc::new(config);
    let mut said = None;
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        let (last, retry) = (Arc::clone(&config), said.is_some());
        // A file system may hang; and a CA bundle takes its time.
        let looking = tokio::task::spawn_blocking(move || look(&last, retry));
        let Some(looked) = stop.run_until_cancelled(looking).await else {
            return;
        };
        let file = config.path.display();
        match looked.unwrap_or(Found::Nothing) {
            Found::Nothing => {}
            Found::Changed(next) => {
                tracing::info!(%file, tls = next.has_tls(), users = next.users(), "the web configuration was read again");
                live.store(Arc::clone(&next.settings));
                config = Arc::new(next);
                said = None;
            }
            Found::Bad(text) => {
                if said.as_ref() != Some(&text) {
                    tracing::error!(%file, "the changed web configuration is not used; the last good one is: {text}");
                }
                said = Some(text);
            }
        }
    }
}

fn look(last: &WebConfig, retry: bool) -> Found {
    if !retry && !last.files.changed() {
        return Found::Nothing;
    }
    match WebConfig::load(&last.path) {
        Err(mistakes) => Found::Bad(format!(
            "{}; put it right, it is tried again each second",
            mistakes.to_string().replace('\n', "; ")
        )),
        // A file that is half written, or emptied by a full disk, must not open the door.
        Ok(next) => match last.settings.given_up_by(&next.settings) {
            Some(what) => Found::Bad(format!(
                "it would turn off {what}: if that is meant, restart the exporter, else put it right"
            )),
            None => Found::Changed(next),
        },
    }
}
