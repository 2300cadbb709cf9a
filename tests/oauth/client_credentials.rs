//! The client credentials grant (RFC 6749 §4.4).

use crate::harness::{RelyingParty, Server};

const FORM: [(&str, &str); 1] = [("grant_type", "client_credentials")];

async fn server() -> Server {
    let server = Server::start().await;
    server.cli(&["scope", "create", "notes:read", "--description", "Read notes"]);
    server.cli(&["scope", "create", "notes:all", "--description", "Read everybody's notes", "--restricted"]);
    server.cli(&["scope", "create", "unused", "--description", "Nobody has it"]);
    server.change_arrives().await;
    server
}

const MACHINE: [&str; 4] = ["--grant", "client_credentials", "--scope", "notes:read notes:all"];

#[tokio::test]
async fn a_client_gets_a_token_of_its_own_and_no_refresh_token() {
    let server = server().await;
    let machine = RelyingParty::register(&server, &MACHINE);
    let tokens = machine.token(&FORM).await.tokens();

    // Case 34.
    assert!(tokens.0.get("refresh_token").is_none());
    assert!(tokens.0.get("id_token").is_none());
    let claims = tokens.claims();
    // RFC 9068 §2.2: the subject is the client where no person is involved.
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&claims["client_id"], &machine.client_id.clone().into())
    );
    assert!(claims.get("auth_time").is_none() && claims.get("roles").is_none());
    assert_eq!(machine.introspect(tokens.access_token()).await["sub"], machine.client_id.as_str());
}

#[tokio::test]
async fn restricted_scopes_are_for_machines_alone_and_only_on_request() {
    let server = server().await;
    let machine = RelyingParty::register(&server, &MACHINE);
    let both = ["--grant", "authorization_code", "--grant", "client_credentials"];
    let scopes = ["--scope", "openid offline_access notes:read notes:all"];
    let app = RelyingParty::register(&server, &[&both[..], &scopes[..]].concat());

    // Who asks, for which scope, what is given (`None`: invalid_scope).
    let table = [
        (&machine, "", Some("notes:read")),
        (&machine, "notes:read", Some("notes:read")),
        (&machine, "notes:all", Some("notes:all")),
        (&machine, "notes:read notes:all", Some("notes:read notes:all")),
        (&machine, "unused", None),
        (&machine, "nonsense", None),
        (&machine, "notes:read openid", None),
        (&machine, "NOTES:READ", None),
        (&machine, "notes:read,notes:all", None),
        (&machine, "notes:\"read", None),
        // A registration lets *people* grant restricted scopes, by their roles.
        (&app, "", Some("notes:read")),
        (&app, "notes:all", None),
        (&app, "openid", None),
        (&app, "offline_access", None),
    ];
    for (client, scope, given) in table {
        let answer = client.token(&[FORM[0], ("scope", scope)]).await;
        match given {
            Some(given) => assert_eq!(answer.tokens().scope(), given, "{scope}"),
            None => answer.assert_refused(400, "invalid_scope"),
        }
    }
}

#[tokio::test]
async fn a_public_client_cannot_act_for_itself() {
    let server = server().await;
    let public = RelyingParty::register(&server, &["--public"]);
    public.token(&FORM).await.assert_refused(400, "unauthorized_client");
    // Nor can it be registered so.
    let arguments = ["client", "create", "--name", "X", "--public", "--grant", "client_credentials"];
    assert_eq!(server.cli_output(&arguments, "").status.code(), Some(1));
}

#[tokio::test]
async fn a_clients_own_token_ends_with_revocation_and_with_the_client() {
    let server = server().await;
    let machine = RelyingParty::register(&server, &MACHINE);
    let watcher = RelyingParty::register(&server, &["--resource-server", &server.issuer]);
    let (first, second) = (machine.token(&FORM).await.tokens(), machine.token(&FORM).await.tokens());

    assert_eq!(machine.revoke(first.access_token()).await.status, 200);
    assert_eq!(watcher.introspect(first.access_token()).await["active"], false);
    assert_eq!(watcher.introspect(second.access_token()).await["active"], true);

    // Case 43: at once, since introspection looks at the client's row.
    server.cli(&["client", "update", &machine.client_id, "--disable"]);
    assert_eq!(watcher.introspect(second.access_token()).await["active"], false);
}
