//! What scripts of operators build on: names, JSON keys, exit codes, what goes to which stream.

use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{Installation, MASTER_KEY, TestDatabase};

async fn installation() -> (TestDatabase, Installation) {
    let database = TestDatabase::new().await;
    let installation = Installation::on(&database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    (database, installation)
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn has_keys(value: &Value, expected: &[&str]) {
    let missing: Vec<_> = expected.iter().filter(|key| !keys(value).contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {value}");
}

fn stderr_json(output: &Output) -> Value {
    serde_json::from_slice(&output.stderr).unwrap()
}

const CLIENT: [&str; 17] = [
    "client_id",
    "client_name",
    "confidential",
    "application_type",
    "token_endpoint_auth_method",
    "redirect_uris",
    "grant_types",
    "scope",
    "audiences",
    "resource_servers",
    "access_token_lifetime",
    "refresh_idle_lifetime",
    "refresh_absolute_lifetime",
    "rotate_refresh_tokens",
    "require_pkce",
    "disabled_at",
    "created_at",
];
const USER: [&str; 9] = [
    "id",
    "username",
    "email",
    "email_verified",
    "claims",
    "roles",
    "disabled_at",
    "created_at",
    "updated_at",
];

#[tokio::test]
async fn a_client_as_json() {
    let (_database, installation) = installation().await;
    let uri = "https://app.example/cb";
    let made = installation.json(&[
        "client",
        "create",
        "--name",
        "App",
        "--redirect-uri",
        uri,
        "--redirect-uri",
        "https://app.example/2",
        "--grant",
        "authorization_code",
        "--scope",
        "openid email",
        "--audience",
        "https://api.example",
        "--resource-server",
        "https://own.example",
        "--auth-method",
        "client_secret_post",
        "--application-type",
        "web",
    ]);
    has_keys(&made, &CLIENT);
    has_keys(&made, &["client_secret"]);
    for (key, expected) in [
        ("redirect_uris", json!([uri, "https://app.example/2"])),
        ("grant_types", json!(["authorization_code"])),
        ("scope", json!("openid email")),
        ("audiences", json!(["https://api.example"])),
        ("resource_servers", json!(["https://own.example"])),
        ("token_endpoint_auth_method", json!("client_secret_post")),
        ("application_type", json!("web")),
        ("confidential", json!(true)),
    ] {
        assert_eq!(made[key], expected, "{key}");
    }
    let id = made["client_id"].as_str().unwrap();
    let secret = made["client_secret"].as_str().unwrap();
    let shown = installation.json(&["client", "show", id]);
    assert_eq!(shown["client_id"], made["client_id"]);
    for listed in [shown.to_string(), installation.json(&["client", "list"]).to_string()] {
        assert!(!listed.contains(secret), "a secret is shown once");
    }
    let updated = installation.json(&["client", "update", id, "--name", "Other"]);
    assert_eq!((&updated["client_name"], &updated["scope"]), (&json!("Other"), &json!("openid email")));
    let rotated = installation.json(&["client", "rotate-secret", id]);
    assert_eq!(keys(&rotated), ["client_id", "client_secret"]);
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    assert_eq!(installation.json(&["client", "delete", id]), json!({ "client_id": id, "deleted": true }));
}

#[tokio::test]
async fn what_is_not_said_of_a_client_has_a_default() {
    let (_database, installation) = installation().await;
    let create = |more: &[&str]| installation.json(&[&["client", "create", "--name", "App"], more].concat());
    for (arguments, application_type, method) in [
        (["--redirect-uri", "https://app.example/cb"].as_slice(), "web", Value::Null),
        (&["--public", "--redirect-uri", "https://app.example/cb"], "web", json!("none")),
        (&["--public", "--redirect-uri", "http://127.0.0.1/cb"], "native", json!("none")),
        (&["--public", "--redirect-uri", "com.example.app:/cb"], "native", json!("none")),
        (&["--redirect-uri", "http://127.0.0.1/cb"], "web", Value::Null),
    ] {
        let made = create(arguments);
        assert_eq!(made["application_type"], application_type, "{arguments:?}");
        assert_eq!(made["token_endpoint_auth_method"], method, "{arguments:?}");
        assert_eq!(made["client_secret"].is_null(), method == "none", "{arguments:?}");
        assert_eq!(made["grant_types"], json!(["authorization_code", "refresh_token"]), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_user_as_json() {
    let (_database, installation) = installation().await;
    installation.json(&["role", "create", "editor"]);
    let create = ["user", "create", "--username", "alice", "--email", "a@example.com", "--role", "editor"];
    let made = installation.json(&create);
    has_keys(&made, &USER);
    assert_eq!(made["roles"], json!(["editor"]));
    has_keys(&installation.json(&["user", "show", "alice"]), &USER);
    has_keys(&installation.json(&["user", "list"])[0], &USER);
    let link = installation.json(&["user", "set-password", "alice", "--link"]);
    assert_eq!(keys(&link), ["expires_at", "id", "link", "username"]);
    for (arguments, done) in
        [(["user", "disable", "alice"], "disabled"), (["user", "delete", "alice"], "deleted")]
    {
        let output = installation.json(&arguments);
        assert_eq!((&output["id"], &output[done]), (&made["id"], &json!(true)), "{output}");
    }
}

#[tokio::test]
async fn scopes_roles_keys_and_the_schema_as_json() {
    let (_database, installation) = installation().await;
    let scope = ["scope", "create", "notes", "--description", "Read notes", "--restricted"];
    let scope = installation.json(&scope);
    let expected =
        json!({ "name": "notes", "description": "Read notes", "restricted": true, "built_in": false });
    assert_eq!(scope, expected);
    let role = installation.json(&["role", "create", "editor", "--scope", "notes"]);
    assert_eq!(role, json!({ "name": "editor", "scope": "notes" }));
    let scopes = installation.json(&["scope", "list"]);
    for name in ["openid", "profile", "email", "offline_access", "roles", "notes"] {
        assert!(scopes.as_array().unwrap().iter().any(|scope| scope["name"] == name), "{name}");
    }
    has_keys(&installation.json(&["key", "list"])[0], &["kid", "alg", "state", "created_at"]);
    has_keys(&installation.json(&["key", "rotate"]), &["kid", "state"]);
    has_keys(&installation.json(&["key", "rotate", "--now"]), &["kid", "state"]);
    assert_eq!(installation.json(&["migrate"]), json!({ "applied": 0 }));
}

#[tokio::test]
async fn a_resource_server_as_json() {
    let (_database, installation) = installation().await;
    installation.json(&["scope", "create", "notes", "--description", "Read notes"]);
    let create = ["resource-server", "create", "urn:notes", "--name", "Notes API", "--scope", "notes"];
    let made = installation.json(&create);
    assert_eq!(keys(&made), ["created_at", "identifier", "name", "scope"]);
    assert_eq!((&made["identifier"], &made["name"]), (&json!("urn:notes"), &json!("Notes API")));
    let scope = |arguments: &[&str]| installation.json(arguments)["scope"].clone();
    assert_eq!(made["scope"], "notes");
    // Three things that are not the same: some, none, and nothing said.
    let update = ["resource-server", "update", "urn:notes"];
    assert_eq!(scope(&[&update[..], &["--scope", ""]].concat()), "");
    assert_eq!(scope(&[&update[..], &["--name", "Notes"]].concat()), "");
    assert_eq!(scope(&[&update[..], &["--any-scope"]].concat()), Value::Null);
    assert_eq!(scope(&["resource-server", "create", "urn:mail"]), Value::Null);

    let app = ["client", "create", "--name", "App", "--redirect-uri", "https://app.example/cb"];
    let app = installation.json(&[&app[..], &["--audience", "urn:notes"]].concat());
    let api = ["client", "create", "--name", "API", "--grant", "client_credentials"];
    let api = installation.json(&[&api[..], &["--resource-server", "urn:notes"]].concat());
    let shown = installation.json(&["resource-server", "show", "urn:notes"]);
    assert_eq!(shown["audience_of"], json!([app["client_id"]]));
    assert_eq!(shown["introspected_by"], json!([api["client_id"]]));
    assert_eq!((&shown["name"], &shown["scope"]), (&json!("Notes"), &Value::Null));
    let list = installation.json(&["resource-server", "list"]);
    // Named first and registered then, as any order of an operator's steps.
    let app_id = app["client_id"].as_str().unwrap();
    installation.json(&["client", "update", app_id, "--audience", "urn:notes", "--audience", "urn:late"]);
    let late = ["resource-server", "create", "urn:late", "--name", "Late", "--scope", "notes"];
    assert_eq!(installation.json(&late)["scope"], "notes");
    assert_eq!(
        stderr_json(&installation.run(&[&late[..], &["--json"]].concat(), ""))["error"],
        "already_exists"
    );
    installation.json(&["client", "update", app_id, "--audience", "urn:notes"]);
    assert_eq!(installation.json(&["resource-server", "show", "urn:late"])["audience_of"], json!([]));
    installation.json(&["resource-server", "delete", "urn:late"]);
    let identifiers: Vec<_> =
        list.as_array().unwrap().iter().map(|server| server["identifier"].as_str().unwrap()).collect();
    assert_eq!(identifiers, ["urn:mail", "urn:notes"]);

    let refused = installation.run(&["resource-server", "delete", "urn:notes", "--json"], "");
    let said = stderr_json(&refused);
    assert_eq!(said["error"], "in_use");
    for named in ["App", "API", app["client_id"].as_str().unwrap(), "--force"] {
        assert!(said["error_description"].as_str().unwrap().contains(named), "{said}");
    }
    let deleted = installation.json(&["resource-server", "delete", "urn:notes", "--force"]);
    assert_eq!(deleted["taken_from"], json!([api["client_id"], app["client_id"]]));
    let left = installation.json(&["client", "show", app["client_id"].as_str().unwrap()]);
    assert_eq!(left["audiences"], json!([]));
    let deleted = installation.json(&["resource-server", "delete", "urn:mail"]);
    assert_eq!(deleted, json!({ "identifier": "urn:mail", "deleted": true, "taken_from": [] }));
}

#[tokio::test]
async fn a_refusal_is_exit_1_with_a_code_and_words_on_standard_error() {
    let (_database, installation) = installation().await;
    installation.json(&["scope", "create", "admin", "--description", "All", "--restricted"]);
    installation.json(&["role", "create", "boss", "--scope", "admin"]);
    installation.json(&["resource-server", "create", "urn:known", "--scope", "admin"]);
    for (line, code) in [
        ("client show nobody", "not_found"),
        ("client delete nobody", "not_found"),
        ("client create --name A --redirect-uri https://*.example/cb", "invalid_redirect_uri"),
        ("client create --name A", "invalid_redirect_uri"),
        (
            "client create --name A --redirect-uri https://a.example/cb --scope unknown",
            "invalid_client_metadata",
        ),
        ("user show nobody", "not_found"),
        ("user create --username a --email nonsense", "invalid_request"),
        ("user create --username a --email a@example.com --role nobody", "invalid_request"),
        ("scope create admin --description All", "already_exists"),
        ("scope delete openid", "invalid_request"),
        ("scope delete admin", "invalid_request"),
        ("role delete nobody", "not_found"),
        ("resource-server show urn:nothing", "not_found"),
        ("resource-server update urn:nothing --any-scope", "not_found"),
        ("resource-server delete urn:nothing", "not_found"),
        ("resource-server create urn:known", "already_exists"),
        ("resource-server create relative", "invalid_request"),
        ("resource-server create https://api.example/#x", "invalid_request"),
        ("resource-server create urn:new --scope unknown", "invalid_request"),
        ("resource-server create urn:new --scope a\"b", "invalid_scope"),
        ("resource-server update urn:known", "invalid_request"),
        ("key retire nobody", "not_found"),
        ("key import /nowhere.pem", "invalid_request"),
    ] {
        let arguments: Vec<_> = line.split(' ').chain(["--json"]).collect();
        let output = installation.run(&arguments, "");
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(output.stdout.is_empty(), "{line}");
        let said = stderr_json(&output);
        assert_eq!(said["error"], code, "{line}: {said}");
        assert_eq!(keys(&said), ["error", "error_description"], "{line}");

        let text = installation.run(&arguments[..arguments.len() - 1], "");
        assert_eq!((text.status.code(), text.stdout.is_empty()), (Some(1), true), "{line}");
        let text = String::from_utf8(text.stderr).unwrap();
        assert!(text.starts_with("error: "), "{line}: {text}");
        assert_eq!(
            said["error_description"].as_str().unwrap(),
            text.trim_end().trim_start_matches("error: ")
        );
    }
}

#[tokio::test]
async fn wrong_usage_is_exit_2() {
    let installation = Installation::new();
    for line in [
        "nonsense",
        "client",
        "client create",
        "client create --name A --grant nonsense",
        "client create --name A --auth-method nonsense",
        "user create --username a",
        "key retire",
        "client list --nonsense",
        "resource-server create",
        "resource-server update urn:a --scope a --any-scope",
        "serve --listen",
    ] {
        let output = installation.run(&line.split_terminator(' ').collect::<Vec<_>>(), "");
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{line}");
        assert!(!output.stderr.is_empty(), "{line}");
    }
    assert!(!installation.state.exists(), "nothing was begun");
}

#[tokio::test]
async fn a_password_is_read_less_one_line_end() {
    let (_database, installation) = installation().await;
    let create = |name: &str, input: &str| {
        let email = format!("{name}@example.com");
        let arguments =
            ["user", "create", "--username", name, "--email", &email, "--password-stdin", "--json"];
        installation.run(&arguments, input).status.code()
    };
    assert_eq!(create("plain", "correct horse"), Some(0));
    assert_eq!(create("unix", "correct horse\n"), Some(0));
    assert_eq!(create("windows", "correct horse\r\n"), Some(0));
    assert_eq!(create("empty", "\n"), Some(1));
    assert_eq!(create("short", "123456789\n"), Some(1), "nine characters, not ten");

    // All three are the same password: each signs in with it.
    let server = installation.serve(&[]);
    for name in ["plain", "unix", "windows"] {
        let browser = crate::harness::Browser::at(&server.issuer);
        let page = browser.get("/sign-in").await;
        let answer = browser.submit(&page, &[("username", name), ("password", "correct horse")]).await;
        assert_eq!(answer.status, 303, "{name}");
    }
}

#[tokio::test]
async fn a_text_for_people_is_no_json_and_says_what_is_next() {
    let (_database, installation) = installation().await;
    let text = |arguments: &[&str]| String::from_utf8(installation.run(arguments, "").stdout).unwrap();
    assert!(text(&["client", "list"]).contains("grantor client create"));
    let made = text(&["client", "create", "--name", "App", "--redirect-uri", "https://app.example/cb"]);
    assert!(made.contains("grs_") && made.contains("not shown again"), "{made}");
    assert!(text(&["client", "list"]).contains("App"));
    assert!(text(&["resource-server", "list"]).contains("grantor resource-server create"));
    installation.json(&["resource-server", "create", "urn:notes", "--scope", ""]);
    assert!(text(&["resource-server", "list"]).contains("none"));
    assert!(text(&["resource-server", "show", "urn:notes"]).contains("introspected by"));
    for help in [&["--help"][..], &["serve", "--help"], &["key", "import", "--help"], &["health", "--help"]] {
        assert!(text(help).contains("Usage: grantor"), "{help:?}");
    }
}
