//! Scopes narrowed to what the resources of a token understand (RFC 8707 §2): one API does not get another's.

use serde_json::{Value, json};

use super::assert_refused as assert_refused_by_redirect;
use crate::harness::{Answer, Browser, RelyingParty, Server, pkce};

const NOTES: &str = "https://notes.example/api";
const MAIL: &str = "https://mail.example/mcp";
/// Registered by being named, so that it says nothing of scopes.
const OPEN: &str = "https://open.example";

const SCOPES: &str = "openid offline_access notes.read notes.admin mail.read";

struct Apis {
    server: Server,
    app: RelyingParty,
    browser: Browser,
}

impl Apis {
    /// Three APIs, two of which say what they understand; Alice is an administrator of the notes.
    async fn new() -> Self {
        let server = Server::start().await;
        for scope in ["notes.read", "mail.read"] {
            server.cli(&["scope", "create", scope, "--description", "Read"]);
        }
        server.cli(&["scope", "create", "notes.admin", "--description", "Administer", "--restricted"]);
        server.cli(&["role", "create", "admin", "--scope", "notes.admin"]);
        server.user("alice", &["admin"]);
        server.cli(&["resource-server", "create", NOTES, "--scope", "notes.read notes.admin"]);
        server.cli(&["resource-server", "create", MAIL, "--scope", "mail.read"]);
        let audiences = ["--audience", NOTES, "--audience", MAIL, "--audience", OPEN];
        let app = RelyingParty::register(&server, &[&audiences[..], &["--scope", SCOPES]].concat());
        let browser = Browser::new(&server);
        server.change_arrives().await;
        Self { server, app, browser }
    }

    fn client(&self, arguments: &[&str]) -> RelyingParty {
        RelyingParty::register(&self.server, arguments)
    }

    async fn code(&self, resources: &[&str]) -> (String, String) {
        let more = [named(resources), vec![("scope", SCOPES)]].concat();
        self.app.code(&self.browser, "alice", &more).await
    }
}

fn named<'a>(resources: &[&'a str]) -> Vec<(&'static str, &'a str)> {
    resources.iter().map(|resource| ("resource", *resource)).collect()
}

/// The scope of this answer and of its access token, which are the same, and the roles of the token.
#[track_caller]
fn carried(answer: &Answer) -> (String, Value) {
    let tokens = answer.tokens();
    let claims = tokens.claims();
    // RFC 6749 §5.1, and RFC 8707 §2: the answer says what the token has.
    assert_eq!(claims["scope"], tokens.scope());
    (tokens.scope().to_owned(), claims["roles"].clone())
}

#[tokio::test]
async fn a_token_carries_the_scopes_of_its_resources_and_the_grant_keeps_all() {
    let apis = Apis::new().await;
    let own = "openid offline_access";
    let notes = (format!("{own} notes.read notes.admin"), json!(["admin"]));
    let mail = (format!("{own} mail.read"), Value::Null);
    let all = (SCOPES.to_owned(), json!(["admin"]));
    for authorized in [&[][..], &[NOTES, MAIL, OPEN]] {
        let (code, verifier) = apis.code(authorized).await;
        let answer = apis.app.redeem(&code, &verifier, &named(&[NOTES])).await;
        assert_eq!(carried(&answer), notes, "{authorized:?}");
        let mut refresh_token = answer.tokens().refresh_token().to_owned();
        // RFC 6749 §6: narrowing one token narrows nothing else.
        for (resources, expected) in [
            (&[MAIL][..], &mail),
            (&[NOTES], &notes),
            (&[MAIL, NOTES], &all),
            (&[OPEN], &all),
            (&[NOTES, OPEN], &all),
            (&[], &all),
        ] {
            let answer = apis.app.refresh(&refresh_token, &named(resources)).await;
            assert_eq!(&carried(&answer), expected, "{authorized:?} {resources:?}");
            refresh_token = answer.tokens().refresh_token().to_owned();
        }
    }
}

#[tokio::test]
async fn a_resource_named_at_the_authorization_narrows_all_its_tokens() {
    let apis = Apis::new().await;
    let (code, verifier) = apis.code(&[MAIL]).await;
    let answer = apis.app.redeem(&code, &verifier, &[]).await;
    assert_eq!(carried(&answer).0, "openid offline_access mail.read");
    // Libraries send the original scope again, and the scope of the answer before.
    for scope in [SCOPES, "openid offline_access mail.read", "mail.read"] {
        let answer = apis.app.refresh(answer.tokens().refresh_token(), &[("scope", scope)]).await;
        let expected = if scope == "mail.read" { scope } else { "openid offline_access mail.read" };
        assert_eq!(carried(&answer).0, expected, "{scope}");
    }
}

