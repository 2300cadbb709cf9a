//! ID tokens that a server issued, read as an `id_token_hint` is (OpenID Connect Core §3.1.2.1).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use grantor::config::DatabaseSource;
use grantor::keys::{Keys, MasterKeys};
use grantor::secret::Secret;
use grantor::store::{Database, Store};
use grantor::time::Timestamp;
use grantor::tokens::{IdTokenHint, IdTokenHintError};

use crate::harness::{Browser, MASTER_KEY, RelyingParty, Server, claims_of};

struct Scene {
    server: Server,
    app: RelyingParty,
    browser: Browser,
    store: Store,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start().await;
        server.user("alice", &[]);
        let app = RelyingParty::register(
            &server,
            &["--resource-server", "https://api.example", "--audience", "https://api.example"],
        );
        let browser = Browser::new(&server);
        let source = DatabaseSource::Url(Secret::new(server.database.url()));
        let database = Database::open(&source, Path::new("."), &|_| {}).unwrap();
        let store = database.store(2, Duration::from_secs(5));
        Self { server, app, browser, store }
    }

    async fn id_token(&self) -> String {
        let tokens = self.app.sign_in(&self.browser, "alice", &[]).await;
        tokens.0["id_token"].as_str().unwrap().to_owned()
    }

    /// As a server reads it that has the keys as they are now.
    async fn read(&self, text: &str) -> Result<IdTokenHint, IdTokenHintError> {
        let master_keys = [("the tests".to_owned(), Secret::new(MASTER_KEY.to_owned()))];
        let master_keys = Arc::new(MasterKeys::load(&master_keys).unwrap());
        let keys =
            Keys::load(&self.store, master_keys, Duration::from_secs(600), Timestamp::now()).await.unwrap();
        IdTokenHint::verify(text, keys.current().keys_on_record(), &self.server.issuer)
    }

    async fn published(&self) -> String {
        self.browser.get("/.well-known/jwks.json").await.body
    }
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

#[tokio::test]
async fn an_id_token_is_read_as_it_was_issued_and_no_other_token_is() {
    let scene = Scene::begin().await;
    let tokens = scene.app.sign_in(&scene.browser, "alice", &[]).await;
    let id_token = tokens.0["id_token"].as_str().unwrap();
    let claims = claims_of(id_token);
    let hint = scene.read(id_token).await.unwrap();
    assert_eq!((claims["sub"].as_str(), claims["sid"].as_str()), (Some(&*hint.sub), hint.sid.as_deref()));
    assert_eq!((hint.aud.as_str(), &claims["iat"]), (&*scene.app.client_id, &hint.iat.unix_seconds().into()));

    let form = [("token", tokens.access_token())];
    let accept = "application/token-introspection+jwt";
    let request = scene.browser.request(reqwest::Method::POST, &scene.server.url("/introspect"));
    let request = request.basic_auth(&scene.app.client_id, scene.app.client_secret.as_deref());
    let signed = request.header("accept", accept).form(&form).send().await.unwrap().text().await.unwrap();
    assert_eq!(signed.split('.').count(), 3, "{signed}");
    for (what, token) in [
        ("access token", tokens.access_token()),
        ("introspection answer", &signed),
        ("refresh token", tokens.refresh_token()),
    ] {
        assert!(scene.read(token).await.is_err(), "{what}");
    }
    let keys_of_another = Scene::begin().await;
    assert!(keys_of_another.read(id_token).await.is_err(), "another installation's");
}

/// Clients hand in ID tokens that are months old: at the end of a session, or to be silently signed in.
#[tokio::test]
async fn an_id_token_outlives_the_publishing_of_its_key_but_not_its_withdrawal() {
    let scene = Scene::begin().await;
    let old = scene.id_token().await;
    scene.server.cli(&["key", "rotate", "--now"]);
    assert!(scene.read(&old).await.is_ok(), "superseded");
    // Time passes: the old key is retired, and the job erases its private part.
    let past = "UPDATE signing_keys SET activates_at = activates_at - interval '1 day', created_at = created_at - interval '1 day'";
    scene.server.database.execute(past).await;
    let other = scene.server.replica(crate::harness::Settings::default()).await;
    let erased = "SELECT count(*) FROM signing_keys WHERE wrapped_private_key = ''";
    let erased: i64 =
        sqlx::query_scalar(erased).fetch_one(&mut scene.server.database.sql().await).await.unwrap();
    assert_eq!(erased, 1);
    assert!(!Browser::new(&other).get("/.well-known/jwks.json").await.body.contains(&kid(&old)));
    assert!(scene.read(&old).await.is_ok(), "retired in its time");

    scene.server.change_arrives().await;
    let stolen = scene.id_token().await;
    assert!(scene.published().await.contains(&kid(&stolen)) && kid(&stolen) != kid(&old));
    assert!(scene.read(&stolen).await.is_ok());
    scene.server.cli(&["key", "retire", &kid(&stolen)]);
    assert!(scene.read(&stolen).await.is_err(), "withdrawn");
    assert!(scene.read(&old).await.is_ok());
}
