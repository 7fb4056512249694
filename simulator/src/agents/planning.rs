//! Who answers which call: as few agents as the calls of a day need.

use std::{cmp::Reverse, collections::BinaryHeap, ops::RangeInclusive};

use crate::{
    call::{Call, Direction, Outcome},
    random::rng_at,
    traffic::{LONGEST_CONVERSATION, Traffic},
};

const HANDLING: u64 = 0x0068_616e_646c_6500;
const SHIFTS: u64 = 0x0073_6869_6674_7300;

pub(super) const LONGEST_AFTER_CALL_WORK: i64 = 240;

/// Nobody begins a call later in a shift.
const LONGEST_SHIFT: RangeInclusive<i64> = 7 * 3600..=9 * 3600;
/// Nobody stays for a single call.
const SHORTEST_SHIFT: i64 = 2 * 3600;
/// Who has had nothing to do for as long goes home.
const LONGEST_PAUSE: i64 = 2 * 3600;
/// Who has been there for as long goes to lunch after the call, and for how long.
const LUNCH_AFTER: RangeInclusive<i64> = 3 * 3600..=5 * 3600;
const LUNCH: RangeInclusive<i64> = 30 * 60..=50 * 60;

/// A call that an agent answers, with the second in which each part of it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) ring: i64,
    pub(super) talk: i64,
    pub(super) acw: i64,
    /// The agent is free again.
    pub(super) free: i64,
    pub(super) direction: Direction,
    skill: usize,
    /// [`Call::key`].
    pub(super) call: i64,
}

impl Task {
    /// `None` if nobody answers the call within the day.
    fn of(call: &Call, traffic: &Traffic, day: &RangeInclusive<i64>) -> Option<Task> {
        let talk = call.answered_at();
        if call.outcome != Outcome::Answered || !day.contains(&talk) {
            return None;
        }
        let (ring, acw) = handling(traffic.seed, call.key());
        Some(Task {
            // Agents log in after midnight.
            ring: (talk - ring.min(call.wait.into())).max(*day.start()),
            talk,
            acw: call.end,
            free: call.end + acw,
            direction: call.direction,
            skill: call.skill,
            call: call.key(),
        })
    }
}

/// Seconds of ringing, unless the wait is shorter, and of after-call work.
fn handling(seed: u64, call: i64) -> (i64, i64) {
    let mut rng = rng_at(seed, HANDLING, call);
    let ring = rng.i64(2..=6);
    let acw = match rng.u32(0..100) {
        0..75 => rng.i64(4..40),
        75..95 => rng.i64(40..120),
        _ => rng.i64(120..LONGEST_AFTER_CALL_WORK),
    };
    (ring, acw)
}

/// Seconds that a call rings, unless its wait is shorter.
pub(super) fn ringing(seed: u64, call: i64) -> i64 {
    handling(seed, call).0
}

/// The work of one agent in a day.
#[derive(Debug)]
pub(super) struct Shift {
    pub(super) skill: usize,
    pub(super) login: i64,
    /// The second after the last.
    pub(super) logout: i64,
    /// In the order of time.
    pub(super) tasks: Vec<Task>,
    pub(super) lunch: Option<(i64, i64)>,
    /// Seconds after the first call: when lunch is due, and when no more calls come.
    lunch_after: i64,
    longest: i64,
    lunch_length: i64,
}

/// The shifts of a day for all skills, in the order of skills and first calls.
pub(super) fn shifts(traffic: &Traffic, day: &RangeInclusive<i64>) -> Vec<Shift> {
    let mut tasks: Vec<Task> = Vec::new();
    let last = day.end() + i64::from(LONGEST_CONVERSATION);
    for minute in day.start().div_euclid(60)..=last.div_euclid(60) {
        let calls = traffic.minute(minute);
        tasks.extend(calls.iter().filter_map(|call| Task::of(call, traffic, day)));
    }
    tasks.sort_unstable_by_key(|task| (task.skill, task.ring, task.call));
    let mut shifts = Vec::new();
    for tasks in tasks.chunk_by(|one, other| one.skill == other.skill) {
        staff_places(tasks, traffic, day, &mut shifts);
    }
    for shift in &mut shifts {
        shift.settle(traffic.seed, day);
    }
    shifts
}

/// A place where agents of a skill work one after the other.
#[derive(Debug)]
struct Place {
    /// An index into the shifts: who works there.
    shift: usize,
    /// Since when nobody talks there.
    free: i64,
}

/// Distributes the calls of a skill. The first free place takes a call, so that the last ones are taken only when it is busy.
fn staff_places(tasks: &[Task], traffic: &Traffic, day: &RangeInclusive<i64>, shifts: &mut Vec<Shift>) {
    let mut places: Vec<Place> = Vec::new();
    let mut free: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    let mut busy: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    for task in tasks {
        while busy.peek().is_some_and(|Reverse((at, _))| *at <= task.ring) {
            free.extend(busy.pop().map(|Reverse((_, place))| Reverse(place)));
        }
        let place = free.pop().map_or(places.len(), |Reverse(place)| place);
        let goes_on = places.get(place).filter(|place| {
            let Shift { login, longest, .. } = shifts[place.shift];
            task.ring - login < longest && task.ring - place.free < LONGEST_PAUSE
        });
        let shift = goes_on.map_or(shifts.len(), |place| place.shift);
        if shift == shifts.len() {
            shifts.push(Shift::beginning_with(task, traffic.seed));
        }
        let free_at = shifts[shift].take(*task, *day.end());
        let after = Place { shift, free: task.free };
        if place == places.len() {
            places.push(after);
        } else {
            places[place] = after;
        }
        busy.push(Reverse((free_at, place)));
    }
}

impl Shift {
    fn beginning_with(task: &Task, seed: u64) -> Shift {
        let mut rng = rng_at(seed, SHIFTS, task.call);
        Shift {
            skill: task.skill,
            login: task.ring,
            logout: task.free,
            tasks: Vec::new(),
            lunch: None,
            lunch_after: rng.i64(LUNCH_AFTER),
            lunch_length: rng.i64(LUNCH),
            longest: rng.i64(LONGEST_SHIFT),
        }
    }

    /// Adds a call, and gives the second from which the agent can take the next one.
    fn take(&mut self, task: Task, last: i64) -> i64 {
        self.tasks.push(task);
        self.logout = task.free;
        if self.lunch.is_none() && task.free - self.login > self.lunch_after {
            let end = task.free + self.lunch_length;
            if end <= last {
                self.lunch = Some((task.free, end));
                return end;
            }
        }
        task.free
    }

    /// Adds the time before the first call and after the last.
    fn settle(&mut self, seed: u64, day: &RangeInclusive<i64>) {
        // Who has no more calls goes home rather than to lunch.
        self.lunch = self.lunch.filter(|(_, end)| *end <= self.logout);
        let mut rng = rng_at(seed, SHIFTS, self.login ^ self.logout << 20);
        let (before, after) = (rng.i64(180..720), rng.i64(120..600));
        let missing = SHORTEST_SHIFT - (self.logout - self.login) - before - after;
        let more = (missing.max(0) as f64 * rng.f64()) as i64;
        let begin = (self.login - before - more).max(*day.start());
        let end = self.logout + after + (missing.max(0) - more);
        self.login = begin;
        self.logout = end.min(day.end() + 1).max(self.logout);
    }
}
