//! The configuration without a file: one operation from environment variables, for containers.

use super::Config;
use super::operation::{Operation, name};
use super::server::server;
use super::timezone::timezone;
use super::token::{Token, TokenSource};
use crate::secret::refuse;
use crate::yaml::mistake::{Diagnostics, Mistakes};

const SERVER: &str = "WOLKVOX_SERVER";
const TOKEN: &str = "WOLKVOX_TOKEN";
const TOKEN_FILE: &str = "WOLKVOX_TOKEN_FILE";
const TIMEZONE: &str = "WOLKVOX_TIMEZONE";
const OPERATION: &str = "WOLKVOX_OPERATION";

impl Config {
    /// Reads the configuration from environment variables: `WOLKVOX_SERVER` (a number or an address), `WOLKVOX_TOKEN`
    /// or `WOLKVOX_TOKEN_FILE`, and optionally `WOLKVOX_TIMEZONE` and `WOLKVOX_OPERATION` (the name; default
    /// `wolkvox`). An empty variable counts as not set.
    ///
    /// `None` without `WOLKVOX_SERVER`: then the environment is not used.
    pub fn from_environment(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, Mistakes> {
        let get = |variable: &str| lookup(variable).filter(|value| !value.trim().is_empty());
        let Some(address) = get(SERVER) else { return Ok(None) };

        let diagnostics = Diagnostics::default();
        // The value of a variable. A mistake in it is recorded.
        fn valid<T>(diagnostics: &Diagnostics, variable: &str, value: Result<T, String>) -> Option<T> {
            value.map_err(|wrong| diagnostics.add(None, variable, wrong)).ok()
        }
        let shown = |value: &str| refuse(value, TOKEN_FILE);
        let operation_name = get(OPERATION).unwrap_or_else(|| "wolkvox".to_owned());
        let operation_name = shown(&operation_name).and_then(|()| name(&operation_name));
        let operation_name = valid(&diagnostics, OPERATION, operation_name);
        let base_url = valid(&diagnostics, SERVER, shown(&address).and_then(|()| server(&address)));
        let (variable, source) = match (get(TOKEN), get(TOKEN_FILE)) {
            (Some(_), None) => (TOKEN, Ok(TokenSource::Environment(TOKEN.to_owned()))),
            (None, Some(file)) => (TOKEN_FILE, Ok(TokenSource::File(file.into()))),
            (Some(_), Some(_)) => (
                TOKEN,
                Err(format!("cannot be combined with {TOKEN_FILE}: keep one of them")),
            ),
            (None, None) => (
                TOKEN,
                Err(format!("is not set; it (or {TOKEN_FILE}) is needed with {SERVER}")),
            ),
        };
        let token = source.and_then(|source| Token::from_source(source, lookup).map_err(|error| error.to_string()));
        let token = valid(&diagnostics, variable, token);
        let zone =
            get(TIMEZONE).and_then(|zone| valid(&diagnostics, TIMEZONE, shown(&zone).and_then(|()| timezone(&zone))));

        diagnostics.into_mistakes().into_result()?;
        let (Some(operation_name), Some(base_url), Some(token)) = (operation_name, base_url, token) else {
            return Ok(None); // Not reached: for each of them a mistake was recorded.
        };
        let mut operation = Operation::new(operation_name, base_url, token);
        if let Some(zone) = zone {
            operation.set_timezone(zone);
        }
        Ok(Some(Self {
            operations: vec![operation],
            ..Self::default()
        }))
    }
}
