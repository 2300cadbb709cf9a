//! `grantor key rewrap`.

use serde::Serialize;

use crate::cli::output::print;
use crate::cli::{CommandError, Context};
use crate::clients::rewrap_secrets;
use crate::keys;

#[derive(Serialize)]
struct RewrappedView<'a> {
    #[serde(flatten)]
    done: &'a keys::Rewrapped,
    client_secrets: usize,
}

pub(super) async fn run(context: &Context) -> Result<(), CommandError> {
    let done = keys::rewrap(&context.store, &context.master_keys).await?;
    let client_secrets = rewrap_secrets(&context.store, &context.master_keys).await?;
    let view = RewrappedView { done: &done, client_secrets };
    print(context.json, &view, || {
        let encrypted = match done.signing_keys {
            0 => "All signing keys were encrypted under it already.".to_owned(),
            1 => "1 signing key was encrypted anew.".to_owned(),
            several => format!("{several} signing keys were encrypted anew."),
        };
        let pseudonyms = match done.installation_secrets {
            0 => "",
            _ => "\nThe key of the pseudonyms was encrypted anew; everybody keeps theirs.",
        };
        let secrets = match client_secrets {
            0 => String::new(),
            several => format!("\nClient secrets that sign assertions and were encrypted anew: {several}."),
        };
        let replaced = match done.replaced_master_keys.as_slice() {
            [] => "No other master key has written to this database.".to_owned(),
            replaced => format!(
                "These master keys may leave the configuration, as soon as every process lists that one: {}.\n\
                 They are kept in the database, encrypted under it, for what they have written.",
                replaced.join(", ")
            ),
        };
        format!(
            "The master key that writes is {}.\n{encrypted}{pseudonyms}{secrets}\n{replaced}",
            done.master_key
        )
    })
}
