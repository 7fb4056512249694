//! Who may read: the users of the web configuration, by HTTP basic authentication (RFC 7617).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::hash::Hasher;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bcrypt::HashParts;
use parking_lot::{Mutex, MutexGuard};
use secrecy::{ExposeSecret, SecretString};
use siphasher::sip128::{Hasher128, SipHasher24};
use tokio::sync::Semaphore;

/// Verified pairs of user and password that are remembered.
const REMEMBERED: usize = 100;

/// A check of this cost takes about two seconds, and each one more doubles it.
const COSTLIEST: u32 = 15;

/// Passwords that wait for their turn, at most. One takes a tenth of a second, so more would not be answered in time.
const WAITING: usize = 32;
/// Of one address, so that someone who guesses passwords does not keep the others from showing theirs.
const WAITING_EACH: usize = 4;

/// The users, with the bcrypt hashes of their passwords.
#[derive(Default)]
pub(super) struct Users {
    hashes: BTreeMap<String, SecretString>,
    /// As costly as the costliest.
    cost: u32,
}

/// Names and hashes are nobody's business.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} users", self.hashes.len())
    }
}

impl Users {
    /// Adds a user. A hash that takes seconds to check would let anyone keep a processor busy. No message repeats what should be a hash: it may be the password.
    pub(super) fn add(&mut self, name: &str, hash: &str) -> Result<(), String> {
        let parts = HashParts::from_str(hash)
            .ok()
            .filter(|parts| (4..=31).contains(&parts.get_cost()));
        let parts = parts.ok_or("is no bcrypt hash: make one with htpasswd -nBC 10 \"\"")?;
        if parts.get_cost() > COSTLIEST {
            return Err(format!(
                "has a cost of {}, and each check would take seconds: {COSTLIEST} at most, 10 is usual",
                parts.get_cost()
            ));
        }
        self.cost = self.cost.max(parts.get_cost());
        self.hashes.insert(name.to_owned(), hash.into());
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The hash to compare with, and whether the user is there. An unknown one costs as much as the costliest that is
    /// known: otherwise the time of the answer would tell names. So it does still where hashes differ in cost.
    fn hash_of(&self, name: &str) -> (SecretString, bool) {
        match self.hashes.get(name) {
            Some(hash) => (hash.clone(), true),
            None => {
                let hash = format!(
                    "$2b${:02}$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
                    self.cost
                );
                (hash.into(), false)
            }
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is let in.
    Admitted,
    /// Nobody, or nobody who is known.
    Refused,
    /// Too many passwords wait to be checked.
    Busy,
}

/// Checks passwords, each pair of user and password once: bcrypt is slow by design, and a scrape must not be.
pub(super) struct Passwords {
    /// Of the hashes by which pairs are remembered, so that they mean nothing outside of this process.
    key: [u8; 16],
    verified: Mutex<HashSet<u128>>,
    /// How many wait, by the address that they came from.
    waiting: Mutex<HashMap<IpAddr, usize>>,
    most_waiting: usize,
    /// Half the processors, so that someone who guesses passwords cannot keep scrapes from theirs.
    working: Arc<Semaphore>,
}

/// A password that waits, or is being checked.
struct Waits<'p> {
    passwords: &'p Passwords,
    from: IpAddr,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut waiting = self.passwords.waiting();
        if let Some(count) = waiting.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.from);
            }
        }
    }
}

impl Passwords {
    /// For so many connections. Those that wait for their password cannot be closed for others, so they are a few of all.
    pub(super) fn new(connections: usize) -> Result<Self, getrandom::Error> {
        let mut key = [0; 16];
        getrandom::fill(&mut key)?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key,
            verified: Mutex::default(),
            waiting: Mutex::default(),
            most_waiting: (connections / 4).clamp(1, WAITING),
            working: Arc::new(Semaphore::new(processors.div_ceil(2))),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.waiting.lock()
    }

    /// `None` when too many wait already.
    fn wait(&self, from: IpAddr) -> Option<Waits<'_>> {
        let mut waiting = self.waiting();
        let here = waiting.get(&from).copied().unwrap_or_default();
        if here >= WAITING_EACH || waiting.values().sum::<usize>() >= self.most_waiting {
            return None;
        }
        waiting.insert(from, here + 1);
        Some(Waits { passwords: self, from })
    }

    /// Whether a request with these headers, from this address, is let in.
    pub(super) async fn check(&self, users: &Users, headers: &HeaderMap, from: IpAddr) -> Verdict {
        if users.len() == 0 {
            return Verdict::Admitted;
        }
        let Some((name, password)) = credentials(headers) else {
            return Verdict::Refused;
        };
        let (hash, known) = users.hash_of(&name);
        let mark = self.mark(&name, &password, &hash);
        if self.is_verified(mark) {
            return Verdict::Admitted;
        }
        let Some(_waits) = self.wait(from) else {
            return Verdict::Busy;
        };
        let Ok(works) = Arc::clone(&self.working).acquire_owned().await else {
            return Verdict::Busy;
        };
        // The same scraper may have asked twice at once.
        if self.is_verified(mark) {
            return Verdict::Admitted;
        }
        let checked = tokio::task::spawn_blocking(move || {
            // Until the work is done, also when nobody waits for it any more.
            let _works = works;
            bcrypt::verify(password, hash.expose_secret()).unwrap_or(false)
        });
        if checked.await.unwrap_or(false) && known {
            let mut verified = self.verified.lock();
            // Marks of hashes that are no longer in use go this way, too.
            if verified.len() >= REMEMBERED {
                verified.clear();
            }
            verified.insert(mark);
            Verdict::Admitted
        } else {
            Verdict::Refused
        }
    }

    fn is_verified(&self, mark: u128) -> bool {
        let verified = self.verified.lock();
        verified.contains(&mark)
    }

    /// With the hash in it, a changed password makes the old one unknown at once.
    fn mark(&self, name: &str, password: &[u8], hash: &SecretString) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        for part in [name.as_bytes(), password, hash.expose_secret().as_bytes()] {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }
}

fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8(decoded[..colon].to_vec()).ok()?;
    Some((name, decoded[colon + 1..].to_vec()))
}
