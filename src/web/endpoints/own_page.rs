use crate::app::App;
use crate::model::Session;
use crate::time::Timestamp;
use crate::users::SessionToken;
use crate::web::failure::PageError;

/// Who is in front of one of our own pages; `None`: nobody is signed in.
pub async fn signed_in(
    app: &App,
    session: Option<SessionToken>,
    now: Timestamp,
) -> Result<Option<(SessionToken, Session)>, PageError> {
    let Some(token) = session else { return Ok(None) };
    Ok(app.store.session(&token.hash(), now).await?.map(|person| (token, person)))
}
