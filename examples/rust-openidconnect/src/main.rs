//! A program on a person's own computer that signs them in with Grantor: a public native client (RFC 8252), made with
//! the crate `openidconnect`.

mod answer;
mod http;
mod registration;

use std::env;

use anyhow::{Context, Result, ensure};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, ClientId, CsrfToken, EndSessionUrl, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    ProviderMetadataWithLogout, RefreshToken, Scope, SubjectIdentifier, TokenResponse,
};

use answer::Callback;

const SCOPES: [&str; 3] = ["profile", "email", "offline_access"];

/// With the endpoints that discovery has found.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

fn main() -> Result<()> {
    let issuer = IssuerUrl::new(env::var("ISSUER").unwrap_or_else(|_| "http://localhost:8080".to_owned()))?;
    let grantor =
        ProviderMetadataWithLogout::discover(&issuer, &http::send).context("no OpenID provider there")?;
    let callback = Callback::listen()?;
    let client_id = match env::var("CLIENT_ID") {
        Ok(id) => ClientId::new(id),
        Err(_) => registration::register(&grantor, callback.redirect_uri()?)?,
    };
    let logout = grantor.additional_metadata().end_session_endpoint.clone();
    let client = CoreClient::from_provider_metadata(grantor, client_id, None)
        .set_redirect_uri(callback.redirect_uri()?);

    let (tokens, nonce) = sign_in(&client, &issuer, callback)?;
    let id_token = tokens.id_token().context("there is no ID token")?;
    let subject = verified_subject(&client, id_token, &nonce, tokens.access_token())?;
    println!("UserInfo says: {}", who_is(&client, tokens.access_token(), &subject)?);

    let refresh_token =
        tokens.refresh_token().context("there is no refresh token: offline_access was not granted")?;
    let renewed = refresh(&client, refresh_token, &subject)?;
    println!("Refreshed: the new access token is good for {:?}", renewed.expires_in().unwrap_or_default());
    println!("UserInfo still says: {}", who_is(&client, renewed.access_token(), &subject)?);
    if let Some(url) = logout {
        println!("To sign out at Grantor, too, open: {}", logout_url(url, id_token));
    }
    Ok(())
}

/// Sends the person to Grantor, waits for the answer, and redeems its code. The nonce is that of the ID token to come.
fn sign_in(client: &Client, issuer: &IssuerUrl, callback: Callback) -> Result<(CoreTokenResponse, Nonce)> {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    println!("Open this address in your browser: {url}");
    let code = callback.wait()?.code(issuer, &state)?;
    let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request(&http::send)?;
    Ok((tokens, nonce))
}

/// Who signed in, by an ID token for this client, this sign-in and this access token (OpenID Connect Core §3.1.3.7).
fn verified_subject(
    client: &Client,
    id_token: &CoreIdToken,
    nonce: &Nonce,
    access_token: &AccessToken,
) -> Result<SubjectIdentifier> {
    let verifier = client.id_token_verifier();
    let claims = id_token.claims(&verifier, nonce)?;
    if let Some(expected) = claims.access_token_hash() {
        let (alg, key) = (id_token.signing_alg()?, id_token.signing_key(&verifier)?);
        let actual = AccessTokenHash::from_token(access_token, alg, key)?;
        ensure!(actual == *expected, "the access token is not the one that came with the ID token");
    }
    println!("The ID token says: {}", serde_json::to_string(claims)?);
    Ok(claims.subject().clone())
}

/// What UserInfo says, as JSON. The library checks that it speaks of the one who signed in.
fn who_is(client: &Client, access_token: &AccessToken, subject: &SubjectIdentifier) -> Result<String> {
    let request = client.user_info(access_token.clone(), Some(subject.clone()))?;
    let claims: CoreUserInfoClaims = request.request(&http::send)?;
    Ok(serde_json::to_string(&claims)?)
}

/// New tokens for the same person. An ID token that comes with them has the nonce of no request (Core §12.2).
fn refresh(
    client: &Client,
    refresh_token: &RefreshToken,
    subject: &SubjectIdentifier,
) -> Result<CoreTokenResponse> {
    let tokens = client.exchange_refresh_token(refresh_token)?.request(&http::send)?;
    if let Some(id_token) = tokens.id_token() {
        let claims = id_token.claims(&client.id_token_verifier(), |_: Option<&Nonce>| Ok(()))?;
        ensure!(claims.subject() == subject, "the new ID token is about somebody else");
    }
    Ok(tokens)
}

/// Where the person ends the session at Grantor (OpenID Connect RP-Initiated Logout §2).
fn logout_url(endpoint: EndSessionUrl, id_token: &CoreIdToken) -> String {
    LogoutRequest::from(endpoint).set_id_token_hint(id_token).http_get_url().into()
}
