//! The configuration without a file: one operation from environment variables, as containers are given theirs.

use super::Config;
use super::operation::{Operation, name, timezone};
use super::server::server;
use super::token::{Token, TokenSource};
use crate::yaml::mistake::{Mistakes, Notes};

const SERVER: &str = "WOLKVOX_SERVER";
const TOKEN: &str = "WOLKVOX_TOKEN";
const TOKEN_FILE: &str = "WOLKVOX_TOKEN_FILE";
const TIMEZONE: &str = "WOLKVOX_TIMEZONE";
const OPERATION: &str = "WOLKVOX_OPERATION";

impl Config {
    /// The configuration that environment variables make: `WOLKVOX_SERVER` (a number or an address), `WOLKVOX_TOKEN`
    /// or `WOLKVOX_TOKEN_FILE`, and if one likes `WOLKVOX_TIMEZONE` and `WOLKVOX_OPERATION` (the name; `wolkvox`).
    /// All else is at its default. An empty variable is taken for one that is not set.
    ///
    /// `None` without `WOLKVOX_SERVER`: the environment is not meant to be the configuration.
    pub fn from_environment(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, Mistakes> {
        let get = |variable: &str| lookup(variable).filter(|value| !value.trim().is_empty());
        let Some(address) = get(SERVER) else { return Ok(None) };

        let notes = Notes::default();
        // Notes what is wrong with a variable.
        fn noted<T>(notes: &Notes, variable: &str, value: Result<T, String>) -> Option<T> {
            value.map_err(|wrong| notes.add(None, variable, wrong)).ok()
        }
        let operation_name = get(OPERATION).unwrap_or_else(|| "wolkvox".to_owned());
        let operation_name = noted(&notes, OPERATION, name(&operation_name));
        let base_url = noted(&notes, SERVER, server(&address));
        let (variable, source) = match (get(TOKEN), get(TOKEN_FILE)) {
            (Some(_), None) => (TOKEN, Ok(TokenSource::Environment(TOKEN.to_owned()))),
            (None, Some(file)) => (TOKEN_FILE, Ok(TokenSource::File(file.into()))),
            (Some(_), Some(_)) => (TOKEN, Err(format!("excludes {TOKEN_FILE}: keep one of them"))),
            (None, None) => (
                TOKEN,
                Err(format!("is not set; it (or {TOKEN_FILE}) is needed with {SERVER}")),
            ),
        };
        let token = source.and_then(|source| Token::from_source(source, lookup).map_err(|error| error.to_string()));
        let token = noted(&notes, variable, token);
        let zone = get(TIMEZONE).and_then(|zone| noted(&notes, TIMEZONE, timezone(&zone)));

        notes.verdict(None)?;
        let (Some(operation_name), Some(base_url), Some(token)) = (operation_name, base_url, token) else {
            return Ok(None); // Not reached: each of them has noted a mistake.
        };
        let mut operation = Operation::new(operation_name, base_url, token);
        if let Some((zone, zone_name)) = zone {
            (operation.timezone, operation.timezone_name) = (zone, zone_name);
        }
        Ok(Some(Self {
            operations: vec![operation],
            ..Self::default()
        }))
    }
}
