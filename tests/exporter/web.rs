//! How the exporter is served: TLS, passwords and misbehaving clients.

mod clients;
mod configuration;
mod passwords;
mod support;
mod tls;
