//! Properties that hold for any input. The fuzz targets use these checks, and so do the tests, with the inputs in
//! `fuzz/seeds`.
//!
//! Each check panics if a property does not hold, and otherwise returns whether the input was valid.

pub mod config;
pub mod headers;
mod mistakes;
pub mod rows;
pub mod values;
pub mod web_config;
