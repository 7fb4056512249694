//! Reload requests, from a signal or the web to the exporter, and their answers.

use tokio::sync::{mpsc, oneshot};

use crate::config::ConfigError;

/// Requests reloads.
#[derive(Clone, Debug)]
pub struct ReloadHandle(mpsc::UnboundedSender<Answer>);

/// Where the answer to a request goes.
type Answer = oneshot::Sender<Result<(), ReloadError>>;

/// Why a reload failed; nothing has changed then. Whoever may reload need not be one who may read the configuration.
#[derive(Clone, Debug)]
pub struct ReloadError {
    /// All mistakes, with values, for the log.
    pub log: String,
    /// Where they are, without values, for the answer over HTTP.
    pub answer: String,
}

impl ReloadError {
    /// A failure that is told without a value of the configuration.
    pub fn plain(text: impl Into<String>) -> Self {
        let log = text.into();
        let answer = log.clone();
        Self { log, answer }
    }
}

impl From<ConfigError> for ReloadError {
    fn from(error: ConfigError) -> Self {
        let log = error.to_string();
        let answer = match &error {
            ConfigError::Mistakes(mistakes) => format!("{}\nthe log says what is wrong", mistakes.places()),
            ConfigError::Missing => log.clone(),
        };
        Self { log, answer }
    }
}

/// Receives the requests.
#[derive(Debug)]
pub struct ReloadRequests(mpsc::UnboundedReceiver<Answer>);

/// The requests that one reload serves, whose senders wait for the answer.
#[derive(Debug)]
pub struct ReloadRequest(Vec<Answer>);

/// The two ends of the channel.
pub fn channel() -> (ReloadHandle, ReloadRequests) {
    // Each request waits in a connection or for a signal, and there are not many of those.
    let (send, receive) = mpsc::unbounded_channel();
    (ReloadHandle(send), ReloadRequests(receive))
}

impl ReloadHandle {
    /// Reloads the configuration.
    pub async fn reload(&self) -> Result<(), ReloadError> {
        let stopping = || ReloadError::plain("the exporter is stopping");
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).map_err(|_| stopping())?;
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }
}

impl ReloadRequests {
    /// The next request. Those that came while a reload ran are one: the next reload reads what all of them want read.
    pub async fn next(&mut self) -> Option<ReloadRequest> {
        let mut waiting = vec![self.0.recv().await?];
        while let Ok(another) = self.0.try_recv() {
            waiting.push(another);
        }
        Some(ReloadRequest(waiting))
    }
}

impl ReloadRequest {
    /// Answers the request.
    pub fn answer(self, result: &Result<(), ReloadError>) {
        for sender in self.0 {
            // It may have gone meanwhile.
            let _ = sender.send(result.clone());
        }
    }
}
