//! `grantor client`.

mod about;
mod arguments;
mod request_arguments;
mod subjects;

use std::cell::Cell;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use self::arguments::{Create, RotateSecret, Update};
use super::client_view::{ClientView, describe, list};
use super::output::{note, pairs, print};
use super::{CommandError, Context, key};
use crate::clients::{ClientMetadata, RegistrationError, registration, sector};
use crate::jose::Algorithm;
use crate::model::{Client, ClientId};
use crate::outgoing::{Outgoing, Policy};
use crate::secret::Secret;
use crate::time::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a client
    ///
    /// A confidential client gets a secret, which is shown this once. A public one
    /// (an app on a device or in a browser) has none. It is native, and the port of
    /// its loopback redirect URIs free, if it is public and all its redirect URIs are
    /// loopback or private-use.
    ///
    /// Examples:
    ///   grantor client create --name Notes --redirect-uri https://notes.example.com/cb
    ///   grantor client create --name "Notes for phones" --public \
    ///       --redirect-uri com.example.notes:/callback
    ///   grantor client create --name "Notes API" --grant client_credentials \
    ///       --resource-server https://api.example.com
    ///   grantor client create --name Backup --grant client_credentials \
    ///       --auth-method private_key_jwt --jwks backup.jwks.json
    #[command(verbatim_doc_comment)]
    Create(Box<Create>),
    /// List all clients
    ///
    /// Example:
    ///   grantor client list --json
    #[command(verbatim_doc_comment)]
    List,
    /// Show all of a client but its secret
    ///
    /// Example:
    ///   grantor client show 3c4e8f8a-6f0b-4f0e-9d5e-0a8f6f1d2b3c
    #[command(verbatim_doc_comment)]
    Show {
        /// The client's identifier
        client_id: String,
    },
    /// Change a client; what is not given stays
    ///
    /// A list that is given replaces the old one; given once as "" it becomes empty.
    ///
    /// Examples:
    ///   grantor client update ID --redirect-uri https://notes.example.com/cb2 \
    ///       --scope "openid notes:read"
    ///   grantor client update ID --access-token-lifetime 5m
    ///   grantor client update ID --tos-uri https://notes.example.com/terms
    ///   grantor client update ID --disable
    ///   grantor client update ID --vouch
    #[command(verbatim_doc_comment)]
    Update(Box<Update>),
    /// Remove a client; its tokens end
    ///
    /// Example:
    ///   grantor client delete 3c4e8f8a-6f0b-4f0e-9d5e-0a8f6f1d2b3c
    #[command(verbatim_doc_comment)]
    Delete {
        /// The client's identifier
        client_id: String,
    },
    /// Replace a client's secret; the old one ends within 2 seconds
    ///
    /// With --keep-old both work for a while, so that a change needs no outage.
    ///
    /// Examples:
    ///   grantor client rotate-secret 3c4e8f8a-6f0b-4f0e-9d5e-0a8f6f1d2b3c
    ///   grantor client rotate-secret ID --keep-old 24h --expires-in 90d
    #[command(verbatim_doc_comment)]
    RotateSecret(RotateSecret),
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Create(arguments) => create(*arguments, context).await,
        Command::List => {
            let clients = context.store.clients().await?;
            let views: Vec<_> = clients.iter().map(ClientView::from).collect();
            print(context.json, &views, || list(&clients, Timestamp::now()))
        }
        Command::Show { client_id } => {
            let client = context.store.client(&client_id.into()).await?;
            show(context, &client.ok_or(RegistrationError::NotFound)?)
        }
        Command::Update(arguments) => update(*arguments, context).await,
        Command::Delete { client_id } => delete(&client_id.into(), context).await,
        Command::RotateSecret(arguments) => rotate_secret(&arguments, context).await,
    }
}

fn show(context: &Context, client: &Client) -> Result<(), CommandError> {
    print(context.json, &ClientView::from(client), || describe(client, Timestamp::now()))
}

#[derive(Serialize)]
struct Registered<'a> {
    #[serde(flatten)]
    client: ClientView<'a>,
    client_secret: Option<&'a str>,
}

