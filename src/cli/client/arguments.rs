//! What `grantor client create` and `update` take.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::about::About;
use super::request_arguments::RequestArguments;
use super::subjects::Subjects;
use crate::cli::CommandError;
use crate::cli::arguments::{Lifetime, duration, lifetime, scopes};
use crate::clients::registration::Rotation;
use crate::clients::{ClientMetadata, check_addresses};
use crate::jose::{Algorithm, AssertionAlgorithm};
use crate::model::{ApplicationType, AuthMethod, ClientKeys, GrantType};
use crate::outgoing::Policy;

/// A new client.
#[derive(Debug, Args)]
pub struct Create {
    /// The name that people see on the consent page
    #[arg(long)]
    name: String,
    /// It cannot keep a secret: an app on a device or in a browser
    #[arg(long)]
    public: bool,
    /// Its secret ends after this long, such as 90d [default: never]
    #[arg(long, value_name = "DURATION", value_parser = secret_lifetime)]
    secret_expires_in: Option<Duration>,
    #[command(flatten)]
    common: Common,
}

/// A new secret of a client.
#[derive(Debug, Args)]
pub struct RotateSecret {
    /// The client's identifier
    pub client_id: String,
    /// Let the old secret work for so long beside the new one, such as 24h; the one before it ends
    #[arg(long, value_name = "DURATION", value_parser = secret_lifetime)]
    keep_old: Option<Duration>,
    /// The new secret ends after this long, such as 90d [default: never]
    #[arg(long, value_name = "DURATION", value_parser = secret_lifetime)]
    expires_in: Option<Duration>,
}

impl RotateSecret {
    /// What was given.
    pub fn rotation(&self) -> Rotation {
        Rotation { keep_old: self.keep_old, lifetime: self.expires_in }
    }
}

/// How long a secret may be said to work: up to ten years.
fn secret_lifetime(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(3_650 * 86_400);
    duration(text).and_then(|duration| match duration {
        Duration::ZERO => Err("must be longer than nothing".to_owned()),
        duration if duration > LONGEST => Err("must be at most 3650d".to_owned()),
        duration => Ok(duration),
    })
}

/// Changes of a client.
#[derive(Debug, Args)]
pub struct Update {
    /// The client's identifier
    pub client_id: String,
    /// The name that people see on the consent page
    #[arg(long)]
    name: Option<String>,
    /// Refuse it everything from now on; its tokens are inactive
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Let it work again
    #[arg(long)]
    enable: bool,
    /// Let its people have another "sub" from now on: the client takes them for strangers
    #[arg(long)]
    change_subjects: bool,
    /// Vouch for a client that registered itself: people are no longer warned of it, it no longer expires, and it
    /// can no longer change what it says of itself
    #[arg(long)]
    vouch: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Where answers may go, exactly; may be repeated
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// A grant it may use; may be repeated [default of a new client: authorization_code and refresh_token]
    #[arg(long = "grant", value_name = "GRANT", value_enum)]
    grants: Vec<GrantType>,
    /// Scopes it may ask for, separated by blanks [default of a new client that people sign in to: "openid
    /// profile email offline_access"]
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// A resource it may get tokens for; may be repeated [default: the issuer]
    #[arg(long = "audience", value_name = "URI")]
    audiences: Vec<String>,
    /// A resource that it is: it may introspect tokens for it; may be repeated
    #[arg(long = "resource-server", value_name = "URI")]
    resource_servers: Vec<String>,
    /// How it authenticates [default: client_secret_basic or client_secret_post; public: none]
    #[arg(long, value_name = "METHOD", value_enum)]
    auth_method: Option<AuthMethod>,
    /// Its public keys for private_key_jwt: a file with a JWK Set
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks: Option<PathBuf>,
    /// Where its public keys for private_key_jwt are fetched from
    #[arg(long, value_name = "URI")]
    jwks_uri: Option<String>,
    /// The only algorithm of its assertions [default: any that fits its key]
    #[arg(long, value_name = "ALG", value_enum)]
    auth_signing_alg: Option<AssertionAlgorithm>,
    /// Where it runs [default: native if public and all redirect URIs are loopback or private-use]
    #[arg(long, value_name = "TYPE", value_enum)]
    application_type: Option<ApplicationType>,
    /// Lifetime of its access tokens, such as 5m, or "default"
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    access_token_lifetime: Option<Lifetime>,
    /// A refresh token that is not used for this long ends; such as 14d, or "default"
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    refresh_idle_lifetime: Option<Lifetime>,
    /// Access ends after this long even when refreshed; such as 90d, or "default"
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    refresh_absolute_lifetime: Option<Lifetime>,
    /// Whether a refresh token is replaced at each use; public clients: always [default: true]
    #[arg(long, value_name = "BOOL")]
    rotate_refresh_tokens: Option<bool>,
    /// Whether PKCE is required; public clients: always [default: true]
    #[arg(long, value_name = "BOOL")]
    require_pkce: Option<bool>,
    /// What its access tokens are signed with: RS256, PS256, ES256 or Ed25519 [default: RS256]
    #[arg(long, value_name = "ALG")]
    access_token_signing_alg: Option<Algorithm>,
    /// What its ID tokens are signed with [default: RS256]
    #[arg(long, value_name = "ALG")]
    id_token_signed_response_alg: Option<Algorithm>,
    /// What introspection answers for it are signed with, where they are [default: RS256]
    #[arg(long, value_name = "ALG")]
    introspection_signed_response_alg: Option<Algorithm>,
    #[command(flatten)]
    subjects: Subjects,
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    requests: RequestArguments,
}

impl Create {
    /// The algorithms that a key is needed for.
    pub fn algorithms(&self) -> [Option<Algorithm>; 4] {
        self.common.algorithms()
    }

