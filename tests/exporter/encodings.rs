//! Bodies as servers and proxies compress them, and what may answer in place of the API. A server that writes any bytes
//! stands for them.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wolkvox_exporter::reports::CAMPAIGNS;
use wolkvox_simulator::OperationPlan;

use crate::support::{Samples, Stage, get, zone};

const NOON: &str = "2026-11-20T17:00:00Z";
const BODY: &str = r#"{"code":"200","data":[{"campaign":"1 - a","records":"5"},{"campaign":"2 - b","records":"7"}]}"#;
/// 30 campaigns of 5 records, by the encoder of Node.js.
const BROTLI: &str = "G0UEMJwFdiybxhidDqbdKnmESk+Rrb1qCdPJWKqMkC5o67B09UWYHACdWiwRNE88ggSqi470KLCpMSEgk6bxA0OU8Y3OZxQaCxsHFw9/\
                      S6RUqbW0dXT18LOCUqXW0tbR1cMPjdoB";

/// A stage whose operation is at a server that answers every connection with these bytes and closes it.
async fn stage(answer: Vec<u8>, is_greeting: bool) -> Stage {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                if !is_greeting {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        request.push(stream.read_u8().await?);
                    }
                }
                // Two writes with a pause, so that it arrives in two chunks.
                let (first, second) = answer.split_at(answer.len() * 2 / 3);
                stream.write_all(first).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(5)).await;
                stream.write_all(second).await?;
                stream.shutdown().await?;
                // Not with a reset, which might overtake what was sent.
                tokio::time::timeout(Duration::from_secs(1), stream.read_to_end(&mut Vec::new())).await?
            });
        }
    });
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    Stage::with(NOON, plan, |operation, _| {
        operation.base_url = url;
        for report in operation.reports.values_mut() {
            report.timeout = Duration::from_secs(60);
        }
    })
    .await
}

/// The page after a poll of this answer, and the text of the status page.
async fn polled(answer: Vec<u8>, is_greeting: bool) -> (Samples, String) {
    let mut stage = stage(answer, is_greeting).await;
    stage.poll(&CAMPAIGNS, NOON).await;
    let status = get(&stage.page.0.replace("/metrics", "/"), &[]).await;
    (stage.samples().await, status.text().await.unwrap())
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    response("200 OK", &format!("content-encoding: {encoding}\r\n"), body)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn records(samples: &Samples) -> f64 {
    samples.all("wolkvox_campaign_records", &[]).iter().sum()
}

fn failed(samples: &Samples, reason: &str) -> bool {
    let labels = [("report", "campaigns"), ("reason", reason)];
    samples.get("wolkvox_report_poll_failures_total", &labels) == Some(1.0)
}

#[tokio::test]
async fn every_usual_compression_is_read() {
    let (first, second) = BODY.as_bytes().split_at(40);
    let two_members = [gzip(first), gzip(second)].concat();
    let padded = [gzip(BODY.as_bytes()), vec![0; 512]].concat();
    let brotli = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, BROTLI).unwrap();
    for (name, answer, expected) in [
        ("gzip", encoded("gzip", &gzip(BODY.as_bytes())), 12.0),
        ("x-gzip", encoded("x-gzip", &gzip(BODY.as_bytes())), 12.0),
        ("upper case", encoded("GZIP", &gzip(BODY.as_bytes())), 12.0),
        ("two members", encoded("gzip", &two_members), 12.0),
        ("padded", encoded("gzip", &padded), 12.0),
        ("zlib", encoded("deflate", &zlib(BODY.as_bytes())), 12.0),
        ("bare deflate", encoded("deflate", &deflate(BODY.as_bytes())), 12.0),
        ("brotli", encoded("br", &brotli), 150.0),
        ("none", encoded("identity", BODY.as_bytes()), 12.0),
        ("nothing said", response("200 OK", "", &gzip(BODY.as_bytes())), 12.0),
        ("said in vain", encoded("gzip", BODY.as_bytes()), 12.0),
    ] {
        let (samples, status) = polled(answer, false).await;
        assert_eq!(records(&samples), expected, "{name}: {status}");
    }
}

