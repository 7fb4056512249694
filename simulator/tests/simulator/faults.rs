//! Faults, as a client sees them and on the wire.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use tokio::net::TcpListener;
use wolkvox_simulator::{Api, Coding, ErrorBody, Fault, Framing, SimulatedClock, Simulator};

use super::{Stage, client};

/// The bytes of an answer, and how the connection ended.
async fn on_the_wire(stage: &Stage) -> (String, io::Result<()>) {
    let (address, token) = (stage.running.address(), stage.operation.token().to_owned());
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        write!(stream, "GET /api/v2/real_time.php?api=campaigns HTTP/1.1\r\nHost: wv0001\r\nwolkvox-token: {token}\r\nConnection: close\r\n\r\n").unwrap();
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        let end = loop {
            match stream.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) => break Err(error),
            }
        };
        (String::from_utf8_lossy(&bytes).into_owned(), end)
    })
    .await
    .unwrap()
}

fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn statuses_come_with_the_body_and_the_header_that_were_asked_for() {
    let stage = Stage::new().await;
    stage.operation.inject(
        Fault::Status {
            status: 503,
            retry_after: Some("7".to_owned()),
            body: ErrorBody::Json,
        }
        .once(),
    );
    stage.operation.inject(Fault::status(502).once());
    stage.operation.inject(Fault::Html.once());
    let first = stage.try_get("real_time.php?api=campaigns").await.unwrap();
    assert_eq!(
        (first.status().as_u16(), &first.headers()["retry-after"]),
        (503, &"7".parse().unwrap())
    );
    assert!(first.text().await.unwrap().starts_with("{\n    \"code\": \"503\""));
    let (status, body) = stage.campaigns().await;
    assert!(status == 502 && body.starts_with("<html>"), "{status} {body}");
    let page = stage.try_get("real_time.php?api=campaigns").await.unwrap();
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (200, &"text/html; charset=UTF-8".parse().unwrap())
    );
    for (fault, message) in [
        (Fault::SimultaneousLimit, "simultaneous"),
        (Fault::QuotaExceeded, "limit exceeded"),
        (Fault::WrongToken, "alidate token"),
    ] {
        stage.operation.inject(fault.once());
        let (status, body) = stage.campaigns().await;
        assert!(status == 403 && body.contains(message), "{status} {body}");
    }
    assert_eq!(stage.campaigns().await.0, 200);
}

#[tokio::test]
async fn faults_meet_the_report_they_are_meant_for_as_often_as_told() {
    let stage = Stage::new().await;
    stage.operation.inject(Fault::status(500).times(2).on(Api::Cdr4));
    let durations = async || stage.durations("20261118000000", "20261118120000").await.0;
    assert_eq!(
        (
            stage.campaigns().await.0,
            durations().await,
            durations().await,
            durations().await
        ),
        (200, 500, 500, 200)
    );
    stage.operation.inject(Fault::status(500).on(Api::Campaigns));
    assert_eq!(
        (stage.campaigns().await.0, stage.campaigns().await.0, durations().await),
        (500, 500, 200)
    );
    stage.operation.clear_faults();
    assert_eq!(stage.campaigns().await.0, 200);
}

#[tokio::test]
async fn late_and_slow_answers_are_whole() {
    let stage = Stage::new().await;
    let whole = stage.campaigns().await.1;
    let tick = Duration::from_millis(10);
    for (fault, at_least) in [
        (Fault::Delay(tick * 5), tick * 5),
        (Fault::Stall(tick * 5), tick * 5),
        (
            Fault::Trickle {
                bytes: whole.len().div_ceil(6),
                every: tick,
            },
            tick * 5,
        ),
    ] {
        stage.operation.inject(fault.clone().once());
        let begun = Instant::now();
        assert_eq!(stage.campaigns().await.1, whole, "{fault:?}");
        assert!(begun.elapsed() >= at_least, "{fault:?}");
    }
    // The first half arrives before the stall.
    stage.operation.inject(Fault::Stall(Duration::from_secs(60)).once());
    let mut response = stage.try_get("real_time.php?api=campaigns").await.unwrap();
    assert!(whole.as_bytes().starts_with(&response.chunk().await.unwrap().unwrap()));
    assert!(tokio::time::timeout(tick * 5, response.chunk()).await.is_err());
}

#[tokio::test]
async fn a_cut_body_ends_in_the_middle_of_the_chunks() {
    let stage = Stage::new().await;
    let whole = stage.campaigns().await.1;
    stage.operation.inject(Fault::CutBody(0.25).times(2));
    let (answer, end) = on_the_wire(&stage).await;
    assert!(end.is_ok(), "{end:?}");
    assert!(answer.to_lowercase().contains("transfer-encoding: chunked"), "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n"));
    let chunk = body_of(&answer).split_once("\r\n").unwrap().1.trim_end();
    assert!(whole.starts_with(chunk) && chunk.len() > whole.len() / 5 && chunk.len() <= whole.len() / 4);
    let response = stage.try_get("real_time.php?api=campaigns").await.unwrap();
    assert!(response.status().is_success() && response.text().await.is_err());
}

