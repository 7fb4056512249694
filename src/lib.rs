//! A Prometheus exporter for Wolkvox contact centres.

pub mod config;
pub mod reports;
pub mod simulator;
