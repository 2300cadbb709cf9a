//! Two processes on one database, and what the model speaks of done to them for real.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grantor::secret::{TokenKind, from_base64url};
use sqlx::Connection;

use super::model::{ABSOLUTE, Answer, Caller, GRAIN, IDLE, Kind, Operation, Presented, Scope};
use crate::harness::{self, Browser, RelyingParty, Server, Settings, Tokens, password_of, until};

/// How long a row is held: long enough for every call of a round to arrive at it.
const HELD: Duration = Duration::from_millis(60);

/// A client as it speaks to each of the processes.
type AtBoth = [RelyingParty; 2];

const KINDS: [Kind; 3] = [Kind::Confidential, Kind::Public, Kind::Keeping];

/// Two processes of one issuer, with clients of each kind, and Alice.
pub struct Stage {
    first: Arc<Server>,
    _second: Server,
    clients: BTreeMap<Kind, AtBoth>,
    other: AtBoth,
    /// A resource server, which may ask about access tokens.
    watcher: AtBoth,
    /// Whether the person or a client may have been left disabled.
    is_disturbed: AtomicBool,
}

impl Stage {
    /// With this reuse window in seconds, and few connections: all tests together share a hundred.
    pub async fn start(window: u32, connections: u32) -> Self {
        let seconds = |seconds: u32| format!("{seconds}s");
        let settings = Settings::default()
            .with("GRANTOR_DATABASE_MAX_CONNECTIONS", &connections.to_string())
            .with("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", &seconds(window))
            .with("GRANTOR_TOKENS_REFRESH_IDLE_LIFETIME", &seconds(IDLE))
            .with("GRANTOR_TOKENS_REFRESH_ABSOLUTE_LIFETIME", &seconds(ABSOLUTE));
        let first = Server::start_with(settings.clone()).await;
        let second = first.replica(settings).await;
        first.user("alice", &[]);
        let at_both = |arguments: &[&str]| {
            let client = RelyingParty::register(&first, arguments);
            [client.clone(), client.at(&second)]
        };
        let clients = KINDS.map(|kind| (kind, at_both(registration(kind)))).into();
        let other = at_both(&[]);
        let watcher = at_both(&["--resource-server", &first.issuer]);
        let is_disturbed = AtomicBool::new(false);
        Self { first: Arc::new(first), _second: second, clients, other, watcher, is_disturbed }
    }

    /// A family whose code was redeemed just now.
    pub async fn family(&self, kind: Kind, offline: bool) -> Troupe<'_> {
        self.set_back().await;
        let (browser, client) = (Browser::new(&self.first), &self.clients[&kind][0]);
        let scope = if offline { "openid profile offline_access" } else { "openid profile" };
        let tokens = client.sign_in(&browser, "alice", &[("scope", scope)]).await;
        let sign_out_page = browser.get("/sign-out").await;
        let known = Known {
            refresh_tokens: BTreeMap::from([(0, tokens.refresh_token().to_owned())]),
            access_tokens: vec![tokens.access_token().to_owned()],
        };
        Troupe { stage: self, browser, sign_out_page, kind, scope, known: Mutex::new(known) }
    }

    /// Undoes what the family before has left.
    async fn set_back(&self) {
        if !self.is_disturbed.swap(false, Ordering::Relaxed) {
            return;
        }
        self.cli(&["user", "enable", "alice"]).await;
        for client in self.clients.values() {
            self.cli(&["client", "update", &client[0].client_id, "--enable"]).await;
        }
        for client in self.clients.values() {
            arrives(client, false).await;
        }
    }

    async fn cli(&self, arguments: &[&str]) {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let server = Arc::clone(&self.first);
        let run = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = server.cli_output(&arguments, &format!("{}\n", password_of("alice")));
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        tokio::task::spawn_blocking(run).await.unwrap();
    }

    /// What so many seconds later would be so.
    async fn move_back(&self, seconds: u32) {
        let moved = |columns: &[&str]| {
            let moved = columns.iter().map(|column| format!("{column} = {column} - interval '{seconds} s'"));
            moved.collect::<Vec<_>>().join(", ")
        };
        let grants = ["created_at", "expires_at", "refreshed_at", "idle_expires_at"];
        let consents = ["created_at", "updated_at"];
        for (table, columns) in
            [("grants", &grants[..]), ("consents", &consents), ("users", &["grants_valid_from"])]
        {
            self.first.database.execute(&format!("UPDATE {table} SET {}", moved(columns))).await;
        }
    }
}

