//! How busy an operation is over the day and the week, in local time.

use jiff::civil::{DateTime, Weekday, datetime};

/// Calls a minute at the busiest hour of a working day, at volume 1: about 6,000 calls a day.
const BUSIEST_MINUTE: f64 = 10.5;

/// The load at each full hour, in thousandths of the busiest minute: quiet nights, a dip at lunch.
const HOURS: [u32; 24] = [
    8, 6, 5, 5, 6, 12, 60, 300, 700, 950, 1000, 970, 700, 520, 800, 900, 880, 750, 450, 250, 120, 60, 25, 12,
];

/// Dials of a usual day at volume 1.
pub(super) const DIALS_A_DAY: f64 = 3300.0;

/// The time of day in an operation that never closes: always a Tuesday morning.
pub(super) const BUSY_TIME: DateTime = datetime(2026, 1, 6, 10, 30, 0, 0);

/// The expected number of calls that end in a minute, at volume 1.
pub(super) fn calls_a_minute(local: DateTime) -> f64 {
    let hour = usize::from(local.hour().unsigned_abs());
    let minute = u32::from(local.minute().unsigned_abs());
    let weight = HOURS[hour] * (60 - minute) + HOURS[(hour + 1) % 24] * minute;
    let day = match local.weekday() {
        Weekday::Saturday => 0.45,
        Weekday::Sunday => 0.15,
        _ => 1.0,
    };
    BUSIEST_MINUTE * day * f64::from(weight) / 60_000.0
}

/// Whether campaigns dial at that local time; otherwise they are stopped.
pub(super) fn campaigns_dial(local: DateTime) -> bool {
    local.weekday() != Weekday::Sunday && (7..20).contains(&local.hour())
}
