//! Whether a presented redirect URI is the registered one.

use super::LOOPBACK_HOSTS;

/// Whether `presented` is `registered`, compared as strings (RFC 9700 §4.1.3). For a `native` client the
/// port of an `http` loopback URI is free (RFC 8252 §7.3), and nothing else.
pub fn matches(registered: &str, presented: &str, native: bool) -> bool {
    registered == presented || (native && differ_in_port_only(registered, presented))
}

fn differ_in_port_only(registered: &str, presented: &str) -> bool {
    match (split_loopback(registered), split_loopback(presented)) {
        (Some(registered), Some(presented)) => registered == presented,
        _ => false,
    }
}

/// The host of an `http` loopback URI, and what follows its port.
fn split_loopback(uri: &str) -> Option<(&str, &str)> {
    let authority_on = uri.strip_prefix("http://")?;
    let host = LOOPBACK_HOSTS.into_iter().find(|host| authority_on.starts_with(host))?;
    let (host, port_on) = authority_on.split_at(host.len());
    let path_on = match port_on.strip_prefix(':') {
        Some(port_on) => after_port(port_on)?,
        None => port_on,
    };
    // Anything else here would be a longer host name, user information, or a second port.
    (path_on.is_empty() || path_on.starts_with(['/', '?'])).then_some((host, path_on))
}

