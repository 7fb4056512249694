//! All open connections: how many there may be, and who has to go for the next one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::connection::Activity;

/// Nobody is evicted sooner than this. A flood of connections then waits in the queue of the system, and whoever has come
/// with a request has sent it before it is accepted: so it is read before its connection is one of those to go.
const AT_LEAST: Duration = Duration::from_millis(5);

/// Whatever is short is said once a minute.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// A warning that is not repeated at once.
#[derive(Debug, Default)]
pub(super) struct Rarely(Mutex<Option<Instant>>);

impl Rarely {
    /// Whether it is to be said now; then it is taken as said.
    pub(super) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut said = self.0.lock();
        let due = said.is_none_or(|said| now >= said + SAY_AGAIN);
        if due {
            *said = Some(now);
        }
        due
    }
}

/// The open connections of all listeners, since descriptors are the process's.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    open: Mutex<Open>,
    left: Notify,
    said_full: Rarely,
    pub(super) said_no_descriptor: Rarely,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    activities: HashMap<u64, Arc<Activity>>,
}

impl Connections {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            open: Mutex::default(),
            left: Notify::new(),
            said_full: Rarely::default(),
            said_no_descriptor: Rarely::default(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock()
    }

    /// A place for one more connection; it may take a moment until there is one.
    pub(super) async fn enter(self: &Arc<Self>) -> Place {
        loop {
            let left = self.left.notified();
            {
                let mut open = self.open();
                let staying = open.activities.values().filter(|activity| !activity.is_evicted());
                if staying.count() < self.most && open.activities.len() <= self.most {
                    let number = open.next;
                    open.next += 1;
                    let activity = Activity::new();
                    open.activities.insert(number, Arc::clone(&activity));
                    return Place {
                        number,
                        activity,
                        connections: Arc::clone(self),
                    };
                }
            }
            if self.evict() && self.said_full.is_due() {
                tracing::warn!(
                    connections = self.most,
                    "there are as many connections as there may be, so for each new one that is closed which has waited \
                     for its client longest: see who connects, or raise the limit of open files if it is below 2048"
                );
            }
            let _ = timeout(AT_LEAST, left).await;
        }
    }

    /// Gives a descriptor back when the process has none left. False when no connection can go.
    pub(super) async fn make_room(&self) -> bool {
        let left = self.left.notified();
        let evicted = self.evict();
        let _ = timeout(AT_LEAST, left).await;
        evicted
    }

    /// Closes the connection that has waited for its client longest: at best one without a request. Where each of them
    /// is being served and read, or has only just come, nobody has to go: that passes soon.
    fn evict(&self) -> bool {
        let open = self.open();
        let staying = open.activities.values().filter(|activity| !activity.is_evicted());
        let waiting = staying.filter_map(|activity| Some((activity.waits_since()?, activity)));
        let longest = waiting
            .filter(|((_, since), _)| since.elapsed() >= AT_LEAST)
            .min_by_key(|(since, _)| *since);
        longest.inspect(|(_, activity)| activity.evict()).is_some()
    }
}

/// A connection's place among all; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    pub(super) activity: Arc<Activity>,
    connections: Arc<Connections>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().activities.remove(&self.number);
        self.connections.left.notify_waiters();
    }
}
