//! What operators know of people (OpenID Connect Core §5.1), and claims of their own.

use serde_json::{Value, json};

use crate::harness::Server;

/// What a refused command says.
fn refused(server: &Server, arguments: &[&str]) -> String {
    let output = server.cli_output(arguments, "");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    format!("{}: {}", error["error"].as_str().unwrap(), error["error_description"].as_str().unwrap())
}

#[tokio::test]
async fn an_account_begins_with_what_is_known_and_changes() {
    let server = Server::start().await;
    let create = ["user", "create", "--username", "ada", "--email", "ada@example.com", "--email-verified"];
    let claims = ["--claim", "name=Ada Lovelace", "--claim", r#"address={"country":"GB"}"#];
    let ada = server.cli(&[&create[..], &claims].concat());
    assert_eq!(ada["email_verified"], true);
    assert_eq!(ada["claims"], json!({ "name": "Ada Lovelace", "address": { "country": "GB" } }));

    // Another address is not verified until that is said.
    let ada = server.cli(&["user", "update", "ada", "--claim", "nickname=Countess", "--claim", "address="]);
    assert_eq!(ada["email_verified"], true);
    assert_eq!(ada["claims"], json!({ "name": "Ada Lovelace", "nickname": "Countess" }));
    let ada = server.cli(&["user", "update", "ada", "--email", "ada@example.org"]);
    assert_eq!((&ada["email"], &ada["email_verified"]), (&json!("ada@example.org"), &json!(false)));
    let both = ["user", "update", "ada", "--email", "ada@example.net", "--email-verified", "true"];
    assert_eq!(server.cli(&both)["email_verified"], true);
    let shown = server.cli(&["user", "show", "ada"]);
    assert_eq!(shown["claims"], json!({ "name": "Ada Lovelace", "nickname": "Countess" }));
    assert!(shown["updated_at"].is_string());
    let plain = server.plain(&["user", "show", "ada"]);
    assert!(String::from_utf8_lossy(&plain.stdout).contains("name=Ada Lovelace"));
}

#[tokio::test]
async fn what_is_wrong_is_said_and_changes_nothing() {
    let server = Server::start().await;
    server.user("ada", &[]);
    server.user("bob", &[]);
    let before = server.cli(&["user", "show", "ada"]);
    for (claim, reason) in [
        ("birthdate=10.12.1815", "birthdate must be YYYY-MM-DD"),
        ("website=javascript:alert(1)", "website must be an address"),
        ("phone_number=020 7946 0000", "phone_number must begin with +"),
        ("locale=en_GB", "locale must be a language tag"),
        ("address=London", "address must be a JSON object"),
        ("name#ja=アダ", "are not supported"),
        ("email=x@example.com", "use --email"),
        ("sub=1", "sub cannot be set"),
        ("department=Engines", "there is no claim \"department\""),
        ("name", "name=value"),
    ] {
        let said = refused(&server, &["user", "update", "ada", "--claim", "nickname=A", "--claim", claim]);
        assert!(said.starts_with("invalid_request: ") && said.contains(reason), "{claim}: {said}");
        let create = ["user", "create", "--username", "eve", "--email", "eve@example.com", "--claim", claim];
        assert!(refused(&server, &create).contains(reason), "{claim}");
    }
    let taken = refused(&server, &["user", "update", "ada", "--email", "BOB@example.com"]);
    assert!(taken.starts_with("already_exists: "), "{taken}");
    assert!(
        refused(&server, &["user", "update", "ada", "--email", "nonsense"]).starts_with("invalid_request")
    );
    assert!(refused(&server, &["user", "update", "ada"]).contains("nothing to change"));
    assert!(
        refused(&server, &["user", "update", "eve", "--email", "e@example.com"]).starts_with("not_found")
    );
    assert_eq!(server.cli(&["user", "show", "ada"]), before);
}

#[tokio::test]
async fn operators_add_claims_with_the_scope_that_releases_each() {
    let server = Server::start().await;
    server.user("ada", &[]);
    server.cli(&["scope", "create", "staff", "--description", "See that you work here"]);
    let create = |name: &'static str, scope: &'static str| {
        ["claim", "create", name, "--scope", scope, "--description", "See your department"]
    };
    for (name, scope, reason) in [
        ("email", "staff", "has a meaning already"),
        ("exp", "staff", "has a meaning already"),
        ("a=b", "staff", "a claim's name has"),
        ("department", "nothing", "there is no scope \"nothing\""),
    ] {
        assert!(refused(&server, &create(name, scope)).contains(reason), "{name}");
    }
    let made = server.cli(&create("department", "staff"));
    let view = json!({
        "name": "department", "scope": "staff", "description": "See your department", "standard": false,
    });
    assert_eq!(made, view);
    assert!(refused(&server, &create("department", "staff")).starts_with("already_exists"));
    let listed = server.cli(&["claim", "list"]);
    assert!(listed.as_array().unwrap().contains(&view), "{listed}");
    assert_eq!(listed[0]["name"], "name");

    server.cli(&["user", "update", "ada", "--claim", "department={\"id\":7}"]);
    assert_eq!(server.cli(&["user", "show", "ada"])["claims"], json!({ "department": { "id": 7 } }));
    let kept = refused(&server, &["scope", "delete", "staff"]);
    assert!(kept.contains("releases the claim \"department\""), "{kept}");

    // Its values go with it: a later claim of the same name begins without any.
    server.cli(&["claim", "delete", "department"]);
    assert_eq!(server.cli(&["user", "show", "ada"])["claims"], json!({}));
    assert!(refused(&server, &["claim", "delete", "department"]).starts_with("not_found"));
    assert!(refused(&server, &["claim", "delete", "email"]).starts_with("not_found"));
    server.cli(&["scope", "delete", "staff"]);
}
