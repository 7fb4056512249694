//! What `skills` reports: the queue of every skill, and how its waits ended.

use jiff::{SignedDuration, Timestamp};

use super::{
    events::{WaitEnd, WaitSpan},
    truth::Truth,
};

/// A skill at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillNow {
    /// The id.
    pub id: u32,
    /// The name.
    pub name: &'static str,
    /// Calls and chats that wait.
    pub queue: u64,
    /// Waits that have ended, in one way or the other.
    pub inbound: u64,
    /// Waits that ended with an answer.
    pub answered: u64,
    /// Waits that the caller gave up.
    pub abandoned: u64,
    /// Seconds of the answered waits, shortest first.
    pub answer_times: Vec<u32>,
}

impl SkillNow {
    /// Waits that were answered within some seconds.
    pub fn answered_within(&self, seconds: u32) -> u64 {
        self.answer_times.partition_point(|waited| *waited <= seconds) as u64
    }

    /// Of all waits that have ended, those that were answered within some seconds; `None` if there are none.
    pub fn service_level(&self, seconds: u32) -> Option<f64> {
        (self.inbound > 0).then(|| self.answered_within(seconds) as f64 / self.inbound as f64)
    }
}

impl Truth {
    /// The skills at an instant, with the waits that ended since local midnight.
    ///
    /// These are the waits that `skill_2` and `skill_10` list, twins included, whether the rows are late or not. All of `skill_10`
    /// were answered, whatever word they have; of `skill_2`, only those that say so were abandoned.
    pub fn skills(&self, at: Timestamp) -> Vec<SkillNow> {
        let day = self.traffic().day_of(at.as_second());
        self.skills_from(day.map_or(at.as_second(), |day| *day.start()), at.as_second())
    }

    /// The same with the waits that ended within some time before the instant.
    pub fn skills_within(&self, time: SignedDuration, at: Timestamp) -> Vec<SkillNow> {
        self.skills_from(at.as_second() - time.as_secs() + 1, at.as_second())
    }

    fn skills_from(&self, from: i64, at: i64) -> Vec<SkillNow> {
        let skills = self.centre().skills.iter();
        let mut skills: Vec<SkillNow> = skills
            .map(|skill| SkillNow {
                id: skill.id,
                name: skill.name,
                queue: 0,
                inbound: 0,
                answered: 0,
                abandoned: 0,
                answer_times: Vec::new(),
            })
            .collect();
        self.events().each_wait(from, at, |wait: WaitSpan| {
            let skill = &mut skills[wait.skill];
            match wait.end {
                WaitEnd::Answered => {
                    skill.answered += 1;
                    skill.answer_times.push(wait.seconds);
                }
                WaitEnd::Abandoned => skill.abandoned += 1,
                WaitEnd::Odd => {}
            }
        });
        self.events()
            .each_waiting(at, |wait: WaitSpan| skills[wait.skill].queue += 1);
        for skill in &mut skills {
            skill.inbound = skill.answered + skill.abandoned;
            skill.answer_times.sort_unstable();
        }
        skills
    }
}
