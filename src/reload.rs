//! A request to read the configuration again, and its answer: the way from a signal or the web to the exporter.

use tokio::sync::{mpsc, oneshot};

/// Where a reload is asked for.
#[derive(Clone, Debug)]
pub struct ReloadHandle(mpsc::Sender<Asked>);

/// Where reloads are done, one after the other.
#[derive(Debug)]
pub struct Reloads(mpsc::Receiver<Asked>);

/// One request. Whoever asked waits for the answer.
#[derive(Debug)]
pub struct Asked(oneshot::Sender<Result<(), String>>);

/// Both ends of the way.
pub fn channel() -> (ReloadHandle, Reloads) {
    // Requests that come together wait for each other: each reads what is there when its turn comes.
    let (send, receive) = mpsc::channel(8);
    (ReloadHandle(send), Reloads(receive))
}

impl ReloadHandle {
    /// Reads the configuration again. An error says what is wrong with it; then nothing was changed.
    pub async fn reload(&self) -> Result<(), String> {
        let stopping = || "the exporter is stopping".to_owned();
        let (answer, answered) = oneshot::channel();
        self.0.send(Asked(answer)).await.map_err(|_| stopping())?;
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }
}

impl Reloads {
    /// The next request.
    pub async fn next(&mut self) -> Option<Asked> {
        self.0.recv().await
    }
}

impl Asked {
    /// Answers it.
    pub fn answer(self, result: Result<(), String>) {
        // Whoever asked may have gone away meanwhile.
        let _ = self.0.send(result);
    }
}
