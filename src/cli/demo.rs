//! The demo app and the demo user of a first run: made once, never again after an operator removed them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::CommandError;
use super::output::{note, say};
use crate::clients::registration::{self, ClientMetadata};
use crate::config::{Config, Issuer};
use crate::demo::{AUDIENCE, DemoApp};
use crate::keys::MasterKeys;
use crate::model::FoldedName;
use crate::secret::{Secret, base64url, random_bytes};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;
use crate::users::{AccountError, Accounts, AttributeChange, NewAccount, PasswordHasher};
use crate::web::{DEMO, DEMO_CALLBACK};

const FILE: &str = "demo-credentials.json";
/// Issuers of one installation at which the demo app works.
const HOMES: usize = 4;
const USERNAME: &str = "demo";

/// What a first run prints, and keeps in the state directory for whoever owns it.
#[derive(Serialize, Deserialize)]
struct DemoCredentials {
    username: String,
    password: String,
    client_id: String,
    client_secret: String,
    redirect_uri: String,
    link: String,
}

/// Makes the demo data at the first start, and tells about them at each while they are there.
pub async fn seed(
    config: &Config,
    store: &Store,
    master_keys: &MasterKeys,
    passwords: &PasswordHasher,
) -> Result<Option<DemoApp>, CommandError> {
    let path = config.state_dir.join(FILE);
    if store.claim_demo_seeding().await? {
        let accounts = Accounts::new(store.clone(), passwords.clone(), config.passwords.min_length);
        match make(&config.issuer, store, master_keys, &accounts).await? {
            Some(credentials) => write(&path, &credentials)?,
            None => note("there is a user demo already, so no demo was made"),
        }
    }
    let Some(mut credentials) = read(&path) else { return Ok(None) };
    let client = store.client(&credentials.client_id.clone().into()).await?;
    let user = store.user_by_name(&FoldedName::new(&credentials.username)).await?;
    if client.is_none() || user.is_none() {
        return Ok(None);
    }
    follow_issuer(&config.issuer, store, &mut credentials, &path).await?;
    tell(&credentials);
    let DemoCredentials { client_id, client_secret, redirect_uri, .. } = credentials;
    Ok(Some(DemoApp::new(client_id.into(), Secret::new(client_secret), redirect_uri)))
}

/// `None` where the name of the demo user is taken.
async fn make(
    issuer: &Issuer,
    store: &Store,
    master_keys: &MasterKeys,
    accounts: &Accounts,
) -> Result<Option<DemoCredentials>, CommandError> {
    let password = base64url(&random_bytes::<12>());
    let account = NewAccount {
        username: USERNAME.to_owned(),
        email: "demo@example.com".to_owned(),
        password: Some(Secret::new(password.clone())),
        email_verified: true,
        attributes: attributes()?,
        roles: Vec::new(),
    };
    match accounts.create(account, Timestamp::now()).await {
        // A command made it before the first start.
        Err(AccountError::Store(StoreError::Conflict { .. })) => return Ok(None),
        created => created?,
    };
    let mut metadata = ClientMetadata::named("Grantor Demo");
    let redirect_uri = issuer.endpoint(DEMO_CALLBACK);
    metadata.redirect_uris = vec![redirect_uri.clone()];
    metadata.audiences = vec![AUDIENCE.to_owned()];
    let (client, secret) = registration::create(store, master_keys, metadata, Timestamp::now()).await?;
    Ok(Some(DemoCredentials {
        username: USERNAME.to_owned(),
        password,
        client_id: client.id.to_string(),
        client_secret: secret.map(|secret| secret.expose().clone()).unwrap_or_default(),
        redirect_uri,
        link: issuer.endpoint(DEMO),
    }))
}

/// What is known of the demo user, so that each standard scope shows something.
fn attributes() -> Result<Vec<AttributeChange>, AccountError> {
    let claims = [
        "name=Demo Person",
        "given_name=Demo",
        "family_name=Person",
        "nickname=Demo",
        "website=https://demo.example.com",
        "birthdate=1990-01-01",
        "zoneinfo=Europe/Berlin",
        "locale=en",
        "phone_number=+49 30 901820",
        r#"address={"street_address":"Unter den Linden 1","locality":"Berlin","postal_code":"10117","country":"DE"}"#,
    ];
    Ok(claims.into_iter().map(AttributeChange::parse).collect::<Result<_, _>>()?)
}

/// A server on another port is another issuer: the demo app is at home there too, and stays so at the last few.
async fn follow_issuer(
    issuer: &Issuer,
    store: &Store,
    credentials: &mut DemoCredentials,
    path: &Path,
) -> Result<(), CommandError> {
    let redirect_uri = issuer.endpoint(DEMO_CALLBACK);
    if credentials.redirect_uri == redirect_uri {
        return Ok(());
    }
    registration::update(store, &credentials.client_id.clone().into(), |client| {
        client.redirect_uris.retain(|known| *known != redirect_uri);
        client.redirect_uris.insert(0, redirect_uri.clone());
        client.redirect_uris.truncate(HOMES);
    })
    .await?;
    credentials.redirect_uri = redirect_uri;
    credentials.link = issuer.endpoint(DEMO);
    write(path, credentials)
}

fn read(path: &Path) -> Option<DemoCredentials> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn write(path: &Path, credentials: &DemoCredentials) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::new("server_error", format!("cannot write {}: {error}", path.display()))
    };
    let text = serde_json::to_string_pretty(credentials).map_err(|error| failed(error.into()))?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    writeln!(file, "{text}").map_err(failed)
}

fn tell(credentials: &DemoCredentials) {
    say(&format!(
        "\n  Try it:     {}\n  Username:   {}\n  Password:   {}\n",
        credentials.link, credentials.username, credentials.password
    ));
}