#[tokio::test]
async fn resets_are_resets() {
    let stage = Stage::new().await;
    stage.operation.inject(Fault::Reset.once());
    let (answer, end) = on_the_wire(&stage).await;
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(answer.starts_with("HTTP/1.1 200 OK") && body_of(&answer).len() > 500);

    stage.operation.inject(Fault::ResetBeforeAnswer.once());
    let (answer, end) = on_the_wire(&stage).await;
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(answer, "");
    assert_eq!(stage.campaigns().await.0, 200);
}

#[tokio::test]
async fn lengths_can_lie() {
    let stage = Stage::new().await;
    let whole = stage.campaigns().await.1;
    stage.operation.inject(Fault::ContentLengthTooLong(10).times(2));
    let (answer, end) = on_the_wire(&stage).await;
    assert!(end.is_ok(), "{end:?}");
    assert!(
        answer.contains(&format!("content-length: {}\r\n", whole.len() + 10)),
        "{answer}"
    );
    assert_eq!(body_of(&answer), whole);
    assert!(
        stage
            .try_get("real_time.php?api=campaigns")
            .await
            .unwrap()
            .text()
            .await
            .is_err()
    );

    stage.operation.inject(Fault::ContentLengthTooShort(10).once());
    assert_eq!(stage.campaigns().await.1, whole[..whole.len() - 10]);
    assert_eq!(stage.campaigns().await.1, whole);
}

#[tokio::test]
async fn framing_and_connections_follow_the_switches() {
    let stage = Stage::new().await;
    let whole = stage.campaigns().await.1;
    stage.operation.switch(|switches| switches.framing = Framing::Chunked);
    let response = stage.try_get("real_time.php?api=campaigns").await.unwrap();
    assert_eq!(response.headers()["transfer-encoding"], "chunked");
    assert_eq!(response.text().await.unwrap(), whole);
    stage.operation.switch(|switches| {
        switches.gzip = true;
        switches.close_connections = true;
    });
    let response = stage.try_get("real_time.php?api=campaigns").await.unwrap();
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(response.text().await.unwrap(), whole);
    let (raw, _) = on_the_wire(&stage).await;
    assert!(!raw.contains("gzip"), "nobody accepted it");
}

#[tokio::test]
async fn an_answer_and_its_delivery_can_both_be_wrong() {
    let stage = Stage::new().await;
    stage.operation.inject(Fault::no_data().once());
    let (status, whole) = stage.campaigns().await;
    assert!(status == 404 && whole.contains("Validate dates entered"), "{whole}");

    stage.operation.inject(Fault::no_data().and(Fault::CutBody(0.5)).once());
    let (answer, _) = on_the_wire(&stage).await;
    assert!(
        answer.starts_with("HTTP/1.1 404") && !answer.ends_with("0\r\n\r\n"),
        "{answer}"
    );
    assert!(body_of(&answer).contains(&whole[..whole.len() / 2]) && !answer.contains("entered"));

    let too_long = Fault::no_data().and(Fault::ContentLengthTooLong(7));
    stage
        .operation
        .inject(Fault::Delay(Duration::from_millis(50)).and(too_long).once());
    let begun = Instant::now();
    let (answer, _) = on_the_wire(&stage).await;
    assert!(begun.elapsed() >= Duration::from_millis(50));
    let length = format!("content-length: {}\r\n", whole.len() + 7);
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains(&length) && body_of(&answer) == whole);

    // Any text goes into the header.
    for text in ["0", "Thu, 31 Dec 2099 23:59:59 GMT"] {
        let fault = Fault::Status {
            status: 503,
            retry_after: Some(text.to_owned()),
            body: ErrorBody::Html,
        };
        stage.operation.inject(fault.once());
        let response = stage.try_get("real_time.php?api=campaigns").await.unwrap();
        assert_eq!(response.headers()["retry-after"], text);
    }
}

#[tokio::test]
async fn something_else_is_on_the_port() {
    let stage = Stage::new().await;
    let garbage = bytes::Bytes::from(vec![0_u8; 300_000]);
    for (fault, sent) in [
        (
            Fault::ssh_banner(),
            "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n".to_owned(),
        ),
        (Fault::NotHttp(garbage), "\0".repeat(300_000)),
    ] {
        stage.operation.inject(fault.times(2));
        let (answer, end) = on_the_wire(&stage).await;
        assert!(end.is_ok() && answer == sent, "{end:?} {} bytes", answer.len());
        assert!(stage.try_get("real_time.php?api=campaigns").await.is_err());
    }
    assert_eq!(stage.campaigns().await.0, 200);
}

