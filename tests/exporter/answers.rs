//! What answers mean: the vendor's examples and every variant of them.

mod campaigns;
mod examples;
mod large;
mod shapes;

use wolkvox_exporter::reports::Report;
use wolkvox_simulator::{OperationPlan, ScriptedAnswer};

use crate::support::{Stage, api, zone};

const NOON: &str = "2026-11-20T17:00:00Z";

async fn stage() -> Stage {
    Stage::with(
        NOON,
        OperationPlan::new("acme", zone("America/Bogota")),
        |operation, _| {
            operation.currency = Some("COP".to_owned());
        },
    )
    .await
}

fn answer(stage: &Stage, report: &'static Report, body: impl Into<String>) {
    stage.acme().answer_with(api(report), ScriptedAnswer::json(body.into()));
}
