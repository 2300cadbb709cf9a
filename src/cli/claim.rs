//! `grantor claim`.

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::output::{print, table};
use super::{CommandError, Context};
use crate::clients::{ClaimCatalogue, claims};
use crate::model::Claim;
use crate::protocol::standard_claims::standard_claim;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a claim about people to the standard ones
    ///
    /// An app learns it with the scope that releases it, or asks for it by name; then
    /// the consent page shows the description. People get their values by
    /// user update --claim.
    ///
    /// Examples:
    ///   grantor claim create department --scope profile \
    ///       --description "See your department"
    ///   grantor claim create https://example.com/employee-number --scope staff \
    ///       --description "See your employee number"
    #[command(verbatim_doc_comment)]
    Create {
        /// The claim's name, as apps see it
        name: String,
        /// The scope that releases it
        #[arg(long)]
        scope: String,
        /// What an app learns by it, as the consent page says it
        #[arg(long, value_name = "TEXT")]
        description: String,
    },
    /// List all claims with the scope that releases each
    ///
    /// Example:
    ///   grantor claim list --json
    #[command(verbatim_doc_comment)]
    List,
    /// Remove a claim that was added, with its values
    ///
    /// Example:
    ///   grantor claim delete department
    #[command(verbatim_doc_comment)]
    Delete {
        /// The claim's name
        name: String,
    },
}

#[derive(Serialize)]
struct ClaimView<'a> {
    name: &'a str,
    scope: &'a str,
    description: &'a str,
    standard: bool,
}

impl<'a> From<&'a Claim> for ClaimView<'a> {
    fn from(claim: &'a Claim) -> Self {
        let Claim { name, scope, description } = claim;
        Self { name, scope, description, standard: false }
    }
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Create { name, scope, description } => {
            let claim = Claim { name, scope, description };
            claims::create(&context.store, &claim).await?;
            print(context.json, &ClaimView::from(&claim), || {
                format!("Added the claim {}; the scope {} releases it.", claim.name, claim.scope)
            })
        }
        Command::List => list(context).await,
        Command::Delete { name } => {
            claims::delete(&context.store, &name).await?;
            print(context.json, &json!({ "name": name, "deleted": true }), || {
                format!("Deleted the claim {name} and its values.")
            })
        }
    }
}

async fn list(context: &Context) -> Result<(), CommandError> {
    let catalogue = ClaimCatalogue::new(context.store.claims().await?);
    let views: Vec<_> = catalogue
        .iter()
        .map(|(name, scope)| ClaimView {
            name,
            scope,
            description: catalogue.description(name).unwrap_or_default(),
            standard: standard_claim(name).is_some(),
        })
        .collect();
    print(context.json, &views, || {
        let rows = views.iter().map(|claim| {
            let kind = if claim.standard { "standard" } else { "" };
            [claim.name, claim.scope, kind, claim.description].map(str::to_owned)
        });
        table(["name", "scope", "kind", "description"], rows.collect(), "No claims.")
    })
}
