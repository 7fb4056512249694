//! What the client and the reports share: queries, the reader of an answer's rows, and the vendor's formats of values.

pub mod dates;
pub mod fields;
pub mod json;
pub mod large;

use std::sync::Arc;

use self::json::Broken;
use self::large::Place;

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The script: `real_time.php`, `reports_manager.php` or `information.php`.
    pub script: &'static str,
    /// The value of the parameter `api`.
    pub api: &'static str,
}

/// A request to the API, without server and token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The other parameters, in the order in which they are sent.
    pub parameters: Vec<(&'static str, String)>,
}

/// Reads the rows of one answer. The reader is discarded if the answer turns out to be broken.
pub trait Rows: Send {
    /// Reads the row at the start of `json` and returns its length in bytes, or `None` when the text ends inside it.
    /// `key` is the row's name if the rows are in an object. An error says that the text is no row, and nothing was
    /// taken of it: the caller finds its end, and may give it once more in a form that can be read.
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken>;

    /// Counts what stands in place of a row and cannot be read: `json` if it is complete JSON, and nothing of it
    /// otherwise.
    fn unreadable(&mut self, key: Option<&str>, json: Option<&str>);

    /// Reads a key of the answer other than its rows, with its raw value; for `data`, only the opening bracket.
    /// Failures have such keys too.
    fn extra_key(&mut self, _key: &str, _json: &[u8]) {}

    /// The key of the list that has the rows, if they are nested in the row that `data` seems to have.
    fn nested_list(&self) -> Option<&'static str> {
        None
    }

    /// How many rows it holds for later; `None` if it deals with each at once.
    fn held(&self) -> Option<usize> {
        None
    }

    /// Keeps the place as long as the rows.
    fn keep(&mut self, _place: Arc<Place>) {}
}

impl<R: Rows + ?Sized> Rows for &mut R {
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        (**self).value(key, json)
    }

    fn unreadable(&mut self, key: Option<&str>, json: Option<&str>) {
        (**self).unreadable(key, json);
    }

    fn extra_key(&mut self, key: &str, json: &[u8]) {
        (**self).extra_key(key, json);
    }

    fn nested_list(&self) -> Option<&'static str> {
        (**self).nested_list()
    }

    fn held(&self) -> Option<usize> {
        (**self).held()
    }

    fn keep(&mut self, place: Arc<Place>) {
        (**self).keep(place);
    }
}
