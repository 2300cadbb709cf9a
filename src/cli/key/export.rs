//! `grantor key export-public`.

use clap::ValueEnum;
use serde_json::json;

use crate::cli::CommandError;
use crate::cli::output::print;
use crate::jose::{PublicJwk, jwk_set};

/// How public keys are printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(in crate::cli) enum Format {
    #[default]
    Jwk,
    Pem,
}

pub(super) fn run(keys: &[PublicJwk], format: Format, json: bool) -> Result<(), CommandError> {
    let failed = |error| CommandError::new("server_error", error);
    match format {
        Format::Jwk => {
            let set: serde_json::Value = serde_json::from_str(&jwk_set(keys).map_err(failed)?)
                .map_err(|error| CommandError::new("server_error", error))?;
            print(true, &set, String::new)
        }
        Format::Pem => {
            let pems: Vec<String> =
                keys.iter().map(PublicJwk::to_pem).collect::<Result<_, _>>().map_err(failed)?;
            let named: Vec<_> = keys
                .iter()
                .zip(&pems)
                .map(|(key, pem)| json!({ "kid": key.kid(), "alg": key.alg(), "pem": pem }))
                .collect();
            print(json, &named, || pems.concat())
        }
    }
}