async fn create(arguments: Create, context: &Context) -> Result<(), CommandError> {
    ensure_keys(&arguments.algorithms(), context).await?;
    let outgoing = outgoing(context);
    let mut metadata = arguments.into_metadata(&outgoing)?;
    metadata.sector_document = sector::read(&Outgoing::new(outgoing), &metadata, None).await?;
    let (client, secret) =
        registration::create(&context.store, &context.master_keys, metadata, Timestamp::now()).await?;
    let client_secret = secret.as_ref().map(|secret| secret.expose().as_str());
    let view = Registered { client: ClientView::from(&client), client_secret };
    print(context.json, &view, || {
        let secret = secret.as_ref().map(|secret| format!("\n{}", secret_lines(secret))).unwrap_or_default();
        format!("Registered the client {}.\n\n{}{secret}", client.name, describe(&client, Timestamp::now()))
    })
}

/// Where a `jwks_uri` or a `sector_identifier_uri` may lead.
fn outgoing(context: &Context) -> Policy {
    Policy::new(&context.config.outgoing.allowed_origins, context.config.issuer.is_loopback())
}

/// A client must not meet a server without a key for it: the key is made first, and told about.
async fn ensure_keys(algorithms: &[Option<Algorithm>], context: &Context) -> Result<(), CommandError> {
    for alg in algorithms.iter().flatten() {
        let operations = key::operations(context);
        let outcome = operations.ensure(*alg).await?;
        if outcome.changed {
            note(&key::about_first(&outcome.key, operations.publish_ahead()));
        }
    }
    Ok(())
}

fn secret_lines(secret: &Secret<String>) -> String {
    let line = pairs(&[("client_secret", secret.expose().clone())]);
    format!("{line}Keep the secret now: it is not shown again.")
}

async fn update(arguments: Update, context: &Context) -> Result<(), CommandError> {
    let id = arguments.client_id.clone().into();
    let client = if arguments.changes_metadata() {
        ensure_keys(&arguments.algorithms(), context).await?;
        Some(change(&arguments, &id, context).await?)
    } else {
        None
    };
    let client =
        if arguments.vouches() { Some(registration::vouch(&context.store, &id).await?) } else { client };
    let client = match (arguments.disabled(), client) {
        (Some(true), _) => registration::set_disabled(&context.store, &id, Some(Timestamp::now())).await?,
        (Some(false), _) => registration::set_disabled(&context.store, &id, None).await?,
        (None, Some(client)) => client,
        (None, None) => return Err(CommandError::new("invalid_request", "nothing to change was given")),
    };
    show(context, &client)
}

async fn change(arguments: &Update, id: &ClientId, context: &Context) -> Result<Client, CommandError> {
    let outgoing = outgoing(context);
    let registered = context.store.client(id).await?.ok_or(RegistrationError::NotFound)?;
    let mut wanted = ClientMetadata::from(registered.clone());
    arguments.apply(&mut wanted, &outgoing)?;
    let document = sector::read(&Outgoing::new(outgoing.clone()), &wanted, Some(&registered)).await?;
    let refused = Cell::new(None);
    let updated = registration::update(&context.store, id, |metadata| {
        refused.set(arguments.apply(metadata, &outgoing).err());
        metadata.sector_document.clone_from(&document);
    });
    let updated = updated.await;
    match refused.into_inner() {
        Some(error) => Err(error),
        None => Ok(updated?),
    }
}

async fn delete(id: &ClientId, context: &Context) -> Result<(), CommandError> {
    if !context.store.delete_client(id).await? {
        return Err(RegistrationError::NotFound.into());
    }
    print(context.json, &json!({ "client_id": id, "deleted": true }), || {
        format!("Deleted the client {id}. Its tokens have ended.")
    })
}

async fn rotate_secret(arguments: &RotateSecret, context: &Context) -> Result<(), CommandError> {
    let (id, rotation) = (ClientId::from(arguments.client_id.clone()), arguments.rotation());
    let (store, keys) = (&context.store, &context.master_keys);
    let secret = registration::rotate_secret(store, keys, &id, rotation, Timestamp::now()).await?;
    let value = json!({ "client_id": id, "client_secret": secret.expose() });
    let old = match rotation.keep_old {
        None => "has ended".to_owned(),
        Some(keep) => format!("works for {} more", crate::config::format_duration(keep.as_secs())),
    };
    print(context.json, &value, || {
        format!("The client {id} has a new secret; the old one {old}.\n\n{}", secret_lines(&secret))
    })
}
