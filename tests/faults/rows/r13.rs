//! R13: signing keys are rotated under load, while an API that caches the published keys as long as it is told
//! verifies every token, when it is new and when it is about to expire.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::report::{Report, in_words};
use crate::scale::Scale;
use crate::site::{Process, Site};

/// How long an API may keep the keys.
const MAX_AGE: Duration = Duration::from_secs(2);
const TOKEN_LIFETIME: Duration = Duration::from_secs(10);

/// Between two tokens: 200 a second.
const PAUSE: Duration = Duration::from_millis(5);

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    let site =
        Site::new(&[("GRANTOR_KEYS_JWKS_MAX_AGE", "2s"), ("GRANTOR_TOKENS_ACCESS_TOKEN_LIFETIME", "10s")]);
    let processes = site.start_several(3, &[]).await;
    let machine = site.json(&["client", "create", "--name", "Machine", "--grant", "client_credentials"], "");
    let text = |name: &str| machine[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));

    let mut others = if scale == Scale::Full { OtherApis::start(&site, &processes) } else { None };
    let mut api = Api::new(&site.issuer, processes.iter().map(|process| process.origin.clone()).collect());
    let rotations = scale.of(1, 5, 20);
    let rotating = async {
        let (mut published, mut agreed) = (BTreeMap::new(), Duration::ZERO);
        for _ in 0..rotations {
            let kid = tokio::task::block_in_place(|| site.json(&["key", "rotate"], ""));
            let kid = kid["kid"].as_str().unwrap().to_owned();
            let began = Instant::now();
            for process in &processes {
                until_published(process, &kid).await;
            }
            agreed = agreed.max(began.elapsed());
            published.insert(kid, Instant::now());
            // It becomes active, and the one before it is superseded.
            tokio::time::sleep(MAX_AGE + Duration::from_secs(5)).await;
        }
        (published, agreed)
    };
    let http = reqwest::Client::new();
    let verifying = async {
        let mut turn = 0;
        loop {
            turn += 1;
            let origin = &processes[turn % processes.len()].origin;
            let form = [("grant_type", "client_credentials")];
            let asked =
                http.post(format!("{origin}/token")).basic_auth(&id, Some(&secret)).form(&form).send();
            let tokens: Value = asked.await.unwrap().json().await.unwrap();
            let token = tokens["access_token"].as_str().unwrap();
            if let Some(others) = &mut others {
                others.take(token);
            }
            api.take(token.to_owned()).await;
            tokio::time::sleep(PAUSE).await;
        }
    };
    let (published, agreed) = tokio::select! {
        done = rotating => done,
        () = verifying => unreachable!("it goes on for ever"),
    };
    api.verify_what_is_left().await;

    report.told("rotations", rotations);
    report.told("verifications", api.verified);
    report.exactly("verifications that failed", api.failed, 0);
    match others {
        Some(others) => {
            let [verified, by_pyjwt, by_joserfc] = others.counts();
            report.at_least("tokens verified by PyJWT and by joserfc", verified, 1);
            report.exactly("… refused by them", by_pyjwt + by_joserfc, 0);
        }
        None => report.told("PyJWT and joserfc", "not run: --full and script/test-clients' venv are needed"),
    }
    report.within("three processes publish a new key within", agreed, scale.bar(Duration::from_secs(2)));
    let used =
        api.first_seen.iter().filter_map(|(kid, first)| Some(first.duration_since(*published.get(kid)?)));
    let earliest = used.clone().min().unwrap_or_default();
    report.exactly("keys that came into use", used.count(), rotations);
    report.must(
        &format!(
            "published {} (the cache's max-age) before its first use: {}",
            in_words(MAX_AGE),
            in_words(earliest)
        ),
        earliest >= MAX_AGE,
    );
    report.exactly("panics", site.panics(), 0);
    report
}

/// Libraries of others, where they are installed.
struct OtherApis(Child);

impl OtherApis {
    fn start(site: &Site, processes: &[Process]) -> Option<Self> {
        let python = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python");
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/verifier.py");
        let started = Command::new(python)
            .args([program, &format!("{}/.well-known/jwks.json", processes[0].origin), &site.issuer])
            .arg(MAX_AGE.as_secs().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        started.ok().map(Self)
    }

    fn take(&mut self, token: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{token}").unwrap();
    }

    /// How many tokens were verified, and how many each library refused.
    fn counts(self) -> [usize; 3] {
        let output = self.0.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let counts: Vec<usize> = told.split_whitespace().map(|count| count.parse().unwrap()).collect();
        counts.try_into().expect("three counts")
    }
}

async fn until_published(process: &Process, kid: &str) {
    let began = Instant::now();
    while !keys(&process.origin).await.0.keys.iter().any(|key| key.common.key_id.as_deref() == Some(kid)) {
        assert!(began.elapsed() < Duration::from_secs(30), "{kid} is not published");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The published keys, and how long they may be kept.
async fn keys(origin: &str) -> (JwkSet, Duration) {
    let answer = reqwest::get(format!("{origin}/.well-known/jwks.json")).await.unwrap();
    let control = answer.headers()["cache-control"].to_str().unwrap().to_owned();
    let age = control.split("max-age=").nth(1).and_then(|age| age.split(',').next()?.trim().parse().ok());
    (answer.json().await.unwrap(), Duration::from_secs(age.expect("a max-age")))
}

/// An API that believes its cache, and does not ask again for a key that it does not know.
struct Api {
    issuer: String,
    origins: Vec<String>,
    cache: Option<(JwkSet, Instant, Duration)>,
    /// Tokens to be verified once more shortly before they expire.
    young: std::collections::VecDeque<(String, Instant)>,
    first_seen: BTreeMap<String, Instant>,
    verified: usize,
    failed: usize,
}

impl Api {
    fn new(issuer: &str, origins: Vec<String>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            origins,
            cache: None,
            young: std::collections::VecDeque::new(),
            first_seen: BTreeMap::new(),
            verified: 0,
            failed: 0,
        }
    }

    async fn take(&mut self, token: String) {
        let kid = decode_header(&token).unwrap().kid.unwrap();
        self.first_seen.entry(kid).or_insert_with(Instant::now);
        self.verify(&token).await;
        self.young.push_back((token, Instant::now()));
        while self
            .young
            .front()
            .is_some_and(|(_, since)| since.elapsed() > TOKEN_LIFETIME - Duration::from_secs(2))
        {
            let (old, _) = self.young.pop_front().unwrap();
            self.verify(&old).await;
        }
    }

    async fn verify_what_is_left(&mut self) {
        for (token, _) in std::mem::take(&mut self.young) {
            self.verify(&token).await;
        }
    }

    async fn verify(&mut self, token: &str) {
        if self.cache.as_ref().is_none_or(|(_, since, age)| since.elapsed() >= *age) {
            // Whichever process is asked.
            self.origins.rotate_left(1);
            let (keys, age) = keys(&self.origins[0]).await;
            self.cache = Some((keys, Instant::now(), age));
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.issuer]);
        validation.validate_aud = false;
        validation.leeway = 0;
        let kid = decode_header(token).unwrap().kid.unwrap();
        let key = self.cache.as_ref().and_then(|(keys, ..)| DecodingKey::from_jwk(keys.find(&kid)?).ok());
        let good = key.is_some_and(|key| decode::<Value>(token, &key, &validation).is_ok());
        self.verified += 1;
        self.failed += usize::from(!good);
    }
}
