//! Waits as they went on, whatever their rows say and when.

use super::{
    Events,
    answered::LONGEST_CHAT,
    waits::{PATIENT, Wait, WaitResult},
};
use crate::incidents::LONGEST_PATIENCE;

/// A wait that has ended or will end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitSpan {
    /// An index into the skills of the centre.
    pub(crate) skill: usize,
    /// The second in which it ended.
    pub(crate) at: i64,
    pub(crate) seconds: u32,
    pub(crate) end: WaitEnd,
    /// Whether somebody hears music meanwhile, other than in a chat.
    pub(crate) is_call: bool,
    /// [`Call::key`](crate::Call) of the call.
    pub(crate) call: i64,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitEnd {
    Answered,
    Abandoned,
    /// Neither, by a word that the vendor's page does not mention.
    Odd,
}

impl WaitSpan {
    pub(crate) fn begin(&self) -> i64 {
        self.at - i64::from(self.seconds)
    }

    fn of(wait: &Wait, at: i64) -> WaitSpan {
        WaitSpan {
            skill: wait.skill,
            at,
            seconds: wait.seconds,
            end: match wait.result {
                _ if wait.answered => WaitEnd::Answered,
                WaitResult::Odd => WaitEnd::Odd,
                WaitResult::Abandoned | WaitResult::Answered => WaitEnd::Abandoned,
            },
            is_call: !matches!(wait.interaction.channel, "chat" | "omni"),
            call: wait.call,
        }
    }
}

impl Events {
    /// The waits that ended between two seconds, both included: first those that were given up.
    pub(crate) fn each_wait(&self, from: i64, until: i64, mut each: impl FnMut(WaitSpan)) {
        self.each_given_up(from, until, &mut each);
        self.each_answered(from, until, &mut each);
    }

    /// The waits that go on in a second.
    pub(crate) fn each_waiting(&self, at: i64, mut each: impl FnMut(WaitSpan)) {
        let mut each = |wait: WaitSpan| {
            if wait.begin() <= at {
                each(wait);
            }
        };
        self.each_given_up(at + 1, at + self.longest_call_wait(), &mut each);
        self.each_answered(at + 1, at + i64::from(LONGEST_CHAT), &mut each);
    }

    /// No call but a chat waits as many seconds.
    pub(crate) fn longest_call_wait(&self) -> i64 {
        let usual = self.source.traffic.call_mix;
        let longest = usual.patience.max(usual.answered_within).max(LONGEST_PATIENCE);
        i64::from(longest * PATIENT)
    }

    fn each_given_up(&self, from: i64, until: i64, each: &mut impl FnMut(WaitSpan)) {
        self.waits.happened(&self.source, from, until, |wait, at| {
            if !wait.answered {
                each(WaitSpan::of(wait, at));
            }
        });
    }

    fn each_answered(&self, from: i64, until: i64, each: &mut impl FnMut(WaitSpan)) {
        self.answered.happened(&self.source, from, until, |answered, at| {
            each(WaitSpan::of(&answered.wait, at));
        });
    }
}
