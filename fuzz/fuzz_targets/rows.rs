#![no_main]

use wolkvox_exporter_fuzz::rows;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    rows::check(input);
});
