//! One operation: a Wolkvox contact centre with its server, token and reports.

use super::ca_file::CaFile;
use super::hours::Hours;
use super::labels;
use super::report::{DAY, ReportConfig};
use super::server::{SERVER, base_url, proxy, server, without_credentials};
use super::timezone::timezone;
use super::token::{Token, TokenSource};
use crate::reports::{REPORTS, Report};
use crate::secret::refuse_path;
use crate::yaml::mapping::{Field, Mapping};
use crate::yaml::mistake::quoted;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The zone of most operations. It has no daylight saving time: UTC-5 all year.
const DEFAULT_ZONE: &str = "America/Bogota";
const DEFAULT_DAILY_CALLS: u32 = 4000;

/// The configuration of an operation.
#[derive(Clone, PartialEq)]
pub struct Operation {
    /// The label `operation`: `[A-Za-z0-9_-]{1,64}`, unique.
    pub name: Arc<str>,
    /// Scheme, host and perhaps a path, without a slash at the end. The client appends `/api/v2/…`.
    pub base_url: String,
    /// Unique, since each token allows only one call at a time.
    pub token: Token,
    /// The zone of all dates in the API, and of the day that `daily_calls` applies to.
    pub timezone: TimeZone,
    /// Its name in the tz database.
    pub timezone_name: String,
    /// Whether the zone was configured, rather than the default.
    pub timezone_is_given: bool,
    /// The operator's own labels, such as `client`, for `wolkvox_operation_info`.
    pub labels: BTreeMap<String, String>,
    /// The currency of all costs, three capital letters (ISO 4217).
    pub currency: Option<String>,
    /// API calls per local day, at least 1; default 4000. A licence has 1000, shared with all other programs.
    pub daily_calls: u32,
    /// When people work; `None` if they may at any time.
    pub hours: Option<Hours>,
    /// The address of an HTTP proxy. Never printed, since it may contain user and password.
    pub proxy: Option<String>,
    /// PEM certificates to trust in addition to the system's.
    pub ca_file: Option<CaFile>,
    /// The reports to read, at least one.
    pub reports: BTreeMap<&'static Report, ReportConfig>,
}

impl Operation {
    /// An operation with all reports and all defaults. Nothing is checked; `base_url` must not end in a slash.
    pub fn new(name: impl Into<Arc<str>>, base_url: impl Into<String>, token: Token) -> Self {
        Self {
            name: name.into(),
            base_url: base_url.into(),
            token,
            // The database is compiled in. Should it lack the zone, the offset is equivalent.
            timezone: TimeZone::get(DEFAULT_ZONE).unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(-5))),
            timezone_name: DEFAULT_ZONE.to_owned(),
            timezone_is_given: false,
            labels: BTreeMap::new(),
            currency: None,
            daily_calls: DEFAULT_DAILY_CALLS,
            hours: None,
            proxy: None,
            ca_file: None,
            reports: REPORTS.map(|report| (report, ReportConfig::new(report))).into(),
        }
    }

    /// Sets the zone, with its name.
    pub(super) fn set_timezone(&mut self, (zone, name): (TimeZone, String)) {
        self.timezone = zone;
        self.timezone_name = name;
        self.timezone_is_given = true;
    }

    /// API calls on the busiest day of a week, without retries and split windows.
    pub fn calls_per_day(&self) -> u64 {
        let reports = self.reports.values();
        reports.map(|report| self.calls_per_day_of(report)).sum()
    }

    /// When a day needs more calls than `daily_calls`, every n-th poll is made, beginning with the day: this is n. It is 1 if
    /// they last.
    pub fn thinning(&self) -> u32 {
        let every = self.calls_per_day().div_ceil(u64::from(self.daily_calls.max(1)));
        u32::try_from(every).unwrap_or(u32::MAX).max(1)
    }

    /// The same of one report.
    pub fn calls_per_day_of(&self, report: &ReportConfig) -> u64 {
        let working = self.hours.as_ref().map_or(DAY, Hours::longest_day);
        report.calls_in(working, DAY - working)
    }

    /// The time between polls of a report at an instant, if no poll is left out.
    pub fn interval_at(&self, report: &ReportConfig, now: Timestamp) -> Duration {
        match &self.hours {
            Some(hours) if !hours.are_at(now, &self.timezone) => report.quiet_interval,
            _ => report.interval,
        }
    }

    /// For how long people work between two instants, and for how long they do not.
    pub fn working_and_quiet(&self, from: Timestamp, until: Timestamp) -> (Duration, Duration) {
        let all = Duration::try_from(until.duration_since(from)).unwrap_or_default();
        let hours = self.hours.as_ref();
        let working = hours.map_or(all, |hours| hours.time_between(from, until, &self.timezone));
        (working, all.saturating_sub(working))
    }
}

