//! Incidents change what they are for, during their period, and nothing else.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use wolkvox_simulator::{
    Call, CallMix, CampaignState, Direction, Incident, IncidentKind, OperationPlan, Outcome, SimulatedClock, Simulator,
    SimulatorConfig, Truth,
};

const FROM: &str = "2026-11-18T10:00:00";
const UNTIL: &str = "2026-11-18T11:00:00";

fn at(local: &str) -> Timestamp {
    let zone = TimeZone::get("America/Bogota").unwrap();
    zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap()
}

fn truth(kinds: &[IncidentKind]) -> Truth {
    let incidents = kinds.iter().map(|kind| Incident::new(*kind, at(FROM), at(UNTIL)));
    let plan = OperationPlan::new("acme", TimeZone::get("America/Bogota").unwrap())
        .volume(3.0)
        .incidents(incidents.collect());
    let simulator = Simulator::new(SimulatorConfig {
        seed: 7,
        clock: SimulatedClock::fixed(at(FROM)),
        operations: vec![plan],
    });
    simulator.operations()[0].truth().clone()
}

/// The calls of the period, usual and affected. Those of the hours around it must be equal.
fn affected(kind: IncidentKind) -> (Vec<Call>, Vec<Call>) {
    let (usual, affected) = (truth(&[]), truth(&[kind]));
    for (from, until) in [
        ("2026-11-18T08:00:00", "2026-11-18T09:59:59"),
        (UNTIL, "2026-11-18T13:00:00"),
    ] {
        let (before, after) = (usual.calls(at(from), at(until)), affected.calls(at(from), at(until)));
        assert!(!before.is_empty());
        assert_eq!(before, after, "{kind:?}");
    }
    let last = at(UNTIL) - jiff::SignedDuration::from_secs(1);
    (usual.calls(at(FROM), last), affected.calls(at(FROM), last))
}

/// The share of calls that `are` something among those that are `of` something.
fn share(calls: &[Call], of: impl Fn(&Call) -> bool, are: impl Fn(&Call) -> bool) -> f64 {
    let all = calls.iter().filter(|call| of(call)).count();
    assert!(all > 40, "{all} calls");
    calls.iter().filter(|call| of(call) && are(call)).count() as f64 / all as f64
}

fn inbound(skill: usize) -> impl Fn(&Call) -> bool {
    move |call| call.direction == Direction::Inbound && call.skill == skill
}

fn abandoned(call: &Call) -> bool {
    call.outcome == Outcome::Abandoned
}

