//! Answers that the API cuts or empties, and catching up within the budget.

use jiff::SignedDuration;
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CAMPAIGNS};
use wolkvox_simulator::{Blackout, EventPlan, OverLimit, Seen};

use super::{EVENTS, all_reports, assert_same, hours, of_waits, plan, poll_all, shown, truth};
use crate::ledger::Disk;
use crate::support::{Stage, api, at};

/// A low record limit, silent or said aloud: windows are split, and all is counted.
#[tokio::test(flavor = "multi_thread")]
async fn answers_over_the_record_limit_are_split() {
    for over_limit in [OverLimit::SilentCut, OverLimit::BadRequest] {
        let born = at("2026-11-18T11:00:00Z");
        let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
            all_reports(operation, settings);
            settings.cut_at = 290;
        };
        let mut stage = Stage::with(&born.to_string(), plan(1.0, EventPlan::calm()), adjust).await;
        stage.acme().switch(|switches| {
            switches.record_limit = Some(300);
            switches.over_limit = over_limit;
        });
        poll_all(&mut stage, born).await;
        let now = born + hours(8);
        poll_all(&mut stage, now).await;
        let should = truth(&stage.acme(), born, now, Seen::By(now));
        assert_same(
            &shown(&stage.samples().await),
            &should,
            &format!("split, {over_limit:?}"),
        );
        let samples = stage.samples().await;
        assert_eq!(
            samples
                .all("wolkvox_report_capped_windows_total", &[])
                .iter()
                .sum::<f64>(),
            0.0
        );
        assert!(stage.acme().observed().requests > 30, "many pieces");
    }
}

/// A server with a lower limit than the vendor's page says, which nobody has configured. Its answers look complete.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_record_limit_is_learned() {
    for over_limit in [OverLimit::SilentCut, OverLimit::CountedCut] {
        let born = at("2026-11-18T11:00:00Z");
        let (disk, plan) = (Disk::default(), plan(1.5, EventPlan::calm()));
        let mut stage = Stage::with_storage(&born.to_string(), plan, disk.storage(), all_reports).await;
        stage.acme().switch(|switches| {
            switches.record_limit = Some(300);
            switches.over_limit = over_limit;
        });
        let mut now = born;
        for hour in 0..=8 {
            now = born + hours(hour);
            poll_all(&mut stage, now).await;
        }
        let should = truth(&stage.acme(), born, now, Seen::By(now));
        assert_same(&shown(&stage.samples().await), &should, &format!("{over_limit:?}"));
        // The limit is kept: after a restart nothing has to be found out again.
        let mut stage = stage.restart(|_, _| {});
        now += SignedDuration::from_mins(5);
        poll_all(&mut stage, now).await;
        let should = truth(&stage.acme(), born, now, Seen::By(now));
        assert_same(&shown(&stage.samples().await), &should, "after a restart");
    }
}

/// 172,000 rows in a day, with the vendor's limit of 60,000.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_172_000_rows_is_counted_whole() {
    let born = at("2026-11-18T05:00:00Z");
    let events = EventPlan {
        volume: 70.0,
        ..EventPlan::calm()
    };
    let mut stage = Stage::with(&born.to_string(), plan(1.0, events), |operation, settings| {
        all_reports(operation, settings);
        operation.reports.retain(|report, _| *report == &ABANDONED_CALLS);
    })
    .await;
    stage.poll(&ABANDONED_CALLS, &born.to_string()).await;
    let now = born + hours(24);
    stage.poll(&ABANDONED_CALLS, &now.to_string()).await;
    let samples = stage.samples().await;
    let counted = samples.all("wolkvox_skill_interactions_total", &[]).iter().sum::<f64>();
    let truth = stage.acme().truth().abandoned_calls(born, now, Seen::By(now));
    assert_eq!(counted, truth.interactions.values().sum::<u64>() as f64);
    assert!(counted > 165_000.0, "{counted}");
    assert!(stage.acme().observed().requests < 20, "in few pieces");
}

