//! What becomes of what a client asks for: the server's rules as one pure function.

use std::time::Duration;

use crate::clients::registration::ClientMetadata;
use crate::clients::{ScopeCatalogue, check_addresses};
use crate::config;
use crate::jose::{Algorithm, AssertionAlgorithm, ClientJwks};
use crate::model::{
    AboutClient, ApplicationType, AuthMethod, Client, ClientKeys, GrantType, OpenIdMetadata, Sector,
    SubjectType,
};
use crate::outgoing::Policy;
use crate::protocol::redirect_uri::host_for_display;
use crate::protocol::scope::{OPENID, ScopeSet};
use crate::protocol::{ClientRegistrationError, RegistrationRequest};

/// The one response type that there is.
const CODE: &str = "code";

/// Most redirect URIs of a client that nobody has looked at, and most of those for after a logout.
const MOST_REDIRECT_URIS: usize = 20;

/// What decides on a registration besides what is asked for.
pub struct Rules<'a> {
    /// What the operator allows.
    pub config: &'a config::Registration,
    /// The registered scopes.
    pub scopes: &'a ScopeCatalogue,
    /// Algorithms that there is a signing key for.
    pub algorithms: &'a [Algorithm],
    /// Which addresses may be fetched from and linked to.
    pub outgoing: &'a Policy,
}

type Refused = ClientRegistrationError;

