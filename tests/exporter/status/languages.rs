//! The page in Spanish: every word of it, in whatever state things are.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use wolkvox_exporter::client::{ApiError, Reason};
use wolkvox_exporter::metrics::process;
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::agents::AgentsNow;
use wolkvox_exporter::reports::latency::LatencyNow;
use wolkvox_exporter::reports::{
    AGENTS, Assumption, CALL_DURATIONS, CAMPAIGNS, IVR, LATENCY, Outcome, REPORTS, SKILLS, Tally, View,
};
use wolkvox_simulator::{Api, Fault, OperationPlan};

use super::{NOON, pass, publish, served_page};
use crate::now;
use crate::support::{Page, Stage, at, get, zone};

/// Words that both languages have, those of the configuration and the API, and names of programs.
const SHARED: &[&str] = &[
    // The same in both.
    "a",
    "api",
    "chats",
    "error",
    "ids",
    "ip",
    "no",
    "skill",
    "token",
    "url",
    "http",
    "https",
    "wolkvox",
    "json",
    "tls",
    "_other",
    "other",
    "firewall",
    "proxy",
    "ntp",
    "id",
    "min",
    "ms",
    "s",
    "h",
    "d",
    "utc",
    "dns",
    "ca",
    "server",
    "local",
    // Settings, commands and what the metrics say.
    "settle",
    "timezone",
    "timeout",
    "max_age",
    "daily_calls",
    "hours",
    "state_path",
    "series_limit",
    "ca_file",
    "check-api",
    "check-config",
    "shapes",
    "wolkvox_exporter",
    "data",
    "code",
    "web",
    "unknown",
];

/// What people read or hear of a page, in order: its title, the texts, and the labels of graphics and of cells on a phone.
fn texts(page: &str) -> Vec<String> {
    let (head, body) = page.split_once("<style>").unwrap();
    let body = body.split_once("</style>").unwrap().1;
    let mut texts = Vec::new();
    for part in format!("{head}{body}").split('<') {
        let Some((tag, text)) = part.split_once('>') else {
            continue;
        };
        for attribute in ["aria-label=\"", "data-label=\"", "title=\""] {
            texts.extend(
                tag.split_once(attribute)
                    .map(|(_, rest)| rest.split('"').next().unwrap().to_owned()),
            );
        }
        texts.push(text.trim().replace("&quot;", "\""));
    }
    texts.retain(|text| !text.is_empty());
    texts
}

/// The words of a text, without figures.
fn words_of(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphabetic() || c == '_' || c == '-';
    let words = text
        .split(|c: char| !is_part(c))
        .map(|word| word.trim_matches('-').to_lowercase());
    words.filter(|word| !word.is_empty()).collect()
}

async fn in_language(page: &Page, query: &str, language: &str) -> String {
    let url = page.0.replace("/metrics", &format!("/{query}"));
    let answer = get(&url, &[("accept-language", language)]).await;
    assert_eq!(answer.headers()["content-language"], language);
    assert_eq!(answer.headers()["vary"], "Accept-Language");
    let text = answer.text().await.unwrap();
    assert!(text.contains(&format!("<html lang=\"{language}\">")), "{text}");
    text
}

/// Compares both languages text by text. `data` is what Wolkvox or the configuration calls things.
async fn assert_translated(page: &Page, query: &str, data: &[String]) {
    let english = texts(&in_language(page, query, "en").await);
    let spanish = texts(&in_language(page, query, "es").await);
    assert_eq!(english.len(), spanish.len(), "{english:#?}\n{spanish:#?}");
    let names: Vec<&str> = REPORTS.iter().map(|report| report.name).collect();
    let mut allowed: BTreeSet<String> = SHARED.iter().map(|word| (*word).to_owned()).collect();
    for data in data.iter().map(String::as_str).chain(names) {
        allowed.extend(words_of(data));
    }
    let mut left = Vec::new();
    for (english, spanish) in english.iter().zip(&spanish) {
        let both = &words_of(english) & &words_of(spanish);
        let of_both = &both - &allowed;
        if !of_both.is_empty() {
            left.push(format!("{of_both:?} of {english:?} in {spanish:?}"));
        }
    }
    assert!(left.is_empty(), "{query}: left is {left:#?}");
}

