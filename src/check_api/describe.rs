//! Describes the results of a check in plain words.

use std::fmt;
use std::time::Duration;

use super::{CheckedReport, Found, Verdict};
use crate::fetch::pieces::CUT_AT;
use crate::reports::{Assumption, Outcome};

/// Point it out when the newest row is older than this: a busy contact centre has newer ones.
const OLD_SECONDS: i64 = 30 * 60;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reports, failed, calls } = self;
        match failed {
            0 => write!(f, "All {reports} reports are fine.")?,
            failed => write!(f, "{failed} of {reports} reports failed.")?,
        }
        write!(f, " API calls made: {calls}.")
    }
}

impl fmt::Display for CheckedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self
            .duration
            .map_or_else(String::new, |duration| format!(" in {:.2} s", duration.as_secs_f64()));
        match &self.result {
            Ok(found) => {
                let Found { rows, bytes, .. } = found;
                writeln!(f, "  {}: {rows} rows, {bytes} bytes{took}", self.report)?;
                write!(f, "{found}")?;
            }
            Err(error) => {
                writeln!(f, "  {}: FAILED{took}", self.report)?;
                writeln!(f, "    {error}")?;
            }
        }
        match &self.shapes {
            Some(shapes) if self.result.is_ok() || !shapes.is_empty() => write!(f, "{shapes}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows == 0 {
            writeln!(
                f,
                "    the report is empty: the API has no rows {}; this is not a failure, since rows can appear hours late",
                self.range
            )?;
        } else {
            writeln!(f, "    asked for rows {}", self.range)?;
        }
        if self.rows >= CUT_AT {
            writeln!(
                f,
                "    this is the API's record limit: the exporter will ask for smaller windows"
            )?;
        }
        if let Some(ahead) = self.clock_ahead {
            let seconds = ahead.as_secs();
            match seconds {
                0 => writeln!(f, "    the API's clock agrees with ours")?,
                1.. => writeln!(f, "    the API's clock is {seconds} s ahead of ours")?,
                _ => writeln!(f, "    the API's clock is {} s behind ours", -seconds)?,
            }
        }
        if let Some(age) = self.newest_age {
            let age = age.as_secs();
            match age {
                0.. => writeln!(
                    f,
                    "    the newest row is {} old{}",
                    humantime::format_duration(Duration::from_secs(age.unsigned_abs())),
                    if age < OLD_SECONDS {
                        ""
                    } else {
                        ": if there were calls since then, rows appear late or the operation's timezone is wrong"
                    }
                )?,
                _ => writeln!(
                    f,
                    "    the newest row is dated {} s after now: check the operation's timezone",
                    -age
                )?,
            }
        }
        let bad = [
            (Outcome::Invalid, "rows without the fields that identify them"),
            (Outcome::Ignored, "totals, repetitions, or rows that say nothing yet"),
        ];
        for (outcome, why) in bad {
            let rows = self.tally.rows(outcome);
            if rows > 0 {
                writeln!(f, "    would be {}: {rows}, {why}", outcome.name())?;
            }
        }
        for (field, count) in self.tally.invalid_fields() {
            writeln!(
                f,
                "    could not be read: {field} in {count} of the rows; please report what --shapes shows for it"
            )?;
        }
        for assumption in Assumption::ALL {
            let count = self.tally.violations(assumption);
            if count > 0 {
                let (meaning, advice) = (assumption.meaning(), assumption.advice());
                writeln!(
                    f,
                    "    assumption {} broken {count} ×: {meaning}; {advice}",
                    assumption.name()
                )?;
            }
        }
        for (field, word) in self.tally.unknown_words() {
            writeln!(f, "    unknown word: {field} is \"{word}\"")?;
        }
        if self.over_limit {
            writeln!(
                f,
                "    more series than series_limit allows: raise it, or the rest will not have series of their own"
            )?;
        }
        writeln!(f, "    would expose")?;
        for (family, count) in &self.series {
            writeln!(f, "      {:<42} {count:>6} series", family.sample_name())?;
        }
        Ok(())
    }
}
