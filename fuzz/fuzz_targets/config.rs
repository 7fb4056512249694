#![no_main]

use wolkvox_exporter_fuzz::config;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    config::check(input);
});
