#![no_main]

use wolkvox_exporter_fuzz::web_config;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    web_config::check(input);
});
