//! One story in all reports: calls, queues, agents and rows agree.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};
use serde_json::Value;
use wolkvox_simulator::{
    AgentNow, AgentState, EventPlan, Incident, IncidentKind, OperationPlan, Outcome, Returns, Seen, Truth,
};

use super::{
    Stage,
    recount::{number, text},
    rows::{ANSWERED, WAITS},
};

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap()
}

/// First and last second of a local day.
fn day_of(stage: &Stage, day: Date) -> (Timestamp, Timestamp) {
    let zone = stage.operation.timezone();
    let start = |day: Date| day.to_zoned(zone.clone()).unwrap().start_of_day().unwrap().timestamp();
    (
        start(day),
        start(day.tomorrow().unwrap()) - SignedDuration::from_secs(1),
    )
}

async fn stage(zone: &str, events: EventPlan, incidents: Vec<Incident>) -> Stage {
    let plan = OperationPlan::new("acme", TimeZone::get(zone).unwrap())
        .never_closes()
        .incidents(incidents)
        .events(events);
    Stage::of(7, plan, "2026-11-20T12:00:00Z".parse().unwrap()).await
}

/// The rows of `skill_2` that were given up, and those of `skill_10`, with the seconds that they waited.
async fn waits_of_day(stage: &Stage, day: Date) -> (Vec<(Value, u32)>, Vec<(Value, u32)>) {
    let day = day.strftime("%Y%m%d");
    let (from, until) = (format!("{day}000000"), format!("{day}235959"));
    let with = |rows: Vec<Value>, field: &str| -> Vec<(Value, u32)> {
        rows.into_iter()
            .map(|row| {
                let seconds = number(&row, field);
                (row, seconds)
            })
            .collect()
    };
    let mut given_up = stage.rows(WAITS, &from, &until).await;
    given_up.retain(|row| row["result"] == "abandoned");
    (
        with(given_up, "abandon_time"),
        with(stage.rows(ANSWERED, &from, &until).await, "answer_time"),
    )
}

#[tokio::test]
async fn the_service_level_of_a_day_is_that_of_its_rows() {
    let returns = Returns {
        share: 0.1,
        ..Returns::default()
    };
    for (zone, day, events) in [
        ("America/Bogota", date(2026, 11, 18), EventPlan::calm()),
        // 23 and 25 hours.
        ("America/Santiago", date(2026, 9, 6), EventPlan::calm()),
        ("America/Santiago", date(2026, 4, 4), EventPlan::calm()),
        (
            "America/Bogota",
            date(2026, 11, 18),
            EventPlan {
                returns,
                twins: 0.05,
                ..EventPlan::calm()
            },
        ),
        (
            "America/Bogota",
            date(2026, 11, 18),
            EventPlan {
                returns,
                answered_waits: false,
                volume: 2.0,
                ..EventPlan::calm()
            },
        ),
    ] {
        let stage = stage(zone, events, Vec::new()).await;
        let (from, until) = day_of(&stage, day);
        let (given_up, answered) = waits_of_day(&stage, day).await;
        let skills = stage.operation.truth().skills(until);
        for skill in &skills {
            let of_skill = |rows: &[(Value, u32)]| -> Vec<u32> {
                let rows = rows.iter().filter(|(row, _)| number(row, "skill_id") == skill.id);
                rows.map(|(_, seconds)| *seconds).collect()
            };
            let (given_up, answered) = (of_skill(&given_up), of_skill(&answered));
            assert_eq!(skill.abandoned, given_up.len() as u64);
            assert_eq!(skill.answered, answered.len() as u64);
            assert_eq!(skill.inbound, skill.answered + skill.abandoned);
            for bound in [10, 20, 30, 45, 3600] {
                let within = answered.iter().filter(|seconds| **seconds <= bound).count();
                assert_eq!(skill.answered_within(bound), within as u64);
            }
            assert!(skill.answered > 100 && (0.1..0.4).contains(&skill.service_level(20).unwrap()));
        }
        // The truth of the rows is the same.
        let truth = stage.operation.truth();
        let facts = truth.answered_calls(from, until, Seen::Everything);
        let all: usize = facts.values().map(Vec::len).sum();
        assert_eq!(all, answered.len());
        assert!(facts.values().flatten().any(|seconds| *seconds > 10_000));
        assert!(facts.values().flatten().all(|seconds| *seconds < 82_800));

        // Who waits at noon is who has not been answered and has not given up.
        let noon = from + SignedDuration::from_hours(12);
        let next = waits_of_day(&stage, day.tomorrow().unwrap()).await;
        let rows = given_up.iter().chain(&answered).chain(&next.0).chain(&next.1);
        let waiting = rows.filter(|(row, seconds)| {
            let end = stage.instant(&text(row, "date").replace(' ', "T"));
            end > noon && end - SignedDuration::from_secs((*seconds).into()) <= noon
        });
        let queue: u64 = truth.skills(noon).iter().map(|skill| skill.queue).sum();
        // Callers with an unknown result wait, too, but count as nothing.
        let waiting = waiting.count() as u64;
        // Rows of a repeated hour seem to be an hour earlier.
        let off = if zone == "America/Bogota" { 1 } else { 2 };
        assert!(queue.abs_diff(waiting) <= off, "{queue} {waiting}");
        assert!(queue > 5);
    }
}

