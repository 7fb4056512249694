//! Which operations a process polls when several processes share one configuration.
//!
//! Rendezvous hashing: each shard gets a hash for the operation's name, and the highest wins. Shards need not know
//! about each other, and an additional shard only takes over the operations that it wins.

use std::fmt;
use std::hash::Hasher;
use std::ops::RangeInclusive;

use siphasher::sip::SipHasher24;

/// The key of the hash. It must never change, since the hash decides which shard has the state of an operation.
const KEY: &[u8; 16] = b"wolkvox_exporter";

/// One of several processes with the same configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u16,
    total: u16,
}

impl Shard {
    /// The only shard: all operations belong to it.
    pub const ONLY: Self = Self { index: 0, total: 1 };

    /// The allowed number of shards. The limit is far above any real use, to catch typing errors.
    pub const TOTALS: RangeInclusive<u16> = 1..=1000;

    /// Shard `index`, from 0 on, of `total`. An error says what is allowed.
    pub fn new(index: u16, total: u16) -> Result<Self, String> {
        if !Self::TOTALS.contains(&total) {
            let (least, most) = (Self::TOTALS.start(), Self::TOTALS.end());
            return Err(format!("there may be {least} to {most} shards, not {total}"));
        }
        if index >= total {
            let last = total - 1;
            return Err(format!(
                "there is no shard {index} of {total}: shards are counted from 0, so the last one is {last}"
            ));
        }
        Ok(Self { index, total })
    }

    /// Reads an index: a number, or a name that ends in `-NUMBER`, as Kubernetes names the pods of a `StatefulSet`.
    pub fn parse_index(text: &str) -> Result<u16, String> {
        let digits = match text.rsplit_once('-') {
            Some((name, digits)) if !name.is_empty() => digits,
            _ => text,
        };
        // `parse` would accept a sign.
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse());
        number.and_then(Result::ok).ok_or_else(|| {
            "expected a number from 0 on, or a name that ends in one such as wolkvox-exporter-3".to_owned()
        })
    }

    /// The index of the shard, out of `total`, to which an operation belongs.
    pub fn of(operation: &str, total: u16) -> u16 {
        let hash = |shard: u16| {
            let mut hasher = SipHasher24::new_with_key(KEY);
            hasher.write(&u32::from(shard).to_le_bytes());
            hasher.write(operation.as_bytes());
            hasher.finish()
        };
        // `max_by_key` returns the last of equal maxima; reversed, that is the lowest shard.
        (0..total).rev().max_by_key(|shard| hash(*shard)).unwrap_or(0)
    }

    /// Whether the operation belongs to this shard.
    pub fn has(self, operation: &str) -> bool {
        Self::of(operation, self.total) == self.index
    }

    /// Its number, from 0 on.
    pub fn index(self) -> u16 {
        self.index
    }

    /// The number of shards.
    pub fn total(self) -> u16 {
        self.total
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::ONLY
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.index, self.total)
    }
}
