//! Signals: SIGTERM and SIGINT stop the program, SIGHUP reloads the configuration.

use anyhow::Context;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use wolkvox_exporter::reload::ReloadHandle;

/// Ends at SIGTERM or SIGINT. Both are caught from the call on, not only once the future is polled.
pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be caught")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
    })
}

/// Catches SIGHUP, which would end the process otherwise.
pub(crate) fn hangups() -> anyhow::Result<Signal> {
    signal(SignalKind::hangup()).context("SIGHUP cannot be caught")
}

/// Reloads the configuration at each SIGHUP.
pub(crate) async fn reload_on_hangup(mut hangups: Signal, reload: ReloadHandle) {
    while hangups.recv().await.is_some() {
        tracing::info!("SIGHUP: reloading the configuration");
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
        }
        // The exporter logs the result itself.
        let _ = reload.reload().await;
        let _ = sd_notify::notify(&[NotifyState::Ready]);
    }
}