/// What follows a port of 1 to 65535, written without leading zeros.
fn after_port(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (port, rest) = text.split_at(end);
    (!port.starts_with('0') && port.parse::<u16>().is_ok()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const REGISTERED: &str = "https://app.example/cb";

    #[rstest]
    // Another host.
    #[case("https://evil.example/cb")]
    #[case("https://app.example.evil.example/cb")]
    // Something added, another port, another scheme.
    #[case("https://app.example/cb/")]
    #[case("https://app.example/cb/evil")]
    #[case("https://app.example/cbx")]
    #[case("https://app.example/")]
    #[case("https://app.example:443/cb")]
    #[case("https://app.example:8443/cb")]
    #[case("http://app.example/cb")]
    // What normalises to the registered one, or away from it.
    #[case("https://app.example/cb/../evil")]
    #[case("https://app.example/cb/%2e%2e/evil")]
    #[case("https://app.example/cb/..;/evil")]
    #[case("https://app.example/cb/%252e%252e/evil")]
    #[case("https://app.example/x/../cb")]
    #[case("https://app.example//cb")]
    #[case("https://app.example/./cb")]
    #[case("https://app.example/%63b")]
    #[case("HTTPS://app.example/cb")]
    #[case("https://APP.example/cb")]
    #[case("https://app.example/CB")]
    // User information.
    #[case("https://app.example@evil.example/cb")]
    #[case("https://evil.example@app.example/cb")]
    #[case("https://app.example/cb@@evil.example")]
    #[case("https://a@@app.example/cb")]
    // Fragment and query.
    #[case("https://app.example/cb#")]
    #[case("https://app.example/cb#x")]
    #[case("https://app.example/cb?")]
    #[case("https://app.example/cb?code=attacker")]
    // Odd characters.
    #[case("https://app.example\\cb")]
    #[case("https:\\\\app.example/cb")]
    #[case("https://app.example/cb\t")]
    #[case("https://app.example/cb\r\n")]
    #[case("https://app.example/cb\0")]
    #[case(" https://app.example/cb")]
    #[case("https://app.example/cb ")]
    #[case("https://app.example\u{ff0f}cb")]
    #[case("https://app\u{3002}example/cb")]
    #[case("https://\u{430}pp.example/cb")]
    // Not such a URI at all.
    #[case("javascript:alert(1)")]
    #[case("data:text/html,x")]
    #[case("https://*.example/cb")]
    #[case("/cb")]
    #[case("//app.example/cb")]
    #[case("")]
    fn nothing_but_the_registered_uri_matches(#[case] presented: &str) {
        assert!(!matches(REGISTERED, presented, false));
        assert!(!matches(REGISTERED, presented, true));
    }

    #[rstest]
    #[case("https://app.example/cb?tenant=1")]
    #[case("http://127.0.0.1/cb")]
    #[case("com.example.app:/cb")]
    fn the_registered_uri_matches(#[case] uri: &str) {
        assert!(matches(uri, uri, false) && matches(uri, uri, true));
    }

    #[rstest]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb")]
    #[case("http://127.0.0.1:8080/cb", "http://127.0.0.1:51004/cb")]
    #[case("http://127.0.0.1:8080/cb", "http://127.0.0.1/cb")]
    #[case("http://[::1]/cb", "http://[::1]:65535/cb")]
    #[case("http://localhost:1/cb", "http://localhost:2/cb")]
    #[case("http://127.0.0.1", "http://127.0.0.1:51004")]
    #[case("http://127.0.0.1?a=b", "http://127.0.0.1:51004?a=b")]
    fn the_loopback_port_is_free_for_native_clients_only(#[case] registered: &str, #[case] presented: &str) {
        assert!(matches(registered, presented, true));
        assert!(!matches(registered, presented, false));
    }

    #[rstest]
    #[case("http://localhost/cb")]
    #[case("http://localhost:8080/cb")]
    #[case("http://[::1]/cb")]
    #[case("http://[::ffff:127.0.0.1]/cb")]
    #[case("http://127.0.0.2/cb")]
    #[case("http://2130706433/cb")]
    #[case("http://0x7f.1/cb")]
    #[case("http://127.1/cb")]
    #[case("https://127.0.0.1/cb")]
    #[case("http://127.0.0.1:8080/cb/")]
    #[case("http://127.0.0.1:8080/cb?x")]
    #[case("http://127.0.0.1:8080/cb#")]
    #[case("http://127.0.0.1:8080")]
    #[case("http://127.0.0.1:/cb")]
    #[case("http://127.0.0.1:0/cb")]
    #[case("http://127.0.0.1:080/cb")]
    #[case("http://127.0.0.1:65536/cb")]
    #[case("http://127.0.0.1:99999999999999999999/cb")]
    #[case("http://127.0.0.1:+80/cb")]
    #[case("http://127.0.0.1:-80/cb")]
    #[case("http://127.0.0.1:8a/cb")]
    #[case("http://127.0.0.1:\u{661}/cb")]
    #[case("http://127.0.0.1:80:81/cb")]
    #[case("http://127.0.0.1:80@evil.example/cb")]
    #[case("http://127.0.0.1@evil.example/cb")]
    #[case("http://evil.example@127.0.0.1/cb")]
    #[case("http://127.0.0.1.evil.example/cb")]
    #[case("http://127.0.0.1evil.example/cb")]
    #[case("http://127.0.0.1:80\\@evil.example/cb")]
    #[case("http://127.0.0.1\\cb")]
    #[case("http:/127.0.0.1/cb")]
    #[case("http:127.0.0.1/cb")]
    #[case("http:///127.0.0.1/cb")]
    #[case("HTTP://127.0.0.1/cb")]
    fn nothing_but_the_port_is_free(#[case] presented: &str) {
        assert!(!matches("http://127.0.0.1/cb", presented, true));
    }

    #[rstest]
    #[case("http://localhost/cb", "http://localhost.evil.example/cb")]
    #[case("http://localhost/cb", "http://localhost:80.evil.example/cb")]
    #[case("http://localhost.evil.example/cb", "http://localhost:80.evil.example/cb")]
    #[case("http://127.0.0.1@evil.example/cb", "http://127.0.0.1:80@evil.example/cb")]
    #[case("http://localhost/cb", "http://LOCALHOST/cb")]
    #[case("http://localhost/cb", "http://127.0.0.1/cb")]
    #[case("http://[::1]/cb", "http://[::1].evil.example/cb")]
    #[case("http://[::1]/cb", "http://[0:0:0:0:0:0:0:1]/cb")]
    #[case("https://localhost/cb", "https://localhost:8443/cb")]
    #[case("http://app.example/cb", "http://app.example:8080/cb")]
    #[case("com.example.app://cb", "com.example.app://cb:80")]
    fn the_host_is_exact(#[case] registered: &str, #[case] presented: &str) {
        assert!(!matches(registered, presented, true));
    }

    proptest! {
        #[test]
        fn a_match_means_the_same_place_to_a_browser(
            presented in r"http://(127\.0\.0\.1|localhost|\[::1\])[:@/?#\\.0-9a-c]{0,12}(/cb)?",
        ) {
            if matches("http://127.0.0.1/cb", &presented, true) {
                let url = url::Url::parse(&presented).unwrap();
                prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
                prop_assert_eq!((url.path(), url.query(), url.fragment()), ("/cb", None, None));
                prop_assert_eq!((url.username(), url.password()), ("", None));
            }
        }

        #[test]
        fn every_port_matches(port in 1u16..) {
            let presented = format!("http://[::1]:{port}/cb");
            prop_assert!(matches("http://[::1]:1/cb", &presented, true));
        }

        #[test]
        fn a_web_client_gets_equality(registered in "\\PC{0,12}", presented in "\\PC{0,12}") {
            prop_assert_eq!(matches(&registered, &presented, false), registered == presented);
        }
    }
}