#[test]
fn callers_of_one_skill_give_up() {
    let (usual, affected) = affected(IncidentKind::Abandonment {
        skill: Some(0),
        share: 0.5,
    });
    assert!(share(&usual, inbound(0), abandoned) < 0.3);
    assert!((0.4..0.75).contains(&share(&affected, inbound(0), abandoned)));
    let others = |calls: &[Call]| {
        calls
            .iter()
            .filter(|call| !inbound(0)(call))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(others(&usual), others(&affected));
    assert_eq!(usual.len(), affected.len());
}

#[test]
fn callers_give_up_at_once_or_after_long() {
    let (_, short) = affected(IncidentKind::ShortAbandons {
        skill: Some(1),
        share: 0.5,
    });
    let lost = |call: &Call| inbound(1)(call) && abandoned(call);
    assert!(share(&short, lost, |call| call.wait < 10) > 0.999);
    let (_, long) = affected(IncidentKind::LongWaits {
        skill: Some(1),
        share: 0.5,
    });
    assert!(share(&long, lost, |call| call.wait >= 180) > 0.999);
}

#[test]
fn a_skill_gets_no_calls() {
    let (usual, affected) = affected(IncidentKind::InboundSilent { skill: Some(2) });
    assert!(usual.iter().any(inbound(2)));
    assert!(!affected.iter().any(inbound(2)));
    assert!(affected.iter().any(inbound(1)));
}

#[test]
fn dials_fail_or_are_not_answered() {
    let of_campaign = |call: &Call| call.campaign == Some(0);
    let (_, failed) = affected(IncidentKind::DialFailures {
        campaign: Some(0),
        share: 0.8,
    });
    assert!(share(&failed, of_campaign, |call| call.outcome == Outcome::Failed) > 0.7);
    let (_, unanswered) = affected(IncidentKind::Unanswered {
        campaign: Some(0),
        share: 0.9,
    });
    assert!(share(&unanswered, of_campaign, |call| call.outcome == Outcome::Answered) < 0.1);
}

#[test]
fn conversations_are_short() {
    let (usual, affected) = affected(IncidentKind::ShortCalls { share: 0.9 });
    let talked = |call: &Call| call.outcome == Outcome::Answered && call.direction != Direction::Internal;
    assert!(share(&usual, talked, |call| call.duration <= 5) < 0.2);
    assert!(share(&affected, talked, |call| call.duration < 5) > 0.8);
}

#[test]
fn menus_lose_callers_and_keys() {
    let of_point = |call: &Call| call.ivr.is_some_and(|entry| entry.routing_point == 0);
    let (usual, left) = affected(IncidentKind::IvrHangUps {
        routing_point: Some(0),
        share: 0.7,
    });
    assert!(!usual.iter().any(|call| call.ivr.is_some_and(|entry| entry.gave_up)));
    assert!((0.55..0.85).contains(&share(&left, of_point, |call| {
        call.ivr.is_some_and(|entry| entry.gave_up)
    })));
    assert!(
        !left
            .iter()
            .any(|call| !of_point(call) && call.ivr.is_some_and(|entry| entry.gave_up))
    );
    let (_, deaf) = affected(IncidentKind::IvrNoInput {
        routing_point: Some(0),
        share: 1.0,
    });
    assert!(
        share(&deaf, of_point, |call| call
            .ivr
            .is_some_and(|entry| entry.option.is_none()))
            > 0.999
    );
}

fn campaign(truth: &Truth, local: &str) -> CampaignState {
    truth.campaigns(at(local)).swap_remove(0)
}

#[test]
fn a_campaign_stalls_and_goes_on() {
    let truth = truth(&[IncidentKind::CampaignStalled { campaign: Some(0) }]);
    let (early, late) = (
        campaign(&truth, "2026-11-18T10:00:00"),
        campaign(&truth, "2026-11-18T10:59:59"),
    );
    assert_eq!((early.dials_of_day, early.clean), (late.dials_of_day, late.clean));
    assert!(late.started && late.clean > 0 && late.last_minute == 0);
    assert!(campaign(&truth, "2026-11-18T11:30:00").dials_of_day > late.dials_of_day);
    let other = |local| truth.campaigns(at(local)).swap_remove(1).dials_of_day;
    assert!(other("2026-11-18T10:59:59") > other("2026-11-18T10:00:00"));
}

#[test]
fn a_short_list_runs_out_and_is_replaced() {
    let kind = IncidentKind::ListEnds {
        campaign: Some(0),
        records: 60,
    };
    let (truth, usual) = (truth(&[kind]), truth(&[]));
    let before = campaign(&truth, "2026-11-18T09:59:59");
    assert_eq!(before, campaign(&usual, "2026-11-18T09:59:59"));
    let loaded = campaign(&truth, FROM);
    assert!(loaded.records == 60 && loaded.clean > 55, "{loaded:?}");
    let end = campaign(&truth, "2026-11-18T10:59:59");
    assert_eq!((end.records, end.clean, end.recycled), (60, 0, before.recycled));
    let after = campaign(&truth, UNTIL);
    assert_eq!(after.records, before.records);
    assert!(after.clean > before.records - 10);
}

#[test]
fn a_list_is_recycled_by_hand() {
    let truth = truth(&[IncidentKind::Recycled { campaign: Some(0) }]);
    let (before, after) = (campaign(&truth, "2026-11-18T09:59:59"), campaign(&truth, FROM));
    assert_eq!(after.recycled, before.recycled + 1);
    assert!(after.clean > before.clean && after.dials_of_day >= before.dials_of_day);
}

#[test]
fn a_calm_mix_loses_few_callers() {
    let plan = |call_mix| {
        let plan = OperationPlan::new("acme", TimeZone::UTC).volume(3.0).call_mix(call_mix);
        let simulator = Simulator::new(SimulatorConfig {
            seed: 7,
            clock: SimulatedClock::fixed(at(FROM)),
            operations: vec![plan],
        });
        simulator.operations()[0]
            .truth()
            .calls(at(FROM), at("2026-11-18T14:00:00"))
    };
    let inbound = |call: &Call| call.direction == Direction::Inbound;
    assert!(share(&plan(CallMix::calm()), inbound, abandoned) < 0.05);
    assert!(share(&plan(CallMix::default()), inbound, abandoned) > 0.1);
}

#[test]
fn callers_are_answered_late() {
    let kind = IncidentKind::SlowAnswers {
        skill: Some(0),
        share: 0.9,
    };
    let (usual, slow) = affected(kind);
    let answered = |call: &&Call| call.direction == Direction::Inbound && call.outcome == Outcome::Answered;
    for skill in [0, 1] {
        let waits = |calls: &[Call]| -> Vec<u32> {
            let calls = calls.iter().filter(answered).filter(|call| call.skill == skill);
            calls.map(|call| call.wait).collect()
        };
        let (usual, slow) = (waits(&usual), waits(&slow));
        assert_eq!(usual.len(), slow.len());
        let late = slow.iter().filter(|wait| **wait >= 90).count();
        assert_eq!(late > slow.len() / 2, skill == 0, "{late} of {}", slow.len());
    }
}

#[test]
fn a_mix_says_how_fast_callers_are_answered() {
    let level = |call_mix| {
        let zone = TimeZone::get("America/Bogota").unwrap();
        let simulator = Simulator::new(SimulatorConfig {
            seed: 7,
            clock: SimulatedClock::fixed(at(UNTIL)),
            operations: vec![OperationPlan::new("acme", zone).call_mix(call_mix)],
        });
        simulator.operations()[0].truth().skills(at(UNTIL))[0]
            .service_level(20)
            .unwrap()
    };
    assert!((0.1..0.3).contains(&level(CallMix::default())));
    assert!((0.75..0.9).contains(&level(CallMix::calm())));
    let fast = CallMix {
        answered_within: 20,
        ..CallMix::calm()
    };
    assert!(level(fast) > 0.9, "{}", level(fast));
}
