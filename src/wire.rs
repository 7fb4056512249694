//! What the client and the reports share: a query, the reader of an answer's rows, and the vendor's way of writing values.

pub mod fields;
pub mod json;

use self::json::Broken;

/// A page of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The script: `real_time.php` or `reports_manager.php`.
    pub script: &'static str,
    /// The value of the parameter `api`.
    pub api: &'static str,
}

/// A request to the API, without server and token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The page.
    pub endpoint: Endpoint,
    /// The other parameters, in the order in which they are sent.
    pub parameters: Vec<(&'static str, String)>,
}

/// Reads the rows of one answer. The reader is thrown away when the answer turns out to be broken.
pub trait Rows {
    /// Reads the value at the front of `json`, a row or whatever else stands in its place, and returns its length in bytes;
    /// `None` when the text ends inside it. `key` names the row where the rows stand in an object. A value that is no row
    /// is counted as invalid.
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken>;

    /// Takes a key of the answer other than its rows, with its value as it came; of `data` only the bracket that opens it.
    /// Answers of failures have such keys, too.
    fn extra_key(&mut self, _key: &str, _json: &[u8]) {}
}