/// Agents of a skill who are in a state.
fn in_state(agents: &[AgentNow], skill: usize, state: AgentState) -> usize {
    agents
        .iter()
        .filter(|agent| agent.skill == skill && agent.state == state)
        .count()
}

/// The conversations that go on at some instants, by skill.
fn conversations(truth: &Truth, instants: &[i64]) -> Vec<BTreeMap<usize, usize>> {
    let (first, last) = (instants[0], instants[instants.len() - 1]);
    let calls = truth.calls(second(first), second(last + 2400));
    let counted = instants.iter().map(|at| {
        let mut skills = BTreeMap::new();
        for call in &calls {
            if call.outcome == Outcome::Answered && call.answered_at() <= *at && *at < call.end {
                *skills.entry(call.skill).or_default() += 1;
            }
        }
        skills
    });
    counted.collect()
}

#[tokio::test]
async fn agents_talk_in_the_conversations_that_go_on_and_are_not_ready_while_callers_wait() {
    for (zone, day) in [
        ("America/Bogota", date(2026, 11, 18)),
        ("America/Santiago", date(2026, 9, 6)),
        ("America/Santiago", date(2026, 4, 4)),
    ] {
        let stage = stage(zone, EventPlan::calm(), Vec::new()).await;
        let truth = stage.operation.truth();
        let (from, until) = day_of(&stage, day);
        let (from, until) = (from.as_second(), until.as_second());
        // All day long, and around both midnights.
        let instants: Vec<i64> = (from - 400..from + 400)
            .step_by(7)
            .chain((from + 400..until - 400).step_by(607))
            .chain((until - 400..until + 400).step_by(7))
            .collect();
        let (given_up, answered) = waits_of_day(&stage, day).await;
        let waits: Vec<(u32, i64, i64)> = given_up
            .iter()
            .chain(&answered)
            .filter(|(row, _)| !text(row, "type_interaction").starts_with(['c', 'o']))
            .map(|(row, seconds)| {
                let end = stage.instant(&text(row, "date").replace(' ', "T")).as_second();
                (number(row, "skill_id"), end - i64::from(*seconds), end)
            })
            .collect();
        let (mut ready, mut waited) = (0, 0);
        for (at, talking) in instants.iter().zip(conversations(truth, &instants)) {
            let agents = truth.agents(second(*at)).agents;
            let ids: BTreeSet<u32> = agents.iter().map(|agent| agent.number).collect();
            assert_eq!(ids.len(), agents.len());
            for (skill, about) in truth.centre().skills.iter().enumerate() {
                let talk = in_state(&agents, skill, AgentState::Talk);
                assert_eq!(talk, talking.get(&skill).copied().unwrap_or_default(), "{at}");
                let longer_than_it_rings = waits
                    .iter()
                    .any(|(id, begin, end)| *id == about.id && begin + 6 < *at && at < end);
                // In a repeated hour, rows do not tell which of the two is meant.
                let offset = |at: i64| stage.operation.timezone().to_offset(second(at));
                let repeated = offset(*at - 4000).seconds() > offset(*at + 4000).seconds();
                if longer_than_it_rings && !repeated {
                    assert_eq!(in_state(&agents, skill, AgentState::Ready), 0, "{at}");
                    waited += 1;
                }
                ready += in_state(&agents, skill, AgentState::Ready);
            }
        }
        assert!(ready > 500 && waited > 300, "{ready} {waited}");
    }
}

