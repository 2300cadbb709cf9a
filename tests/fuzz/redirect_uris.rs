//! Redirect URIs: what may be registered, what counts as registered, and what an answer makes of one.

use grantor::protocol::RedirectUri;
use grantor::protocol::redirect_uri::{append_query, host_for_display, is_verified_https, matches};
use url::Url;

use super::{Edits, Pieces, assemble, edited};

const WORDS: [&str; 40] = [
    "https://",
    "http://",
    "https:",
    "//",
    "/",
    "\\",
    ":",
    "@",
    "?",
    "#",
    "%",
    "%2e",
    "%2F",
    "..",
    ".",
    ";",
    "&",
    "=",
    "*",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "app.example",
    "evil.example",
    ":8080",
    ":0",
    ":80",
    "/cb",
    "com.example.app:/",
    "javascript:",
    "data:",
    "file:///",
    "0x7f.1",
    "2130706433",
    "\u{ff0f}",
    "\u{3002}",
    "xn--",
    "code=",
    "\t",
];

fn text(pieces: &Pieces) -> String {
    String::from_utf8_lossy(&assemble(pieces, &WORDS)).into_owned()
}

#[test]
fn what_may_be_registered_means_the_same_to_a_browser() {
    bolero::check!().with_type::<(bool, bool, Pieces)>().for_each(|(is_begun, native, pieces)| {
        let text = if *is_begun { format!("https://app.example{}", text(pieces)) } else { text(pieces) };
        let Ok(registered) = RedirectUri::register(&text, *native) else { return };
        assert_eq!(registered.as_str(), text);
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#'));
        let url = Url::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None));
        assert!(["https", "http"].contains(&url.scheme()) || *native, "{text}");
        assert!(!["javascript", "data", "file", "vbscript", "blob"].contains(&url.scheme()), "{text}");
        if let Some(host) = url.host_str().filter(|_| ["https", "http"].contains(&url.scheme())) {
            // What people are shown is where a browser goes.
            let shown = host_for_display(&text);
            assert!(shown == host || shown.starts_with(&format!("{host}:")), "{text}: {shown} is not {host}");
            let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
            assert!(url.scheme() == "https" || is_here, "{text}");
            assert!(!(is_here && is_verified_https(&text)), "{text}");
        }
        assert!(matches(&text, &text, *native));
    });
}

#[test]
fn a_change_of_a_registered_uri_is_another_one() {
    const REGISTERED: [&str; 5] = [
        "https://app.example/cb",
        "https://app.example/cb?tenant=1",
        "http://127.0.0.1/cb",
        "http://[::1]:8080/cb",
        "com.example.app:/cb",
    ];
    bolero::check!().with_type::<(u8, Edits)>().for_each(|(number, edits)| {
        let registered = REGISTERED[usize::from(*number) % REGISTERED.len()];
        let Some(presented) = edited(registered, edits) else { return };
        assert!(!matches(registered, &presented, false));
        assert_is_the_same_but_for_a_port(registered, &presented);
    });
}

#[test]
fn only_the_port_of_a_loopback_address_is_free_to_a_native_app() {
    bolero::check!().with_type::<(u8, Pieces)>().for_each(|(number, pieces)| {
        let host = ["127.0.0.1", "[::1]", "localhost"][usize::from(*number) % 3];
        let presented = format!("http://{host}{}", text(pieces));
        assert_is_the_same_but_for_a_port(&format!("http://{host}/cb"), &presented);
    });
}

/// As a browser sees both, if a native app's request would be answered there.
fn assert_is_the_same_but_for_a_port(registered: &str, presented: &str) {
    if !matches(registered, presented, true) {
        return;
    }
    let (mut one, mut other) = (Url::parse(registered).unwrap(), Url::parse(presented).unwrap());
    assert_eq!(one.scheme(), "http");
    assert!(["127.0.0.1", "[::1]", "localhost"].contains(&other.host_str().unwrap()), "{presented}");
    for url in [&mut one, &mut other] {
        url.set_port(None).unwrap();
    }
    assert_eq!(one, other);
}

#[test]
fn an_answer_stays_at_the_uri_and_adds_what_it_adds() {
    bolero::check!().with_type::<(bool, Pieces, String)>().for_each(|(native, pieces, state)| {
        let text = format!("https://app.example/cb{}", text(pieces));
        if RedirectUri::register(&text, *native).is_err() {
            return;
        }
        let answer = append_query(&text, &[("code", "c"), ("state", state)]);
        assert!(answer.bytes().all(|byte| byte.is_ascii_graphic()), "{answer:?}");
        let (registered, answered) = (Url::parse(&text).unwrap(), Url::parse(&answer).unwrap());
        assert_eq!(registered.origin(), answered.origin());
        assert_eq!((registered.path(), answered.fragment()), (answered.path(), None));
        let own = registered.query_pairs().into_owned();
        let added =
            [("code", "c"), ("state", state)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!(answered.query_pairs().into_owned().eq(own.chain(added)), "{answer}");
    });
}
