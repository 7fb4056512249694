//! What HTTP status, `code` and `msg` mean together, and what is missing when a body is cut.

use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS};
use wolkvox_simulator::{ErrorBody, Fault, ScriptedAnswer};

use crate::support::{Samples, Stage, api, at};

const NOON: &str = "2026-11-20T17:00:00Z";

async fn poll(stage: &mut Stage, status: u16, body: &str) -> Samples {
    let answer = ScriptedAnswer {
        status,
        ..ScriptedAnswer::json(body.to_owned())
    };
    stage.acme().answer_with(api(&CAMPAIGNS), answer);
    stage.poll(&CAMPAIGNS, NOON).await;
    stage.samples().await
}

fn up(samples: &Samples) -> Option<f64> {
    samples.get("wolkvox_up", &[("report", "campaigns")])
}

fn failures(samples: &Samples, reason: &str) -> f64 {
    let labels = [("report", "campaigns"), ("reason", reason)];
    samples.get("wolkvox_report_poll_failures_total", &labels).unwrap()
}

#[tokio::test]
async fn only_codes_from_400_on_are_failures() {
    let mut stage = Stage::new(NOON, "America/Bogota").await;
    for code in [
        r#""0""#, r#""""#, "0", "201", r#""201""#, r#""OK""#, "null", "true", "302", "399",
    ] {
        for status in [200, 201, 203] {
            poll(&mut stage, 200, "[]").await;
            let body = format!(r#"{{"code":{code},"data":[{{"campaign":"1 - a","records":"5"}}]}}"#);
            let samples = poll(&mut stage, status, &body).await;
            assert_eq!(samples.all("wolkvox_campaign_records", &[]), [5.0], "{body}");
            assert_eq!(up(&samples), Some(1.0), "{body}");
        }
    }
    for code in ["400", r#""500""#, "999", "100000"] {
        let body = format!(r#"{{"code":{code},"data":[{{"campaign":"1 - a","records":"9"}}]}}"#);
        let samples = poll(&mut stage, 200, &body).await;
        assert_eq!(samples.all("wolkvox_campaign_records", &[]), [5.0], "{body}");
        assert_eq!(up(&samples), Some(0.0), "{body}");
    }
    for body in [
        r#"{"code":"0","msg":"x"}"#,
        r#"{"code":"","msg":"x"}"#,
        r#"{"code":"302"}"#,
    ] {
        let before = failures(&stage.samples().await, "decode");
        let samples = poll(&mut stage, 200, body).await;
        assert_eq!(failures(&samples, "decode") - before, 1.0, "{body}");
    }
}

#[tokio::test]
async fn a_404_that_speaks_of_dates_or_records_has_no_rows() {
    let mut stage = Stage::new(NOON, "America/Bogota").await;
    for message in [
        "Validate dates entered",
        "VALIDATE  DATES ENTERED",
        "Valide las fechas ingresadas",
        "Verifique la Fecha",
        "0 records were found",
        "No se encontraron registros",
        "Sin registros.",
    ] {
        for (status, code) in [(404, r#""404""#), (404, "404"), (404, "null"), (200, r#""404""#)] {
            poll(&mut stage, 200, r#"[{"campaign":"1 - a","records":"5"}]"#).await;
            let body = format!(r#"{{"code":{code},"error":"Not Found","msg":"{message}"}}"#);
            let samples = poll(&mut stage, status, &body).await;
            assert_eq!(up(&samples), Some(1.0), "{status} {body}");
            assert!(
                samples.all("wolkvox_campaign_records", &[]).is_empty(),
                "{status} {body}"
            );
        }
    }
    for (status, body) in [
        (404, r#"{"code":"404","msg":"Not here"}"#),
        (404, r#"{"code":"404","msg":"The candidate was not updated"}"#),
        (404, r#"{"code":"404"}"#),
        (404, r#"{"code":"500","msg":"Validate dates entered"}"#),
        (
            404,
            r#"{"code":"404","msg":"Validate dates entered","data":[{"campaign":"1 - a"}]}"#,
        ),
        (404, "No records at this address"),
        (404, "<html>No records at this address</html>"),
        (404, ""),
        (410, r#"{"code":"404","msg":"Validate dates entered"}"#),
    ] {
        let before = failures(&stage.samples().await, "status");
        let samples = poll(&mut stage, status, body).await;
        assert_eq!(failures(&samples, "status") - before, 1.0, "{status} {body}");
    }
}

/// The message decides what these mean, and it is missing.
#[tokio::test]
async fn a_failure_that_is_cut_is_truncated_where_its_message_matters() {
    let mut stage = Stage::new(NOON, "America/Bogota").await;
    let body = r#"{"code":"404","error":"Not Found","msg":"Validate dates entered"}"#;
    for (status, reason) in [
        (400, "truncated"),
        (403, "truncated"),
        (404, "truncated"),
        (413, "truncated"),
        (401, "auth"),
        (500, "status"),
        (503, "status"),
    ] {
        let before = failures(&stage.samples().await, reason);
        // A body that just ends, and bodies that HTTP knows to be cut.
        let samples = poll(&mut stage, status, &body[..body.len() / 2]).await;
        assert_eq!(failures(&samples, reason) - before, 1.0, "{status}");
        for fault in [Fault::CutBody(0.5), Fault::ContentLengthTooLong(10)] {
            let before = failures(&stage.samples().await, reason);
            stage.acme().inject(fault);
            let samples = poll(&mut stage, status, body).await;
            stage.acme().clear_faults();
            assert_eq!(failures(&samples, reason) - before, 1.0, "{status}");
        }
    }
}

#[tokio::test]
async fn a_pause_has_at_most_fifteen_minutes() {
    for asked in [
        "86400",
        "99999999999999999999999",
        "Thu, 01 Jan 2099 00:00:00 GMT",
        "Sat, 21 Nov 2026 17:00:00 GMT",
    ] {
        let mut stage = Stage::new(NOON, "America/Bogota").await;
        stage.acme().inject(unavailable(asked).once());
        stage.poll(&CAMPAIGNS, NOON).await;
        for (time, requests) in [("2026-11-20T17:14:59Z", 1), ("2026-11-20T17:15:00Z", 2)] {
            stage.simulator.clock().set(at(time));
            stage.poller.tick(&CALL_DURATIONS).await;
            assert_eq!(stage.acme().observed().requests, requests, "{asked} at {time}");
        }
    }
}

#[tokio::test]
async fn a_pause_of_no_length_is_none() {
    for asked in ["0", "Fri, 20 Nov 2026 16:00:00 GMT", "soon", ""] {
        let mut stage = Stage::new(NOON, "America/Bogota").await;
        stage.acme().inject(unavailable(asked).times(3));
        stage.poll(&CAMPAIGNS, NOON).await;
        stage.poller.tick(&CALL_DURATIONS).await;
        assert_eq!(stage.acme().observed().requests, 4, "{asked}");
        assert_eq!(
            stage.samples().await.get("wolkvox_up", &[("report", "call_durations")]),
            Some(1.0)
        );
    }
}

fn unavailable(retry_after: &str) -> Fault {
    Fault::Status {
        status: 503,
        retry_after: Some(retry_after.to_owned()),
        body: ErrorBody::Json,
    }
}