fn owned(data: &[&str]) -> Vec<String> {
    data.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn every_word_of_what_is_read_is_spanish() {
    let mut stage = now::stage().await;
    let data = owned(&["acme", "America/Bogota"]);
    assert_translated(&stage.page, "", &data).await;
    assert_translated(&stage.page, "?operation=none", &owned(&["acme", "none"])).await;

    for report in REPORTS {
        stage.poll(report, NOON).await;
    }
    let later = at(NOON) + SignedDuration::from_mins(20);
    for report in REPORTS {
        stage.poll(report, &later.to_string()).await;
    }
    pass(Duration::from_secs(60)).await;
    // Names, and words that are not known.
    let samples = stage.samples().await;
    let named = samples
        .iter()
        .filter(|(name, ..)| name.ends_with("_info") || name.ends_with("_word") || name.contains("_aux"));
    let data: Vec<String> = named.flat_map(|(_, labels, _)| labels.values().cloned()).collect();
    let page = in_language(&stage.page, "", "es").await;
    for expected in [
        "Colas ahora",
        "En cola",
        "Contestadas en 20 s",
        "Agentes ahora",
        "en post-llamada",
        "disponibles",
        "Campañas",
        "▶ en marcha",
        "la mitad en ",
        "desde el arranque (",
        "hace 0 s",
        "Hora local 2026-11-20 12:20:00",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert_translated(&stage.page, "", &data).await;

    // Everything of now expires, and the calls leave the last hour.
    pass(Duration::from_secs(90 * 60)).await;
    assert_translated(&stage.page, "", &data).await;
}

#[tokio::test]
async fn every_failure_and_what_to_do_is_spanish() {
    let plan = || OperationPlan::new("acme", zone("America/Bogota"));
    let data = owned(&["acme", "America/Bogota"]);
    for fault in [
        Fault::status(404),
        Fault::status(401),
        Fault::status(403),
        Fault::status(500),
        Fault::status(302),
        Fault::SimultaneousLimit,
        Fault::QuotaExceeded,
        Fault::WrongToken,
        Fault::Html,
        Fault::CutBody(0.5),
        Fault::Delay(Duration::from_secs(20)),
    ] {
        let mut stage = Stage::with(NOON, plan(), |operation, _| {
            operation.reports.retain(|report, _| *report == &CALL_DURATIONS);
            for report in operation.reports.values_mut() {
                report.timeout = Duration::from_millis(300);
            }
        })
        .await;
        stage.acme().inject(fault.clone().on(Api::Cdr4));
        stage.poll(&CALL_DURATIONS, NOON).await;
        let page = in_language(&stage.page, "", "es").await;
        assert!(page.contains("✕ 1 de 1 reporte con fallas"), "{fault:?}: {page}");
        assert!(!page.contains("<span lang=\"en\">"), "{fault:?}: {page}");
        assert_translated(&stage.page, "", &data).await;
    }

    let mut stage = Stage::with(NOON, plan(), |operation, _| {
        operation.reports.retain(|report, _| *report == &CALL_DURATIONS);
        operation.daily_calls = 1;
    })
    .await;
    for _ in 0..2 {
        stage.poller.tick(&CALL_DURATIONS).await;
    }
    let page = in_language(&stage.page, "", "es").await;
    assert!(page.contains("se agotaron las daily_calls"), "{page}");
    assert_translated(&stage.page, "", &data).await;

    for url in ["http://127.0.0.1:9", "http://wv9999.invalid"] {
        let mut stage = Stage::with(NOON, plan(), |operation, _| {
            operation.reports.retain(|report, _| *report == &CALL_DURATIONS);
            url.clone_into(&mut operation.base_url);
        })
        .await;
        stage.poll(&CALL_DURATIONS, NOON).await;
        let page = in_language(&stage.page, "", "es").await;
        assert!(page.contains("✕ 1 de 1 reporte con fallas"), "{url}: {page}");
        let data = owned(&["acme", "America/Bogota", "os", "wv", "invalid"]);
        assert_translated(&stage.page, "", &data).await;
    }

    // What a library says may stay as it is, and is marked.
    let published = Published::new(process::registry(at(NOON)).0);
    for reason in Reason::ALL {
        publish(&published, &format!("x-{}", reason as usize), |health| {
            let ivr = health.reports.get_mut(&IVR).unwrap();
            ivr.failure(&ApiError::new(reason, "os error 7"));
        });
    }
    let page = served_page(published).await;
    let names: Vec<String> = Reason::ALL
        .iter()
        .map(|reason| format!("x-{}", *reason as usize))
        .collect();
    let data = [names, owned(&["os", "error", "x", "America/Bogota"])].concat();
    for query in ["", "?operation=x-0"] {
        assert_translated(&page, query, &data).await;
        let spanish = in_language(&page, query, "es").await;
        assert!(spanish.contains("<span lang=\"en\">os error 7</span>"), "{spanish}");
        assert!(!in_language(&page, query, "en").await.contains("<span lang"));
    }
}

#[tokio::test]
async fn every_concern_note_and_assumption_is_spanish() {
    let published = Published::new(process::registry(at(NOON)).0);
    published.publish_reload(false);
    publish(&published, "acme", |health| {
        health.used_by_others = Some(1200);
        health.state.is_on_disk = false;
        health.state.is_failing = true;
        health.dropped_at = Some(at(NOON));
        let mut tally = Tally::default();
        for assumption in Assumption::ALL {
            tally.violation(assumption);
        }
        tally.unknown_word("result", "Marte");
        for _ in 0..3 {
            tally.count(Outcome::Invalid);
        }
        let ivr = health.reports.get_mut(&IVR).unwrap();
        ivr.one_of = 3;
        ivr.data = Some(at(NOON) - SignedDuration::from_hours(2));
        ivr.skip(wolkvox_exporter::health::Skip::Budget);
        ivr.capped_windows = 1;
        ivr.corrections = 2;
        ivr.next_poll = Some(at(NOON));
        ivr.violations.add(&tally, at(NOON));
        ivr.tally.add(&tally);
    });
    let acme = "acme".into();
    published.publish_current(&acme, &SKILLS, Vec::new(), View::Skills(Vec::new()));
    published.publish_current(&acme, &AGENTS, Vec::new(), View::Agents(AgentsNow::default()));
    let losing = LatencyNow {
        bands: [1; 4],
        connected: 5,
        losing_packets: 2,
    };
    published.publish_current(&acme, &LATENCY, Vec::new(), View::Latency(losing));
    published.remove_report(&acme, &CAMPAIGNS);
    for n in 0..4 {
        publish(&published, &format!("other-{n}"), |health| {
            if n == 1 {
                health.reports.get_mut(&IVR).unwrap().up = None;
            }
        });
    }
    let page = served_page(published).await;
    let data = owned(&["acme", "other", "America/Bogota", "result", "Marte"]);
    for query in ["", "?operation=acme", "?operation=other-1"] {
        assert_translated(&page, query, &data).await;
    }
    let none = served_page(Published::new(process::registry(at(NOON)).0)).await;
    assert_translated(&none, "", &[]).await;
}

#[tokio::test]
async fn the_query_beats_the_header_and_links_keep_it() {
    let published = Published::new(process::registry(at(NOON)).0);
    for name in ["acme", "globex"] {
        publish(&published, name, |_| {});
    }
    let page = served_page(published).await;
    let ask = async |query: &str, accept: &str| {
        let url = page.0.replace("/metrics", &format!("/{query}"));
        let answer = get(&url, &[("accept-language", accept)]).await;
        let language = answer.headers()["content-language"].to_str().unwrap().to_owned();
        (language, answer.text().await.unwrap())
    };
    for (query, accept, expected) in [
        ("", "es-CO,es;q=0.9,en;q=0.8", "es"),
        ("", "es-419", "es"),
        ("", "en;q=0.3, es-MX;q=0.7", "es"),
        ("", "fr-FR, *;q=0.1", "en"),
        ("?lang=en", "es", "en"),
        ("?lang=es", "en", "es"),
        ("?operation=acme&lang=es", "", "es"),
        ("?lang=fr", "es", "es"),
    ] {
        let (language, text) = ask(query, accept).await;
        assert_eq!(language, expected, "{query} {accept}");
        assert!(text.contains(&format!("<html lang=\"{expected}\">")));
    }
    let (_, text) = ask("?lang=es", "en").await;
    assert!(text.contains("href=\"?operation=acme&amp;lang=es\""), "{text}");
    let (_, text) = ask("?operation=acme&lang=es", "en").await;
    assert!(
        text.contains("href=\"?lang=es\"") && text.contains("← Las 2 operaciones"),
        "{text}"
    );
    assert!(text.contains("href=\"?operation=acme&amp;lang=en\">English"), "{text}");
    let (_, text) = ask("?operation=acme", "es").await;
    assert!(
        text.contains("href=\".\"") && text.contains("href=\"?operation=acme&amp;lang=en\""),
        "{text}"
    );
    // Without a header, which no browser sends, English.
    let answer = get(&page.0.replace("/metrics", "/"), &[]).await;
    assert_eq!(answer.headers()["content-language"], "en");
}
