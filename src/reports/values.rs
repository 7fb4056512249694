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
/// Callers type PINs and card codes into menus, whose own options have one digit or two.
const TOO_MANY_DIGITS_OF_AN_OPTION: usize = 3;
/// So many digits in a row may be somebody's number, also in a name or an id; eight are a date.
const LONGEST_NUMBER: usize = 8;
/// The label for a value that may be somebody's number.
const NUMBER: &str = "number";
/// The label for an absent value.
pub(super) const NONE: &str = "none";
/// The label for a value that is not in the list.
pub(super) const OTHER: &str = "other";
/// The label that stands for those over the limit.
pub(crate) const FOLDED: Label = Label::Borrowed("_other");

/// A value that anybody may choose, shortened, and replaced if it may be a person's number or address: callers type their ids
/// into menus, and transfers go to addresses.
pub(crate) fn free(text: &str) -> Label {
    free_with(text, TOO_MANY_DIGITS)
}

/// An option of a menu, as a free value.
pub(crate) fn option(text: &str) -> Label {
    free_with(text, TOO_MANY_DIGITS_OF_AN_OPTION)
}

fn free_with(text: &str, too_many_digits: usize) -> Label {
    if text.chars().filter(|c| c.is_numeric()).count() >= too_many_digits {
        return Label::Borrowed(NUMBER);
    }
    if text.contains(['@', '＠', '﹫']) {
        return Label::Borrowed(OTHER);
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
pub(super) fn id<'r>(leaf: &'r Leaf<'_>) -> Option<Cow<'r, str>> {
    identity(leaf).filter(|id| is_id(id)).map(printable)
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

/// Whether a label of a counter, which an earlier version may have stored, would be made so today.
pub(crate) fn may_be_shown(name: &str, label: &str) -> bool {
    match name {
        "option" => option(label) == label,
        id if id.ends_with("_id") => printable(label) == label,
        _ => label.is_empty() || free(label) == label,
    }
}

/// The first characters of a text, as they may be shown.
fn shortened(text: &str, longest: usize) -> Cow<'_, str> {
    let shown = printable(text.trim());
    if shown.len() <= longest || shown.chars().nth(longest).is_none() {
        return shown;
    }
    let cut: String = shown.chars().take(longest).collect();
    Cow::Owned(cut.trim().to_owned())
}

/// A text without what must not be shown: characters that are not visible, of which a line break becomes a space, and
/// numbers that may be somebody's. Nearly every text stays as it is.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte);
    if text.len() <= LONGEST_NUMBER && text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let is_numeric = |c: char| c.is_numeric();
    let has_number = text.split(|c| !is_numeric(c)).any(is_long);
    if !has_number && !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let visible: String = spaced.filter(|c| !is_invisible(*c)).collect();
    let mut shown = String::with_capacity(visible.len());
    let mut rest = visible.as_str();
    while let Some(begin) = rest.find(is_numeric) {
        let (before, digits) = rest.split_at(begin);
        let end = digits.find(|c| !is_numeric(c)).unwrap_or(digits.len());
        let (digits, after) = digits.split_at(end);
        shown.push_str(before);
        shown.push_str(if is_long(digits) { NUMBER } else { digits });
        rest = after;
    }
    shown.push_str(rest);
    Cow::Owned(shown.trim().to_owned())
}

/// Whether these digits may be somebody's number.
fn is_long(digits: &str) -> bool {
    digits.chars().nth(LONGEST_NUMBER).is_some()
}

/// Whether a character is not seen itself but may change how others are: control characters, C1 among them; Unicode's
/// formatting characters (Cf), which turn the direction of a text, have no width, or are tags; its other ignorable and blank
/// ones; and what is no character.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Seconds of a wall-clock time as if the zone were UTC, so that a row has the same number in every configured zone.
pub(crate) fn wall_clock_second(at: DateTime) -> i64 {
    TimeZone::UTC.to_timestamp(at).map_or(0, Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_of_people_are_no_labels() {
        for (text, shown) in [
            ("Opción Pagos", "Opción Pagos"),
            ("12345", "12345"),
            ("123456", "number"),
            ("300 12 34 5", "number"),
            ("ventas@acme.example", "other"),
            ("ventas＠acme.example", "other"),
            ("sip:57300@acme.example", "other"),
            ("a\u{202e}b\u{9b}c\u{200b}d", "abcd"),
            ("Ventas\u{fe0f}\u{ffff}\u{110bd}", "Ventas"),
            ("\u{3164}\u{2800}", "none"),
            (" ", "none"),
        ] {
            assert_eq!(free(text), shown, "{text}");
        }
        for (text, shown) in [
            ("12", "12"),
            ("123", "number"),
            ("9", "9"),
            ("SALDO", "SALDO"),
            ("1-2-3", "number"),
        ] {
            assert_eq!(option(text), shown, "{text}");
        }
    }

    #[test]
    fn names_and_ids_keep_dates_but_no_longer_numbers() {
        for (text, shown) in [
            ("Campaña 20261126", "Campaña 20261126"),
            ("Llamar al 573001234567 ya", "Llamar al number ya"),
            ("123456789", "number"),
            ("٣٠٠١٢٣٤٥٦٧", "number"),
            ("Ventas\n\u{7}Norte\u{2066}", "Ventas Norte"),
        ] {
            assert_eq!(name(text), shown, "{text}");
        }
        assert_eq!(name(&"ñ".repeat(300)).chars().count(), LONGEST_NAME);
    }
}
