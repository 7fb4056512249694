//! `hash-password`: the hash of a password, for `basic_auth_users` of the web configuration.

use std::io::{self, IsTerminal};

use anyhow::Context;
use wolkvox_exporter::failure::Failure;
use wolkvox_exporter::secret::refuse;

use super::print;

/// A check takes a tenth of a second.
const COST: u32 = 10;

pub(crate) fn run(user: Option<&str>) -> Result<(), Failure> {
    if let Some(user) = user {
        refuse(user, "`token_file`").map_err(Failure::Usage)?;
    }
    let password = read()?;
    if password.is_empty() {
        return Err(Failure::Failed("the password is empty".to_owned()));
    }
    let hash = bcrypt::non_truncating_hash(&password, COST).map_err(|error| match error {
        bcrypt::BcryptError::Truncation(_) => {
            Failure::Failed("the password is too long: bcrypt takes 71 bytes at most".to_owned())
        }
        other => Failure::Failed(format!("the password cannot be hashed: {other}")),
    })?;
    let line = match user {
        Some(user) => format!("{}: {hash}\n", serde_json::Value::from(user)),
        None => format!("{hash}\n"),
    };
    Ok(print(&line)?)
}

/// Asks twice at a terminal; otherwise reads one line.
fn read() -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin()
            .read_line(&mut line)
            .context("the password cannot be read")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let ask = |prompt| rpassword::prompt_password(prompt).context("the password cannot be read");
    let password = ask("Password: ")?;
    if ask("Again: ")? != password {
        return Err(Failure::Failed("the passwords differ".to_owned()));
    }
    Ok(password)
}
