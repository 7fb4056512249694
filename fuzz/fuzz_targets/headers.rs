#![no_main]

use wolkvox_exporter_fuzz::headers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    headers::check(input);
});
