//! What pgbench sends: the statements of a request, each with what the one before has found.

use grantor::model::{Actor, AuditEvent, AuditEventKind, Details, Grant, Origin};
use grantor::protocol::ClaimsRequest;
use grantor::time::Timestamp;

use crate::Result;
use crate::population::{Layout, Population, REDIRECT_URI, SCOPES};
use crate::statements::Statement;

/// A script, and the values that stay the same.
pub struct Script {
    pub text: String,
    pub constants: Vec<(&'static str, String)>,
    /// Of grants, codes, sessions and consents, by each transaction.
    pub rows_written: u64,
}

/// Numbers of this connection's own, one after the other: what is used once is met once.
const OWN_NUMBER: &str = "\\set i :i + 1\n\\set n :first + :client_id * :each + :i - 1\n";

impl Script {
    /// Two statements: the look, and the write that uses the code up and starts the refresh family.
    pub fn code_redemption(population: &Population, first: u64, each: u64) -> Result<Self> {
        let Layout { code_day, .. } = population.layout();
        let id = format!("bench.dated_id('code', :n, {code_day})");
        let look = Statement::with("FROM authorization_codes code")?.filled(&[&id])?;
        let write = Statement::with("UPDATE authorization_codes SET used_at")?.filled(&[
            ":events",
            &id,
            ":look_id",
            "bench.hash('pgbench refresh', :n)",
            ":key_id",
            ":idle",
            ":now",
        ])?;
        let event = AuditEvent::about_grant(AuditEventKind::CodeRedeemed, &example(population));
        let mut script = Self::new(population, format!("{OWN_NUMBER}{look} \\gset look_\n{write};\n"), 2);
        script.constants.push(("events", events(&[event.columns(&origin())])));
        script.number(first, each);
        Ok(script)
    }

    /// Two statements: the look, and the guarded write of the successor.
    pub fn refresh_rotation(population: &Population) -> Result<Self> {
        let Layout { first_end, days_of_ends, .. } = population.layout();
        let grants = population.for_statements();
        // Grantor's looks that wait together share a statement; here each has its own.
        let look = Statement::with("revoked_access_tokens WHERE jti = wanted.jti")?.filled(&[
            "ARRAY[bench.dated_id('grant', :n, :day)]",
            "ARRAY[NULL::text]",
            "ARRAY[:no::boolean]",
        ])?;
        let write = Statement::with("UPDATE grants SET generation = $4")?.filled(&[
            ":look_id",
            ":look_generation",
            ":look_refresh_hash",
            ":next",
            "sha256((:look_refresh_hash)::bytea)",
            ":idle",
            ":now",
            ":key_id",
        ])?;
        let choose = format!(
            "\\set n random({}, {})\n\\set day {first_end} + :n % {days_of_ends}\n",
            grants.start,
            grants.end - 1
        );
        let text = format!("{choose}{look} \\gset look_\n\\set next :look_generation + 1\n{write};\n");
        Ok(Self::new(population, text, 1))
    }

    /// A sign-in, counted before and forgotten after, in a browser that is not known and at an address of its own; the
    /// consent page; the consent with grant and code.
    pub fn sign_in(population: &Population, first: u64, each: u64) -> Result<Self> {
        let statements = [
            Self::counted("network", ":network_free", ":network_cap", ":network_leak")?,
            Self::counted("own", ":person_free", ":person_cap", ":person_leak")?,
            Self::counted("account", ":network_free", ":network_cap", ":account_leak")?,
            Statement::with("password_hash, disabled_at FROM users WHERE username_folded")?
                .filled(&["'person-' || :user::text"])?
                + " \\gset look_\n",
            format!("BEGIN;\n{};\nCOMMIT;\n", session()?),
            Statement::with("DELETE FROM sign_in_throttle WHERE key = $1")?.filled(&[&throttle("own")])?
                + ";\n",
            Statement::with("SET attempts = greatest(attempts - 1, 0)")?.filled(&[&format!(
                "ARRAY[{}, {}]",
                throttle("network"),
                throttle("account")
            )])? + ";\n",
            Statement::with("INSERT INTO known_networks AS known")?
                .filled(&[&throttle("own"), ":known_for"])?
                + ";\n",
            signed_in()? + " \\gset page_\n",
            signed_in()? + " \\gset form_\n",
            approval(population)? + ";\n",
        ];
        let Layout { users, clients, stride, by_user, by_app, .. } = population.layout();
        let choose = format!(
            "\\set user (:n % {users}) * {stride} % {users}\n\
             \\set app (:user * {by_user} + ({clients} - 1 - :n / {users}) * {by_app}) % {clients}\n"
        );
        let mut script = Self::new(population, format!("{OWN_NUMBER}{choose}{}", statements.concat()), 5);
        let grant = example(population);
        let signed_in = AuditEvent::new(AuditEventKind::SignInSucceeded).by(Actor::User(grant.user_id));
        script.constants.extend([
            ("signed_in", events(&[signed_in.columns(&origin())])),
            ("agreed", agreed(&grant)),
            ("network_free", "50".to_owned()),
            ("network_cap", "1 minute".to_owned()),
            ("network_leak", "20 seconds".to_owned()),
            ("account_leak", "2 minutes".to_owned()),
            ("person_free", "5".to_owned()),
            ("person_cap", "15 minutes".to_owned()),
            ("person_leak", "10 minutes".to_owned()),
            ("first_delay", "2 seconds".to_owned()),
            ("known_for", "30 days".to_owned()),
            ("session_idle", "12 hours".to_owned()),
            ("session_absolute", "7 days".to_owned()),
            ("sent_twice", "60 seconds".to_owned()),
            ("address", "127.0.0.1".to_owned()),
            (
                "user_agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
            ),
            ("scopes", format!("{{{}}}", SCOPES.join(","))),
            ("none", "{}".to_owned()),
            ("redirect_uri", REDIRECT_URI.to_owned()),
        ]);
        script.number(first, each);
        Ok(script)
    }