/// Without the credentials in the proxy's address. The token hides itself.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Destructured, so that the compiler names a new field here.
        let Self {
            name,
            base_url,
            token,
            timezone: _,
            timezone_name,
            timezone_is_given: _,
            labels,
            currency,
            daily_calls,
            hours,
            proxy,
            ca_file,
            reports,
        } = self;
        f.debug_struct("Operation")
            .field("name", name)
            .field("base_url", base_url)
            .field("token", token)
            .field("timezone", timezone_name)
            .field("labels", labels)
            .field("currency", currency)
            .field("daily_calls", daily_calls)
            .field("hours", hours)
            .field("proxy", &proxy.as_deref().map(without_credentials))
            .field("ca_file", &ca_file.as_ref().map(|file| &file.path))
            .field("reports", reports)
            .finish()
    }
}

/// What could be read of an operation. A mistake is recorded for everything that is missing or wrong.
pub(super) struct ParsedOperation<'a> {
    /// The name, if it is valid, and where it is.
    pub(super) name: Option<(String, Field<'a>)>,
    /// The token, if it could be read, and where it is named.
    pub(super) token: Option<(Token, Field<'a>)>,
    /// The operation. What could not be read of it is empty or the default.
    pub(super) operation: Operation,
}

impl ParsedOperation<'_> {
    /// What messages call the operation.
    pub(super) fn title(&self) -> String {
        match &self.name {
            Some((name, _)) => format!("operation `{name}`"),
            None => "an operation without a valid name".to_owned(),
        }
    }
}

const INLINE_TOKEN: &str = "a token does not belong in this file, which gets copied, mailed and committed: put it into a \
                            file of its own and set `token_file`, or into an environment variable and set `token_env`";

/// Reads one item of `operations`. What it lacks is looked up in `defaults`.
pub(super) fn read<'a>(
    field: Field<'a>,
    defaults: Option<&Field<'a>>,
    lookup_env: &dyn Fn(&str) -> Option<String>,
) -> Option<ParsedOperation<'a>> {
    let mut keys = field.mapping("keys: name, server, token_file and so on")?;
    let name = read_name(&mut keys);
    let base_url = read_address(&mut keys);
    let token = read_token(&mut keys, name.as_ref(), lookup_env);
    let mut operation = Operation::new(
        name.as_ref().map_or("", |(name, _)| name),
        base_url.unwrap_or_default(),
        token
            .as_ref()
            .map_or_else(|| Token::given(""), |(token, _)| token.clone()),
    );
    keys.fall_back_to(defaults);
    operation.read_settings(&mut keys, true);
    keys.finish();
    Some(ParsedOperation { name, token, operation })
}

/// Finds the mistakes that `defaults` has by itself, and returns its keys. Operations look up its values.
pub(super) fn check_defaults(field: Field<'_>) -> Vec<String> {
    const NAME: &str = "names are unique: set `name` in each operation";
    const SERVER: &str = "it says which contact centre is read: set `server` or `url` in each operation";
    const TOKEN: &str = "Wolkvox takes one call at a time per token, so each operation needs its own: set `token_file` or \
                         `token_env` in each operation";
    let Some(mut keys) = field.mapping("keys of operations, such as `timezone: America/Bogota`") else {
        return Vec::new();
    };
    for (key, why) in [
        ("name", NAME),
        ("server", SERVER),
        ("url", SERVER),
        ("token_file", TOKEN),
        ("token_env", TOKEN),
        ("token", INLINE_TOKEN),
    ] {
        keys.refuse(key, why);
    }
    Operation::new("", "", Token::given("")).read_settings(&mut keys, false);
    let names = keys.keys().map(str::to_owned).collect();
    keys.finish();
    names
}

impl Operation {
    /// Reads the keys that may stand in `defaults`, too.
    fn read_settings(&mut self, keys: &mut Mapping<'_>, in_effect: bool) {
        if let Some(zone) = keys.shown_value("timezone", "a zone such as America/Bogota", timezone) {
            self.set_timezone(zone);
        }
        self.labels = keys.field("labels").map(labels::read).unwrap_or_default();
        self.currency = keys.shown_value("currency", "a currency such as COP", currency);
        self.daily_calls = keys.count("daily_calls", self.daily_calls);
        self.hours = keys.field("hours").and_then(Hours::read);
        self.proxy = keys.value("proxy", "an address such as http://proxy.example:3128", proxy);
        self.ca_file = keys.field("ca_file").and_then(|field| {
            field.parse("a file such as company-ca.pem", |text| {
                CaFile::read(field.folder(), text)
            })
        });
        self.read_reports(keys, in_effect);
    }

