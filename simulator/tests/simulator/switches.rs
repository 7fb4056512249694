//! The shapes of answers that are uncertain.

use serde_json::{Value, json};
use wolkvox_simulator::{
    Blank, CampaignsEnvelope, Code, DurationBucket, EmptyCampaigns, EmptyDay, Escapes, Layout, Numbers, OperationPlan,
    WordCase,
};

use super::{Stage, totals_in};

const DAY: (&str, &str) = ("20261118000000", "20261118120000");

async fn durations(stage: &Stage) -> Value {
    serde_json::from_str(&stage.durations(DAY.0, DAY.1).await.1).unwrap()
}

async fn campaigns(stage: &Stage) -> Value {
    serde_json::from_str(&stage.campaigns().await.1).unwrap()
}

#[tokio::test]
async fn the_envelope() {
    let stage = Stage::new().await;
    let bare = campaigns(&stage).await;
    stage.operation.switch(|switches| {
        switches.campaigns_envelope = CampaignsEnvelope::Data;
        switches.code = Code::Number;
        switches.layout = Layout::Compact;
    });
    let body = stage.campaigns().await.1;
    assert!(
        body.starts_with("{\"code\":200,\"error\":null,\"msg\":\"6 records were found\",\"data\":[{"),
        "{body}"
    );
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["data"], bare);
}

#[tokio::test]
async fn text_and_numbers() {
    let stage = Stage::new().await;
    let (raw, totals) = (campaigns(&stage).await, durations(&stage).await);
    for escapes in [Escapes::Unicode, Escapes::UnicodeAndSlashes] {
        stage.operation.switch(|switches| switches.escapes = escapes);
        let body = stage.campaigns().await.1;
        assert!(body.is_ascii() && body.contains("Campa\\u00f1a"), "{body}");
        assert_eq!(
            body.contains("busy\\/congestion\\/failed"),
            escapes == Escapes::UnicodeAndSlashes
        );
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), raw);
    }
    stage.operation.switch(|switches| switches.numbers = Numbers::Json);
    let bucket = &durations(&stage).await["data"]["greater_than_121"];
    let text = &totals["data"]["greater_than_121"];
    assert_eq!(bucket["calls"].to_string(), text["calls"].as_str().unwrap());
    let cost: f64 = text["cost"].as_str().unwrap().replace(',', "").parse().unwrap();
    assert_eq!(bucket["cost"].as_f64(), Some(cost));
    assert!(campaigns(&stage).await[0]["records"].is_u64());
    stage.operation.switch(|switches| {
        switches.numbers = Numbers::Text;
        switches.grouped_integers = true;
        switches.status_case = WordCase::Capital;
    });
    assert!(
        durations(&stage).await["data"]["greater_than_121"]["minutes"]
            .as_str()
            .unwrap()
            .contains(',')
    );
    assert_eq!(campaigns(&stage).await[0]["status"], "Started");
    stage
        .operation
        .switch(|switches| switches.status_case = WordCase::Upper);
    assert_eq!(campaigns(&stage).await[0]["status"], "STARTED");
}

#[tokio::test]
async fn blanks_and_absent_fields() {
    let stage = Stage::new().await;
    for (blank, written) in [
        (Blank::Empty, json!("")),
        (Blank::Dash, json!("-")),
        (Blank::DoubleDash, json!("--")),
        (Blank::Null, json!(null)),
    ] {
        stage.operation.switch(|switches| {
            switches.blank = blank;
            switches.blank_fields = vec!["dial".to_owned(), "cost".to_owned()];
            switches.absent_fields = vec!["answer".to_owned()];
        });
        let rows = campaigns(&stage).await;
        assert_eq!((&rows[0]["dial"], &rows[3]["skill_id"]), (&written, &written));
        assert!(rows[0].get("answer").is_none());
        assert_eq!(durations(&stage).await["data"]["0_5_seg"]["cost"], written);
    }
}

