//! What is deleted is gone also where somebody is writing it in the same moment, or has not heard of it yet: a later
//! scope of the same name is not granted by what was meant for the old one.

use std::process::Output;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::harness::{Answer, Browser, RelyingParty, Server, TestDatabase, pkce};

const SCOPE: &str = "openid pay offline_access";

struct Installation {
    server: Arc<Server>,
    app: RelyingParty,
    browser: Browser,
}

impl Installation {
    async fn new() -> Self {
        let server = Server::start().await;
        server.user("alice", &[]);
        server.cli(&["scope", "create", "pay", "--description", "See your bills"]);
        let app = RelyingParty::register(&server, &["--scope", SCOPE]);
        let browser = Browser::new(&server);
        Self { server: Arc::new(server), app, browser }
    }

    /// Alice before the question whether the app may pay; the code's verifier.
    async fn asked(&self) -> (Answer, String) {
        let (verifier, challenge) = pkce();
        let path = self.app.authorize_path(&challenge, &[("scope", SCOPE)]);
        let page = self.browser.follow(self.browser.get(&path).await).await;
        (self.browser.sign_in_on(&page, "alice").await, verifier)
    }

    /// A command that runs while the test goes on.
    fn command(&self, arguments: &[&str]) -> tokio::task::JoinHandle<Output> {
        let server = Arc::clone(&self.server);
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        tokio::task::spawn_blocking(move || {
            server.cli_output(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), "")
        })
    }

    async fn holders_of_pay(&self, table: &str) -> i64 {
        let alive = if table == "grants" { "AND revoked_at IS NULL" } else { "" };
        let statement = format!("SELECT count(*) FROM {table} WHERE 'pay' = ANY(scopes) {alive}");
        let mut sql = self.server.database.sql().await;
        sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&mut sql).await.unwrap()
    }
}

