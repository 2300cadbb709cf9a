use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case("https://app.example")]
#[case("https://app.example/cb")]
#[case("https://app.example:8443/cb?tenant=a%20b")]
#[case("https://my_host.app.example//cb/...;x/%C3%A4%2Fb")]
#[case("https://xn--bcher-kva.example/cb")]
#[case("https://192.0.2.1/cb")]
#[case("https://[2001:db8::1]:8443/cb")]
#[case("http://localhost/cb")]
#[case("http://127.0.0.1:8080/cb")]
#[case("http://[::1]/cb")]
fn web_and_native_clients_may_register(#[case] text: &str) {
    for native in [false, true] {
        assert_eq!(RedirectUri::register(text, native).unwrap().as_str(), text);
    }
}

#[rstest]
#[case("com.example.app:/cb")]
#[case("com.example.app://cb")]
#[case("com.example.app://Call_back.1/cb?k=v")]
#[case("com.example.app:///cb")]
#[case("com.example.app:/cb?a=b")]
fn private_use_schemes_are_for_native_clients(#[case] text: &str) {
    assert!(RedirectUri::register(text, true).is_ok());
    assert!(RedirectUri::register(text, false).unwrap_err().to_string().contains("web client"));
}

#[rstest]
#[case("", "empty")]
#[case("/cb", "absolute")]
#[case("//app.example/cb", "absolute")]
#[case("app.example/cb", "absolute")]
#[case("HTTPS://app.example/cb", "absolute")]
#[case("https:/app.example/cb", "'//'")]
#[case("https:app.example/cb", "'//'")]
#[case("https:///cb", "host")]
#[case("https://", "host")]
#[case("https://app.example/cb#", "fragment")]
#[case("https://app.example/cb#x", "fragment")]
#[case("https://me@app.example/cb", "user information")]
#[case("https://app.example:443@evil.example/cb", "user information")]
#[case("com.example.app://me@host/cb", "user information")]
#[case("com.example.app://cb:x/", "browser")]
#[case("com.example.app://=:https::8080.%2F?", "browser")]
#[case("https://app.example.xn--r/cb", "browser")]
#[case("https://*.example/cb", "wildcard")]
#[case("https://app.example/*", "wildcard")]
#[case("https://app.example/c b", "blank")]
#[case(" https://app.example/cb", "blank")]
#[case("https://app.example/cb\n", "blank")]
#[case("https://app.example/cb\0", "control")]
#[case("https://app.example\\cb", "backslash")]
#[case("https://app.example/%5Ccb", "backslash")]
#[case("https://app.example/%250d", "control")]
#[case("https://app.example/?a=%00", "control")]
#[case("https://b\u{fc}cher.example/cb", "ASCII")]
#[case("https://app.example\u{ff0f}cb", "ASCII")]
#[case("https://app.example/../cb", "segment")]
#[case("https://app.example/./cb", "segment")]
#[case("https://app.example/cb/..", "segment")]
#[case("https://app.example/cb/%2e%2E/evil", "segment")]
#[case("https://app.example/cb/.%2e/evil", "segment")]
#[case("https://app.example/cb/%252e%252e/evil", "segment")]
#[case("https://app.example/cb%2f..%2fevil", "segment")]
#[case("https://app.example/cb/..;/evil", "segment")]
#[case("com.example.app:../cb", "segment")]
#[case("http://app.example/cb", "use https")]
#[case("http://localhost.evil.example/cb", "use https")]
#[case("http://127.0.0.2/cb", "use https")]
#[case("http://[::2]/cb", "use https")]
#[case("https://APP.example/cb", "host")]
#[case("https://app..example/cb", "host")]
#[case("https://app.example./cb", "host")]
#[case("https://app.exam~ple/cb", "host")]
#[case("https://2130706433/cb", "host")]
#[case("https://0x7f.1/cb", "host")]
#[case("https://0x7f000001/cb", "host")]
#[case("https://127.0x1/cb", "host")]
#[case("https://127.1/cb", "host")]
#[case("https://0177.0.0.1/cb", "host")]
#[case("https://[::ffff:127.0.0.1]/cb", "host")]
#[case("https://[0:0::1]/cb", "host")]
#[case("https://[::1/cb", "port")]
#[case("https://::1/cb", "port")]
#[case("https://app.example:/cb", "port")]
#[case("https://app.example:0/cb", "port")]
#[case("https://app.example:080/cb", "port")]
#[case("https://app.example:65536/cb", "port")]
#[case("https://app.example:8a/cb", "port")]
#[case("https://[::1]x:1/cb", "host")]
#[case("https://app.example/cb[0]", "bracket")]
#[case("https://app.example/cb?a[]=1", "bracket")]
#[case("https://app.example/cb?code=attacker", "code or state")]
#[case("https://app.example/cb?a=b&%73tate=x", "code or state")]
#[case("javascript:alert(1)", "browser")]
#[case("JaVaScRiPt:alert(1)", "browser")]
#[case("javascript://app.example/%0aalert(1)", "browser")]
#[case("data:text/html,x", "browser")]
#[case("vbscript:x", "browser")]
#[case("file:///etc/passwd", "browser")]
#[case("blob:https://app.example/x", "browser")]
#[case("about:blank", "browser")]
#[case("myapp:/cb", "reverse")]
#[case("com..app:/cb", "reverse")]
#[case("com.:/cb", "reverse")]
#[case("ftp://app.example/cb", "reverse")]
fn no_client_may_register(#[case] text: &str, #[case] reason: &str) {
    let error = RedirectUri::register(text, true).unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
    assert!(RedirectUri::register(text, false).is_err());
}

#[test]
fn the_length_is_limited() {
    let of_length = |n: usize| format!("https://a/{}", "b".repeat(n - 10));
    assert!(RedirectUri::register(&of_length(2048), false).is_ok());
    assert!(RedirectUri::register(&of_length(2049), false).is_err());
}

proptest! {
    #[test]
    fn a_registered_uri_means_the_same_to_a_browser(
        text in r"https?://([a-c.:@\[\]0-9x%]{0,9}|localhost|127\.0\.0\.1)[:/?#@a-c.;%2eE5f0-9]{0,12}",
    ) {
        if RedirectUri::register(&text, false).is_ok() {
            let url = url::Url::parse(&text).unwrap();
            let authority = text.split(['/', '?']).nth(2).unwrap();
            let (host, _) = split_port(authority);
            prop_assert_eq!(url.host_str(), Some(host));
            prop_assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None));
            let path = &text[text.find(authority).unwrap() + authority.len()..];
            let path = path.split('?').next().unwrap();
            prop_assert_eq!(url.path(), if path.is_empty() { "/" } else { path });
        }
    }
}
