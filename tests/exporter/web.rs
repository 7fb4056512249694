//! How the exporter is served: TLS, passwords, and clients that mean no good.

mod clients;
mod configuration;
mod passwords;
mod support;
mod tls;
