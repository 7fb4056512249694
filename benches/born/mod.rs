//! The state of an operation that has been polled for some time.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use wolkvox_exporter::clock::Moment;
use wolkvox_exporter::ledger::{Ledger, PartOf, Piece, Storage};
use wolkvox_exporter::reports::events::{Asked, Events};
use wolkvox_exporter::reports::{Kind, REPORTS};

/// Writes the state of an operation whose reports of events were born at an instant, and have counted nothing yet.
pub(crate) fn write(folder: &Path, operation: &str, born: Timestamp) -> Result<(), Box<dyn Error + Send + Sync>> {
    let moment = Moment {
        wall: born,
        monotonic: tokio::time::Instant::now(),
    };
    let mut ledger = Ledger::open(Storage::file(folder, operation), Duration::ZERO, 5_000, moment)?;
    for report in REPORTS {
        if !matches!(report.kind, Kind::Events(_)) {
            continue;
        }
        let birth = Piece {
            report,
            until: born,
            part_of: PartOf::Birth { until: born, born },
            overlap: SignedDuration::from_hours(2),
            reread_back: SignedDuration::from_hours(48),
            reread_reach: SignedDuration::from_hours(54),
            record_limit: None,
            answer: Events::new(&TimeZone::UTC, 0, Asked::ANYTHING).collected(),
            backlog_before: Timestamp::MIN,
        };
        let day: Date = born.to_zoned(TimeZone::UTC).date();
        ledger.commit_piece(&birth, (day, 0), moment)?;
    }
    Ok(())
}
