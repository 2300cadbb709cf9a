//! A program without a `client_id` registers itself (OpenID Connect Dynamic Client Registration §3).

use std::env;

use anyhow::{Context, Result};
use openidconnect::core::{
    CoreApplicationType, CoreClientAuthMethod, CoreClientRegistrationRequest, CoreGrantType, CoreResponseType,
};
use openidconnect::registration::EmptyAdditionalClientMetadata;
use openidconnect::{
    AccessToken, ClientId, ClientName, LocalizedClaim, ProviderMetadataWithLogout, RedirectUrl, ResponseTypes,
};

use crate::http;

/// Registers this program. Where registration is not open, `INITIAL_ACCESS_TOKEN` holds the token for it.
///
/// A real program keeps what it gets, and does not register anew at each start.
pub fn register(grantor: &ProviderMetadataWithLogout, redirect_uri: RedirectUrl) -> Result<ClientId> {
    let endpoint = grantor
        .registration_endpoint()
        .context("CLIENT_ID is missing, and programs cannot register there")?;
    let mut name = LocalizedClaim::new();
    name.insert(None, ClientName::new("A program in Rust".to_owned()));
    let response =
        CoreClientRegistrationRequest::new(vec![redirect_uri], EmptyAdditionalClientMetadata::default())
            .set_client_name(Some(name))
            .set_application_type(Some(CoreApplicationType::Native))
            .set_token_endpoint_auth_method(Some(CoreClientAuthMethod::None))
            .set_grant_types(Some(vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken]))
            .set_response_types(Some(vec![ResponseTypes::new(vec![CoreResponseType::Code])]))
            .set_initial_access_token(env::var("INITIAL_ACCESS_TOKEN").ok().map(AccessToken::new))
            .register(endpoint, &http::send)?;
    println!("Registered as {}", response.client_id().as_str());
    Ok(response.client_id().clone())
}
