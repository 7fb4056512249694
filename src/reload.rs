//! Reload requests, from a signal or the web to the exporter, and their answers.

use tokio::sync::{mpsc, oneshot};

/// Requests reloads.
#[derive(Clone, Debug)]
pub struct ReloadHandle(mpsc::Sender<ReloadRequest>);

/// Receives the requests, one after the other.
#[derive(Debug)]
pub struct ReloadRequests(mpsc::Receiver<ReloadRequest>);

/// One request, whose sender waits for the answer.
#[derive(Debug)]
pub struct ReloadRequest(oneshot::Sender<Result<(), String>>);

/// The two ends of the channel.
pub fn channel() -> (ReloadHandle, ReloadRequests) {
    // Requests are not merged: each reads the configuration as it is when its turn comes.
    let (send, receive) = mpsc::channel(8);
    (ReloadHandle(send), ReloadRequests(receive))
}

impl ReloadHandle {
    /// Reloads the configuration. An error lists its mistakes; nothing has changed then.
    pub async fn reload(&self) -> Result<(), String> {
        let stopping = || "the exporter is stopping".to_owned();
        let (answer, answered) = oneshot::channel();
        self.0.send(ReloadRequest(answer)).await.map_err(|_| stopping())?;
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }
}

impl ReloadRequests {
    /// The next request.
    pub async fn next(&mut self) -> Option<ReloadRequest> {
        self.0.recv().await
    }
}

impl ReloadRequest {
    /// Answers the request.
    pub fn answer(self, result: Result<(), String>) {
        // The sender may have gone meanwhile.
        let _ = self.0.send(result);
    }
}
