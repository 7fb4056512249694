//! Random numbers that do not depend on the order of requests.

use fastrand::Rng;

/// A generator for one purpose at one place in time. Neighbouring places, such as successive minutes, get unrelated numbers.
pub(super) fn rng_at(seed: u64, purpose: u64, place: i64) -> Rng {
    Rng::with_seed(mixed(mixed(seed ^ purpose).wrapping_add(place.cast_unsigned())))
}

/// FNV-1a: the same on every platform and in every version, unlike the standard library's hashers.
pub(super) fn hash_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// The finalizer of `SplitMix64`.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