impl Rules<'_> {
    /// What a client is registered with. What it may not have is left out where it can do without (RFC 7591 §3.2.1
    /// lets the server replace what is asked for), and refused where it would go wrong without. Of a client that
    /// changes itself, `registered`, what an operator has given it stays (RFC 7592 §2.2).
    pub fn apply(
        &self,
        request: RegistrationRequest,
        registered: Option<&Client>,
    ) -> Result<ClientMetadata, Refused> {
        let mut metadata = match registered {
            Some(client) => ClientMetadata::from(client.clone()),
            None => ClientMetadata {
                audiences: self.config.audiences.clone(),
                ..ClientMetadata::named(String::new())
            },
        };
        check_counts(&request)?;
        self.authentication(&request, &mut metadata)?;
        self.flow(&request, &mut metadata)?;
        self.openid(&request, &mut metadata)?;
        metadata.name = request.client_name.unwrap_or_else(|| name_of(&request.redirect_uris));
        metadata.redirect_uris = request.redirect_uris;
        metadata.about = AboutClient {
            client_uri: request.client_uri,
            logo_uri: request.logo_uri,
            policy_uri: request.policy_uri,
            tos_uri: request.tos_uri,
            contacts: request.contacts,
            software_id: request.software_id,
            software_version: request.software_version,
        };
        metadata.logout.post_logout_redirect_uris = request.post_logout_redirect_uris;
        metadata.logout.backchannel_logout_uri = request.backchannel_logout_uri;
        metadata.logout.backchannel_logout_session_required = request.backchannel_logout_session_required;
        check_addresses(&metadata, self.outgoing, true).map_err(Refused::invalid_client_metadata)?;
        Ok(metadata)
    }

    /// How it authenticates, and with what.
    fn authentication(
        &self,
        request: &RegistrationRequest,
        metadata: &mut ClientMetadata,
    ) -> Result<(), Refused> {
        let method = request.token_endpoint_auth_method.as_deref();
        let method = match method {
            // RFC 7591 §2.
            None => AuthMethod::ClientSecretBasic,
            Some(name) => AuthMethod::parse(name).ok_or_else(|| {
                unsupported("token_endpoint_auth_method", AuthMethod::ALL.iter().map(|one| one.as_str()))
            })?,
        };
        metadata.public = method == AuthMethod::None;
        metadata.auth_method = Some(method);
        let signs = matches!(method, AuthMethod::PrivateKeyJwt | AuthMethod::ClientSecretJwt);
        let alg = request.token_endpoint_auth_signing_alg.as_deref().map(|name| {
            AssertionAlgorithm::parse(name).ok_or_else(|| {
                unsupported(
                    "token_endpoint_auth_signing_alg",
                    AssertionAlgorithm::ALL.map(AssertionAlgorithm::as_str),
                )
            })
        });
        // Some libraries always name one; where nothing is signed it means nothing.
        metadata.token_endpoint_auth_signing_alg = alg.transpose()?.filter(|_| signs);
        let keys = keys(request)?;
        // Keys of a client that signs nothing would be of no use: what it is told is registered has none.
        metadata.keys = keys.filter(|_| method == AuthMethod::PrivateKeyJwt);
        Ok(())
    }

    /// Grants, scopes, and whether PKCE is required.
    fn flow(&self, request: &RegistrationRequest, metadata: &mut ClientMetadata) -> Result<(), Refused> {
        let grants = self.grants(request)?;
        let signs_people_in = grants.contains(&GrantType::AuthorizationCode);
        let scopes = self.scopes(request, metadata.scopes.as_deref(), signs_people_in)?;
        // OAuth 2.1 §7.5.1: what PKCE stops, an OpenID Connect client with credentials of its own can stop by nonce.
        let may_do_without = !metadata.public && scopes.iter().any(|scope| scope == OPENID);
        metadata.require_pkce = self.config.require_pkce || !may_do_without;
        metadata.grant_types = Some(grants);
        metadata.scopes = Some(scopes);
        metadata.application_type = match request.application_type.as_deref() {
            Some(name) => Some(ApplicationType::parse(name).ok_or_else(|| {
                unsupported("application_type", ApplicationType::ALL.iter().map(|one| one.as_str()))
            })?),
            // RFC 8252 §7.3: an app that also waits on its own machine chooses the port when it starts.
            None if metadata.public && request.redirect_uris.iter().any(|uri| !uri.starts_with("https:")) => {
                Some(ApplicationType::Native)
            }
            None => Some(ApplicationType::Web),
        };
        Ok(())
    }

    /// Grants that there are and that it may have; a list that names others too is cut down.
    fn grants(&self, request: &RegistrationRequest) -> Result<Vec<GrantType>, Refused> {
        let wants_code =
            request.response_types.as_ref().is_none_or(|types| types.iter().any(|one| one == CODE));
        let Some(asked) = &request.grant_types else {
            // RFC 7591 §2.
            return if wants_code { Ok(vec![GrantType::AuthorizationCode]) } else { Err(only_code()) };
        };
        let may_have = |grant: &GrantType| {
            *grant != GrantType::ClientCredentials || self.config.allow_client_credentials
        };
        let known = asked.iter().filter_map(|name| GrantType::parse(name));
        let grants: Vec<_> = known.filter(may_have).collect();
        if grants.is_empty() {
            let available = GrantType::ALL.iter().copied().filter(may_have);
            return Err(unsupported("grant_types", available.map(GrantType::as_str)));
        }
        // RFC 7591 §2.1: the two belong together.
        if grants.contains(&GrantType::AuthorizationCode) && !wants_code {
            return Err(only_code());
        }
        Ok(grants)
    }

    /// Scopes that it may have, of those that it asks for; without any, all. What it has already, it may keep.
    fn scopes(
        &self,
        request: &RegistrationRequest,
        has: Option<&[String]>,
        signs_people_in: bool,
    ) -> Result<Vec<String>, Refused> {
        let is_registered = |name: &&str| self.scopes.get(name).is_some();
        let allowed: ScopeSet = self.config.allowed_scopes.iter().filter(is_registered).collect();
        let may_have = |name: &str| {
            allowed.contains(name) || has.is_some_and(|has| has.iter().any(|scope| scope == name))
        };
        let Some(asked) = &request.scope else {
            return Ok(if signs_people_in { allowed.to_vec() } else { Vec::new() });
        };
        let asked = ScopeSet::parse(asked)
            .map_err(|error| Refused::invalid_client_metadata(format!("'scope' is refused: {error}")))?;
        let scopes: ScopeSet = asked.iter().filter(|name| may_have(name)).collect();
        if scopes.is_empty() && !asked.is_empty() {
            return Err(Refused::invalid_client_metadata(format!(
                "'scope' has nothing that a client may register for by itself: {allowed}"
            )));
        }
        Ok(scopes.to_vec())
    }

    /// What it asks of ID tokens and UserInfo answers.
    fn openid(&self, request: &RegistrationRequest, metadata: &mut ClientMetadata) -> Result<(), Refused> {
        let id_token = request.id_token_signed_response_alg.as_deref();
        let userinfo = request.userinfo_signed_response_alg.as_deref();
        let introspection = request.introspection_signed_response_alg.as_deref();
        metadata.id_token_signed_response_alg = self.algorithm("id_token_signed_response_alg", id_token)?;
        metadata.introspection_signed_response_alg =
            self.algorithm("introspection_signed_response_alg", introspection)?;
        metadata.openid = OpenIdMetadata {
            pairwise: pairwise(request)?,
            userinfo_signed_response_alg: self.algorithm("userinfo_signed_response_alg", userinfo)?,
            default_max_age: request.default_max_age.map(|seconds| Duration::from_secs(seconds.into())),
            require_auth_time: request.require_auth_time,
        };
        Ok(())
    }

    /// An algorithm that there is a key for already: a stranger brings about no new keys.
    fn algorithm(&self, member: &str, name: Option<&str>) -> Result<Option<Algorithm>, Refused> {
        name.map(|name| {
            let known = Algorithm::from_name(name).filter(|one| self.algorithms.contains(one));
            known.ok_or_else(|| unsupported(member, self.algorithms.iter().map(|one| one.name())))
        })
        .transpose()
    }
}

