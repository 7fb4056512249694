//! Several processes share the operations of one configuration. Exactly one process polls each operation. With one more
//! shard, only the operations that it takes over move, and they keep their counts.

mod growth;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tokio::time::sleep;
use wolkvox_exporter::config::Shard;
use wolkvox_simulator::{OperationPlan, SimulatedClock, Simulator, SimulatorConfig};

use crate::ledger::Folder;
use crate::support::{Page, Samples, get, serve, zone};

const OPERATIONS: usize = 2000;
/// Takes a fraction of this, unless the machine is busy.
const PATIENCE: Duration = Duration::from_secs(240);

fn names() -> impl Iterator<Item = String> {
    (0..OPERATIONS).map(|n| format!("operation-{n}"))
}

/// The location of an operation's state depends on this, so no version may change it.
#[test]
fn the_shard_of_a_name_never_changes() {
    let of = |name: &str| [2, 3, 10, 11, 1000].map(|total| Shard::of(name, total));
    // Also computed with another implementation of SipHash-2-4.
    let golden = [
        ("a", [1, 1, 4, 4, 662]),
        ("acme", [0, 0, 0, 0, 351]),
        ("medellin", [0, 0, 0, 10, 705]),
        ("Zentrale_2", [1, 1, 1, 1, 316]),
        ("operation-1999", [0, 2, 9, 9, 776]),
        (
            "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_",
            [0, 0, 5, 10, 416],
        ),
    ];
    for (name, shards) in golden {
        assert_eq!(of(name), shards, "{name}");
    }
}

proptest! {
    #[test]
    fn every_operation_has_one_shard_and_moves_only_to_a_new_one(name in "[A-Za-z0-9_-]{1,64}", total in 1..60_u16) {
        let shards = (0..total).map(|index| Shard::new(index, total).unwrap());
        let having: Vec<u16> = shards.filter(|shard| shard.has(&name)).map(Shard::index).collect();
        prop_assert_eq!(&having, &[Shard::of(&name, total)]);
        let after = Shard::of(&name, total + 1);
        prop_assert!(after == having[0] || after == total);
    }
}

#[test]
fn operations_are_spread_evenly_and_an_eleventh_shard_takes_an_eleventh() {
    for total in [2_u16, 10, 11, 50] {
        let mut sizes = vec![0_usize; total.into()];
        names().for_each(|name| sizes[usize::from(Shard::of(&name, total))] += 1);
        // Five standard deviations: by chance this happens less than once in a million runs.
        let mean = OPERATIONS as f64 / f64::from(total);
        let farthest = sizes.iter().map(|size| (*size as f64 - mean).abs()).fold(0.0, f64::max);
        assert!(farthest < 5.0 * mean.sqrt(), "{total} shards: {sizes:?}");
    }
    let moved = names()
        .filter(|name| Shard::of(name, 10) != Shard::of(name, 11))
        .count();
    assert!((120..=250).contains(&moved), "{moved}");
}

/// The samples of the families with this prefix, by operation.
fn by_operation(text: &str, families: &[&str]) -> BTreeMap<String, Samples> {
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines() {
        let name = line.strip_prefix("wolkvox_").unwrap_or_default();
        if families.iter().any(|family| name.starts_with(family)) {
            let (_, operation) = line.split_once("operation=\"").unwrap();
            let (operation, _) = operation.split_once('"').unwrap();
            let lines = lines.entry(operation).or_default();
            lines.push_str(line);
            lines.push('\n');
        }
    }
    let parsed = lines
        .into_iter()
        .map(|(name, lines)| (name.to_owned(), Samples::parse(&lines)));
    parsed.collect()
}

/// A process of the real binary, run on the `wolkvox.yml` of a folder.
struct Process {
    child: Child,
    /// Its log, until it has logged its address.
    start: String,
    page: Page,
    log: BufReader<ChildStderr>,
}

impl Process {
    fn start(folder: &Path, flags: &[&str]) -> Self {
        let mut child = binary(folder, flags).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut start = String::new();
        while !start.contains(" url=") {
            assert!(log.read_line(&mut start).unwrap() > 0, "it ended: {start}");
        }
        let (_, url) = start.split_once(" url=").unwrap();
        let url = url.split_whitespace().next().unwrap().trim_matches('"');
        Self {
            page: Page(format!("{url}/metrics")),
            start,
            child,
            log,
        }
    }