/// Waits until each process knows whether the client is disabled.
async fn arrives(client: &AtBoth, is_disabled: bool) {
    for client in client {
        until(Duration::from_secs(5), || async {
            (client.revoke("junk").await.status == 401) == is_disabled
        })
        .await;
    }
}

fn registration(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Confidential => &[],
        Kind::Public => &["--public"],
        Kind::Keeping => &["--rotate-refresh-tokens", "false"],
    }
}

/// What has been given out.
struct Known {
    refresh_tokens: BTreeMap<u32, String>,
    access_tokens: Vec<String>,
}

/// One family's actors.
pub struct Troupe<'a> {
    stage: &'a Stage,
    browser: Browser,
    sign_out_page: harness::Answer,
    kind: Kind,
    scope: &'static str,
    known: Mutex<Known>,
}

impl Troupe<'_> {
    /// Holds the family's row while `calls` are under way: all of them have looked before the first may write.
    pub async fn held<T>(&self, calls: impl Future<Output = T>) -> T {
        let id = {
            let known = self.known.lock().unwrap();
            uuid::Uuid::from_slice(&payload_of(&known.refresh_tokens[&0])[..16]).unwrap()
        };
        let mut sql = self.stage.first.database.sql().await;
        let mut transaction = sql.begin().await.unwrap();
        sqlx::query("SELECT FROM grants WHERE id = $1 FOR UPDATE")
            .bind(id)
            .execute(&mut *transaction)
            .await
            .unwrap();
        let release = async {
            tokio::time::sleep(HELD).await;
            transaction.rollback().await.unwrap();
        };
        tokio::join!(calls, release).0
    }

    /// The newest generation that was given out.
    pub fn newest(&self) -> u32 {
        *self.known.lock().unwrap().refresh_tokens.keys().next_back().unwrap()
    }

    /// Does it, at this process, and says how it was answered.
    pub async fn perform(&self, process: usize, operation: Operation, newest: u32) -> Answer {
        let stage = self.stage;
        match operation {
            Operation::Refresh { caller, token, scope } => {
                self.refresh(&self.caller(process, caller), &self.token(token, newest), scope).await
            }
            Operation::AskRefreshToken(token) => {
                let asking =
                    if self.kind == Kind::Public { &stage.watcher } else { &stage.clients[&self.kind] };
                is_active(&asking[process], &self.token(token, newest)).await
            }
            Operation::AskAccessToken(number) => {
                let token = {
                    let given = &self.known.lock().unwrap().access_tokens;
                    given[number % given.len()].clone()
                };
                is_active(&stage.watcher[process], &token).await
            }
            Operation::Revoke { caller, token } => {
                done(&self.caller(process, caller).revoke(&self.token(token, newest)).await)
            }
            Operation::SignOut => done(&self.browser.submit(&self.sign_out_page, &[]).await),
            Operation::Wait(seconds) => {
                stage.move_back(seconds).await;
                Answer::Done
            }
            other => {
                self.administer(other).await;
                Answer::Done
            }
        }
    }

    async fn administer(&self, operation: Operation) {
        let (stage, client) = (self.stage, &self.stage.clients[&self.kind]);
        stage.is_disturbed.store(true, Ordering::Relaxed);
        match operation {
            Operation::ChangePassword => {
                stage.cli(&["user", "set-password", "alice", "--password-stdin"]).await;
            }
            Operation::DisablePerson => stage.cli(&["user", "disable", "alice"]).await,
            Operation::EnablePerson => stage.cli(&["user", "enable", "alice"]).await,
            Operation::TakeConsentBack => drop(stage.first.database.execute("DELETE FROM consents").await),
            Operation::DisableClient | Operation::EnableClient => {
                let is_disabled = operation == Operation::DisableClient;
                let option = if is_disabled { "--disable" } else { "--enable" };
                stage.cli(&["client", "update", &client[0].client_id, option]).await;
                arrives(client, is_disabled).await;
            }
            spoken => unreachable!("{spoken:?} is spoken to a server"),
        }
    }

    fn caller(&self, process: usize, caller: Caller) -> RelyingParty {
        let owner = &self.stage.clients[&self.kind];
        match caller {
            Caller::Owner => owner[process].clone(),
            Caller::Impostor => owner[process].with_secret(Some("wrong")),
            Caller::Other => self.stage.other[process].clone(),
        }
    }

    fn token(&self, presented: Presented, newest: u32) -> String {
        let generation = newest.saturating_sub(presented.back);
        let token = self.known.lock().unwrap().refresh_tokens[&generation].clone();
        let Some(bit) = presented.changed_bit else { return token };
        let mut payload = payload_of(&token);
        let bits = payload.len() * 8;
        payload[bit % bits / 8] ^= 1 << (bit % 8);
        TokenKind::RefreshToken.encode(&payload).expose().clone()
    }

    async fn refresh(&self, client: &RelyingParty, token: &str, scope: Scope) -> Answer {
        let more: &[(&str, &str)] = match scope {
            Scope::Left => &[],
            Scope::AllThatWasGranted => &[("scope", self.scope)],
            Scope::Narrower => &[("scope", "openid")],
            Scope::NeverAskedFor => &[("scope", "openid email")],
        };
        let answer = client.refresh(token, more).await;
        if answer.status != 200 {
            return refused(&answer);
        }
        let tokens = answer.tokens();
        let expires_in = tokens.0["refresh_token_expires_in"].as_u64().unwrap();
        let expires_in = u32::try_from(expires_in).unwrap().div_ceil(GRAIN) * GRAIN;
        let narrowed = tokens.scope() != self.scope;
        Answer::Tokens { generation: self.remember(&tokens), expires_in, narrowed }
    }

    /// Each generation has one token, however often and by whichever process it is given.
    fn remember(&self, tokens: &Tokens) -> u32 {
        let token = tokens.refresh_token();
        let generation = generation_of(token);
        let mut known = self.known.lock().unwrap();
        let first = known.refresh_tokens.entry(generation).or_insert_with(|| token.to_owned());
        assert_eq!(first, token, "two tokens of generation {generation}");
        known.access_tokens.push(tokens.access_token().to_owned());
        generation
    }
}

