//! ID tokens that come back: the `id_token_hint` of authorization and logout requests (OpenID Connect Core §3.1.2.1,
//! OpenID Connect RP-Initiated Logout §2).

use serde::Deserialize;

use crate::jose::{IdToken, JoseError, UnverifiedJwt, VerificationKeys};
use crate::keys::Pseudonyms;
use crate::model::{ClientId, SessionId};
use crate::time::Timestamp;

/// What an ID token of this server says of itself. It says whom a client has in mind and proves nothing about who sends
/// it: ID tokens pass through browsers and logs, and are accepted here after their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdTokenHint {
    /// The person, as the client of `aud` knows them.
    pub sub: String,
    /// The client that the ID token was issued to.
    pub aud: ClientId,
    /// The session, as that client knows it; `None`: there was none to name.
    pub sid: Option<String>,
    /// When it was issued.
    pub iat: Timestamp,
    /// Its end, which may be past.
    pub exp: Timestamp,
}

/// Why a text is no ID token of this server. For logs.
#[derive(Debug, thiserror::Error)]
pub enum IdTokenHintError {
    /// Not a JWT of an ID token's type that a key on record has signed, or one that lacks what every ID token has.
    #[error("the id_token_hint is not an ID token of this server: {0}")]
    Token(#[from] JoseError),
    /// Another issuer's: two installations may share a key.
    #[error("the id_token_hint was issued by {iss}")]
    Issuer {
        /// Who issued it.
        iss: String,
    },
}

/// What every ID token has (OpenID Connect Core §2), `at_hash` included: no other JWT of type `JWT` has all of it.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: ClientId,
    exp: i64,
    iat: i64,
    #[serde(rename = "auth_time")]
    _auth_time: i64,
    #[serde(rename = "at_hash")]
    _at_hash: String,
    sid: Option<String>,
}

impl IdTokenHint {
    /// Reads an ID token that this `issuer` signed with one of these `keys`: [`crate::keys::KeySet::keys_on_record`],
    /// since it may be older than what is published now.
    ///
    /// # Errors
    /// If it is anything else: unsigned, forged, another issuer's, an access token or another kind of JWT.
    pub fn verify(text: &str, keys: &VerificationKeys, issuer: &str) -> Result<Self, IdTokenHintError> {
        let claims: Claims = UnverifiedJwt::parse(text)?.verify::<IdToken>(keys)?.claims()?;
        if claims.iss != issuer {
            return Err(IdTokenHintError::Issuer { iss: claims.iss });
        }
        Ok(Self {
            sub: claims.sub,
            aud: claims.aud,
            sid: claims.sid,
            iat: Timestamp::from_unix_seconds(claims.iat),
            exp: Timestamp::from_unix_seconds(claims.exp),
        })
    }

    /// Whether it was issued in this session.
    pub fn is_of_session(&self, session: SessionId, pseudonyms: &Pseudonyms) -> bool {
        self.sid.as_ref().is_some_and(|sid| *sid == pseudonyms.session(&self.aud, session))
    }
}
