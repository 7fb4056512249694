//! A call: who called whom, how it ended, what it cost.

/// Cost of a billed minute in millionths: whole hundredths, so that two decimals lose nothing.
const INBOUND_MINUTE: u64 = 45_500_000;
const OUTBOUND_MINUTE: u64 = 89_930_000;

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A customer called.
    Inbound,
    /// A campaign dialled.
    Outbound,
    /// Between agents.
    Internal,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Somebody answered.
    Answered,
    /// The customer hung up while waiting for an agent (inbound only).
    Abandoned,
    /// Nobody answered (outbound only).
    NoAnswer,
    /// Busy, congestion or failed (outbound only).
    Failed,
    /// An answering machine (outbound only).
    Machine,
}

/// The IVR part of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IvrEntry {
    /// The routing point where it came in, an index into [`Centre::routing_points`](super::Centre::routing_points).
    pub routing_point: usize,
    /// The digit pressed, `None` when nothing was pressed.
    pub option: Option<u8>,
    /// Seconds spent there.
    pub seconds: u32,
    /// Whether an incident made the caller hang up in the menu.
    pub gave_up: bool,
    /// Whether an incident kept every key press from being recognised.
    pub pressed_nothing: bool,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The second in which it ended, since the epoch. Reports list it from then on.
    pub end: i64,
    /// Its number among the calls that end in the same minute.
    pub number: u32,
    /// Seconds of conversation, 0 when nobody answered.
    pub duration: u32,
    /// Seconds in the queue or ringing, before the conversation.
    pub wait: u32,
    /// Who called whom.
    pub direction: Direction,
    /// How it ended.
    pub outcome: Outcome,
    /// The skill that served it, an index into [`Centre::skills`](super::Centre::skills).
    pub skill: usize,
    /// The campaign that dialled, an index into [`Centre::campaigns`](super::Centre::campaigns).
    pub campaign: Option<usize>,
    /// Whether the agent typed a code that counts as a success.
    pub hit: bool,
    /// The IVR part of an inbound call.
    pub ivr: Option<IvrEntry>,
}

impl Call {
    /// A call without a length, for a generator to fill in.
    pub(super) fn empty(direction: Direction) -> Call {
        Call {
            end: 0,
            number: 0,
            duration: 0,
            wait: 0,
            direction,
            outcome: Outcome::Answered,
            skill: 0,
            campaign: None,
            hit: false,
            ivr: None,
        }
    }

    /// The second in which it started, since the epoch.
    pub fn start(&self) -> i64 {
        let ivr = self.ivr.map_or(0, |entry| entry.seconds);
        self.end - i64::from(self.duration) - i64::from(self.wait) - i64::from(ivr)
    }

    /// The second in which somebody answered; of other calls, the end.
    pub fn answered_at(&self) -> i64 {
        self.end - i64::from(self.duration)
    }

    /// A number that only this call has, for its random numbers.
    pub(super) fn key(&self) -> i64 {
        self.end.wrapping_mul(1 << 20).wrapping_add(i64::from(self.number))
    }

    /// Billed minutes, rounded up; a call of zero seconds has none.
    pub fn billed_minutes(&self) -> u64 {
        u64::from(self.duration.div_ceil(60))
    }

    /// The cost in millionths of the currency; internal calls are free.
    pub fn cost_micros(&self) -> u64 {
        self.billed_minutes()
            * match self.direction {
                Direction::Inbound => INBOUND_MINUTE,
                Direction::Outbound => OUTBOUND_MINUTE,
                Direction::Internal => 0,
            }
    }

    /// The connection's id, in the form seen in real answers.
    pub fn conn_id(&self) -> String {
        format!(
            "{}.{}.{}.{}",
            12_345 + self.skill,
            self.start().rem_euclid(9_000) + 1_000,
            self.end,
            self.number
        )
    }
}