async fn is_active(client: &RelyingParty, token: &str) -> Answer {
    let answer = client.post("/introspect", &[("token", token)]).await;
    if answer.status != 200 {
        return refused(&answer);
    }
    if answer.json()["active"] == true {
        return Answer::Active;
    }
    assert_eq!(answer.json(), serde_json::json!({"active": false}));
    Answer::Inactive
}

fn done(answer: &harness::Answer) -> Answer {
    if answer.status == 200 { Answer::Done } else { refused(answer) }
}

fn refused(answer: &harness::Answer) -> Answer {
    let (status, error, said) = match answer.json()["error"].as_str() {
        Some("invalid_grant") => (400, "invalid_grant", Answer::InvalidGrant),
        Some("invalid_scope") => (400, "invalid_scope", Answer::InvalidScope),
        Some("invalid_client") => (401, "invalid_client", Answer::InvalidClient),
        Some("unauthorized_client") => (400, "unauthorized_client", Answer::UnauthorizedClient),
        _ => panic!("{} {}", answer.status, answer.body),
    };
    answer.assert_refused(status, error);
    said
}

/// What a refresh token holds before its checksum: the grant's id, the generation, the secret and the tag.
pub fn payload_of(token: &str) -> Vec<u8> {
    let mut bytes = from_base64url(token.strip_prefix("grr_").unwrap()).unwrap();
    bytes.truncate(bytes.len() - 4);
    bytes
}

/// The generation that a refresh token names.
pub fn generation_of(token: &str) -> u32 {
    u32::from_be_bytes(payload_of(token)[16..20].try_into().unwrap())
}
