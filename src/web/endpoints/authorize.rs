use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::App;
use crate::authorization::{
    Approval, NextStep, NotIssued, Pending, RedirectTarget, RequestedScopes, SealedRequest, next_step,
};
use crate::protocol::discovery::AUTHORIZATION_PATH;
use crate::protocol::{AuthorizationError, Parameters};
use crate::store::{SignedIn, StoreError};
use crate::telemetry::events;
use crate::time::Timestamp;
use crate::web::extract::{Now, RequestApp, SessionCookie, form_parameters, query_parameters};
use crate::web::failure::PageError;
use crate::web::respond::see_other;

/// The authorization endpoint (RFC 6749 §3.1).
pub async fn authorize(
    app: RequestApp,
    request: HttpRequest,
    SessionCookie(session): SessionCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let begun = Begun::read(&app, &query_parameters(&request)?).await?;
    begun.advance(&app, session.as_ref().map(|token| token.hash()), now.get()).await
}

/// The authorization endpoint by POST. A browser sends no session cookie along with another site's form, so
/// that where none came the request goes round once more as a GET.
pub async fn authorize_posted(
    app: RequestApp,
    request: HttpRequest,
    payload: web::Payload,
    SessionCookie(session): SessionCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    if !request.query_string().is_empty() {
        return Err(PageError::bad_request("There are parameters both in the address and in the form."));
    }
    let parameters = form_parameters(&request, payload.into_inner()).await?;
    let begun = Begun::read(&app, &parameters).await?;
    match session {
        Some(session) => begun.advance(&app, Some(session.hash()), now.get()).await,
        None => Ok(see_other(&format!("{AUTHORIZATION_PATH}?{}", parameters.to_query()))),
    }
}

/// A request under way: read, and not yet answered.
pub struct Begun {
    pending: Pending,
    sealed: SealedRequest,
}

/// Where a request under way stands for the person in front of it.
pub enum Stage {
    /// An answer is ready: a redirect to the client, or to the sign-in page.
    Answer(HttpResponse),
    /// The person is to be asked.
    Ask(Box<Question>),
}

/// Why a request under way does not get on.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The request cannot be written into an address.
    #[error(transparent)]
    Sealing(#[from] serde_json::Error),
}

impl From<Trouble> for PageError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Store(error) => error.into(),
            Trouble::Sealing(error) => error.into(),
        }
    }
}

/// What the consent page asks.
pub struct Question {
    /// The request.
    pub pending: Pending,
    /// The person, signed in recently enough.
    pub person: SignedIn,
    /// What the person can and cannot grant.
    pub scopes: RequestedScopes,
    /// When the request came, by the database's clock.
    pub requested_at: Timestamp,
}

impl Begun {
    async fn read(app: &App, parameters: &Parameters) -> Result<Self, PageError> {
        let pending = app.incoming().read(parameters).await.map_err(PageError::from)?;
        let sealed = SealedRequest::new(pending.request.clone(), app.registry.database_time());
        Ok(Self { pending, sealed })
    }

    /// Continues a request that was sealed into a page's address.
    pub async fn resume(app: &App, sealed: &str) -> Result<Self, PageError> {
        let opened = SealedRequest::open(sealed, &app.master_keys, app.registry.database_time())
            .ok_or_else(PageError::request_expired)?;
        let pending = app.incoming().resume(opened.request.clone()).await.map_err(PageError::from)?;
        Ok(Self { pending, sealed: opened })
    }

    /// What was asked.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    async fn advance(
        self,
        app: &App,
        session: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<HttpResponse, PageError> {
        let (sealed, target) = (self.sealed.clone(), self.pending.target.clone());
        match self.stage(app, session, now).await {
            Ok(Stage::Answer(response)) => Ok(response),
            Ok(Stage::Ask(_)) => {
                Ok(see_other(&format!("/consent?request={}", sealed.seal(&app.master_keys)?)))
            }
            // RFC 6749 §4.1.2.1: the client is known, and nothing has been shown yet that the person would lose.
            Err(Trouble::Store(error)) => Ok(redirect_error(&target, &error.into())),
            Err(Trouble::Sealing(error)) => Err(error.into()),
        }
    }

    /// Looks who is signed in and decides; where nothing is left to ask, answers.
    pub async fn stage(self, app: &App, session: Option<[u8; 32]>, now: Timestamp) -> Result<Stage, Trouble> {
        let Self { pending, sealed } = self;
        let person = match session {
            Some(hash) => app.store.signed_in(&hash, &pending.client.id, now).await?,
            None => None,
        };
        let roles = person.as_ref().map(|person| person.roles.as_slice()).unwrap_or_default();
        let scopes = RequestedScopes::divide(&pending.scopes, &app.registry.scopes(), roles);
        let requested_at = sealed.requested_at();
        let step = next_step(&pending, person.as_ref(), &scopes, requested_at);
        let answer = match (step, person) {
            (NextStep::Consent, Some(person)) => {
                return Ok(Stage::Ask(Box::new(Question { pending, person, scopes, requested_at })));
            }
            (NextStep::Issue, Some(person)) => {
                let approval = Approval { scopes: scopes.grantable, consented: false, requested_at };
                issue(app, &pending, &person, approval).await?
            }
            (NextStep::Refuse(error), _) => Some(redirect_error(&pending.target, &error)),
            _ => None,
        };
        match answer {
            Some(response) => Ok(Stage::Answer(response)),
            None => {
                Ok(Stage::Answer(see_other(&format!("/sign-in?request={}", sealed.seal(&app.master_keys)?))))
            }
        }
    }
}

/// Issues the code and sends it to the client; `None` if the session ended meanwhile.
pub async fn issue(
    app: &App,
    pending: &Pending,
    person: &SignedIn,
    approval: Approval,
) -> Result<Option<HttpResponse>, StoreError> {
    match app.code_issuer().issue(pending, person, approval, app.registry.database_time()).await? {
        Ok(code) => Ok(Some(see_other(&pending.target.with_code(&code)))),
        Err(NotIssued::SessionEnded) => Ok(None),
        Err(NotIssued::ScopeDeleted) => {
            let error =
                AuthorizationError::invalid_scope("one of the scopes was deleted meanwhile: authorize again");
            Ok(Some(redirect_error(&pending.target, &error)))
        }
    }
}

/// Sends a refusal to the client.
pub fn redirect_error(target: &RedirectTarget, error: &AuthorizationError) -> HttpResponse {
    events::request_refused(error.code().as_str(), error.description(), std::error::Error::source(error));
    see_other(&target.redirect(error))
}