#[tokio::test]
async fn the_id_token_comes_whatever_the_resource() {
    let apis = Apis::new().await;
    let (code, verifier) = apis.code(&[NOTES]).await;
    let tokens = apis.app.redeem(&code, &verifier, &[]).await.tokens();
    assert!(tokens.0["id_token"].is_string());
}

#[tokio::test]
async fn a_token_that_would_be_good_for_nothing_is_refused_and_uses_nothing_up() {
    let apis = Apis::new().await;
    // Told to the client before anybody is asked.
    let more = [("resource", MAIL), ("scope", "notes.read")];
    let answer = apis.browser.get(&apis.app.authorize_path(&pkce().1, &more)).await;
    assert_refused_by_redirect(&answer, &apis.app.redirect_uri, "invalid_scope", "nothing is understood");
    assert!(answer.parameter("error_description").unwrap().contains(MAIL));

    let scope = [("scope", "notes.read")];
    let (code, verifier) = apis.app.code(&apis.browser, "alice", &scope).await;
    apis.app.redeem(&code, &verifier, &named(&[MAIL])).await.assert_refused(400, "invalid_scope");
    let answer = apis.app.redeem(&code, &verifier, &named(&[NOTES])).await;
    assert_eq!(carried(&answer).0, "notes.read");
    let tokens = answer.tokens();
    apis.app.refresh(tokens.refresh_token(), &named(&[MAIL])).await.assert_refused(400, "invalid_scope");
    let answer = apis.app.refresh(tokens.refresh_token(), &[]).await;
    assert_eq!(carried(&answer).0, "notes.read");
}

#[tokio::test]
async fn a_client_acting_for_itself_is_narrowed_too() {
    let apis = Apis::new().await;
    let grant = ["--grant", "client_credentials", "--scope", "notes.read mail.read"];
    let machine = apis.client(&[&grant[..], &["--audience", NOTES, "--audience", MAIL]].concat());
    let ask = async |more: Vec<(&'static str, &'static str)>| {
        machine.token(&[vec![("grant_type", "client_credentials")], more].concat()).await
    };
    assert_eq!(carried(&ask(vec![]).await).0, "notes.read mail.read");
    assert_eq!(carried(&ask(named(&[MAIL])).await).0, "mail.read");
    assert_eq!(
        carried(&ask([named(&[NOTES]), vec![("scope", "mail.read notes.read")]].concat()).await).0,
        "notes.read"
    );
    let nothing = ask([named(&[NOTES]), vec![("scope", "mail.read")]].concat()).await;
    nothing.assert_refused(400, "invalid_scope");
    // Who has no scope at all loses none.
    let grant = ["--grant", "client_credentials", "--audience", NOTES];
    let bare = apis.client(&grant).token(&[("grant_type", "client_credentials")]).await;
    assert_eq!(carried(&bare).0, "");
}

#[tokio::test]
async fn introspection_tells_each_api_of_its_own_scopes() {
    let apis = Apis::new().await;
    let api = |identifiers: &[&str]| {
        let arguments: Vec<_> = identifiers.iter().flat_map(|one| ["--resource-server", one]).collect();
        apis.client(&arguments)
    };
    let (notes, mail, both, open) = (api(&[NOTES]), api(&[MAIL]), api(&[NOTES, MAIL]), api(&[OPEN]));
    let more = [named(&[NOTES, MAIL]), vec![("scope", SCOPES)]].concat();
    let tokens = apis.app.sign_in(&apis.browser, "alice", &more).await;
    let own = "openid offline_access";
    let (of_notes, of_mail) = (format!("{own} notes.read notes.admin"), format!("{own} mail.read"));
    let table = [
        (&notes, of_notes.as_str(), json!(["admin"])),
        (&mail, &of_mail, Value::Null),
        (&both, SCOPES, json!(["admin"])),
        (&apis.app, SCOPES, json!(["admin"])),
    ];
    for (who, scope, roles) in table {
        let told = who.introspect(tokens.access_token()).await;
        assert_eq!((told["scope"].as_str(), &told["roles"]), (Some(scope), &roles), "{told}");
        assert_eq!(told["aud"], json!([NOTES, MAIL]));
    }
    // Case 45.
    assert_eq!(open.introspect(tokens.access_token()).await, json!({"active": false}));
    // A token for one API is none for another, also for a client that asks for both.
    let answer = apis.app.refresh(tokens.refresh_token(), &named(&[MAIL])).await.tokens();
    assert_eq!(notes.introspect(answer.access_token()).await, json!({"active": false}));
    assert_eq!(both.introspect(answer.access_token()).await["scope"], of_mail);
}