/// A report that answers empty for hours and is complete the next day loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_an_empty_answer_hid_are_counted_later() {
    let born = at("2026-11-18T11:00:00Z");
    let mut stage = Stage::with(&born.to_string(), plan(0.2, EventPlan::calm()), all_reports).await;
    let blackout = |report| Blackout {
        report: api(report),
        from: born + hours(1),
        until: born + hours(9),
    };
    stage
        .acme()
        .switch(|switches| switches.blackouts = EVENTS.map(blackout).to_vec());
    poll_all(&mut stage, born).await;
    let mut now = born;
    for _ in 0..20 {
        now += SignedDuration::from_mins(61);
        poll_all(&mut stage, now).await;
    }
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "after the silence",
    );
}

/// Three days of outage: caught up with what live polls leave of the budget, which go on.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_three_days_is_caught_up_within_the_budget() {
    let born = at("2026-11-16T14:00:00Z");
    let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
        all_reports(operation, settings);
        operation
            .reports
            .retain(|report, _| [&ABANDONED_CALLS, &CAMPAIGNS].contains(report));
        operation.daily_calls = 1200;
        settings.cut_at = 190;
    };
    let mut stage = Stage::with(&born.to_string(), plan(0.5, EventPlan::calm()), adjust).await;
    stage.acme().switch(|switches| switches.record_limit = Some(200));
    stage.poll(&ABANDONED_CALLS, &born.to_string()).await;
    let mut now = born + hours(72);
    stage.acme().forget_log();
    let mut live = 0;
    for _ in 0..30 {
        for report in [&CAMPAIGNS, &ABANDONED_CALLS] {
            stage.simulator.clock().set(now);
            stage.poller.tick(report).await;
        }
        live += 1;
        now += SignedDuration::from_mins(5);
    }
    let log = stage.acme().observed().log;
    let campaigns = log
        .iter()
        .filter(|request| request.api.as_deref() == Some("campaigns"))
        .count();
    assert_eq!(campaigns, live, "live polls go on");
    let last = now - SignedDuration::from_mins(5);
    let should = of_waits(truth(&stage.acme(), born, last, Seen::By(last)));
    assert_same(&shown(&stage.samples().await), &should, "caught up");
    // From nine in the morning on there are 1,200 calls and 360 live polls until midnight: a third of the rest is 280.
    assert!(
        log.len() - 2 * live <= 280,
        "{} requests for the catch-up",
        log.len() - 2 * live
    );
    assert!(log.len() > 2 * live + 5, "there was something to catch up");
}

/// Answers that are cut although there are no calls to spare: each poll gets some way, and none of the way is lost.
#[tokio::test(flavor = "multi_thread")]
async fn cut_answers_get_on_without_calls_to_spare() {
    let born = at("2026-11-16T14:00:00Z");
    let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
        all_reports(operation, settings);
        operation.reports.retain(|report, _| *report == &ABANDONED_CALLS);
        operation.daily_calls = 150;
        settings.cut_at = 190;
    };
    let mut stage = Stage::with(&born.to_string(), plan(1.0, EventPlan::calm()), adjust).await;
    stage.acme().switch(|switches| switches.record_limit = Some(200));
    stage.poll(&ABANDONED_CALLS, &born.to_string()).await;
    let mut now = born + hours(24);
    let data = async |stage: &Stage| {
        stage
            .samples()
            .await
            .get("wolkvox_report_data_timestamp_seconds", &[])
            .unwrap()
    };
    let mut before = data(&stage).await;
    for _ in 0..5 {
        stage.poll(&ABANDONED_CALLS, &now.to_string()).await;
        let covered = data(&stage).await;
        assert!(covered > before, "stuck at {covered}");
        before = covered;
        now += SignedDuration::from_mins(5);
    }
    let requests = stage.acme().observed().requests;
    assert!(requests < 40, "{requests} requests");
}