    /// The operations that it polls, once each has been read.
    async fn operations(&self) -> BTreeSet<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = by_operation(&self.page.text("text/plain").await, &["up", "api_calls_limit"]);
            if page.values().all(|samples| samples.get("wolkvox_up", &[]) == Some(1.0)) {
                return page.into_keys().collect();
            }
            assert!(Instant::now() < deadline, "{page:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reloads the configuration, and returns what is logged about it.
    fn reload(&mut self) -> String {
        let sent = Command::new("kill")
            .args(["-HUP", &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let mut said = String::new();
        while !said.contains(" operations") {
            assert!(self.log.read_line(&mut said).unwrap() > 0, "it ended: {said}");
        }
        said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"));
    command
        .current_dir(folder)
        .arg("--web.listen-address=127.0.0.1:0")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// A configuration file with the first operations of a simulator.
fn write_configuration(folder: &Path, simulator: &Simulator, url: &str, count: usize) {
    let mut text = "new_series_hold: 0s\noperations:\n".to_owned();
    for simulated in &simulator.operations()[..count] {
        let name = simulated.name();
        std::fs::write(folder.join(name), simulated.token()).unwrap();
        text.push_str(&format!(
            "- {{name: {name}, url: '{url}', token_file: {name}, reports: {{campaigns: {{interval: 1s}}}}}}\n"
        ));
    }
    std::fs::write(folder.join("wolkvox.yml"), text).unwrap();
}

fn owned_by(index: u16, total: u16, names: &[&str]) -> BTreeSet<String> {
    let own = names.iter().filter(|name| Shard::of(name, total) == index);
    own.map(|name| (*name).to_owned()).collect()
}

/// Two processes, which find their shard from the names of their pods, on one file; then with one more operation.
#[tokio::test(flavor = "multi_thread")]
async fn processes_share_a_configuration_and_say_what_is_not_theirs() {
    let plan = |n: u32| OperationPlan::new(format!("operation-{n}"), zone("America/Bogota")).campaigns(1);
    let simulator = Simulator::new(SimulatorConfig {
        seed: 7,
        clock: SimulatedClock::system(),
        operations: (0..12).map(plan).collect(),
    });
    let served = serve(&simulator).await;
    let folder = Folder::new("two-shards");
    let names: Vec<&str> = simulator
        .operations()
        .iter()
        .map(|operation| operation.name())
        .collect();
    std::fs::create_dir_all(&folder.0).unwrap();
    write_configuration(&folder.0, &simulator, &served.url(), 11);
    // Left behind by an earlier run with another number of shards; the other files belong to no shard.
    let foreign = owned_by(1, 2, &names[..11]).pop_first().unwrap();
    let state = folder.0.join("state-0");
    std::fs::create_dir(&state).unwrap();
    for file in [format!("{foreign}.redb"), "nobody.redb".to_owned()] {
        std::fs::write(state.join(file), "").unwrap();
    }

    let mut shards = [0, 1].map(|index| {
        let (index, state) = (
            format!("--shard.index=exporter-{index}"),
            format!("--state.path=state-{index}"),
        );
        Process::start(&folder.0, &[&index, "--shard.total=2", &state])
    });
    for (index, shard) in (0..).zip(&shards) {
        let own = owned_by(index, 2, &names[..11]);
        assert!((1..11).contains(&own.len()), "both have some: {own:?}");
        assert_eq!(shard.operations().await, own);
        let line = format!("shard {index} of 2: {} of 11 operations", own.len());
        assert!(shard.start.contains(&line), "{}", shard.start);
        let warning = format!("other shards: {foreign} (shard 1). Unless");
        assert_eq!(shard.start.contains(&warning), index == 0, "{}", shard.start);
        assert!(!shard.start.contains("nobody"), "{}", shard.start);
        let status = get(&shard.page.0.replace("/metrics", "/"), &[])
            .await
            .text()
            .await
            .unwrap();
        assert!(status.contains(&format!(" · shard {index} of 2 · ")), "{status}");
        // An operation of the other shard, which somebody may look for here.
        let other = names[..11].iter().find(|name| !own.contains(**name)).unwrap();
        let missing = get(&shard.page.0.replace("/metrics", &format!("/?operation={other}")), &[]).await;
        assert_eq!(missing.status(), 404);
        let missing = missing.text().await.unwrap();
        let heading = format!("There is no operation “{other}” in shard {index} of 2");
        assert!(missing.contains(&heading), "{missing}");
    }

    write_configuration(&folder.0, &simulator, &served.url(), 12);
    for (index, shard) in (0..).zip(&mut shards) {
        let own = owned_by(index, 2, &names);
        let said = shard.reload();
        assert!(
            said.contains(&format!("shard {index} of 2: {} of 12 operations", own.len())),
            "{said}"
        );
        assert_eq!(shard.operations().await, own);
    }
    for simulated in simulator.operations() {
        assert_eq!(simulated.observed().most_in_flight, 1, "{}", simulated.name());
    }
}

/// A shard without operations runs, is ready, and logs that it has none.
#[tokio::test]
async fn a_shard_without_operations_runs() {
    let simulator = Simulator::demo(1, SimulatedClock::system());
    let folder = Folder::new("empty-shard");
    std::fs::create_dir_all(&folder.0).unwrap();
    write_configuration(&folder.0, &simulator, "http://127.0.0.1:9", 1);
    let empty = 1 - Shard::of("medellin", 2);
    let shard = Process::start(&folder.0, &[&format!("--shard.index={empty}"), "--shard.total=2"]);
    assert!(shard.operations().await.is_empty());
    let page = |path: &str| shard.page.0.replace("/metrics", path);
    assert_eq!(get(&page("/-/ready"), &[]).await.status(), 200);
    let metrics = shard.page.samples().await;
    assert_eq!(metrics.get("wolkvox_exporter_operations", &[]), Some(0.0));
    let status = get(&page("/"), &[]).await.text().await.unwrap();
    assert!(
        status.contains(&format!("No operation belongs to shard {empty} of 2")),
        "{status}"
    );
}

/// How the flags affect the commands, and what is refused with exit code 2.
#[test]
fn shards_are_checked_before_anything_is_done() {
    let simulator = Simulator::demo(1, SimulatedClock::system());
    let folder = Folder::new("shard-flags");
    std::fs::create_dir_all(&folder.0).unwrap();
    write_configuration(&folder.0, &simulator, "http://127.0.0.1:9", 3);
    let run = |arguments: &[&str]| {
        let output = binary(&folder.0, arguments).stdout(Stdio::piped()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let refused: [(&[&str], &str); 8] = [
        (&["--shard.total=0"], "there may be 1 to 1000 shards"),
        (&["--shard.total=1001"], "there may be 1 to 1000 shards"),
        (
            &["--shard.total=2", "--shard.index=2"],
            "counted from 0, so the last one is 1",
        ),
        (&["--shard.total=2", "--shard.index=exporter-2"], "the last one is 1"),
        (&["--shard.total=1", "--shard.index=1"], "the last one is 0"),
        (&["--shard.index=0"], "--shard.index needs --shard.total"),
        (
            &["--shard.total=2", "--shard.index=exporter"],
            "such as wolkvox-exporter-3",
        ),
        (&["--shard.total=2", "--shard.index=-1"], "such as wolkvox-exporter-3"),
    ];
    for (arguments, why) in refused {
        let (code, _, said) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }

    let (code, checked, _) = run(&["check-config", "wolkvox.yml", "--shard.total=3"]);
    assert_eq!(code, Some(0));
    let (_, asked, _) = run(&["check-api", "--shard.total=3", "--shard.index=1"]);
    for simulated in simulator.operations() {
        let (name, shard) = (simulated.name(), Shard::of(simulated.name(), 3));
        assert!(
            checked.contains(&format!("\noperation {name}: shard {shard} of 3\n")),
            "{checked}"
        );
        assert_eq!(asked.contains(&format!("\noperation {name}:")), shard == 1, "{asked}");
    }
}