    /// An operation's own `reports` says which it has; those in `defaults` only give them other values.
    fn read_reports(&mut self, keys: &mut Mapping<'_>, in_effect: bool) {
        const WHAT: &str = "reports such as `campaigns:` and `ivr:`; without `reports`, all are read";
        let chosen = keys.has("reports");
        let Some(mut keys) = keys.field("reports").and_then(|field| field.mapping(WHAT)) else {
            return;
        };
        if keys.is_empty() {
            keys.mistake(format!("expected {WHAT}; found nothing"));
        }
        if chosen {
            self.reports.retain(|report, _| keys.has(report.name));
        }
        for report in REPORTS {
            let field = keys.field(report.name);
            if let (Some(field), Some(config)) = (field, self.reports.get_mut(report)) {
                *config = ReportConfig::read(report, field, in_effect);
            }
        }
        keys.finish();
    }
}

fn read_name<'a>(keys: &mut Mapping<'a>) -> Option<(String, Field<'a>)> {
    let Some(field) = keys.field("name") else {
        keys.mistake("`name` is missing: it becomes the label `operation`, for example `name: acme`");
        return None;
    };
    let name = field.parse_shown("a name such as acme", name)?;
    Some((name, field))
}

fn read_address(keys: &mut Mapping<'_>) -> Option<String> {
    let by_number = keys.field("server");
    let by_url = keys.field("url");
    match (by_number, by_url) {
        (Some(field), None) => field.parse_shown(SERVER, server),
        (None, Some(field)) => field.parse_shown("an address such as https://wv0001.wolkvox.com", base_url),
        (Some(field), Some(other)) => {
            later(field, other).mistake("`server` and `url` exclude each other: keep one of them");
            None
        }
        (None, None) => {
            keys.mistake("`server` is missing, for example `server: \"0001\"` (or `url`, to go through a gateway)");
            None
        }
    }
}

fn read_token<'a>(
    keys: &mut Mapping<'a>,
    name: Option<&(String, Field<'a>)>,
    lookup_env: &dyn Fn(&str) -> Option<String>,
) -> Option<(Token, Field<'a>)> {
    let inline = keys.refuse("token", INLINE_TOKEN);
    let file = keys.field("token_file");
    let variable = keys.field("token_env");
    let (field, is_file) = match (file, variable) {
        (Some(file), None) => (file, true),
        (None, Some(variable)) => (variable, false),
        (Some(file), Some(variable)) => {
            later(file, variable).mistake("`token_file` and `token_env` exclude each other: keep one of them");
            return None;
        }
        (None, None) => {
            let beside = name.map(|(name, field)| (field.folder().join(format!("{name}.token")), field));
            return match beside {
                _ if inline => None,
                Some((path, field)) if path.exists() => {
                    let token = Token::from_source(TokenSource::File(path), lookup_env);
                    let token = token.map_err(|error| field.mistake(error.to_string())).ok()?;
                    Some((token, field.clone()))
                }
                _ => {
                    keys.mistake(
                        "`token_file` is missing, for example `token_file: acme.token` (or `token_env`); or put the token into \
                         NAME.token beside this file",
                    );
                    None
                }
            };
        }
    };
    let what = if is_file {
        "a file such as acme.token"
    } else {
        "the name of an environment variable"
    };
    let token = field.parse(what, |text| {
        let source = if is_file {
            TokenSource::File(path_in(field.folder(), text)?)
        } else {
            TokenSource::Environment(text.trim().to_owned())
        };
        Token::from_source(source, lookup_env).map_err(|error| error.to_string())
    })?;
    Some((token, field))
}

fn later<'a>(one: Field<'a>, other: Field<'a>) -> Field<'a> {
    if one.line > other.line { one } else { other }
}

/// A path for messages and logs: something that looks like a secret is refused.
pub(super) fn shown_path_in(folder: &Path, text: &str) -> Result<PathBuf, String> {
    let path = path_in(folder, text)?;
    refuse_path(&path, "`token_file`")?;
    Ok(path)
}

/// A path, relative to the folder of the configuration.
fn path_in(folder: &Path, text: &str) -> Result<PathBuf, String> {
    if text.trim().is_empty() {
        Err("is empty: a path is expected".to_owned())
    } else {
        Ok(folder.join(text))
    }
}

pub(super) fn name(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "expected a name of 1 to 64 letters (a–z), digits, `_` and `-`, such as acme; found {}",
            quoted(text)
        ))
    }
}

fn currency(text: &str) -> Result<String, String> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "expected three capital letters (ISO 4217) such as COP; found {}",
            quoted(text)
        ))
    }
}
