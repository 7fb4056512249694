//! Large answers take turns, so that their rows fit into memory.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wolkvox_exporter::client::{Allowance, Answer, ApiError, CallBudget, Client, RetryPolicy};
use wolkvox_exporter::config::{Operation, Token};
use wolkvox_exporter::reports::events::{Asked, EventReader, Events};
use wolkvox_exporter::reports::{ABANDONED_CALLS, Kind};
use wolkvox_exporter::wire::{Endpoint, Query};

use crate::support::zone;

/// Of a request. A large answer waits longer than this.
const TIME_LIMIT: Duration = Duration::from_secs(1);

type Fetch = JoinHandle<Result<Answer<EventReader>, ApiError>>;

/// The answers that a server is asked for: 3,000 rows, the same with its length announced, and few rows.
const LARGE: &str = "large";
const ANNOUNCED: &str = "announced";
const SMALL: &str = "small";

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_take_turns_and_small_ones_do_not_wait() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = serve().await;
    for kind in [LARGE, ANNOUNCED] {
        let mut held = Vec::new();
        let waiting = loop {
            assert!(held.len() < 64, "all large answers are held at once");
            let mut next = fetch(&url, kind);
            match timeout(2 * TIME_LIMIT, &mut next).await {
                Ok(answer) => held.push(answer.unwrap().unwrap()),
                Err(_) => break next,
            }
        };
        assert!(!held.is_empty());
        let small = timeout(TIME_LIMIT, fetch(&url, SMALL)).await.expect("no wait");
        assert_eq!(small.unwrap().unwrap().count, 10);
        assert!(
            !waiting.is_finished(),
            "it neither gives up nor takes the place of another"
        );
        drop(held.pop());
        let answer = timeout(2 * TIME_LIMIT, waiting).await.expect("its turn");
        assert_eq!(answer.unwrap().unwrap().count, 3000);
    }
}

/// Asks for an answer, as an operation of its own.
fn fetch(url: &str, kind: &'static str) -> Fetch {
    let operation = Operation::new("acme", url.to_owned(), Token::given("token"));
    let client = Client::new(&operation, RetryPolicy::default()).unwrap();
    tokio::spawn(async move {
        let Kind::Events(rows) = &ABANDONED_CALLS.kind else {
            unreachable!();
        };
        let query = Query {
            endpoint: Endpoint {
                script: kind,
                api: "skill_2",
            },
            parameters: Vec::new(),
        };
        let allowance = Allowance {
            timeout: TIME_LIMIT,
            retry_within: Duration::ZERO,
            budget: &mut CallBudget::new(1, jiff::civil::date(2026, 11, 26), 0),
            attempts: &mut Vec::new(),
        };
        let events = || Events::new(&zone("America/Bogota"), 0, Asked::ANYTHING);
        client
            .fetch(&query, allowance, || EventReader::new(rows, events()))
            .await
    })
}

/// A server; returns its address.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    url
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = vec![0; 8192];
    let length = stream.read(&mut request).await?;
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    let is = |kind: &str| request.contains(&format!("/{kind}?"));
    let comment = "x".repeat(if is(ANNOUNCED) { 400 } else { 0 });
    let rows: Vec<String> = (0..if is(SMALL) { 10 } else { 3000 })
        .map(|n| {
            format!(
                r#"{{"skill_id":"4010","conn_id":"{n}","date":"2026-11-26 10:00:00","result":"answered","comments":"{comment}"}}"#
            )
        })
        .collect();
    let body = format!(r#"{{"code":"200","error":null,"msg":"","data":[{}]}}"#, rows.join(","));
    let length = if is(ANNOUNCED) {
        format!("content-length: {}\r\n", body.len())
    } else {
        String::new()
    };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n{length}\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
