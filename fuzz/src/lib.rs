//! What must hold for any input. The fuzz targets feed these checks, and so do the tests, with the inputs in `fuzz/seeds`.
//!
//! Each check panics where something does not hold, and says otherwise whether the input was a good one.

pub mod config;
pub mod headers;
mod mistakes;
pub mod rows;
pub mod values;
pub mod web_config;