#[tokio::test]
async fn the_times_of_an_agent_make_the_time_of_the_login() {
    let stage = stage("America/Santiago", EventPlan::calm(), Vec::new()).await;
    let truth = stage.operation.truth();
    for (day, hours) in [(date(2026, 9, 6), 23), (date(2026, 4, 4), 25)] {
        let (from, until) = day_of(&stage, day);
        assert_eq!((until - from).get_seconds(), hours * 3600 - 1);
        let mut last: BTreeMap<u32, AgentNow> = BTreeMap::new();
        let mut at = from;
        while at <= until {
            for agent in truth.agents(at).agents {
                let since = |then: Timestamp| u64::try_from(at.duration_since(then).as_secs()).unwrap_or_default();
                let login = agent.seconds.login();
                // Everything since the login or midnight, whichever was later.
                let there = since(agent.login.max(from));
                if agent.state == AgentState::Logout {
                    assert!(login <= there);
                } else {
                    assert_eq!(login, there, "{agent:?}");
                }
                assert_eq!(agent.aux.is_some(), agent.state == AgentState::Aux);
                if let Some(before) = last.get(&agent.number) {
                    assert!(agent.seconds.inbound >= before.seconds.inbound);
                    assert!(agent.calls.total() >= before.calls.total());
                }
                last.insert(agent.number, agent);
            }
            at += SignedDuration::from_secs(1801);
        }
        // Every call of the day belongs to somebody, and nobody works without an end.
        let end = truth.agents(until);
        let answered = truth.calls(from, until + SignedDuration::from_secs(2400));
        let answered = answered.iter().filter(|call| {
            call.outcome == Outcome::Answered && (from.as_second()..=until.as_second()).contains(&call.answered_at())
        });
        assert_eq!(end.calls().total(), answered.count() as u64);
        assert!(end.agents.iter().all(|agent| agent.seconds.login() < 12 * 3600));
        let lunches = end.agents.iter().filter(|agent| agent.seconds.aux > 1800).count();
        assert!(lunches > end.agents.len() / 4, "{lunches}");
    }
}

#[tokio::test]
async fn agents_who_leave_answer_nobody() {
    let at = |hour: i8| {
        let zone = TimeZone::get("America/Bogota").unwrap();
        zone.to_timestamp(date(2026, 11, 18).at(hour, 0, 0, 0)).unwrap()
    };
    let kind = IncidentKind::AgentsLeave { skill: Some(1) };
    let leave = Incident::new(kind, at(10), at(11));
    let stage = stage("America/Bogota", EventPlan::calm(), vec![leave]).await;
    let truth = stage.operation.truth();
    assert_eq!(leave.target(truth.centre()), Some(("skill_id", 4010)));
    let (mut waiting, mut others_ready) = (0, 0);
    for minute in 1..60 {
        let now = at(10) + SignedDuration::from_mins(minute);
        let agents = truth.agents(now).agents;
        assert_eq!(in_state(&agents, 1, AgentState::Ready), 0);
        assert!(in_state(&agents, 1, AgentState::Aux) > 0);
        others_ready += in_state(&agents, 2, AgentState::Ready);
        waiting += truth.skills(now)[1].queue;
    }
    assert!(others_ready > 30 && waiting > 59, "{others_ready} {waiting}");
    let (before, after) = (&truth.skills(at(10))[1], &truth.skills(at(11))[1]);
    assert!(after.abandoned > before.abandoned + 30);
    // One who was answered before may be in a conversation that ends later and would have been.
    assert!(
        after.answered < before.answered + 5,
        "{} {}",
        before.answered,
        after.answered
    );
    assert!(truth.skills(at(12))[1].answered > after.answered + 20);
}

#[tokio::test]
async fn the_order_of_requests_changes_nothing() {
    let stages = [
        stage("America/Bogota", EventPlan::default(), Vec::new()).await,
        stage("America/Bogota", EventPlan::default(), Vec::new()).await,
    ];
    let reports = [
        "real_time.php?api=skills&skill_id=all",
        "real_time.php?api=agents",
        "real_time.php?api=latency",
        "reports_manager.php?api=skill_10&skill_id=all&date_ini=20261117120000&date_end=20261118120000",
        "reports_manager.php?api=cdr_6&date_ini=20261117120000&date_end=20261118120000",
    ];
    let mut answers = Vec::new();
    for (stage, order) in stages.iter().zip([[0, 1, 2, 3], [2, 0, 3, 1]]) {
        let mut bodies = BTreeMap::new();
        for hours in order {
            stage.clock.set("2026-11-18T23:30:00Z".parse().unwrap());
            stage.clock.advance(SignedDuration::from_hours(3 * hours));
            for number in 0..reports.len() {
                let report = reports[(number + order[0] as usize) % reports.len()];
                bodies.insert((hours, report), stage.get(report).await);
            }
        }
        answers.push(bodies);
    }
    assert!(
        answers[0]
            .values()
            .all(|(status, body)| *status == 200 && body.len() > 200)
    );
    assert_eq!(answers[0], answers[1]);
}