#[tokio::test]
async fn bodies_are_compressed_in_every_way() {
    let stage = Stage::new().await;
    // More than one block of Brotli.
    let query = "reports_manager.php?api=skill_2&skill_id=all&date_ini=20261118080000&date_end=20261118120000";
    let whole = stage.get(query).await.1.into_bytes();
    assert!(whole.len() > 200_000, "{}", whole.len());
    for (coding, name) in [
        (Coding::Gzip, "gzip"),
        (Coding::GzipInTwoMembers, "gzip"),
        (Coding::XGzip, "x-gzip"),
        (Coding::Deflate, "deflate"),
        (Coding::BareDeflate, "deflate"),
        (Coding::Brotli, "br"),
    ] {
        stage.operation.switch(|switches| {
            switches.gzip = true;
            switches.coding = coding;
        });
        let url = format!("{}/api/v2/{query}", stage.running.url());
        let raw = reqwest::Client::builder()
            .tls_certs_only([])
            .no_proxy()
            .no_gzip()
            .build()
            .unwrap();
        let request = raw.get(url).header("wolkvox-token", stage.operation.token());
        let response = request.header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], name);
        let sent = response.bytes().await.unwrap();
        let (mut plain, bytes) = (Vec::new(), &sent[..]);
        match coding {
            Coding::Gzip | Coding::GzipInTwoMembers | Coding::XGzip => {
                MultiGzDecoder::new(bytes).read_to_end(&mut plain)
            }
            Coding::Deflate => ZlibDecoder::new(bytes).read_to_end(&mut plain),
            Coding::BareDeflate => DeflateDecoder::new(bytes).read_to_end(&mut plain),
            Coding::Brotli => Ok(stored_brotli(bytes, &mut plain)),
        }
        .unwrap();
        assert!(plain == whole, "{coding:?}");
        let members = sent
            .windows(4)
            .filter(|part| part.starts_with(&[0x1f, 0x8b, 8, 0]))
            .count();
        if coding == Coding::GzipInTwoMembers {
            assert!(members >= 2, "{members}");
        }
    }
}

/// Reads Brotli (RFC 7932, section 9.2) whose blocks are not compressed and have a length of 16 bits.
fn stored_brotli(mut bytes: &[u8], plain: &mut Vec<u8>) -> usize {
    let mut bits_before = 1;
    assert_eq!(bytes[0] & 1, 0, "a window of 16 bits");
    while bytes.len() > 1 {
        let header = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) >> bits_before;
        assert_eq!(
            (header & 0b111, header >> 19),
            (0, 1),
            "not the last, four nibbles; not compressed"
        );
        let length = (header >> 3 & 0xffff) as usize + 1;
        plain.extend_from_slice(&bytes[3..3 + length]);
        bytes = &bytes[3 + length..];
        bits_before = 0;
    }
    assert_eq!(bytes, [0b11], "the last, and empty");
    plain.len()
}

#[tokio::test]
async fn a_panic_ends_its_connection_only() {
    let stage = Stage::new().await;
    stage.operation.adjust_day_totals(|_, _| panic!("on purpose"));
    let query = "reports_manager.php?api=cdr_4&date_ini=20261118000000&date_end=20261118120000";
    assert!(stage.try_get(query).await.is_err());
    assert_eq!(stage.campaigns().await.0, 200);
    stage.operation.report_true_totals();
    assert_eq!(stage.get(query).await.0, 200);
}

#[tokio::test]
async fn it_stops_and_starts_again_on_the_same_address() {
    let simulator = Simulator::demo(1, SimulatedClock::fixed("2026-11-18T17:00:00Z".parse().unwrap()));
    let operation = &simulator.operations()[2];
    let running = simulator
        .start(TcpListener::bind("127.0.0.1:0").await.unwrap())
        .unwrap();
    let (address, url) = (
        running.address(),
        format!("{}/api/v2/real_time.php?api=campaigns", running.url()),
    );
    let get = || client().get(&url).header("wolkvox-token", operation.token()).send();
    assert_eq!(get().await.unwrap().status(), 200);
    operation.inject(Fault::Delay(Duration::from_secs(60)).once());
    let hanging = tokio::spawn(get());
    while operation.observed().requests < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.stop().await;
    assert!(hanging.await.unwrap().is_err());
    assert!(get().await.unwrap_err().is_connect());
    let _running = simulator.start(TcpListener::bind(address).await.unwrap()).unwrap();
    assert_eq!(get().await.unwrap().status(), 200);
}
