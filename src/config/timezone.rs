//! The time zone of an operation, as people write it.

use crate::yaml::mistake::quoted;
use jiff::tz::TimeZone;

/// Names that are less alike than this are another place: Colombia is not Colombo.
const ALIKE: f64 = 0.8;
/// In shorter words, any two letters in common would make them alike.
const SHORTEST_CITY: usize = 4;
/// Abbreviations of zones have at most so many letters.
const LONGEST_ABBREVIATION: usize = 5;

/// The zone of this name, and the name as the tz database spells it.
pub(super) fn timezone(text: &str) -> Result<(TimeZone, String), String> {
    let text = text.trim();
    if let Ok(zone) = TimeZone::get(text) {
        // The database has the right spelling of `america/bogota`.
        let name = zone.iana_name().unwrap_or(text).to_owned();
        return Ok((zone, name));
    }
    let hint = if is_offset(text) {
        "an offset does not say when clocks change: name a city, such as America/Bogota".to_owned()
    } else if let Some(near) = nearest_zone(text) {
        format!("did you mean `{near}`?")
    } else if is_abbreviation(text) {
        "abbreviations stand for several zones: name a city, such as America/Bogota".to_owned()
    } else {
        "name a city with its continent, such as America/Bogota".to_owned()
    };
    Err(format!("the tz database has no zone {}; {hint}", quoted(text)))
}

/// Whether the zone is a fixed offset or an abbreviation, such as `Etc/GMT+5` (which is UTC-5) or `EST`, rather than a place. It
/// is valid, but seldom meant. UTC itself cannot be misread.
pub(super) fn is_no_place(name: &str) -> bool {
    let name = name.strip_prefix("Etc/").unwrap_or(name);
    let is_utc = matches!(
        name,
        "UTC" | "UCT" | "GMT" | "Universal" | "Greenwich" | "Zulu" | "GMT0" | "GMT+0" | "GMT-0"
    );
    !is_utc && (is_offset(name) || is_abbreviation(name) || ends_in_abbreviation(name))
}

/// `EST5EDT`
fn ends_in_abbreviation(name: &str) -> bool {
    name.len() <= 2 * LONGEST_ABBREVIATION
        && name.bytes().any(|byte| byte.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// `UTC-5`, `GMT+01:00`, `-0500`, `EST5`.
fn is_offset(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let offset = digits.trim_start_matches(['+', '-', '−', ' ']);
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == ':');
    text.len() - digits.len() <= LONGEST_ABBREVIATION && is_number(offset)
}

fn is_abbreviation(text: &str) -> bool {
    text.len() <= LONGEST_ABBREVIATION && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The zone whose city has nearly this name, if any.
fn nearest_zone(text: &str) -> Option<String> {
    let wanted = plain(text);
    let city = city_of(&wanted);
    if city.chars().count() < SHORTEST_CITY {
        return None;
    }
    let likeness = |name: &str| {
        let name = plain(name);
        (
            strsim::normalized_damerau_levenshtein(city, city_of(&name)),
            strsim::normalized_damerau_levenshtein(&wanted, &name),
        )
    };
    let names = jiff::tz::db().available().map(|name| name.to_string());
    names
        .filter(|name| name.contains('/'))
        .map(|name| (likeness(&name), name))
        .filter(|((city, _), _)| *city >= ALIKE)
        .max_by(|((city, all), _), ((other_city, other_all), _)| {
            city.total_cmp(other_city).then(all.total_cmp(other_all))
        })
        .map(|(_, name)| name)
}

fn city_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// In small letters, with `_` for a space.
fn plain(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}
