//! What the client and the reports share: a query, the reader of an answer's rows, and the vendor's way of writing values.

pub mod fields;
pub(crate) mod json;

use serde::Deserialize;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The script: `real_time.php` or `reports_manager.php`.
    pub script: &'static str,
    /// The value of `api`.
    pub api: &'static str,
    /// The other parameters.
    pub parameters: Vec<(&'static str, String)>,
}

/// What a report makes of the rows of one answer. The reader is thrown away when the answer turns out to be broken.
pub trait Rows {
    /// The fields of a row that the report needs, borrowed from the wire.
    type Row<'a>: Deserialize<'a>;

    /// Takes a row; `key` names it where `data` is an object.
    fn row(&mut self, key: Option<&str>, row: Self::Row<'_>);

    /// Takes note of a value that is not a row: no object, say.
    fn invalid(&mut self);

    /// Takes note of a key of the answer and of its value as it came; of `data` only the bracket that opens it. Answers of
    /// failures have such keys, too.
    fn beside(&mut self, _key: &str, _json: &[u8]) {}
}
