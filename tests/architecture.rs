//! The order of the house: what each module may use, and where each outside crate may be mentioned.

mod rust;

use std::path::Path;

use rust::{Token, modules_used, tokens};

/// Crates that belong to one part of the house, and that part. A crate is any that begins so.
const AT_HOME: [(&str, &[&str]); 5] = [
    ("actix", &["web/"]),
    ("sqlx", &["store/"]),
    ("jsonwebtoken", &["jose/", "keys/"]),
    ("rsa", &["jose/", "keys/"]),
    ("reqwest", &["outgoing/"]),
];

/// Where the time is read; everywhere else it is an argument. The registry compares two clocks.
const READS_THE_CLOCK: [&str; 4] = ["clients/registry.rs", "cli/", "jobs/", "web/extract/now.rs"];

/// Handlers that take the bare app: they write nothing that could be recorded. All others take the `RequestApp`, which
/// knows where the request came from, or the `Visit` that holds one.
const ONLY_READ: [&str; 1] = ["health.rs"];

const LONGEST_FILE: usize = 500;

/// A file below `src`, by its path from there.
struct Source {
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut sources = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                sources.push(Source { path: name, text: std::fs::read_to_string(path).unwrap() });
            }
        }
    }
    assert!(sources.len() > 100, "this looks at the wrong place");
    sources
}

