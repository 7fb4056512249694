//! HTTP basic authentication (RFC 7617) of the users in the web configuration.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
use tokio_util::sync::CancellationToken;

/// How many verified pairs of user and password are remembered.
const REMEMBERED: usize = 100;

/// The highest bcrypt cost allowed. A check takes about two seconds at this cost, and twice that at the next.
const HIGHEST_COST: u32 = 15;

/// Maximum number of waiting password checks. Each takes a tenth of a second, so more would not be answered in time.
const MOST_WAITING: usize = 32;
/// The maximum from one network.
const MOST_WAITING_EACH: usize = 4;

/// The users, with the bcrypt hashes of their passwords.
#[derive(Default)]
pub(super) struct Users {
    hashes: BTreeMap<String, SecretString>,
    /// The highest cost of all hashes.
    cost: u32,
}

/// Without names and hashes.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} users", self.hashes.len())
    }
}

impl Users {
    /// Adds a user. A hash that takes seconds to check is refused, since anyone could keep a processor busy with it.
    /// Messages never repeat the hash: it may be a password written there by mistake.
    pub(super) fn add(&mut self, name: &str, hash: &str) -> Result<(), String> {
        let parts = HashParts::from_str(hash)
            .ok()
            .filter(|parts| (4..=31).contains(&parts.get_cost()));
        let parts = parts.ok_or("is not a bcrypt hash: make one with wolkvox_exporter hash-password")?;
        if parts.get_cost() > HIGHEST_COST {
            return Err(format!(
                "has a cost of {}, so each check would take seconds: use at most {HIGHEST_COST}; 10 is usual",
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

    /// The hash to compare with, and whether the user exists. An unknown user costs as much as the costliest known one,
    /// otherwise the response time would reveal names. It still does if the hashes differ in cost.
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

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request may be answered.
    Admitted,
    /// No credentials, or wrong ones.
    Refused,
    /// Too many checks are waiting.
    Busy,
}

/// Checks passwords, and remembers the verified ones: bcrypt is slow by design, and scrapes must be fast.
pub(super) struct Passwords {
    /// The random key of the hashes by which pairs are remembered: they mean nothing outside this process.
    key: [u8; 16],
    verified: Mutex<HashSet<u128>>,
    /// The waiting checks by network: an address, or a /64 of IPv6. Someone who guesses passwords from one network has few
    /// places. Where all are taken, the network with most gives way, in the /24 or /48 with most: so a right password that is
    /// not remembered yet gets its turn, unless the flood comes from as many of these as there are places.
    waiting: Mutex<HashMap<IpAddr, Vec<Place>>>,
    most_waiting: usize,
    /// Half the processors, so that guessing passwords leaves the others for scrapes.
    working: Arc<Semaphore>,
}

/// The place of a check that is waiting or running; it is cancelled to make it give way.
type Place = Arc<CancellationToken>;

/// A check that is waiting or running.
struct Waits<'p> {
    passwords: &'p Passwords,
    network: IpAddr,
    place: Place,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut waiting = self.passwords.waiting();
        if let Some(places) = waiting.get_mut(&self.network) {
            places.retain(|place| !Arc::ptr_eq(place, &self.place));
            if places.is_empty() {
                waiting.remove(&self.network);
            }
        }
    }
}

/// The network of an address: one customer of a provider has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

/// The networks beside a network, which often belong to the same customer.
fn neighbourhood(network: IpAddr) -> IpAddr {
    match network {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() >> 8 << 8)),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 80 << 80)),
    }
}

impl Passwords {
    /// For a server with this many connections. Those with a waiting check cannot be evicted, so only a part of them
    /// may wait.
    pub(super) fn new(connections: usize) -> Result<Self, getrandom::Error> {
        let mut key = [0; 16];
        getrandom::fill(&mut key)?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key,
            verified: Mutex::default(),
            waiting: Mutex::default(),
            most_waiting: (connections / 4).clamp(1, MOST_WAITING),
            working: Arc::new(Semaphore::new(processors.div_ceil(2))),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<IpAddr, Vec<Place>>> {
        self.waiting.lock()
    }

    /// `None` if too many are waiting already.
    fn wait(&self, from: IpAddr) -> Option<Waits<'_>> {
        let network = network(from);
        let mut waiting = self.waiting();
        let here = waiting.get(&network).map_or(0, Vec::len);
        if here >= MOST_WAITING_EACH {
            return None;
        }
        if waiting.values().map(Vec::len).sum::<usize>() >= self.most_waiting {
            let mut nearby: HashMap<IpAddr, usize> = HashMap::new();
            for (network, places) in &*waiting {
                *nearby.entry(neighbourhood(*network)).or_default() += places.len();
            }
            let size = |network: IpAddr| nearby.get(&neighbourhood(network)).copied().unwrap_or_default();
            let (fullest, places) = waiting
                .iter_mut()
                .max_by_key(|(network, places)| (size(**network), places.len()))?;
            // Taking a place for a network that has as many would help nobody.
            let gains = if neighbourhood(*fullest) == neighbourhood(network) {
                places.len() > here + 1
            } else {
                size(*fullest) > size(network) + 1
            };
            if !gains {
                return None;
            }
            places.pop()?.cancel();
        }
        let place = Place::default();
        waiting.entry(network).or_default().push(Arc::clone(&place));
        Some(Waits {
            passwords: self,
            network,
            place,
        })
    }

    /// Checks a request with these headers from this address.
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
        let Some(waits) = self.wait(from) else {
            return Verdict::Busy;
        };
        let turn = Arc::clone(&self.working).acquire_owned();
        let Some(Ok(works)) = waits.place.run_until_cancelled(turn).await else {
            return Verdict::Busy;
        };
        // Another request of the same scraper may have been checked meanwhile.
        if self.is_verified(mark) {
            return Verdict::Admitted;
        }
        let checked = tokio::task::spawn_blocking(move || {
            // Held until the check is done, even if the client has gone.
            let _works = works;
            bcrypt::verify(password, hash.expose_secret()).unwrap_or(false)
        });
        if checked.await.unwrap_or(false) && known {
            let mut verified = self.verified.lock();
            // This also drops marks of hashes that are no longer in use.
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

    /// Includes the hash, so that a changed password invalidates the old one at once.
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
