#![no_main]

use wolkvox_exporter_fuzz::values;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    values::check(input);
});
