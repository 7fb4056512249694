//! The open connections: their maximum number, and which one is evicted for the next.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::connection::Activity;

/// A connection that has been idle for less than this is not evicted. It leaves time to read a request sent before we
/// accepted; further connections wait in the backlog of the kernel.
const MIN_IDLE: Duration = Duration::from_millis(5);

/// Minimum time between two log lines about the same shortage.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Limits how often a warning is logged.
#[derive(Debug, Default)]
pub(super) struct LogLimiter(Mutex<Option<Instant>>);

impl LogLimiter {
    /// Whether to log now; if so, it counts as logged.
    pub(super) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut logged = self.0.lock();
        let due = logged.is_none_or(|logged| now >= logged + LOG_INTERVAL);
        if due {
            *logged = Some(now);
        }
        due
    }
}

/// The open connections of all listeners.
#[derive(Debug)]
pub(super) struct Connections {
    limit: usize,
    open: Mutex<Open>,
    closed: Notify,
    full_logged: LogLimiter,
    pub(super) no_descriptor_logged: LogLimiter,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    activities: HashMap<u64, Arc<Activity>>,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            open: Mutex::default(),
            closed: Notify::new(),
            full_logged: LogLimiter::default(),
            no_descriptor_logged: LogLimiter::default(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock()
    }

    /// Waits until one more connection is allowed. Evicts one if necessary.
    pub(super) async fn acquire(self: &Arc<Self>) -> ConnectionPermit {
        loop {
            let closed = self.closed.notified();
            {
                let mut open = self.open();
                let staying = open.activities.values().filter(|activity| !activity.is_evicted());
                if staying.count() < self.limit && open.activities.len() <= self.limit {
                    let number = open.next;
                    open.next += 1;
                    let activity = Activity::new();
                    open.activities.insert(number, Arc::clone(&activity));
                    return ConnectionPermit {
                        number,
                        activity,
                        connections: Arc::clone(self),
                    };
                }
            }
            if self.evict() && self.full_logged.is_due() {
                tracing::warn!(
                    connections = self.limit,
                    "connection limit reached: each new connection replaces the one idle longest. Check who connects, or \
                     raise the limit of open files if it is below 2048"
                );
            }
            let _ = timeout(MIN_IDLE, closed).await;
        }
    }

    /// Evicts a connection if the process has no file descriptor left. False if none can be evicted.
    pub(super) async fn make_room(&self) -> bool {
        let closed = self.closed.notified();
        let evicted = self.evict();
        let _ = timeout(MIN_IDLE, closed).await;
        evicted
    }

    /// Evicts the connection that has been waiting for its client longest, if possible one without a request. False if
    /// all connections are being served or idle for too short a time, which passes soon.
    fn evict(&self) -> bool {
        let open = self.open();
        let staying = open.activities.values().filter(|activity| !activity.is_evicted());
        let waiting = staying.filter_map(|activity| Some((activity.waits_since()?, activity)));
        let longest = waiting
            .filter(|((_, since), _)| since.elapsed() >= MIN_IDLE)
            .min_by_key(|(since, _)| *since);
        longest.inspect(|(_, activity)| activity.evict()).is_some()
    }
}

/// The right to one connection; given back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    number: u64,
    pub(super) activity: Arc<Activity>,
    connections: Arc<Connections>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.connections.open().activities.remove(&self.number);
        self.connections.closed.notify_waiters();
    }
}
