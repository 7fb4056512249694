//! What is kept beside the key of a fact: by what else it is known again, and with which values it was counted.

use crate::reports::events::{Fact, Trace};

/// From the lowest bit on: 31 bits of its trace, 0 for none; whether the time beside the fact is counted; 16 bits of a hash of
/// its labels, 0 if they are not known; 16 bits of a hash of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(u64);

impl Mark {
    pub(super) const BYTES: usize = size_of::<u64>();
    const TRACE: u64 = (1 << 31) - 1;
    const TIME_IS_COUNTED: u64 = 1 << 31;
    const LABELS: u64 = 0xffff << 32;
    const TIME: u64 = 0xffff << 48;
    /// Of a fact that the first version of the exporter has counted.
    pub(super) const OF_FIRST_VERSION: Self = Self(Self::TIME_IS_COUNTED);

    pub(super) fn new(fact: &Fact, labels: u16) -> Self {
        let time = fact
            .time
            .map_or(0, |time| time.length.0.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self(u64::from(fact.trace.bits()) | u64::from(labels.max(1)) << 32 | time & Self::TIME)
    }

    pub(super) fn trace(self) -> Trace {
        Trace::stored((self.0 & Self::TRACE) as u32)
    }

    pub(super) fn time_is_counted(self) -> bool {
        self.0 & Self::TIME_IS_COUNTED != 0
    }

    /// Takes the values of the fact as it came again. Returns whether its time is new, and whether a value is another than
    /// before.
    pub(super) fn update(&mut self, given: Mark, has_time: bool) -> (bool, bool) {
        let time_is_new = has_time && !self.time_is_counted();
        let differs = |part: u64| (self.0 ^ given.0) & part != 0;
        let labels_are_known = self.0 & Self::LABELS != 0;
        let has_changed =
            labels_are_known && (differs(Self::LABELS) || has_time && !time_is_new && differs(Self::TIME));
        let taken = if has_time {
            Self::LABELS | Self::TIME
        } else {
            Self::LABELS
        };
        if has_changed || time_is_new {
            self.0 = self.0 & !taken | given.0 & taken;
        }
        if time_is_new {
            self.count_time();
        }
        if let (Some((first, last)), Some((_, given_last))) = (self.trace().rows(), given.trace().rows())
            && given_last > last
        {
            self.0 = self.0 & !Self::TRACE | u64::from(Trace::of_rows(first, given_last).bits());
        }
        (time_is_new, has_changed)
    }

    /// Notes that the time is counted. Returns whether it was not.
    pub(super) fn count_time(&mut self) -> bool {
        let is_new = !self.time_is_counted();
        self.0 |= Self::TIME_IS_COUNTED;
        is_new
    }

    /// Takes over from the mark of the same fact under another date whether its time is counted, and which time that is, unless
    /// the fact has one now.
    pub(super) fn take_time_of(&mut self, before: Mark, has_time: bool) {
        let kept = if has_time { 0 } else { Self::TIME };
        self.0 |= before.0 & (Self::TIME_IS_COUNTED | kept);
    }

    /// A mark from its bytes.
    pub(super) fn stored(bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(0, |mark, byte| mark << 8 | u64::from(*byte)))
    }

    /// Its bytes, as they are stored.
    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0.to_be_bytes()
    }
}
