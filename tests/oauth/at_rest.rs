//! What the database holds: nothing that anybody could use (cases 53 and 85).

use grantor::keys::{MasterKeys, Purpose};
use grantor::secret::{Secret, TokenKind, base64url, from_base64url};
use sqlx::{AssertSqlSafe, Row};

use crate::harness::{Browser, MASTER_KEY, RelyingParty, Server, password_of};

/// All rows of all tables as text.
async fn dump(server: &Server) -> String {
    let mut connection = server.database.sql().await;
    let tables =
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    let tables = sqlx::query(tables).fetch_all(&mut connection).await.unwrap();
    let mut dump = String::new();
    for table in tables {
        let rows = format!("SELECT t::text FROM {} t", table.get::<String, _>(0));
        for row in sqlx::query(AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap() {
            dump.push_str(&row.get::<String, _>(0));
            dump.push('\n');
        }
    }
    dump
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_dump_holds_no_code_token_secret_or_password() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let refreshed = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    let (code, verifier) = app.code(&browser, "alice", &[]).await;
    let link = server.cli(&["user", "set-password", "alice", "--link"]);
    let link = link["link"].as_str().unwrap().split_once("token=").unwrap().1.to_owned();
    app.revoke(tokens.access_token()).await;

    let dump = dump(&server).await;
    // It does see the rows.
    assert!(dump.contains(&app.client_id) && dump.contains("alice@example.com"));
    let secrets = [
        tokens.refresh_token(),
        refreshed.refresh_token(),
        tokens.access_token(),
        refreshed.access_token(),
        &code,
        &verifier,
        &link,
        app.client_secret.as_deref().unwrap(),
        &password_of("alice"),
        MASTER_KEY,
        "PRIVATE KEY",
    ];
    for secret in secrets {
        assert!(!dump.contains(secret), "{secret} is in the database");
    }
    // Nor in the form of bytes: the secret part of each is its last 32 bytes before a checksum or tag.
    let (id_and_generation, tag_and_checksum) = (20, 20);
    for token in [tokens.refresh_token(), refreshed.refresh_token()] {
        let bytes = from_base64url(&token[4..]).unwrap();
        let secret = &bytes[id_and_generation..bytes.len() - tag_and_checksum];
        assert_eq!(secret.len(), 32);
        assert!(!dump.contains(&hex(secret)));
    }
    for (kind, token) in [
        (TokenKind::AuthorizationCode, code.as_str()),
        (TokenKind::ClientSecret, app.client_secret.as_deref().unwrap()),
        (TokenKind::SetPassword, &link),
    ] {
        let bytes = from_base64url(token.strip_prefix(kind.prefix()).unwrap()).unwrap();
        let secret = &bytes[bytes.len() - 36..bytes.len() - 4];
        assert!(!dump.contains(&hex(secret)), "{kind:?}");
    }
    assert!(dump.contains("$argon2id$"));
}

/// Case 85: who has the dump alone can tell no pseudonym.
#[tokio::test]
async fn a_dump_holds_the_key_of_the_pseudonyms_only_encrypted() {
    let server = Server::start().await;
    let columns = "SELECT wrapped_secret, master_key_id FROM installation_secrets WHERE name = 'pseudonyms'";
    let row = sqlx::query(columns).fetch_one(&mut server.database.sql().await).await.unwrap();
    let keys = MasterKeys::load(&[("the tests".to_owned(), Secret::new(MASTER_KEY.to_owned()))]).unwrap();
    assert_eq!(row.get::<Vec<u8>, _>("master_key_id"), keys.current().id());
    let wrapped: Vec<u8> = row.get("wrapped_secret");
    let open = |name: &[u8]| keys.current().open(Purpose::InstallationSecret, b"", &wrapped, name);
    let key = open(b"pseudonyms").expect("the master key opens it");
    assert_eq!(key.len(), 32);
    assert_eq!(open(b"another"), None, "it is bound to its name");
    let dump = dump(&server).await;
    assert!(dump.contains(&hex(&wrapped)));
    for plain in [hex(&key), base64url(&key), format!("{key:?}")] {
        assert!(!dump.contains(&plain) && !server.log().contains(&plain));
    }
}

#[tokio::test]
async fn what_is_handed_out_is_long_random_and_recognisable() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let app = RelyingParty::register(&server, &[]);
        let (code, verifier) = app.code(&browser, "alice", &[]).await;
        let tokens = app.redeem(&code, &verifier, &[]).await.tokens();
        let secret = app.client_secret.clone().unwrap();
        for (prefix, token) in [("grc_", &*code), ("grr_", tokens.refresh_token()), ("grs_", &*secret)] {
            assert!(token.starts_with(prefix), "{token}");
            assert!(from_base64url(&token[4..]).unwrap().len() >= 36, "{token}");
            // The random part differs each time, not only a counter.
            assert!(seen.insert(token[30..50].to_owned()));
        }
    }
}