/// Holds a rule over all files of this kind; it yields what is wrong with one.
fn holds(extension: &str, rule: impl Fn(&str, &str) -> Vec<String>) {
    let files = sources().into_iter().filter(|source| source.path.ends_with(extension));
    let wrong: Vec<String> = files
        .flat_map(|Source { path, text }| {
            rule(&path, &text).into_iter().map(move |wrong| format!("src/{path} {wrong}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The modules in the order in which `lib.rs` lists them.
fn order(lib: &str) -> Vec<String> {
    let tokens = tokens(lib);
    let listed = tokens.windows(2).filter(|pair| pair[0].is("mod"));
    listed.map(|pair| if let Token::Word(name) = &pair[1] { name.clone() } else { String::new() }).collect()
}

fn uses_against_order(order: &[String], path: &str, text: &str) -> Vec<String> {
    let place = |module: &str| order.iter().position(|listed| listed == module);
    let own = path.split(['/', '.']).next().unwrap_or_default();
    let Some(own_place) = place(own) else { return Vec::new() };
    let below = |used: &String| place(used).is_none_or(|used| used > own_place);
    modules_used(path, text).into_iter().filter(below).map(|used| format!("uses {used}")).collect()
}

fn strangers(path: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mentioned = |name: &str| tokens.iter().any(|token| belongs_to(token, name));
    let at_home = |homes: &[&str]| homes.iter().any(|home| path.starts_with(home));
    AT_HOME
        .iter()
        .filter(|(name, homes)| !at_home(homes) && mentioned(name))
        .map(|(name, homes)| format!("mentions {name}, which belongs to {}", homes.join(" and ")))
        .collect()
}

/// `actix` and `actix_web` are words of `actix`, `rsa_key` is none of `rsa`.
fn belongs_to(token: &Token, name: &str) -> bool {
    match token {
        Token::Word(word) if name == "actix" => word == name || word.starts_with("actix_"),
        token => token.is(name),
    }
}

fn clock_readings(path: &str, text: &str) -> Vec<String> {
    let allowed = READS_THE_CLOCK.iter().any(|place| path.starts_with(place));
    let is_test = path.ends_with("tests.rs") || path.contains("/tests/");
    if allowed || is_test || !calls(&text[..text.find("#[cfg(test)]").unwrap_or(text.len())]) {
        return Vec::new();
    }
    vec!["reads the clock: take `now` as an argument".to_owned()]
}

fn calls(text: &str) -> bool {
    let now = [Token::Sign(':'), Token::Sign(':'), Token::Word("now".to_owned())];
    tokens(text).windows(4).any(|window| window[0].is("Timestamp") && window[1..] == now)
}

fn unrecorded(path: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    if let Some(extractor) = path.strip_prefix("web/extract/") {
        let hands_it_on = extractor != "request_app.rs" && tokens.iter().any(|token| token.is("App"));
        return if hands_it_on { vec!["hands on an App: hand on the RequestApp".to_owned()] } else { vec![] };
    }
    let Some(handler) = path.strip_prefix("web/endpoints/") else { return Vec::new() };
    let bare = [Token::Word("Data".to_owned()), Token::Sign('<'), Token::Word("App".to_owned())];
    let takes_it = tokens.windows(3).any(|window| window == bare);
    // `app(request)`, which `visit.app()` is not.
    let fetches_it = tokens
        .windows(3)
        .any(|window| window[0] != Token::Sign('.') && window[1].is("app") && window[2] == Token::Sign('('));
    if (takes_it || fetches_it) && !ONLY_READ.contains(&handler) {
        return vec![
            "has the bare App: take the RequestApp or a Visit, so that the audit log knows the address"
                .to_owned(),
        ];
    }
    Vec::new()
}

fn unfinished(text: &str) -> Vec<String> {
    let macros = tokens(text)
        .windows(2)
        .filter(|pair| pair[1] == Token::Sign('!'))
        .filter_map(|pair| ["todo", "unimplemented", "dbg"].into_iter().find(|name| pair[0].is(name)))
        .map(|name| format!("has a {name}!"))
        .collect::<Vec<_>>();
    let notes = ["TODO", "FIXME", "XXX"].into_iter().filter(|note| text.contains(note));
    macros.into_iter().chain(notes.map(|note| format!("has a {note}"))).collect()
}

fn unescaped(template: &str) -> Vec<String> {
    let folded: String = template.split_whitespace().collect();
    let ways = ["|safe", "|escape(\"none\")", "|e(\"none\")"];
    ways.into_iter().filter(|way| folded.contains(way)).map(|way| format!("has {way}")).collect()
}

#[test]
fn each_module_uses_only_those_above_it() {
    let order = order(include_str!("../src/lib.rs"));
    assert!(order.len() > 10 && order.last().is_some_and(|last| last == "cli"), "{order:?}");
    holds(".rs", |path, text| uses_against_order(&order, path, text));
}

#[test]
fn each_outside_crate_stays_at_home() {
    holds(".rs", strangers);
}

#[test]
fn the_clock_is_read_at_the_edges_only() {
    holds(".rs", clock_readings);
}

#[test]
fn a_handler_that_may_write_knows_where_the_request_came_from() {
    holds(".rs", unrecorded);
}

#[test]
fn no_file_is_longer_than_500_lines() {
    holds("", |_, text| match text.lines().count() {
        lines if lines > LONGEST_FILE => vec![format!("has {lines} lines")],
        _ => Vec::new(),
    });
}

#[test]
fn nothing_is_left_unfinished() {
    holds(".rs", |_, text| unfinished(text));
}

#[test]
fn templates_escape_everything() {
    holds(".html", |_, text| unescaped(text));
}

mod the_rules_themselves {
    use super::*;

    fn listed(names: &str) -> Vec<String> {
        names.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_order_is_that_of_lib_rs() {
        assert_eq!(order("pub mod time;\n// mod comment;\npub mod web;"), ["time", "web"]);
    }

    #[test]
    fn a_use_of_something_below_is_found_in_every_form() {
        let order = listed("time protocol model store web");
        for (path, text, wrong) in [
            ("protocol/a.rs", "use crate::time::Timestamp;", vec![]),
            ("protocol/a.rs", "use crate::protocol::B;", vec![]),
            ("protocol/a.rs", "use crate::model::User;", vec!["uses model"]),
            ("protocol/a.rs", "fn f() -> crate::web::Page {}", vec!["uses web"]),
            ("protocol/a.rs", "use crate::{time::{Timestamp, web}, store::Store};", vec!["uses store"]),
            ("protocol/a.rs", "use crate::{time, web};", vec!["uses web"]),
            (
                "protocol/a.rs",
                "// use crate::web;\n/* crate::web */ \"crate::web\" r#\"crate::web\"#",
                vec![],
            ),
            ("protocol/a.rs", "'\"' ; use crate::web; '\"'", vec!["uses web"]),
            ("protocol/a.rs", "fn f<'a>(x: &'a str) { crate::web::f('\\'') }", vec!["uses web"]),
            ("protocol/a.rs", "use super::web;", vec![]),
            ("protocol/a.rs", "use super::super::web;", vec!["uses web"]),
            ("protocol/mod.rs", "use super::web;", vec!["uses web"]),
            ("protocol/mod.rs", "mod tests { use super::web; }", vec![]),
            ("protocol/mod.rs", "mod tests { use super::super::web; }", vec!["uses web"]),
            ("protocol/mod.rs", "mod tests { fn f() {} } use super::web;", vec!["uses web"]),
            ("web/a.rs", "use crate::{time, protocol, model, store};", vec![]),
            ("store/a.rs", "use crate::elsewhere::A;", vec!["uses elsewhere"]),
            ("main.rs", "grantor::cli::main()", vec![]),
        ] {
            assert_eq!(uses_against_order(&order, path, text), wrong, "{path}: {text}");
        }
    }

    #[test]
    fn a_crate_away_from_home_is_found() {
        for (path, text, is_wrong) in [
            ("web/a.rs", "use actix_web::App;", false),
            ("store/a.rs", "use actix_web::App;", true),
            ("app.rs", "actix::main", true),
            ("store/a.rs", "sqlx::query!()", false),
            ("cli/a.rs", "Err(sqlx::Error::Io)", true),
            ("telemetry/logs.rs", "\"sqlx=warn\"", false),
            ("keys/a.rs", "use rsa::RsaPrivateKey;", false),
            ("tokens/a.rs", "use rsa::RsaPrivateKey;", true),
            ("tokens/a.rs", "let rsa_key = 1;", false),
            ("jose/a.rs", "use jsonwebtoken::decode;", false),
            ("users/a.rs", "jsonwebtoken::decode(x)", true),
        ] {
            assert_eq!(!strangers(path, text).is_empty(), is_wrong, "{path}: {text}");
        }
    }

    #[test]
    fn a_reading_of_the_clock_is_found() {
        for (path, text, is_wrong) in [
            ("grants/a.rs", "let now = Timestamp::now();", true),
            ("grants/a.rs", "x.map_or_else(Timestamp::now, f)", true),
            ("grants/a.rs", "fn f(now: Timestamp) {}", false),
            ("grants/a.rs", "#[cfg(test)] mod tests { fn t() { Timestamp::now(); } }", false),
            ("grants/a/tests.rs", "Timestamp::now()", false),
            ("jobs/a.rs", "Timestamp::now()", false),
        ] {
            assert_eq!(!clock_readings(path, text).is_empty(), is_wrong, "{path}: {text}");
        }
    }

    #[test]
    fn a_handler_with_the_bare_app_is_found() {
        for (path, text, is_wrong) in [
            ("web/endpoints/token.rs", "async fn token(app: Data<App>) {}", true),
            ("web/endpoints/token.rs", "async fn token(app: RequestApp) {}", false),
            ("web/endpoints/token.rs", "async fn token(request: HttpRequest) { app(&request) }", true),
            ("web/endpoints/start.rs", "async fn show(visit: Visit) { visit.app().store }", false),
            ("web/endpoints/health.rs", "async fn ready(app: Data<App>) {}", false),
            ("web/extract/visit.rs", "pub struct Visit { app: App }", true),
            ("web/extract/visit.rs", "pub struct Visit { app: RequestApp }", false),
            ("web/extract/request_app.rs", "pub struct RequestApp(App);", false),
            ("web/mod.rs", "request.app_data::<Data<App>>()", false),
        ] {
            assert_eq!(!unrecorded(path, text).is_empty(), is_wrong, "{path}: {text}");
        }
    }

    #[test]
    fn what_is_unfinished_or_unescaped_is_found() {
        for text in ["todo!()", "unimplemented!(\"x\")", "// TODO: later", "dbg!(x)"] {
            assert!(!unfinished(text).is_empty(), "{text}");
        }
        assert!(unfinished("let todo = 1; // done").is_empty());
        for text in ["{{ name|safe }}", "{{ name | safe }}", "{{ name|escape(\"none\") }}"] {
            assert!(!unescaped(text).is_empty(), "{text}");
        }
        assert!(unescaped("{{ name|upper }} safe").is_empty());
    }
}
