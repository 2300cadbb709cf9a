//! `grantor key rewrap`.

use crate::cli::output::print;
use crate::cli::{CommandError, Context};
use crate::keys;

pub(super) async fn run(context: &Context) -> Result<(), CommandError> {
    let done = keys::rewrap(&context.store, &context.master_keys).await?;
    print(context.json, &done, || {
        let encrypted = match done.signing_keys {
            0 => "All signing keys were encrypted under it already.".to_owned(),
            1 => "1 signing key was encrypted anew.".to_owned(),
            several => format!("{several} signing keys were encrypted anew."),
        };
        let replaced = match done.replaced_master_keys.as_slice() {
            [] => "No other master key has written to this database.".to_owned(),
            replaced => format!(
                "These master keys may leave the configuration, as soon as every process lists that one: {}.\n\
                 They are kept in the database, encrypted under it, for what they have written.",
                replaced.join(", ")
            ),
        };
        format!("The master key that writes is {}.\n{encrypted}\n{replaced}", done.master_key)
    })
}