fn check_counts(request: &RegistrationRequest) -> Result<(), Refused> {
    for (name, uris) in [
        ("redirect_uris", &request.redirect_uris),
        ("post_logout_redirect_uris", &request.post_logout_redirect_uris),
    ] {
        if uris.len() > MOST_REDIRECT_URIS {
            return Err(Refused::invalid_redirect_uri(format!(
                "'{name}' has more than {MOST_REDIRECT_URIS} entries"
            )));
        }
    }
    Ok(())
}

fn keys(request: &RegistrationRequest) -> Result<Option<ClientKeys>, Refused> {
    match (&request.jwks, &request.jwks_uri) {
        // RFC 7591 §2.
        (Some(_), Some(_)) => {
            Err(Refused::invalid_client_metadata("'jwks' and 'jwks_uri' exclude each other: send one"))
        }
        (Some(jwks), None) => {
            let usable = ClientJwks::usable_part(jwks).map_err(|problem| {
                Refused::invalid_client_metadata(format!("'jwks' is refused: {problem}"))
            })?;
            Ok(Some(ClientKeys::Value(usable.into())))
        }
        (None, uri) => Ok(uri.clone().map(ClientKeys::Uri)),
    }
}

/// OpenID Connect Core §8: which sector that is, is found out later.
fn pairwise(request: &RegistrationRequest) -> Result<Option<Sector>, Refused> {
    let name = request.subject_type.as_deref();
    match name.map_or(Some(SubjectType::Public), SubjectType::parse) {
        Some(SubjectType::Public) => Ok(None),
        Some(SubjectType::Pairwise) => Ok(Some(Sector::requested(request.sector_identifier_uri.clone()))),
        None => Err(unsupported("subject_type", SubjectType::ALL.iter().map(|one| one.as_str()))),
    }
}

/// What people see of a client that gives no name: where it is.
fn name_of(redirect_uris: &[String]) -> String {
    let host = redirect_uris.first().map(|uri| host_for_display(uri)).filter(|host| !host.is_empty());
    host.unwrap_or("An app without a name").chars().take(100).collect()
}

fn only_code() -> Refused {
    Refused::invalid_client_metadata("'response_types' must have 'code': there is no other")
}

fn unsupported(member: &str, available: impl IntoIterator<Item = &'static str>) -> Refused {
    let available: Vec<_> = available.into_iter().collect();
    Refused::invalid_client_metadata(format!(
        "'{member}' asks for what there is not: it may be {}",
        available.join(", ")
    ))
}

#[cfg(test)]
mod tests;
