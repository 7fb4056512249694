//! What an operation is: its zone, server and currency, and the operator's own labels, for joins and for routing alerts.

use reqwest::Url;

use super::families::OPERATION_INFO;
use crate::config::Operation;
use crate::metrics::series::{FamilySeries, Label, Value};

/// The info of an operation.
pub fn operation_info(operation: &Operation) -> FamilySeries {
    let mut info = FamilySeries::new(&OPERATION_INFO);
    let labels: [Label; 3] = [
        operation.timezone_name.clone().into(),
        server(&operation.base_url).into(),
        operation.currency.clone().unwrap_or_default().into(),
    ];
    info.push(labels, Value::Info);
    info.own_labels = operation.labels.clone().into_iter().collect();
    info
}

/// The host, and the port if it is not the usual one.
fn server(base_url: &str) -> String {
    let url = Url::parse(base_url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    match url.as_ref().and_then(Url::port) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
