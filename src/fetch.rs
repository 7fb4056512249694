//! Asks the API for a report: which query, over which window, in which pieces. Shared by the poller, check-api and backfill.

pub(crate) mod calls;
pub(crate) mod clocks;
pub mod pieces;
pub(crate) mod queries;
pub mod window;