    /// What was given, over the defaults.
    pub fn into_metadata(self, outgoing: &Policy) -> Result<ClientMetadata, CommandError> {
        let (public, secret_lifetime) = (self.public, self.secret_expires_in);
        let mut metadata = ClientMetadata { public, secret_lifetime, ..ClientMetadata::named(self.name) };
        self.common.apply(&mut metadata, outgoing)?;
        Ok(metadata)
    }
}

impl Update {
    /// The algorithms that a key is needed for.
    pub fn algorithms(&self) -> [Option<Algorithm>; 4] {
        self.common.algorithms()
    }

    /// Whether the operator answers for it from now on.
    pub fn vouches(&self) -> bool {
        self.vouch
    }

    /// Whether more is given than what switches something.
    pub fn changes_metadata(&self) -> bool {
        self.name.is_some() || self.common.is_given()
    }

    /// Whether the client is to be switched off (`true`) or on.
    pub fn disabled(&self) -> Option<bool> {
        (self.disable || self.enable).then_some(self.disable)
    }

    /// Puts what was given over what is registered.
    pub fn apply(&self, metadata: &mut ClientMetadata, outgoing: &Policy) -> Result<(), CommandError> {
        if let Some(name) = &self.name {
            metadata.name.clone_from(name);
        }
        metadata.may_change_subjects = self.change_subjects;
        self.common.apply(metadata, outgoing)
    }
}

impl Common {
    fn algorithms(&self) -> [Option<Algorithm>; 4] {
        [
            self.access_token_signing_alg,
            self.id_token_signed_response_alg,
            self.introspection_signed_response_alg,
            self.about.algorithm(),
        ]
    }

    fn is_given(&self) -> bool {
        let lists = [&self.redirect_uris, &self.audiences, &self.resource_servers];
        let lifetimes =
            [self.access_token_lifetime, self.refresh_idle_lifetime, self.refresh_absolute_lifetime];
        lists.iter().any(|list| !list.is_empty())
            || lifetimes.iter().any(Option::is_some)
            || !self.grants.is_empty()
            || self.scope.is_some()
            || self.auth_method.is_some()
            || self.jwks.is_some()
            || self.jwks_uri.is_some()
            || self.auth_signing_alg.is_some()
            || self.application_type.is_some()
            || self.rotate_refresh_tokens.is_some()
            || self.require_pkce.is_some()
            || self.algorithms().iter().any(Option::is_some)
            || self.subjects.is_given()
            || self.about.is_given()
            || self.requests.is_given()
    }

    fn apply(&self, metadata: &mut ClientMetadata, outgoing: &Policy) -> Result<(), CommandError> {
        replace_list(&mut metadata.redirect_uris, &self.redirect_uris);
        replace_list(&mut metadata.audiences, &self.audiences);
        replace_list(&mut metadata.resource_servers, &self.resource_servers);
        if !self.grants.is_empty() {
            metadata.grant_types = Some(self.grants.clone());
        }
        if let Some(scope) = &self.scope {
            metadata.scopes = Some(scopes(scope)?);
        }
        self.apply_authentication(metadata)?;
        self.subjects.apply(metadata)?;
        metadata.application_type = self.application_type.or(metadata.application_type);
        replace(&mut metadata.access_token_lifetime, self.access_token_lifetime.map(|given| given.0));
        replace(&mut metadata.refresh_idle_lifetime, self.refresh_idle_lifetime.map(|given| given.0));
        replace(&mut metadata.refresh_absolute_lifetime, self.refresh_absolute_lifetime.map(|given| given.0));
        replace(&mut metadata.rotate_refresh_tokens, self.rotate_refresh_tokens);
        replace(&mut metadata.require_pkce, self.require_pkce);
        metadata.access_token_signing_alg =
            self.access_token_signing_alg.or(metadata.access_token_signing_alg);
        metadata.id_token_signed_response_alg =
            self.id_token_signed_response_alg.or(metadata.id_token_signed_response_alg);
        metadata.introspection_signed_response_alg =
            self.introspection_signed_response_alg.or(metadata.introspection_signed_response_alg);
        self.about.apply(metadata);
        // What is registered already stays so, also where it would be refused today.
        if self.jwks_uri.is_some() || self.about.is_sent_to() {
            check_addresses(metadata, outgoing, false)
                .map_err(|reason| CommandError::new("invalid_client_metadata", reason))?;
        }
        self.requests.apply(metadata);
        Ok(())
    }

    fn apply_authentication(&self, metadata: &mut ClientMetadata) -> Result<(), CommandError> {
        metadata.auth_method = self.auth_method.or(metadata.auth_method);
        metadata.token_endpoint_auth_signing_alg =
            self.auth_signing_alg.or(metadata.token_endpoint_auth_signing_alg);
        if let Some(path) = &self.jwks {
            metadata.keys = Some(ClientKeys::Value(read_jwks(path)?.into()));
        }
        if let Some(uri) = &self.jwks_uri {
            metadata.keys = Some(ClientKeys::Uri(uri.clone()));
        }
        Ok(())
    }
}

fn read_jwks(path: &Path) -> Result<serde_json::Value, CommandError> {
    let refuse = |problem: &dyn std::fmt::Display| {
        CommandError::new("invalid_client_metadata", format!("the JWK Set in {}: {problem}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(&error))?;
    serde_json::from_str(&text).map_err(|error| refuse(&error))
}

pub(super) fn replace<T>(target: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *target = given;
    }
}

/// A list given once as "" empties.
pub(super) fn replace_list(target: &mut Vec<String>, given: &[String]) {
    match given {
        [] => {}
        [only] if only.is_empty() => target.clear(),
        given => *target = given.to_vec(),
    }
}
