use actix_web::HttpResponse;

use crate::app::App;
use crate::authorization::{
    Approval, Bounds, GrantableClaims, NextStep, NotIssued, Pending, RedirectTarget, Refusal,
    RequestedScopes, SealedRequest, Visitor, next_step,
};
use crate::model::{ClientId, Role, SessionId};
use crate::protocol::discovery::AUTHORIZATION_PATH;
use crate::protocol::{AuthorizationError, Parameters};
use crate::store::{SignedIn, StoreError};
use crate::telemetry::events;
use crate::time::Timestamp;
use crate::web::extract::{PostedRequest, Visit};
use crate::web::failure::PageError;
use crate::web::respond::{see_other, to_client};
use crate::web::{CONSENT, SELECT_ACCOUNT, SIGN_IN};

/// The authorization endpoint (RFC 6749 §3.1).
pub async fn authorize(visit: Visit) -> Result<HttpResponse, PageError> {
    Begun::read(visit.app(), &visit.query()?).await?.advance(&visit).await
}

/// The authorization endpoint by POST.
pub async fn authorize_posted(
    visit: Visit,
    PostedRequest(parameters): PostedRequest,
) -> Result<HttpResponse, PageError> {
    let begun = Begun::read(visit.app(), &parameters).await?;
    match visit.session() {
        Some(_) => begun.advance(&visit).await,
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
    /// An answer is ready: one for the client, or the way to the sign-in page.
    Answer(HttpResponse),
    /// The person is to choose an account.
    SelectAccount(Box<SignedIn>),
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

/// What one look at session and consent shows, and what follows from it.
pub struct Look {
    /// Who is signed in.
    pub person: Option<SignedIn>,
    /// What happens next.
    pub step: NextStep,
    scopes: RequestedScopes,
}

impl Begun {
    async fn read(app: &App, parameters: &Parameters) -> Result<Self, PageError> {
        let pending = app.incoming().read(parameters).await.map_err(PageError::from)?;
        let subject = hinted_subject(app, parameters, &pending.client.id)
            .map_err(|error| Refusal::Answer(Box::new(pending.target.clone()), error))?;
        let sealed = SealedRequest::new(pending.request.clone(), app.registry.database_time());
        Ok(Self { pending, sealed: sealed.for_subject(subject) })
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

    /// The same request, sealed anew, after the person of this session chose to go on with its account.
    pub fn chosen_in(&self, session: SessionId, app: &App) -> Result<String, PageError> {
        Ok(self.sealed.clone().chosen_in(session).seal(&app.master_keys)?)
    }

    async fn advance(self, visit: &Visit) -> Result<HttpResponse, PageError> {
        let (sealed, target) = (self.sealed.clone(), self.pending.target.clone());
        let page = |path| Ok(see_other(&with_request(path, &sealed.seal(&visit.app().master_keys)?)));
        match self.stage(visit).await {
            Ok(Stage::Answer(response)) => Ok(response),
            Ok(Stage::SelectAccount(_)) => page(SELECT_ACCOUNT),
            Ok(Stage::Ask(_)) => page(CONSENT),
            // RFC 6749 §4.1.2.1: the client is known, and nothing has been shown yet that the person would lose.
            Err(Trouble::Store(error)) => Ok(refuse(&target, &error.into())),
            Err(Trouble::Sealing(error)) => Err(error.into()),
        }
    }

    /// Looks who is signed in, and decides.
    pub async fn look(&self, visit: &Visit) -> Result<Look, StoreError> {
        let app = visit.app();
        let person = match visit.session() {
            Some(session) => {
                app.store.signed_in(&session.hash(), &self.pending.client.id, visit.now()).await?
            }
            None => None,
        };
        let roles = person.as_ref().map(|person| person.roles.as_slice()).unwrap_or_default();
        let scopes = requested(app, &self.pending, roles);
        let step = self.decide(app, person.as_ref(), &scopes);
        Ok(Look { person, step, scopes })
    }

    fn decide(&self, app: &App, person: Option<&SignedIn>, scopes: &RequestedScopes) -> NextStep {
        let visitor = person.map(|person| Visitor {
            signed_in: person,
            is_expected: self.is_for(&app.pseudonyms.subject(&self.pending.client, person.session.user_id)),
            has_chosen: self.sealed.is_chosen_in(person.session.id),
        });
        next_step(&self.pending, visitor, scopes, self.sealed.requested_at())
    }

    /// Whether the request may be for this person (OpenID Connect Core §3.1.2.1 `id_token_hint`, §5.5.1 `sub`).
    fn is_for(&self, subject: &str) -> bool {
        self.sealed.hinted_subject.as_ref().is_none_or(|hinted| hinted == subject)
            && self.pending.request.claims.admits_subject(subject)
    }

    /// Looks who is signed in and decides; where nothing is left to ask, answers.
    pub async fn stage(self, visit: &Visit) -> Result<Stage, Trouble> {
        let app = visit.app();
        let Look { person, step, scopes } = self.look(visit).await?;
        let requested_at = self.sealed.requested_at();
        match (step, person) {
            (NextStep::Consent, Some(person)) => {
                Ok(Stage::Ask(Box::new(Question { pending: self.pending, person, scopes, requested_at })))
            }
            (NextStep::SelectAccount, Some(person)) => Ok(Stage::SelectAccount(Box::new(person))),
            (NextStep::Issue(agreement), Some(person)) => {
                let RequestedScopes { grantable, claims, .. } = scopes.clone();
                let approval = Approval { scopes: grantable, claims, agreement, requested_at };
                match issue(app, &self.pending, &person, approval).await? {
                    Some(response) => Ok(Stage::Answer(response)),
                    // The session ended meanwhile: nobody is signed in any more.
                    None => self.away(app, self.decide(app, None, &scopes)),
                }
            }
            (step, _) => self.away(app, step),
        }
    }

    /// The way to the sign-in page, or back to the client: there is nobody here who could go on.
    fn away(&self, app: &App, step: NextStep) -> Result<Stage, Trouble> {
        Ok(Stage::Answer(match step {
            NextStep::Refuse(error) => refuse(&self.pending.target, &error),
            _ => see_other(&with_request(SIGN_IN, &self.sealed.seal(&app.master_keys)?)),
        }))
    }
}

/// The address of a page that continues a sealed request.
pub fn with_request(page: &str, sealed: &str) -> String {
    format!("{page}?request={sealed}")
}

/// What is asked for, as far as a person with these roles may grant it.
fn requested(app: &App, pending: &Pending, roles: &[Role]) -> RequestedScopes {
    let (scopes, claims) = (app.registry.scopes(), app.registry.claims());
    let divided = RequestedScopes::divide(&pending.scopes, &scopes, roles);
    let bounds = Bounds { registered: &pending.client.scopes, roles, scopes: &scopes, claims: &claims };
    let claims = GrantableClaims::of(&pending.request.claims, &divided.grantable, bounds);
    RequestedScopes { claims, ..divided }
}

/// The person whom the request is for (OpenID Connect Core §3.1.2.1 `id_token_hint`): that of an ID token which was
/// issued to this client. It may have expired.
fn hinted_subject(
    app: &App,
    parameters: &Parameters,
    client: &ClientId,
) -> Result<Option<String>, AuthorizationError> {
    const NO_SUCH_TOKEN: &str =
        "the parameter 'id_token_hint' is not an ID token that was issued to this client: leave it out";
    let Some(text) = parameters.get("id_token_hint")? else { return Ok(None) };
    match app.id_token_hint(text) {
        Ok(hint) if hint.aud == *client => Ok(Some(hint.sub)),
        Ok(_) => Err(AuthorizationError::invalid_request(NO_SUCH_TOKEN)),
        Err(error) => Err(AuthorizationError::invalid_request(NO_SUCH_TOKEN).with_source(error)),
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
        Ok(code) => Ok(Some(to_client(&pending.target.with_code(&code)))),
        Err(NotIssued::SessionEnded) => Ok(None),
        Err(NotIssued::ScopeDeleted) => {
            let error =
                AuthorizationError::invalid_scope("one of the scopes was deleted meanwhile: authorize again");
            Ok(Some(refuse(&pending.target, &error)))
        }
    }
}

/// Sends a refusal to the client.
pub fn refuse(target: &RedirectTarget, error: &AuthorizationError) -> HttpResponse {
    events::request_refused(error.code().as_str(), error.description(), std::error::Error::source(error));
    to_client(&target.refuse(error))
}
