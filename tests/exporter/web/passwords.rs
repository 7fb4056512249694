//! Users and passwords.

use std::sync::Arc;

use wolkvox_exporter::web::{ServerSettings, WebConfig};

use super::support::{Files, get, quick, start, start_with, status, until};

/// The cheapest cost of bcrypt.
fn hash(password: &str) -> String {
    bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap().to_string()
}

fn config(files: &Files, users: &[(&str, &str)]) -> WebConfig {
    files.load(&text(users)).unwrap()
}

fn text(users: &[(&str, &str)]) -> String {
    let users = users
        .iter()
        .map(|(name, password)| format!("  {name}: {}\n", hash(password)));
    format!("basic_auth_users:\n{}", users.collect::<String>())
}

#[tokio::test]
async fn a_known_user_with_the_password_gets_in_and_nobody_else() {
    let files = Files::new();
    let server = start_with(config(&files, &[("alice", "one"), ("bob", "two:three")])).await;
    // Twice, since verified passwords are remembered.
    for _ in 0..2 {
        for (credentials, expected) in [
            (Some("alice:one"), 200),
            (Some("bob:two:three"), 200),
            (Some("alice:two:three"), 401),
            (Some("alice:"), 401),
            (Some("alice"), 401),
            (Some("Alice:one"), 401),
            (Some("carol:one"), 401),
            (Some(":"), 401),
            (None, 401),
        ] {
            assert_eq!(
                server.status("/metrics", credentials).await,
                expected,
                "{credentials:?}"
            );
        }
    }
    for path in ["/", "/nothing", "/-/healthy", "/-/ready", "/-/reload"] {
        assert_eq!(server.status(path, None).await, 401, "{path}");
    }
    let answer = server.ask(&get("/metrics", None)).await;
    assert!(answer.contains("www-authenticate: Basic realm="), "{answer}");
    let others = [
        "Bearer YWxpY2U6b25l",
        "Basic",
        "Basic !",
        "Basic YWxpY2U6b25l YWxpY2U6b25l",
    ];
    for authorization in others {
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: test\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(status(&server.ask(&request).await), 401, "{authorization}");
    }
    let request =
        "GET /metrics HTTP/1.1\r\nHost: test\r\nAuthorization: bAsIc YWxpY2U6b25l\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&server.ask(request).await), 200, "a scheme has no case");
}

#[tokio::test]
async fn health_needs_no_password_when_the_flag_is_given() {
    let files = Files::new();
    let server = start(ServerSettings {
        config: Some(config(&files, &[("alice", "one")])),
        health_without_auth: true,
        limits: quick(),
    })
    .await;
    for (path, expected) in [
        ("/-/healthy", 200),
        ("/-/ready", 200),
        ("/metrics", 401),
        ("/-/healthy/", 401),
        ("/-/reload", 401),
    ] {
        assert_eq!(server.status(path, None).await, expected, "{path}");
    }
}

#[tokio::test]
async fn who_guesses_passwords_keeps_only_themselves_waiting() {
    let files = Files::new();
    // Expensive enough for guesses to pile up.
    let hash = bcrypt::hash_with_salt("one", 8, [7; 16]).unwrap();
    let config = files.load(&format!("basic_auth_users:\n  alice: {hash}\n")).unwrap();
    let server = Arc::new(start_with(config).await);
    let guesses: Vec<_> = (0..40)
        .map(|n| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { server.status_from([127, 0, 0, 2], &format!("alice:{n}")).await })
        })
        .collect();
    assert_eq!(server.status("/metrics", Some("alice:one")).await, 200);
    let mut answers = Vec::new();
    for guess in guesses {
        answers.push(guess.await.unwrap());
    }
    assert!(answers.contains(&503), "{answers:?}");
    assert!(answers.iter().all(|answer| [401, 503].contains(answer)), "{answers:?}");
}

/// Many addresses that guess passwords take all places; one of theirs gives way to somebody whose password is right, also
/// where each has no more than one.
#[tokio::test]
async fn a_flood_of_guesses_keeps_no_right_password_out() {
    for addresses in [8, 96] {
        flood_from(addresses).await;
    }
}

async fn flood_from(addresses: u8) {
    let files = Files::new();
    // So expensive that the flood lasts for longer than the test.
    let hash = bcrypt::hash_with_salt("one", 10, [7; 16]).unwrap();
    let config = files.load(&format!("basic_auth_users:\n  alice: {hash}\n")).unwrap();
    let server = Arc::new(start_with(config).await);
    let flood: Vec<_> = (0..8 * 12_u8)
        .map(|n| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                let from = [127, 0, 1, 1 + n % addresses];
                for guess in 0..20 {
                    server.status_from(from, &format!("alice:{n}.{guess}")).await;
                }
            })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    for newcomer in 1..=3 {
        // Each with a password of its own, as far as the exporter knows: none is remembered.
        let answer = server
            .status_from([127, 0, 2, newcomer], &format!("bob{newcomer}:x"))
            .await;
        assert_eq!(answer, 401, "it got its turn");
    }
    assert_eq!(server.status_from([127, 0, 2, 9], "alice:one").await, 200);
    flood.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn users_are_read_again_and_never_all_taken_away() {
    let files = Files::new();
    let server = start_with(config(&files, &[("alice", "one")])).await;
    assert_eq!(server.status("/metrics", Some("alice:one")).await, 200);

    files.put("web.yml", text(&[("alice", "new"), ("bob", "two")]));
    until(async || server.status("/metrics", Some("bob:two")).await == 200).await;
    assert_eq!(
        server.status("/metrics", Some("alice:one")).await,
        401,
        "the old password is forgotten"
    );
    assert_eq!(server.status("/metrics", Some("alice:new")).await, 200);

    for bad in [
        "",
        "basic_auth_users:\n",
        "basic_auth_users:\n  bob: two\n",
        "http_server_config:\n  http2: false\n",
    ] {
        files.put("web.yml", bad);
        tokio::time::sleep(quick().watch_every * 10).await;
        assert_eq!(server.status("/metrics", None).await, 401, "{bad}");
        assert_eq!(server.status("/metrics", Some("bob:two")).await, 200, "{bad}");
    }
    files.put("web.yml", text(&[("carol", "three")]));
    until(async || server.status("/metrics", Some("carol:three")).await == 200).await;
    assert_eq!(server.status("/metrics", Some("bob:two")).await, 401);
}