    fn new(population: &Population, text: String, rows_written: u64) -> Self {
        let constants = vec![
            ("now", Timestamp::now().to_datetime().to_string()),
            ("key_id", format!("\\x{}", population.key_id())),
            ("idle", "30 days".to_owned()),
            ("yes", "true".to_owned()),
            ("no", "false".to_owned()),
        ];
        Self { text, constants, rows_written }
    }

    fn number(&mut self, first: u64, each: u64) {
        let numbers = [("first", first), ("each", each), ("i", 0)];
        self.constants.extend(numbers.map(|(name, value)| (name, value.to_string())));
    }

    fn counted(what: &str, free: &str, cap: &str, leak: &str) -> Result<String> {
        let values = [&throttle(what), free, ":first_delay", cap, leak];
        Ok(Statement::with("INSERT INTO sign_in_throttle AS t")?.filled(&values)? + " \\gset\n")
    }
}

/// The key under which an attempt is counted: each person comes from an address of their own.
fn throttle(what: &str) -> String {
    format!("bench.hash('pgbench {what}', :n)")
}

fn session() -> Result<String> {
    Statement::with("), continued AS (")?.filled(&[
        ":signed_in",
        "bench.id('pgbench session', :n)",
        "sha256(bench.hash('pgbench cookie', :n))",
        ":look_id",
        ":session_idle",
        ":session_absolute",
        ":address",
        ":user_agent",
        ":look_password_hash",
        "NULL",
        ":now",
        ":sent_twice",
    ])
}

fn signed_in() -> Result<String> {
    Statement::with("consented_scopes?")?.filled(&[
        "sha256(bench.hash('pgbench cookie', :n))",
        "bench.id('client', :app)::text",
        ":now",
    ])
}

fn approval(population: &Population) -> Result<String> {
    let Layout { code_day, grant_day, .. } = population.layout();
    let grant = format!("bench.dated_id('pgbench grant', :n, {grant_day})");
    let ends = format!("bench.midnight({grant_day})");
    let code = format!("bench.dated_id('pgbench code', :n, {code_day})");
    let code_ends = format!("bench.midnight({code_day})");
    let challenge = "bench.base64url(bench.hash('pgbench challenge', :n))";
    let nonce = "substr(bench.base64url(bench.hash('nonce', :n)), 1, 22)";
    let session = "bench.id('pgbench session', :n)";
    Statement::with("), held_claims AS (")?.filled(&[
        session,
        ":look_id",
        ":session_idle",
        ":now",
        "bench.id('client', :app)::text",
        ":yes",
        ":scopes",
        ":scopes",
        &grant,
        "NULL",
        ":none",
        ":now",
        &ends,
        &code,
        "bench.hash('pgbench code', :n)",
        ":redirect_uri",
        challenge,
        nonce,
        &code_ends,
        ":agreed",
        ":now",
        session,
        "NULL",
        ":no",
        ":none",
        ":none",
        ":no",
    ])
}

/// Whom the audit log's rows speak of: the values make no difference to what it costs to write them.
fn example(population: &Population) -> Grant {
    let scopes: Vec<String> = SCOPES.map(str::to_owned).to_vec();
    let now = Timestamp::now();
    Grant {
        id: population.grant_id(0),
        user_id: population.user_id(0),
        client_id: population.client(0).0.to_owned().into(),
        session_id: None,
        started_in: None,
        claims: ClaimsRequest::default(),
        requested_scopes: scopes.clone(),
        scopes,
        resources: Vec::new(),
        auth_time: now,
        expires_at: now,
    }
}

fn agreed(grant: &Grant) -> String {
    let event = AuditEvent::about_grant(AuditEventKind::ConsentGiven, grant).by(Actor::User(grant.user_id));
    event.with(Details::Scopes { scopes: grant.scopes.clone() }).columns(&origin()).to_string()
}

fn origin() -> Origin {
    Origin::request([127, 0, 0, 1].into())
}

fn events(columns: &[serde_json::Value]) -> String {
    serde_json::Value::from(columns).to_string()
}
