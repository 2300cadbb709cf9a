//! Making and revoking initial access tokens (RFC 7591 §3): who has one may register clients.

use std::time::Duration;

use uuid::Uuid;

use super::self_registration::new_token;
use crate::model::{NameProblem, check_name};
use crate::secret::{Secret, TokenKind};
use crate::store::{NewInitialAccessToken, Store, StoreError};

const MAX_NAME_CHARACTERS: usize = 200;

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum InitialAccessTokenRefused {
    /// Nobody could tell it from others.
    #[error("the name {0}")]
    Name(NameProblem),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a token, which is returned here and never again; its identifier is no secret.
pub async fn create(
    store: &Store,
    name: &str,
    uses: Option<u32>,
    lifetime: Duration,
) -> Result<(Uuid, Secret<String>), InitialAccessTokenRefused> {
    check_name(name, MAX_NAME_CHARACTERS).map_err(InitialAccessTokenRefused::Name)?;
    let (token, hash) = new_token(TokenKind::InitialAccessToken);
    let id = Uuid::new_v4();
    store.insert_initial_access_token(&NewInitialAccessToken { id, hash, name, uses, lifetime }).await?;
    Ok((id, token))
}
