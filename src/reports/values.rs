//! The values of rows that become labels: free values, ids, names, and the words of the vendor's lists.

use std::borrow::Cow;
use std::ops::Deref;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::metrics::series::Label;
use crate::wire::fields::{self, Leaf};

/// Free values are cut to this many characters.
const LONGEST_VALUE: usize = 64;
/// A longer id is none: ids have four or five digits.
const LONGEST_ID: usize = 64;
/// Names are cut to this many characters.
const LONGEST_NAME: usize = 128;
/// A free value with this many digits may be a telephone number or the number of an identity card.
const TOO_MANY_DIGITS: usize = 6;
/// The label for an absent value.
pub(super) const NONE: &str = "none";
/// The label for a value that is not in the list.
pub(super) const OTHER: &str = "other";
/// The label that stands for those over the limit.
pub(crate) const FOLDED: Label = Label::Borrowed("_other");

/// A value that anybody may choose, shortened, and replaced if it may be a person's number: callers type their ids into
/// menus.
pub(crate) fn free(text: &str) -> Label {
    if text.chars().filter(|c| c.is_numeric()).count() >= TOO_MANY_DIGITS {
        return Label::Borrowed("number");
    }
    let cut = shortened(text, LONGEST_VALUE);
    if cut.is_empty() {
        Label::Borrowed(NONE)
    } else {
        Label::Owned(cut.into_owned())
    }
}

/// A value of an open list as a label: lower case, with `_` for spaces.
pub(super) fn enumerated(text: &str) -> Label {
    free(&normalized(text))
}

/// A word of a list in lower case, with `_` for spaces.
pub(super) fn normalized(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")
}

/// Whether a word begins with one of these beginnings, in any case. The vendor's spelling varies, so often only the
/// beginning of a word can be relied on.
pub(super) fn begins(text: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| {
        text.get(..beginning.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    })
}

/// The text of a field, or an empty one.
pub(super) fn word<'r>(leaf: &'r Leaf<'_>) -> &'r str {
    fields::text(leaf).value().unwrap_or_default()
}

/// The value of a field that identifies a row.
pub(super) fn identity<'r>(leaf: &'r Leaf<'_>) -> Option<&'r str> {
    fields::text(leaf).value()
}

/// An id that becomes a label. It has 64 characters at most.
pub(super) fn id<'r>(leaf: &'r Leaf<'_>) -> Option<&'r str> {
    identity(leaf).filter(|id| is_id(id))
}

/// Whether a text may be an id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() <= LONGEST_ID || text.chars().nth(LONGEST_ID).is_none()
}

/// An id by which rows are sorted. Numbers sort as numbers, so that "the lowest ids stay" means what people expect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SortedId {
    length: usize,
    text: String,
}

impl From<&str> for SortedId {
    fn from(id: &str) -> Self {
        Self {
            length: id.len(),
            text: id.to_owned(),
        }
    }
}

impl Deref for SortedId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// A name, shortened and without control characters.
pub(super) fn name(text: &str) -> Cow<'_, str> {
    shortened(text, LONGEST_NAME)
}

/// The first characters of a text, without control characters; a line break is a space. Nearly every text stays as it is.
fn shortened(text: &str, longest: usize) -> Cow<'_, str> {
    let text = text.trim();
    if text.len() <= longest && !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let cut: String = spaced.filter(|c| !c.is_control()).take(longest).collect();
    Cow::Owned(cut.trim().to_owned())
}

/// Seconds of a wall-clock time as if the zone were UTC, so that a row has the same number in every configured zone.
pub(crate) fn wall_clock_second(at: DateTime) -> i64 {
    TimeZone::UTC.to_timestamp(at).map_or(0, Timestamp::as_second)
}
