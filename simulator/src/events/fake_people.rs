//! Invented personal data with markers, so that tests can search for it anywhere.

use memchr::memmem;

const FIRST_NAMES: [&str; 5] = [
    "Ficticia María",
    "Ficticio José",
    "Ficticia  Ángela",
    "Ficticio Iñaki",
    "Ficticia Zoé",
];
const LAST_NAMES: [&str; 4] = [
    "Inventado Núñez",
    "Inventada O'Neill",
    "Inventado  Peña",
    "Inventada \"La Mona\"",
];

/// Every personal string of the simulator contains one of these, and nothing else does.
const MARKERS: [&str; 8] = [
    "57301555",
    "99000777",
    "88110077",
    "203.0.113.",
    ".31337.",
    "Fictici",
    "Inventad",
    "omentario inventado",
];

/// A marker of simulated personal data (of a customer, agent or call) that occurs in a page, log or file.
pub fn personal_data_in(bytes: &[u8]) -> Option<&'static str> {
    MARKERS
        .into_iter()
        .find(|marker| memmem::find(bytes, marker.as_bytes()).is_some())
}

/// A customer, derived from a random number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person(pub(super) u64);

impl Person {
    /// The telephone, in international form.
    pub(super) fn telephone(self) -> String {
        format!("57301555{:04}", self.0 % 10_000)
    }

    /// The number of an identity document.
    pub(super) fn document(self) -> String {
        format!("99000777{:06}", (self.0 >> 16) % 1_000_000)
    }

    /// `customer_id`, blank for callers unknown to the operation.
    pub(super) fn customer_id(self) -> String {
        if (self.0 >> 40).is_multiple_of(5) {
            String::new()
        } else {
            self.document()
        }
    }

    pub(super) fn first_name(self) -> &'static str {
        FIRST_NAMES[(self.0 >> 44) as usize % FIRST_NAMES.len()]
    }

    pub(super) fn last_name(self) -> &'static str {
        LAST_NAMES[(self.0 >> 48) as usize % LAST_NAMES.len()]
    }

    pub(super) fn comment(self) -> String {
        format!(
            "Comentario inventado: llamar a {}, \\ tel. {}",
            self.first_name(),
            self.telephone()
        )
    }

    /// The agent who served the customer.
    pub(super) fn agent_id(self) -> String {
        format!("88110077{:02}", (self.0 >> 52) % 40)
    }
}

/// An agent of the operation, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Employee(pub(crate) u32);

impl Employee {
    pub(crate) fn id(self) -> String {
        format!("88110077{:04}", self.0)
    }

    pub(crate) fn name(self) -> String {
        let number = self.0 as usize;
        let first = FIRST_NAMES[number % FIRST_NAMES.len()];
        let last = LAST_NAMES[number / FIRST_NAMES.len() % LAST_NAMES.len()];
        format!("{first} {last}")
    }

    /// The address of the agent's computer, one of those reserved for examples.
    pub(crate) fn address(self) -> String {
        format!("203.0.113.{}", 1 + self.0 % 254)
    }
}

/// The text that describes the operation's token.
pub(crate) const TOKEN_DESCRIPTION: &str = "Comentario inventado: token de los reportes de Ficticia María";

/// The id of a connection, in the two forms seen in real answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    pub(super) end: i64,
    pub(super) number: u32,
}

impl Connection {
    /// `12345.31337.1782402643.20391`.
    pub(super) fn of_switch(self, switch: u32) -> String {
        format!("{switch}.31337.{}.{}", self.end, self.number)
    }

    /// `ivr.31337.1782402643.004711`.
    pub(super) fn of_ivr(self) -> String {
        format!("ivr.31337.{}.{:06}", self.end, self.number)
    }
}
