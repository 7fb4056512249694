//! Large answers take turns, so that their rows fit into memory.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use wolkvox_exporter::client::{Allowance, Answer, ApiError, CallBudget, Client, RetryPolicy};
use wolkvox_exporter::config::{Operation, Token};
use wolkvox_exporter::reports::events::{Asked, EventReader, Events};
use wolkvox_exporter::reports::{ABANDONED_CALLS, Kind};
use wolkvox_exporter::wire::{Endpoint, Query};

use crate::support::zone;

/// Of a request. A large answer waits longer than this.
const TIME_LIMIT: Duration = Duration::from_secs(1);
/// Longer than another test that runs beside this one has a turn.
const PATIENCE: Duration = Duration::from_secs(5);

type Fetch = JoinHandle<Result<Answer<EventReader>, ApiError>>;

/// An answer of 3,000 rows, whose length is not announced.
const LARGE: &str = "large";
/// One of which it is.
const ANNOUNCED: &str = "announced";
/// An answer of ten rows.
const SMALL: &str = "small";
/// 3,000 rows of an answer that does not go on.
const STALLED: &str = "stalled";

/// One test, since the turns are those of the whole process.
#[tokio::test(flavor = "multi_thread")]
async fn large_answers_take_turns() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = serve().await;
    small_answers_do_not_wait(&url).await;
    requests_that_wait_for_a_retry_hold_no_turn(&url).await;
}

async fn small_answers_do_not_wait(url: &str) {
    for kind in [LARGE, ANNOUNCED] {
        let mut held = Vec::new();
        let waiting = loop {
            assert!(held.len() < 64, "all large answers are held at once");
            let mut next = fetch(url, kind);
            match timeout(PATIENCE, &mut next).await {
                Ok(answer) => held.push(answer.unwrap().unwrap()),
                Err(_) => break next,
            }
        };
        assert!(!held.is_empty());
        let small = timeout(TIME_LIMIT, fetch(url, SMALL)).await.expect("no wait");
        assert_eq!(small.unwrap().unwrap().count, 10);
        assert!(
            !waiting.is_finished(),
            "it neither gives up nor takes the place of another"
        );
        drop(held.pop());
        let answer = timeout(PATIENCE, waiting).await.expect("its turn");
        assert_eq!(answer.unwrap().unwrap().count, 3000);
    }
}

/// A request that was given up waits a minute before it is sent again, and takes no turn meanwhile.
async fn requests_that_wait_for_a_retry_hold_no_turn(url: &str) {
    let stalled: Vec<Fetch> = (0..16).map(|_| fetch(url, STALLED)).collect();
    sleep(2 * TIME_LIMIT).await;
    let large = timeout(2 * PATIENCE, fetch(url, LARGE)).await.expect("its turn");
    assert_eq!(large.unwrap().unwrap().count, 3000);
    for fetch in stalled {
        assert!(!fetch.is_finished(), "it is to be sent again");
        fetch.abort();
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
            retry_within: Duration::from_secs(if kind == STALLED { 600 } else { 0 }),
            budget: &mut CallBudget::new(2, jiff::civil::date(2026, 11, 26), 0),
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
    if is(STALLED) {
        stream.write_all(&body.as_bytes()[..body.len() - 10]).await?;
        return std::future::pending().await;
    }
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
