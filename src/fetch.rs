//! Requests a report from the API: which query, which window, in which pieces. The poller, check-api and backfill share
//! it.

pub(crate) mod calls;
pub(crate) mod clocks;
pub mod pieces;
pub(crate) mod queries;
pub mod window;
