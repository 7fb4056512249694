//! Compares clocks: a window that ends "now" is wrong when a clock is wrong.

use jiff::{SignedDuration, Timestamp};

use crate::client::{ApiError, Reason};
use crate::language::{Message, Text};

/// The largest difference between the API's clock and ours. Beyond it, "until now" would mean another time there than
/// here.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);

/// How far our clock may be behind the end of what was read before.
const STEP_BACK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Fails when the API's clock, if the answer shows it, is too far from ours.
pub(crate) fn compare(date: Option<Timestamp>, now: Timestamp) -> Result<(), ApiError> {
    match date {
        Some(date) if date.duration_since(now).abs() > CLOCK_TOLERANCE => Err(ApiError::new(
            Reason::Clock,
            Message::new(
                format!("the API's clock says {date}, ours says {now:.0}"),
                format!("el reloj de la API dice {date}, el nuestro {now:.0}"),
            ),
        )),
        _ => Ok(()),
    }
}

/// Fails when our clock went back to before what was read: the empty answer for a future time must not move anything.
pub(crate) fn check_step_back(covered: Option<Timestamp>, now: Timestamp) -> Result<(), ApiError> {
    match covered {
        Some(covered) if covered.duration_since(now) > STEP_BACK_TOLERANCE => Err(ApiError::new(
            Reason::Clock,
            // Without our time, so that the message stays the same from poll to poll.
            went_back(
                covered,
                covered.checked_sub(STEP_BACK_TOLERANCE).unwrap_or(covered),
            ),
        )
        .advise(Text::new(
            "check this host's clock (NTP); to end it sooner, stop the exporter and restore a state file from before, or \
             move the file away: totals then begin at 0",
            "revise el reloj de este equipo (NTP); para terminarlo antes, detenga el exportador y restaure un archivo de \
             estado anterior, o retire el archivo: los totales comienzan entonces en 0",
        ))),
        _ => Ok(()),
    }
}

fn went_back(covered: Timestamp, until: Timestamp) -> Message {
    Message::new(
        format!(
            "data up to {covered:.0} has been read, and our clock is before that: it ran ahead then, or is behind now. If it \
             is right now, polls fail until {until:.0}"
        ),
        format!(
            "se leyeron datos hasta {covered:.0}, y nuestro reloj está antes: iba adelantado entonces o está atrasado ahora. \
             Si ahora está bien, las lecturas fallan hasta {until:.0}"
        ),
    )
}

/// How much faster our clock may run than a clock that never jumps.
const JUMP_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// A jump is believed when our clock still says so after this time.
const JUMP_AGREED_AFTER: SignedDuration = SignedDuration::from_secs(50);

/// Notices when our clock jumps ahead. For some seconds that happens on many machines, when their clock is set by a wrong
/// source; then whatever the exporter forgets, drops or advances would be lost.
#[derive(Debug, Default)]
pub(crate) struct JumpWatch {
    believed: Option<Reading>,
    doubted: Option<Reading>,
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: Timestamp,
    passed: SignedDuration,
}

impl Reading {
    /// By how much the wall clock has run ahead since an earlier reading.
    fn ahead_of(self, earlier: Reading) -> SignedDuration {
        self.wall.duration_since(earlier.wall) - (self.passed - earlier.passed)
    }
}

impl JumpWatch {
    /// Fails when our clock has jumped ahead since the last reading that was believed, until a second reading agrees.
    pub(crate) fn check(&mut self, wall: Timestamp, passed: SignedDuration) -> Result<(), ApiError> {
        let reading = Reading { wall, passed };
        let ahead = self
            .believed
            .map_or(SignedDuration::ZERO, |earlier| reading.ahead_of(earlier));
        let agrees = |doubted: Reading| {
            reading.ahead_of(doubted).abs() <= JUMP_TOLERANCE && passed - doubted.passed >= JUMP_AGREED_AFTER
        };
        if ahead <= JUMP_TOLERANCE || self.doubted.is_some_and(agrees) {
            *self = Self {
                believed: Some(reading),
                doubted: None,
            };
            return Ok(());
        }
        let is_other = |doubted: Reading| reading.ahead_of(doubted).abs() > JUMP_TOLERANCE;
        if self.doubted.is_none_or(is_other) {
            self.doubted = Some(reading);
        }
        Err(ApiError::new(
            Reason::Clock,
            Message::new(
                format!(
                    "our clock has jumped ahead to {wall:.0}; a later poll must see the same before it is believed"
                ),
                format!("nuestro reloj saltó a {wall:.0}; una lectura posterior debe ver lo mismo para creerlo"),
            ),
        )
        .advise(Text::new(
            "check this host's clock (NTP); after a pause of the machine, the next poll is good",
            "revise el reloj de este equipo (NTP); tras una pausa de la máquina, la próxima lectura es buena",
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_ahead_is_believed_when_a_second_reading_agrees() {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let seconds = SignedDuration::from_secs;
        let mut watch = JumpWatch::default();
        let mut check =
            |jump: SignedDuration, passed: i64| watch.check(noon + jump + seconds(passed), seconds(passed)).is_ok();
        assert!(check(days(0), 0));
        assert!(check(days(0), 300));
        // For two seconds it is 70 days ahead, and then wrong in another way.
        assert!(!check(days(70), 301));
        assert!(check(days(0), 600));
        assert!(!check(days(70), 900));
        assert!(!check(days(3), 960), "another jump");
        assert!(!check(days(3), 990), "too soon");
        assert!(check(days(3), 1020), "two readings agree");
        assert!(check(days(3), 1080));
        assert!(
            check(days(0), 1140),
            "back again: polls check that against what was read"
        );
        assert!(check(seconds(299), 1200), "a clock may run fast for a while");
    }
}
