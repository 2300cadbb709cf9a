//! R19: twice as many people sign in as passwords can be hashed, while APIs ask about tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::Method;

use crate::app::App;
use crate::harness::Browser;
use crate::journal::Journal;
use crate::measure::quantile;
use crate::offer::{Offered, Request, Result, offer, peak, result};
use crate::report::{Report, in_words};
use crate::scale::Scale;
use crate::site::Site;

const INTROSPECTIONS: f64 = 500.0;

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    let site = Site::new(&[("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1")]);
    let server = site.start().await;
    let app = App::of(&site, &Arc::new(Journal::default()));
    let browser = app.browser(&site.issuer).await;
    let code = app.code(&browser).await.unwrap();
    let tokens = app.exchange(&server.origin, app.journal.new_grant(), &code).await.1.unwrap();
    let introspection = introspection(&site, &server.origin, tokens.access_token);
    let sign_in = sign_in(&site.issuer).await;

    // The best of three: a machine that is busy otherwise must not make a breeze of the storm.
    let mut rate = 0.0_f64;
    for _ in 0..3 {
        rate = rate.max(peak(&sign_in, 8, scale.seconds(0.5, 2.0, 5.0)).await);
    }
    report.told("passwords hashed a second", format!("{rate:.0}"));
    let length = scale.seconds(1.5, 5.0, 20.0);
    let (mut calm, mut stormy, mut signed_in) = (Vec::new(), Vec::new(), Offered::default());
    for _ in 0..scale.of(2, 5, 5) {
        calm.push(offer(&introspection, INTROSPECTIONS, length).await);
        let (asked, storm) =
            tokio::join!(offer(&introspection, INTROSPECTIONS, length), offer(&sign_in, rate * 2.0, length));
        stormy.push(asked);
        signed_in.answers.extend(storm.answers);
    }
    report.told(
        "sign-ins offered / hashed / refused",
        format!(
            "{} / {} / {}",
            signed_in.answers.len(),
            signed_in.count(Result::Good),
            signed_in.count(Result::Refused)
        ),
    );
    report.at_least("… refused, so that it was a storm", signed_in.count(Result::Refused), 1);
    // The median of the turns: a machine that stumbles once does so in one of them.
    let p99 = |turns: &[Offered]| quantile(turns.iter().map(|turn| turn.quantile(0.99)), 0.5);
    let failed =
        |turns: &[Offered]| turns.iter().map(|turn| turn.answers.len() - turn.count(Result::Good)).sum();
    report.told("introspection p99, idle", in_words(p99(&calm)));
    report.told("introspection p99, in the storm", in_words(p99(&stormy)));
    let factor = p99(&stormy).as_secs_f64() / p99(&calm).as_secs_f64();
    report.factor("… that is", factor, scale.of(20.0, 2.0, 2.0));
    report.exactly("introspections without an answer in the storm", failed(&stormy), 0);
    report.exactly("panics", site.panics(), 0);
    report
}

fn introspection(site: &Site, origin: &str, token: String) -> Request {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(15)).build().unwrap();
    let (id, secret, url) =
        (site.client_id.clone(), site.client_secret.clone(), format!("{origin}/introspect"));
    Arc::new(move || {
        let asked = http.post(&url).basic_auth(&id, Some(&secret)).form(&[("token", &token)]).send();
        Box::pin(async move { result(asked.await, 200) })
    })
}

/// A sign-in of somebody who does not exist, which costs as much as any: from another address each time, so that
/// no throttle ends the storm.
async fn sign_in(issuer: &str) -> Request {
    let browser = Browser::at(issuer);
    let (action, fields) = browser.get("/sign-in").await.form();
    let number = AtomicU32::new(1);
    Arc::new(move || {
        let turn = number.fetch_add(1, Ordering::Relaxed);
        let mut fields = fields.clone();
        fields.insert("username".to_owned(), format!("nobody-{turn}"));
        fields.insert("password".to_owned(), "not the password".to_owned());
        let [_, second, third, fourth] = turn.to_be_bytes();
        let request = browser
            .request(Method::POST, &action)
            .header("x-forwarded-for", format!("10.{second}.{third}.{fourth}"))
            .form(&fields)
            .timeout(Duration::from_secs(15));
        Box::pin(async move { result(request.send().await, 422) })
    })
}