#[tokio::test]
async fn what_a_resource_server_understands_today_counts() {
    let apis = Apis::new().await;
    let (code, verifier) = apis.code(&[NOTES]).await;
    let tokens = apis.app.redeem(&code, &verifier, &[]).await.tokens();
    apis.server.cli(&["resource-server", "update", NOTES, "--scope", "notes.read"]);
    apis.server.change_arrives().await;
    let told = apis.app.introspect(tokens.access_token()).await;
    assert_eq!((&told["scope"], &told["roles"]), (&json!("openid offline_access notes.read"), &Value::Null));
    let answer = apis.app.refresh(tokens.refresh_token(), &[]).await;
    assert_eq!(carried(&answer), ("openid offline_access notes.read".to_owned(), Value::Null));

    // A deleted scope leaves it, and the last one that goes leaves none, not any.
    apis.server.cli(&["scope", "delete", "mail.read"]);
    assert_eq!(apis.server.cli(&["resource-server", "show", MAIL])["scope"], "");

    apis.server.cli(&["resource-server", "update", NOTES, "--any-scope"]);
    let more = [named(&[NOTES]), vec![("scope", "openid notes.read notes.admin")]].concat();
    apis.server.change_arrives().await;
    let tokens = apis.app.sign_in(&apis.browser, "alice", &more).await;
    assert_eq!(tokens.scope(), "openid notes.read notes.admin");
}

#[tokio::test]
async fn a_new_resource_server_is_heeded_by_the_first_request_of_a_new_client() {
    let apis = Apis::new().await;
    let new = "https://new.example";
    apis.server.cli(&["resource-server", "create", new, "--scope", "mail.read"]);
    let grant = ["--grant", "client_credentials", "--scope", "notes.read mail.read", "--audience", new];
    let machine = apis.client(&grant);
    assert_eq!(carried(&machine.token(&[("grant_type", "client_credentials")]).await).0, "mail.read");
}

#[tokio::test]
async fn a_deleted_resource_server_ends_what_was_for_it() {
    let apis = Apis::new().await;
    let api = apis.client(&["--resource-server", NOTES]);
    let (code, verifier) = apis.code(&[NOTES]).await;
    let tokens = apis.app.redeem(&code, &verifier, &[]).await.tokens();
    assert_eq!(api.introspect(tokens.access_token()).await["active"], true);
    apis.server.cli(&["resource-server", "delete", NOTES, "--force"]);
    apis.server.change_arrives().await;
    for who in [&api, &apis.app] {
        assert_eq!(who.introspect(tokens.access_token()).await, json!({"active": false}));
    }
    apis.app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_target");
    apis.app.refresh(tokens.refresh_token(), &named(&[NOTES])).await.assert_refused(400, "invalid_target");
    let answer = apis.browser.get(&apis.app.authorize_path(&pkce().1, &named(&[NOTES]))).await;
    assert_refused_by_redirect(&answer, &apis.app.redirect_uri, "invalid_target", "deleted");
}

#[tokio::test]
async fn the_consent_page_names_the_apis_that_tokens_are_for() {
    let apis = Apis::new().await;
    apis.server.cli(&["resource-server", "update", MAIL, "--name", "Mail <b>API</b>"]);
    apis.server.change_arrives().await;
    let more = [named(&[MAIL, OPEN]), vec![("scope", SCOPES)]].concat();
    let path = apis.app.authorize_path(&pkce().1, &more);
    let page = apis.browser.follow(apis.browser.get(&path).await).await;
    let page = apis.browser.sign_in_on(&page, "alice").await;
    let shown = page.text_of("ul.plain");
    // By name where there is one, and always by the address that the token will say.
    assert_eq!(shown, format!("Mail <b>API</b> {MAIL} {OPEN}"));
}
