//! How clients authenticate at the token, introspection and revocation endpoints (RFC 6749 §2.3, §3.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;

use crate::harness::{Answer, Browser, RelyingParty, Server};

const ENDPOINTS: [&str; 3] = ["/token", "/introspect", "/revoke"];

struct Actors {
    server: Server,
    http: Browser,
    app: RelyingParty,
    public: RelyingParty,
}

impl Actors {
    async fn new() -> Self {
        let server = Server::start().await;
        let grants =
            ["--grant", "authorization_code", "--grant", "refresh_token", "--grant", "client_credentials"];
        let app = RelyingParty::register(&server, &grants);
        let public = RelyingParty::register(&server, &["--public"]);
        Self { http: Browser::new(&server), server, app, public }
    }

    fn secret(&self) -> &str {
        self.app.client_secret.as_deref().unwrap()
    }

    async fn post(&self, path: &str, authorization: Option<&str>, form: &[(&str, &str)]) -> Answer {
        let mut request = self.http.request(Method::POST, path).form(form);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        Answer::read(request.send().await.unwrap()).await
    }
}

fn basic(credentials: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// What the endpoints want besides the client.
const FORM: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("token", "x")];

#[tokio::test]
async fn a_wrong_secret_is_invalid_client_everywhere() {
    let actors = Actors::new().await;
    let (id, secret) = (&actors.app.client_id, actors.secret());
    let other = RelyingParty::register(&actors.server, &[]);
    let other_secret = other.client_secret.as_deref().unwrap();
    // Case 28.
    let wrong = [
        "wrong".to_owned(),
        secret[..secret.len() - 1].to_owned(),
        format!("{secret}A"),
        secret.to_uppercase(),
        format!(" {secret}"),
        other_secret.to_owned(),
        "a".repeat(5_000),
    ];
    for path in ENDPOINTS {
        for wrong in &wrong {
            let header = basic(format!("{id}:{wrong}"));
            actors.post(path, Some(&header), &FORM).await.assert_refused(401, "invalid_client");
            let form = [FORM[0], FORM[1], ("client_id", id), ("client_secret", wrong)];
            actors.post(path, None, &form).await.assert_refused(401, "invalid_client");
        }
        let unknown = basic(format!("nobody:{secret}"));
        actors.post(path, Some(&unknown), &FORM).await.assert_refused(401, "invalid_client");
        let empty = basic(format!("{id}:"));
        actors.post(path, Some(&empty), &FORM).await.assert_refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn a_garbled_authorization_header_is_invalid_client() {
    let actors = Actors::new().await;
    let (id, secret) = (&actors.app.client_id, actors.secret());
    let headers = [
        "Basic".to_owned(),
        "Basic !!!!".to_owned(),
        "Basic \u{e4}".to_owned(),
        basic(id),
        basic(format!(":{secret}")),
        basic(b"\xff\xfe:x"),
        basic(format!("{id}:%zz")),
        basic(format!("{id}:%00")),
        format!("Bearer {secret}"),
        format!("Digest username={id}"),
        format!("Basic {id}:{secret}"),
    ];
    for header in &headers {
        actors.post("/token", Some(header), &FORM).await.assert_refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn a_confidential_client_without_authentication_is_refused() {
    let actors = Actors::new().await;
    for path in ENDPOINTS {
        // Case 29.
        let named = [FORM[0], FORM[1], ("client_id", actors.app.client_id.as_str())];
        actors.post(path, None, &named).await.assert_refused(401, "invalid_client");
        actors.post(path, None, &FORM).await.assert_refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn two_ways_at_once_are_refused_also_with_the_right_secret() {
    let actors = Actors::new().await;
    let (id, secret) = (&actors.app.client_id, actors.secret());
    let right = basic(format!("{id}:{secret}"));
    for path in ENDPOINTS {
        // Case 30.
        let both = [FORM[0], FORM[1], ("client_id", id), ("client_secret", secret)];
        actors.post(path, Some(&right), &both).await.assert_refused(400, "invalid_request");
        let another = [FORM[0], FORM[1], ("client_id", actors.public.client_id.as_str())];
        actors.post(path, Some(&right), &another).await.assert_refused(400, "invalid_request");
    }
    let (first, second) = (right.as_str(), right.as_str());
    let request = actors.http.request(Method::POST, "/token").form(&FORM);
    let doubled = request.header("authorization", first).header("authorization", second);
    Answer::read(doubled.send().await.unwrap()).await.assert_refused(400, "invalid_request");
}

#[tokio::test]
async fn a_secret_is_taken_by_basic_or_by_post_unless_one_is_registered() {
    let actors = Actors::new().await;
    let grant = ["--grant", "client_credentials", "--grant", "authorization_code"];
    let register =
        |method| RelyingParty::register(&actors.server, &[&grant[..], &["--auth-method", method]].concat());
    let (only_basic, only_post) = (register("client_secret_basic"), register("client_secret_post"));
    for (app, basic_status, post_status) in
        [(&actors.app, 200, 200), (&only_basic, 200, 401), (&only_post, 401, 200)]
    {
        let (id, secret) = (&app.client_id, app.client_secret.as_deref().unwrap());
        let by_basic = actors.post("/token", Some(&basic(format!("{id}:{secret}"))), &FORM[..1]).await;
        assert_eq!(by_basic.status, basic_status, "{}", by_basic.body);
        let by_post =
            actors.post("/token", None, &[FORM[0], ("client_id", id), ("client_secret", secret)]).await;
        assert_eq!(by_post.status, post_status, "{}", by_post.body);
    }
}

#[tokio::test]
async fn basic_credentials_are_form_encoded_and_the_scheme_has_no_case() {
    let actors = Actors::new().await;
    // RFC 6749 §2.3.1: each is form-encoded first, so "-" may come as "%2D".
    let (id, secret) = (actors.app.client_id.replace('-', "%2D"), actors.secret().replace('_', "%5F"));
    let header = basic(format!("{id}:{secret}"));
    for header in [header.clone(), header.replace("Basic", "bASIC")] {
        assert_eq!(actors.post("/token", Some(&header), &FORM[..1]).await.status, 200);
    }
}

#[tokio::test]
async fn a_public_client_names_itself_and_has_no_secret() {
    let actors = Actors::new().await;
    let id = actors.public.client_id.as_str();
    let grant = ("grant_type", "refresh_token");
    let with = |secret| [grant, ("refresh_token", "x"), ("client_id", id), ("client_secret", secret)];
    actors.post("/token", None, &with("x")).await.assert_refused(401, "invalid_client");
    // It got as far as its grant; some libraries send an empty secret.
    actors.post("/token", None, &with("")).await.assert_refused(400, "invalid_grant");
    let header = basic(format!("{id}:"));
    actors.post("/token", Some(&header), &with("")[..2]).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn only_a_posted_form_is_read() {
    let actors = Actors::new().await;
    let (id, secret) = (&actors.app.client_id, actors.secret());
    let right = basic(format!("{id}:{secret}"));
    let query = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}&token=x");
    for path in ENDPOINTS {
        // Case 31.
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
            let request =
                actors.http.request(method, &format!("{path}?{query}")).header("authorization", &right);
            let answer = Answer::read(request.send().await.unwrap()).await;
            assert_eq!(answer.status, 405, "{}", answer.body);
            assert_eq!(answer.header("allow"), Some("POST"));
        }
        let in_the_query = actors.post(&format!("{path}?{query}"), None, &[]).await;
        in_the_query.assert_refused(400, "invalid_request");
        let beside_it = actors.post(&format!("{path}?x=y"), Some(&right), &FORM).await;
        beside_it.assert_refused(400, "invalid_request");

        let json = actors.http.request(Method::POST, path).header("authorization", &right);
        let json =
            json.header("content-type", "application/json").body(r#"{"grant_type":"client_credentials"}"#);
        Answer::read(json.send().await.unwrap()).await.assert_refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_malformed_form_is_refused_and_nothing_breaks() {
    let actors = Actors::new().await;
    let right = basic(format!("{}:{}", actors.app.client_id, actors.secret()));
    let grant = "grant_type=client_credentials";
    let many: String = (0..100_000).map(|number| format!("&p{number}=")).collect();
    // Case 32: a parameter twice; case 73: what is no text.
    let forms = [
        format!("{grant}&{grant}&token=x&token=x"),
        format!("{grant}&scope=a&scope=b&token=x&token=y"),
        format!("{grant}&token=%00&scope=%00"),
        format!("{grant}&token=%ff&scope=%ff"),
        format!("{grant}&token=%zz&scope=%"),
        format!("{grant}&token=%ed%a0%80"),
        format!("{grant}&token={}", "a".repeat(70_000)),
        format!("{grant}&token=x{many}"),
    ];
    for path in ENDPOINTS {
        for form in &forms {
            let request = actors.http.request(Method::POST, path).header("authorization", &right);
            let request =
                request.header("content-type", "application/x-www-form-urlencoded").body(form.clone());
            let answer = Answer::read(request.send().await.unwrap()).await;
            answer.assert_refused(400, "invalid_request");
        }
    }
}

#[tokio::test]
async fn other_grant_types_are_not_supported_and_unregistered_ones_not_allowed() {
    let actors = Actors::new().await;
    // Case 33.
    for grant in
        ["password", "implicit", "Authorization_Code", "CLIENT_CREDENTIALS", "urn:x", " refresh_token"]
    {
        actors.app.token(&[("grant_type", grant)]).await.assert_refused(400, "unsupported_grant_type");
    }
    actors.app.token(&[("code", "x")]).await.assert_refused(400, "invalid_request");
    actors.app.token(&[("grant_type", "")]).await.assert_refused(400, "invalid_request");

    let app = RelyingParty::register(&actors.server, &["--grant", "authorization_code"]);
    app.refresh("x", &[]).await.assert_refused(400, "unauthorized_client");
    app.token(&FORM[..1]).await.assert_refused(400, "unauthorized_client");
}

#[tokio::test]
async fn a_rotated_secret_a_disabled_and_a_deleted_client_are_refused_within_two_seconds() {
    let actors = Actors::new().await;
    let (id, app) = (actors.app.client_id.clone(), &actors.app);
    assert_eq!(app.token(&FORM[..1]).await.status, 200);

    let rotated = actors.server.cli(&["client", "rotate-secret", &id]);
    actors.server.change_arrives().await;
    app.token(&FORM[..1]).await.assert_refused(401, "invalid_client");
    let app = app.with_secret(rotated["client_secret"].as_str());
    assert_eq!(app.token(&FORM[..1]).await.status, 200);

    actors.server.cli(&["client", "update", &id, "--disable"]);
    actors.server.change_arrives().await;
    app.token(&FORM[..1]).await.assert_refused(401, "invalid_client");

    actors.server.cli(&["client", "update", &id, "--enable"]);
    actors.server.change_arrives().await;
    assert_eq!(app.token(&FORM[..1]).await.status, 200);

    actors.server.cli(&["client", "delete", &id]);
    actors.server.change_arrives().await;
    app.token(&FORM[..1]).await.assert_refused(401, "invalid_client");
}
