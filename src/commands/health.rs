//! `health`: whether the exporter on this machine is alive, for containers without a shell.

use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Client, StatusCode};
use wolkvox_exporter::cli::{DEFAULT_PORT, Flags};
use wolkvox_exporter::failure::Failure;

use super::{block_on, print};

const TIMEOUT: Duration = Duration::from_secs(5);
/// What an exporter that wants a client's certificate says to one without.
const CERTIFICATE_REQUIRED: &str = "CertificateRequired";

pub(crate) fn run(flags: &Flags) -> Result<(), Failure> {
    let addresses = flags.listen_addresses_or(DEFAULT_PORT);
    let address = addresses[0].to_reach();
    block_on(async {
        let client = reqwest::Client::builder()
            // It asks the same machine, by an address that no certificate names.
            .tls_danger_accept_invalid_certs(true)
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .context("the client cannot be set up")?;
        // Which of them is spoken there need not be told.
        let plain = ask(&client, &format!("http://{address}/-/healthy")).await;
        if plain.is_err() && ask(&client, &format!("https://{address}/-/healthy")).await.is_err() {
            plain?;
        }
        Ok(print("alive\n")?)
    })
}

async fn ask(client: &Client, url: &str) -> anyhow::Result<()> {
    match client.get(url).send().await {
        // Who asks for a password is alive.
        Ok(answer) if answer.status().is_success() || answer.status() == StatusCode::UNAUTHORIZED => Ok(()),
        Ok(answer) => Err(anyhow!(
            "{url} answers {}: check which program has this port",
            answer.status()
        )),
        Err(error) => {
            let causes = format!("{:#}", anyhow!(error.without_url()));
            if causes.contains(CERTIFICATE_REQUIRED) {
                return Ok(());
            }
            Err(anyhow!(
                "{url} does not answer: {causes}; check the log of the exporter"
            ))
        }
    }
}
