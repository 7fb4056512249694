//! Slow, numerous or misbehaving clients, and a shutdown that cuts nobody off.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use wolkvox_exporter::web::{Limits, ServerSettings};

use super::support::{Server, get, quick, start, status, until, until_closed};

async fn plain(limits: Limits) -> Server {
    start(ServerSettings {
        limits,
        ..ServerSettings::default()
    })
    .await
}

const KEPT: &str = "GET /-/healthy HTTP/1.1\r\nHost: test\r\n\r\n";

/// Sends a request and reads the answer, without closing the connection.
async fn healthy(stream: &mut TcpStream) {
    stream.write_all(KEPT.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_head_has_a_short_time_and_silence_a_longer_one() {
    let server = plain(quick()).await;
    let mut silent = server.connect().await;
    let mut kept = server.connect().await;
    healthy(&mut kept).await;
    let mut slow = server.connect().await;
    let drip = async {
        let start = Instant::now();
        for byte in KEPT.bytes() {
            if slow.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        start.elapsed()
    };
    let (silent, kept, dripped) = tokio::join!(until_closed(&mut silent), until_closed(&mut kept), drip);
    let Limits { head, idle, .. } = quick();
    for waited in [silent, kept] {
        assert!(waited >= idle * 9 / 10 && waited < idle * 2, "{waited:?}");
    }
    assert!(dripped >= head && dripped < idle, "{dripped:?}");
}

/// Requests more than the system's buffers hold, and reads nothing.
async fn stall(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    let requests = "GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n".repeat(50);
    stream.write_all(requests.as_bytes()).await.unwrap();
    // Until the server has begun to answer, and some longer.
    stream.readable().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    stream
}

/// It reads all the time, so it never stalls, but it would keep its answers in memory for half a minute.
#[tokio::test]
async fn a_client_that_reads_too_slowly_is_left() {
    let server = plain(Limits {
        answer: Duration::from_millis(150),
        write_stall: Duration::from_secs(20),
        ..quick()
    })
    .await;
    let mut stream = stall(&server).await;
    let begun = Instant::now();
    let mut read = 0;
    let mut some = [0; 128];
    while let Ok(length @ 1..) = stream.read(&mut some).await {
        read += length;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let page = server.ask(&super::support::get("/metrics", None)).await.len();
    assert!(read < 40 * page, "{read} bytes of 50 pages of {page}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_left() {
    let server = plain(quick()).await;
    let mut stream = stall(&server).await;
    tokio::time::sleep(quick().write_stall * 3).await;
    // Only what the system buffered is left to read.
    let mut answers = Vec::new();
    let _ = stream.read_to_end(&mut answers).await;
    let text = String::from_utf8(answers).unwrap();
    let answered = text.matches("HTTP/1.1 200 OK").count();
    assert!((1..50).contains(&answered), "{answered}");
}

#[tokio::test]
async fn heads_are_limited() {
    let server = plain(Limits::default()).await;
    let long = format!(
        "GET /metrics HTTP/1.1\r\nHost: test\r\nX: {}\r\n\r\n",
        "x".repeat(16 << 10)
    );
    assert_eq!(status(&server.ask(&long).await), 431);
    let many = format!("GET /metrics HTTP/1.1\r\nHost: test\r\n{}\r\n", "X: x\r\n".repeat(100));
    assert_eq!(status(&server.ask(&many).await), 431);
    let fits = format!(
        "GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX: {}\r\n\r\n",
        "x".repeat(15 << 10)
    );
    assert_eq!(status(&server.ask(&fits).await), 200);
}

#[tokio::test]
async fn for_a_new_client_the_one_that_waited_longest_goes() {
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let server = plain(limits).await;
    let (mut first, mut second, mut third) = (server.connect().await, server.connect().await, server.connect().await);
    healthy(&mut second).await;
    healthy(&mut third).await;
    healthy(&mut first).await;
    assert_eq!(server.status("/metrics", None).await, 200);
    assert!(until_closed(&mut second).await < Duration::from_secs(1));
    healthy(&mut first).await;
    healthy(&mut third).await;
}

/// None of them is idle: each has sent a request, and none reads.
#[tokio::test]
async fn clients_that_do_not_read_keep_nobody_out() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let server = plain(limits).await;
    let _stalled = (stall(&server).await, stall(&server).await);
    for _ in 0..5 {
        assert_eq!(server.status("/metrics", None).await, 200);
    }
}

#[tokio::test]
async fn bodies_are_not_waited_for() {
    let server = plain(Limits::default()).await;
    let head = "POST /metrics HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\nbegin";
    let start = Instant::now();
    assert_eq!(status(&server.ask(head).await), 405);
    assert!(start.elapsed() < Duration::from_secs(1));
}

/// A proxy may take another one of two hosts than we do.
#[tokio::test]
async fn a_request_names_one_host() {
    let server = plain(Limits::default()).await;
    for (version, hosts, expected) in [
        ("1.1", "Host: test\r\n", 200),
        ("1.1", "", 400),
        ("1.1", "Host: test\r\nHost: test\r\n", 400),
        ("1.1", "Host: test\r\nX: y\r\nhOST: other\r\n", 400),
        ("1.0", "", 200),
        ("1.0", "Host: test\r\n", 200),
        ("1.0", "Host: test\r\nHost: test\r\n", 400),
    ] {
        for path in ["/metrics", "/-/healthy", "/"] {
            let request = format!("GET {path} HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n");
            let answer = server.ask(&request).await;
            assert_eq!(status(&answer), expected, "{request}");
            assert!(answer.contains("x-content-type-options: nosniff\r\n"), "{answer}");
        }
    }
}

#[tokio::test]
async fn methods_and_paths() {
    let server = plain(Limits::default()).await;
    let ask = async |method: &str, path: &str| server.ask(&get(path, None).replacen("GET", method, 1)).await;
    let answer = ask("POST", "/metrics").await;
    assert_eq!(status(&answer), 405);
    assert!(answer.contains("allow: GET,HEAD\r\n"), "{answer}");
    let answer = ask("GET", "/-/reload").await;
    assert_eq!(status(&answer), 405);
    assert!(answer.contains("allow: POST,PUT\r\n"), "{answer}");
    let answer = ask("GET", "/metrics/").await;
    assert_eq!(status(&answer), 404);
    assert!(answer.contains("content-type: text/plain"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nthere is nothing here\n"), "{answer}");
    let answer = ask("HEAD", "/metrics").await;
    assert_eq!(status(&answer), 200);
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    let length = answer
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    assert!(length.parse::<usize>().unwrap() > 1000, "{answer}");
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_and_closes_the_rest() {
    let server = plain(Limits::default()).await;
    let mut idle = server.connect().await;
    healthy(&mut idle).await;
    let mut begun = server.connect().await;
    begun.write_all(b"GET /metr").await.unwrap();
    let mut reading = stall(&server).await;
    server.stop.cancel();
    assert!(until_closed(&mut idle).await < Duration::from_secs(1));
    assert!(until_closed(&mut begun).await < Duration::from_secs(1));
    until(async || TcpStream::connect(server.address).await.is_err()).await;
    assert!(!server.running.is_finished(), "it waits for the one that is reading");

    let mut answers = Vec::new();
    // Requests that were never served make the system reset the connection in the end.
    let _ = reading.read_to_end(&mut answers).await;
    let text = String::from_utf8(answers).unwrap();
    let last = text.rfind("HTTP/1.1 200 OK").unwrap();
    let (head, body) = text[last..].split_once("\r\n\r\n").unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    assert_eq!(body.len().to_string(), length, "the last answer is complete");
    server.running.await.unwrap().unwrap();
}
