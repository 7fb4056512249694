//! The inputs from which fuzzing starts, complete and cut off; see `fuzz/README.md`.

use std::fs;
use std::path::Path;

use crate::fuzz::{config, headers, rows, values, web_config};

/// A target's seeds must include good and bad ones, or its check would test only half of the code.
fn replay(target: &str, check: fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let seeds: Vec<Vec<u8>> = fs::read_dir(folder)
        .unwrap()
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect();
    let good = seeds.iter().filter(|seed| check(seed)).count();
    assert!(0 < good && good < seeds.len(), "{good} of {} are good", seeds.len());
    for seed in &seeds {
        for end in (0..seed.len()).step_by(seed.len() / 16 + 1) {
            check(&seed[..end]);
        }
    }
}

#[test]
fn answers_mean_the_same_however_they_are_cut() {
    replay("rows", rows::check);
}

#[test]
fn values_are_in_range_and_come_back() {
    replay("values", values::check);
}

#[test]
fn headers_are_read_as_a_slow_reader_reads_them() {
    replay("headers", headers::check);
}

#[test]
fn configurations_keep_their_promises() {
    replay("config", config::check);
}

#[test]
fn web_configurations_keep_their_promises() {
    replay("web_config", web_config::check);
}
