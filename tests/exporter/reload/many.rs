//! Fifty reloads, one after the other.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;

use super::{FAST, Scene, all_up, assert_none_fell, counters, reload, until};
use crate::support::{Process, Samples, client};

/// The configuration for the n-th of many reloads: each time something else is added, removed or changed, but beta is
/// never touched.
fn nth_configuration(scene: &Scene, n: u32) {
    let changed = format!("    currency: {}\n{FAST}", ["COP", "USD", "EUR"][n as usize % 5 % 3]);
    match n % 3 {
        0 => scene.write("", &[("acme", &changed), ("beta", FAST), ("gamma", FAST)]),
        1 => scene.write("", &[("acme", &changed), ("beta", FAST)]),
        _ => scene.write("", &[("beta", FAST), ("gamma", FAST)]),
    }
}

#[tokio::test]
async fn fifty_reloads_leave_no_task_behind() {
    let scene = Scene::new("tasks").await;
    nth_configuration(&scene, 0);
    let (page, _stop) = scene.start(true).await;
    let handle = tokio::runtime::Handle::current();
    let settled = async || {
        until(&page, "three", |page| {
            ["acme", "beta", "gamma"].iter().all(|name| all_up(page, name, 3))
        })
        .await;
        sleep(Duration::from_millis(500)).await;
        handle.metrics().num_alive_tasks()
    };
    let before = settled().await;
    for n in 1..=51 {
        nth_configuration(&scene, n);
        assert_eq!(reload(&page).await.0, 200, "{n}");
    }
    let after = settled().await;
    // Client connections come and go.
    assert!(after <= before + 4, "{before} tasks before, {after} after");
}

/// Reloads the real binary by signal and over HTTP, while it is scraped continuously.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_reloads_under_load_lose_no_scrape_no_count_and_no_descriptor() {
    let scene = Scene::new("load").await;
    nth_configuration(&scene, 0);
    let file = format!("--config.file={}", scene.file().display());
    let (process, page) = Process::serving(&[&file, "--web.enable-lifecycle"], Stdio::null()).await;
    let client = client();
    let ready = |samples: &Samples| ["acme", "beta", "gamma"].iter().all(|name| all_up(samples, name, 3));
    let before = until(&page, "three", ready).await;

    let (stop, scrapes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let highest = Arc::new(Mutex::new(BTreeMap::<String, f64>::new()));
    let scrapers: Vec<_> = (0..2)
        .map(|_| {
            let (client, url) = (client.clone(), page.0.clone());
            let (stop, scrapes, highest) = (Arc::clone(&stop), Arc::clone(&scrapes), Arc::clone(&highest));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let known = highest.lock().unwrap().clone();
                    let answer = client.get(&url).send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    let samples = Samples::parse(&answer.text().await.unwrap());
                    let shown = counters(&samples, "beta");
                    assert_none_fell(&known, &shown);
                    scrapes.fetch_add(1, Ordering::Relaxed);
                    let mut highest = highest.lock().unwrap();
                    for (series, value) in shown {
                        let highest = highest.entry(series).or_default();
                        *highest = highest.max(value);
                    }
                }
            })
        })
        .collect();
    for n in 1..=51 {
        let done = scrapes.load(Ordering::Relaxed);
        nth_configuration(&scene, n);
        if n % 2 == 0 {
            let kill = Command::new("kill")
                .args(["-HUP", &process.0.id().to_string()])
                .status()
                .unwrap();
            assert!(kill.success());
        }
        // Reloads run one after the other, so this one ends after the one started by the signal.
        assert_eq!(reload(&page).await.0, 200, "{n}");
        while scrapes.load(Ordering::Relaxed) < done + 3 {
            assert!(
                !scrapers.iter().any(tokio::task::JoinHandle::is_finished),
                "a scrape failed"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for scraper in scrapers {
        scraper.await.unwrap();
    }
    drop(client);
    let few = |samples: &Samples| {
        let descriptors = |samples: &Samples| samples.get("process_open_fds", &[]).unwrap();
        ready(samples) && descriptors(samples) <= descriptors(&before) + 4.0
    };
    let after = until(&page, "as many descriptors as before", few).await;
    assert_eq!(
        after.get("wolkvox_exporter_config_last_reload_successful", &[]),
        Some(1.0)
    );
}