/// A transaction of the test's own, in whose way others stand until it is rolled back.
async fn blocked_by(database: &TestDatabase, statement: &str) -> PgConnection {
    let mut sql = database.sql().await;
    for statement in ["BEGIN", statement] {
        let done = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut sql).await;
        done.unwrap();
    }
    sql
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_process_that_has_not_heard_of_it_grants_a_deleted_scope_to_nobody() {
    let installation = Installation::new().await;
    let Installation { server, app, browser } = &installation;
    let (page, _) = installation.asked().await;
    assert!(page.has_id("consent-allow"));
    // As the command does it, but for telling the processes.
    server.database.execute("UPDATE clients SET scopes = array_remove(scopes, 'pay')").await;
    server.database.execute("DELETE FROM scopes WHERE name = 'pay'").await;
    let answer = browser.submit(&page, &[("decision", "allow")]).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("invalid_scope"), "{:?}", answer.location());
    assert!(answer.location().unwrap().starts_with(&app.redirect_uri));
    for table in ["consents", "grants"] {
        assert_eq!(installation.holders_of_pay(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_page_that_showed_the_old_scope_grants_no_new_one_of_its_name() {
    let installation = Installation::new().await;
    let Installation { server, app, browser } = &installation;
    let (page, _) = installation.asked().await;
    assert!(page.body.contains("See your bills"));
    server.change_arrives().await;
    server.cli(&["scope", "delete", "pay"]);
    server.cli(&["scope", "create", "pay", "--description", "Pay your bills"]);
    server.cli(&["client", "update", &app.client_id, "--scope", SCOPE]);
    server.change_arrives().await;
    let answer = browser.submit(&page, &[("decision", "allow")]).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("invalid_scope"), "{:?}", answer.location());
    assert_eq!(installation.holders_of_pay("consents").await, 0);
    // Asked anew, the person sees what it means now.
    let (page, verifier) = {
        let (verifier, challenge) = pkce();
        let path = app.authorize_path(&challenge, &[("scope", SCOPE)]);
        (browser.follow(browser.get(&path).await).await, verifier)
    };
    assert!(page.body.contains("Pay your bills"));
    let code = browser.submit(&page, &[("decision", "allow")]).await.parameter("code").unwrap();
    assert_eq!(app.redeem(&code, &verifier, &[]).await.tokens().scope(), SCOPE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_and_the_end_of_its_scope_come_one_after_the_other() {
    let installation = Installation::new().await;
    let Installation { server, app, browser } = &installation;
    let (page, verifier) = installation.asked().await;
    // The approval stands in the middle of its statement, the scope in its hand.
    let consent = format!(
        "INSERT INTO consents SELECT id, '{}', '{{}}', now(), now() FROM users WHERE username = 'alice'",
        app.client_id
    );
    let mut in_the_way = blocked_by(&server.database, &consent).await;
    let approval = {
        let (browser, page) = (browser.clone(), page.clone());
        tokio::spawn(async move { browser.submit(&page, &[("decision", "allow")]).await })
    };
    installation.server.database.until_waiting(1).await;
    let deletion = installation.command(&["scope", "delete", "pay"]);
    installation.server.database.until_waiting(2).await;
    sqlx::query("ROLLBACK").execute(&mut in_the_way).await.unwrap();
    assert_done(&deletion.await.unwrap());
    let code = approval.await.unwrap().parameter("code").expect("the approval came first");
    app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    for table in ["consents", "grants", "clients"] {
        assert_eq!(installation.holders_of_pay(table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_and_a_resource_server_that_are_just_written_lose_a_deleted_scope() {
    let installation = Installation::new().await;
    let Installation { server, app, .. } = &installation;
    server.cli(&["resource-server", "create", "urn:bank"]);
    let create = ["client", "create", "--name", "New", "--redirect-uri", "https://new.example/cb"];
    let create = [&create[..], &["--scope", SCOPE, "--audience", "urn:bank"]].concat();
    let update = ["client", "update", &app.client_id, "--scope", SCOPE, "--audience", "urn:bank"];
    let api = ["resource-server", "update", "urn:bank", "--scope", "pay"];
    let lock = "SELECT FROM resource_servers WHERE identifier = 'urn:bank' FOR UPDATE";
    for (number, write) in [&create[..], &update, &api].into_iter().enumerate() {
        if number > 0 {
            server.cli(&["scope", "create", "pay", "--description", "See your bills"]);
        }
        let mut in_the_way = blocked_by(&server.database, lock).await;
        let writing = installation.command(write);
        installation.server.database.until_waiting(1).await;
        let deletion = installation.command(&["scope", "delete", "pay"]);
        installation.server.database.until_waiting(2).await;
        sqlx::query("ROLLBACK").execute(&mut in_the_way).await.unwrap();
        in_the_way.close().await.unwrap();
        assert_done(&writing.await.unwrap());
        assert_done(&deletion.await.unwrap());
        for table in ["clients", "resource_servers"] {
            assert_eq!(installation.holders_of_pay(table).await, 0, "{table} after {write:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_and_the_role_that_is_to_carry_it_exclude_each_other() {
    let installation = Installation::new().await;
    let server = &installation.server;
    for round in 0..4 {
        let role = format!("payer{round}");
        let both = [
            installation.command(&["role", "create", &role, "--scope", "pay"]),
            installation.command(&["scope", "delete", "pay"]),
        ];
        let done: Vec<bool> =
            join_all(both).await.into_iter().map(|output| output.unwrap().status.success()).collect();
        assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");
        if done[0] {
            server.cli(&["role", "delete", &role]);
        } else {
            server.cli(&["scope", "create", "pay", "--description", "See your bills"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_names_is_registered_also_where_it_is_just_deleted() {
    let installation = Installation::new().await;
    let Installation { server, app, .. } = &installation;
    for round in 0..6 {
        let identifier = format!("urn:api:{round}");
        server.cli(&["resource-server", "create", &identifier]);
        let both = [
            installation.command(&["client", "update", &app.client_id, "--audience", &identifier]),
            installation.command(&["resource-server", "delete", &identifier]),
        ];
        let [named, deleted] = join_all(both).await.try_into().unwrap();
        assert_done(&named.unwrap());
        // Deleted before it was named, which registers it anew; or in use.
        let deleted = deleted.unwrap();
        let refused = String::from_utf8_lossy(&deleted.stderr).into_owned();
        assert!(deleted.status.success() || refused.contains("in_use"), "{refused}");
        assert_eq!(server.cli(&["client", "show", &app.client_id])["audiences"], json!([identifier]));
        let shown = server.cli(&["resource-server", "show", &identifier]);
        assert_eq!(shown["audience_of"], json!([app.client_id]), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_locked_in_one_order_so_that_deletions_wait_but_do_not_block_each_other() {
    let installation = Installation::new().await;
    let server = &installation.server;
    for _ in 0..3 {
        RelyingParty::register(server, &["--scope", SCOPE]);
    }
    let mut sql = server.database.sql().await;
    // In the table the first client now lies behind all others.
    let first: String = sqlx::query_scalar(
        "UPDATE clients SET name = 'First' WHERE client_id = (SELECT min(client_id) FROM clients WHERE 'pay' = ANY(scopes))
         RETURNING client_id",
    )
    .fetch_one(&mut sql)
    .await
    .unwrap();
    let blocker = format!("SELECT FROM clients WHERE client_id = '{first}' FOR UPDATE");
    let mut blocker = blocked_by(&server.database, &blocker).await;
    let deletion = installation.command(&["scope", "delete", "pay"]);
    installation.server.database.until_waiting(1).await;
    let free = "SELECT client_id FROM clients WHERE 'pay' = ANY(scopes) FOR UPDATE SKIP LOCKED";
    assert_eq!(sqlx::query(free).fetch_all(&mut sql).await.unwrap().len(), 3);
    sqlx::query("ROLLBACK").execute(&mut blocker).await.unwrap();
    assert!(deletion.await.unwrap().status.success());
}
