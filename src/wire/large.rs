//! Places for large answers. After an outage all operations catch up at the same moment, and the rows of an answer are held
//! until they are counted: without a limit, two hundred answers of 50,000 rows would need gigabytes.

use std::sync::{Arc, Weak};

use tokio::sync::{Semaphore, SemaphorePermit};

/// An answer needs a place when so many rows of it are held. Regular polls have fewer, so they never wait.
pub(crate) const FEW_ROWS: usize = 2_500;
/// An answer needs a place before it is read when it says that it has so many bytes, perhaps compressed. A row has some 300.
pub(crate) const FEW_BYTES: u64 = 1 << 20;
/// The places of the process. A row takes some hundred bytes until it is counted, and an answer has at most 59,000 rows that
/// count, so this is 50 MB.
const PLACES: usize = 8;

static FREE: Semaphore = Semaphore::const_new(PLACES);

/// A place, kept as long as the rows of the answer are held.
#[derive(Debug)]
pub struct Place {
    _permit: Option<SemaphorePermit<'static>>,
}

/// The place of an operation, if it has one. It has one for all its answers: if it needed a second one while it holds the first,
/// all operations might wait for each other.
#[derive(Debug, Default)]
pub(crate) struct OwnPlace(Weak<Place>);

impl OwnPlace {
    /// The operation's place. Waits until one is free.
    pub(crate) async fn get(&mut self) -> Arc<Place> {
        if let Some(place) = self.0.upgrade() {
            return place;
        }
        // The places are never closed, so there is a permit.
        let place = Arc::new(Place {
            _permit: FREE.acquire().await.ok(),
        });
        self.0 = Arc::downgrade(&place);
        place
    }
}
