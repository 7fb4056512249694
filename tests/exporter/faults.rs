//! What happens when the API or the way to it fails: the right reason, nothing else touched, recovery by itself.

mod clocks;
mod gauges;
mod requests;
mod route;
mod tokens;

use std::time::{Duration, Instant};
const TEN: &str = "2026-11-20T15:00:00Z";
const LATER: &str = "2026-11-20T15:05:00Z";

/// Waits until the check passes, and panics after 20 seconds.
pub(crate) async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !check().await {
        assert!(begin.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