#[tokio::test]
async fn a_failure_may_be_compressed_too() {
    let body = br#"{"code":"404","error":"Not Found","msg":"Validate dates entered"}"#;
    let answer = response("404 Not Found", "content-encoding: gzip\r\n", &gzip(body));
    let (samples, status) = polled(answer, false).await;
    assert_eq!(
        samples.get("wolkvox_up", &[("report", "campaigns")]),
        Some(1.0),
        "{status}"
    );
}

#[tokio::test]
async fn broken_compression_is_told_from_a_cut_one() {
    let whole = gzip(BODY.as_bytes());
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle..middle + 4].copy_from_slice(&[0xff; 4]);
    let brotli = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, BROTLI).unwrap();
    for (name, answer, reason, words) in [
        (
            "cut",
            encoded("gzip", &whole[..whole.len() / 2]),
            "truncated",
            "ends early",
        ),
        (
            "without checksum",
            encoded("gzip", &whole[..whole.len() - 4]),
            "truncated",
            "ends early",
        ),
        (
            "cut brotli",
            encoded("br", &brotli[..brotli.len() / 2]),
            "truncated",
            "ends early",
        ),
        (
            "broken",
            encoded("gzip", &changed),
            "decode",
            "compression of the answer is broken",
        ),
        (
            "not gzip",
            encoded("gzip", b"\x01\x02\x03\x04\x05\x06"),
            "decode",
            "compression of the answer is broken",
        ),
        (
            "not brotli",
            encoded("br", BODY.as_bytes()),
            "decode",
            "compression of the answer is broken",
        ),
        (
            "unknown",
            encoded("zstd", b"\x28\xb5\x2f\xfd"),
            "decode",
            "content encoding `zstd`",
        ),
        (
            "two",
            encoded("gzip, br", b"x"),
            "decode",
            "content encoding `gzip, br`",
        ),
        (
            "a number",
            encoded("3001234567", b"x"),
            "decode",
            "unknown content encoding",
        ),
    ] {
        let (samples, status) = polled(answer, false).await;
        assert!(failed(&samples, reason), "{name}: {status}");
        assert!(status.contains(words), "{name}: {status}");
    }
}

/// A small body that unpacks to a gigabyte: one row that never ends, and rows without end.
#[tokio::test]
async fn a_bomb_stops_at_the_limit() {
    for (begin, block) in [
        ("[{\"campaign\":\"", vec![b'x'; 1 << 20]),
        ("[", b"{},".repeat(1 << 18)),
    ] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(begin.as_bytes()).unwrap();
        for _ in 0..1000 {
            encoder.write_all(&block).unwrap();
        }
        let begin = Instant::now();
        let (samples, status) = polled(encoded("gzip", &encoder.finish().unwrap()), false).await;
        assert!(failed(&samples, "too_large"), "{status}");
        assert!(begin.elapsed() < Duration::from_secs(50), "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn what_answers_in_place_of_the_api_is_named() {
    let html = b"<!DOCTYPE html><html><body>Please log in</body></html>";
    for (name, answer, is_greeting, reason, words) in [
        (
            "SSH",
            b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_vec(),
            true,
            "decode",
            "is no HTTP server",
        ),
        (
            "SSH, late",
            b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_vec(),
            false,
            "decode",
            "is no HTTP server",
        ),
        (
            "garbage",
            b"\x00\x01\x02garbage\r\n\r\n".to_vec(),
            false,
            "decode",
            "is no HTTP server",
        ),
        ("a web page", response("200 OK", "", html), false, "decode", "web page"),
        (
            "a web page, compressed",
            encoded("gzip", &gzip(html)),
            false,
            "decode",
            "web page",
        ),
        (
            "text",
            response("200 OK", "", b"It works!\n"),
            false,
            "decode",
            "plain text",
        ),
        (
            "a picture",
            response("200 OK", "", b"\x89PNG\r\n\x1a\n"),
            false,
            "decode",
            "neither JSON nor text",
        ),
        ("nothing", response("200 OK", "", b""), false, "truncated", "is empty"),
        (
            "no content",
            b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            false,
            "decode",
            "204",
        ),
        (
            "refused",
            response("403 Forbidden", "", html),
            false,
            "auth",
            "web page",
        ),
    ] {
        let (samples, status) = polled(answer, is_greeting).await;
        assert!(failed(&samples, reason), "{name}: {status}");
        assert!(status.contains(words), "{name}: {status}");
    }
}