#[tokio::test]
async fn campaigns_that_come_twice_or_not_at_all() {
    let stage = Stage::new().await;
    let ids: Vec<u32> = stage
        .operation
        .truth()
        .centre()
        .campaigns
        .iter()
        .map(|campaign| campaign.id)
        .collect();
    stage.operation.switch(|switches| {
        switches.duplicate_campaigns = vec![ids[0]];
        switches.missing_campaigns = vec![ids[1], ids[2]];
    });
    let rows = campaigns(&stage).await;
    assert_eq!(rows.as_array().unwrap().len(), 5);
    assert_eq!(rows[0]["campaign"], rows[1]["campaign"]);
    assert_ne!(rows[0]["records"], rows[1]["records"]);
}

#[tokio::test]
async fn buckets_more_and_less() {
    let stage = Stage::new().await;
    let before = totals_in(&stage.durations(DAY.0, DAY.1).await.1);
    stage.operation.switch(|switches| {
        switches.total_bucket = true;
        switches.absent_buckets = vec![DurationBucket::UpTo20];
    });
    let data = &durations(&stage).await["data"];
    assert!(data.get("6_20_seg").is_none());
    assert_eq!(data["total"]["calls"], before.total().calls.to_string());
    // In the small hours most buckets have nothing.
    stage.operation.switch(|switches| switches.omit_zero_buckets = true);
    let (_, body) = stage.durations("20261118000000", "20261118003000").await;
    let night: Value = serde_json::from_str(&body).unwrap();
    let buckets = night["data"].as_object().unwrap();
    assert!(buckets.values().all(|bucket| bucket["calls"] != "0"), "{night}");
}

#[tokio::test]
async fn nothing_has_many_faces() {
    let now = "2026-11-18T17:00:00Z".parse().unwrap();
    let plan = OperationPlan::new("acme", jiff::tz::TimeZone::UTC)
        .volume(0.0)
        .campaigns(0);
    let stage = Stage::of(1, plan, now).await;
    for (empty, status, data) in [
        (EmptyDay::NotFound, 404, None),
        (EmptyDay::EmptyList, 200, Some(json!([]))),
        (EmptyDay::Null, 200, Some(json!(null))),
        (EmptyDay::NoData, 200, None),
    ] {
        stage.operation.switch(|switches| switches.empty_day = empty);
        let (got, body) = stage.durations(DAY.0, DAY.1).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((got, body.get("data")), (status, data.as_ref()), "{empty:?}");
        assert_eq!(body["code"], status.to_string());
    }
    stage.operation.switch(|switches| switches.empty_day = EmptyDay::Zeros);
    assert_eq!(stage.totals(DAY.0, DAY.1).await.total().calls, 0);
    assert_eq!(stage.durations(DAY.0, DAY.1).await.0, 200);

    for (empty, status, bare, data) in [
        (EmptyCampaigns::EmptyList, 200, json!([]), Some(json!([]))),
        (EmptyCampaigns::Null, 200, json!(null), Some(json!(null))),
        (
            EmptyCampaigns::NoData,
            200,
            json!({"code": "200", "error": null, "msg": "0 records were found"}),
            None,
        ),
        (
            EmptyCampaigns::NotFound,
            404,
            json!({"code": "404", "error": "Not Found", "msg": "Validate dates entered"}),
            None,
        ),
    ] {
        stage.operation.switch(|switches| {
            switches.empty_campaigns = empty;
            switches.campaigns_envelope = CampaignsEnvelope::BareArray;
        });
        assert_eq!(
            (stage.campaigns().await.0, campaigns(&stage).await),
            (status, bare),
            "{empty:?}"
        );
        stage
            .operation
            .switch(|switches| switches.campaigns_envelope = CampaignsEnvelope::Data);
        assert_eq!(campaigns(&stage).await.get("data"), data.as_ref(), "{empty:?}");
    }
}
