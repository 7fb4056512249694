//! Which operations are this process's own, when several share one configuration.
//!
//! Rendezvous hashing: each shard draws a number for the operation's name, and the highest wins. No shard needs to know of
//! the others, and one more shard takes over what it wins and moves nothing else.

use std::fmt;
use std::hash::Hasher;
use std::ops::RangeInclusive;

use siphasher::sip::SipHasher24;

/// What decides where operations are polled, and so where their state lies. It may never change.
const KEY: &[u8; 16] = b"wolkvox_exporter";

/// One of several processes with the same configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u16,
    total: u16,
}

impl Shard {
    /// The only one: every operation is its own.
    pub const ONLY: Self = Self { index: 0, total: 1 };

    /// How many shards there may be: no more than anyone needs, so that a slip is noticed.
    pub const TOTALS: RangeInclusive<u16> = 1..=1000;

    /// The shard `index`, from 0 on, of `total`. An error says what to write.
    pub fn new(index: u16, total: u16) -> Result<Self, String> {
        if !Self::TOTALS.contains(&total) {
            let (least, most) = (Self::TOTALS.start(), Self::TOTALS.end());
            return Err(format!("there may be {least} to {most} shards, and not {total}"));
        }
        if index >= total {
            let last = total - 1;
            return Err(format!(
                "there is no shard {index} of {total}: they are counted from 0, so the last one is {last}"
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
        // A sign would be taken by the parser of numbers.
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse());
        number.and_then(Result::ok).ok_or_else(|| {
            "expected a number from 0 on, or a name that ends in one such as wolkvox-exporter-3".to_owned()
        })
    }

    /// The index of the shard, of so many, to which an operation belongs.
    pub fn of(operation: &str, total: u16) -> u16 {
        let draw = |shard: u16| {
            let mut hasher = SipHasher24::new_with_key(KEY);
            hasher.write(&u32::from(shard).to_le_bytes());
            hasher.write(operation.as_bytes());
            hasher.finish()
        };
        // Of equal numbers the last would win; reversed, it is that of the lowest shard.
        (0..total).rev().max_by_key(|shard| draw(*shard)).unwrap_or(0)
    }

    /// Whether the operation belongs to this shard.
    pub fn has(self, operation: &str) -> bool {
        Self::of(operation, self.total) == self.index
    }

    /// Which one it is, from 0 on.
    pub fn index(self) -> u16 {
        self.index
    }

    /// How many there are.
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
