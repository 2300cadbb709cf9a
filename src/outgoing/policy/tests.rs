use Refused::{Fragment, NotAUrl, NotHttps, NotPublic, UserInfo};
use rstest::rstest;

use super::*;

/// Without an operator's word.
#[rstest]
#[case::name("https://app.example.com/jwks.json", Ok(()))]
#[case::port("https://app.example.com:8443/jwks.json?v=1", Ok(()))]
// A name says nothing until it is resolved; the resolver refuses these.
#[case::localhost("https://localhost/", Ok(()))]
#[case::http("http://app.example.com/", Err(NotHttps))]
#[case::http_loopback("http://127.0.0.1/", Err(NotHttps))]
#[case::file("file:///etc/passwd", Err(NotHttps))]
#[case::gopher("gopher://app.example.com/", Err(NotHttps))]
#[case::data("data:application/json,{}", Err(NotHttps))]
#[case::relative("/jwks.json", Err(NotAUrl))]
#[case::no_host("https://", Err(NotAUrl))]
#[case::empty("", Err(NotAUrl))]
#[case::user("https://user@app.example.com/", Err(UserInfo))]
#[case::user_and_password("https://user:pass@app.example.com/", Err(UserInfo))]
#[case::empty_user("https://@app.example.com/", Err(UserInfo))]
#[case::at_in_path("https://app.example.com/@", Err(UserInfo))]
#[case::fragment("https://app.example.com/#x", Err(Fragment))]
#[case::public_literal("https://1.1.1.1/", Err(NotPublic))]
#[case::public_literal_v6("https://[2606:4700::1111]/", Err(NotPublic))]
#[case::dotted("https://127.0.0.1/", Err(NotPublic))]
#[case::dotted_with_port("https://127.0.0.1:8443/", Err(NotPublic))]
#[case::trailing_dot("https://127.0.0.1./", Err(NotPublic))]
#[case::short("https://127.1/", Err(NotPublic))]
#[case::decimal("https://2130706433/", Err(NotPublic))]
#[case::zero("https://0/", Err(NotPublic))]
#[case::hexadecimal("https://0x7f000001/", Err(NotPublic))]
#[case::hexadecimal_parts("https://0x7f.0x0.0x0.0x1/", Err(NotPublic))]
#[case::hexadecimal_and_short("https://0x7f.1/", Err(NotPublic))]
#[case::octal("https://0177.0.0.1/", Err(NotPublic))]
#[case::octal_whole("https://017700000001/", Err(NotPublic))]
#[case::percent("https://%31%32%37.0.0.1/", Err(NotPublic))]
#[case::full_width("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", Err(NotAUrl))]
#[case::ideographic_dot("https://127\u{3002}0.0.1/", Err(NotAUrl))]
#[case::metadata("https://169.254.169.254/latest/meta-data/", Err(NotPublic))]
#[case::metadata_decimal("https://2852039166/", Err(NotPublic))]
#[case::this_network("https://0.0.0.0/", Err(NotPublic))]
#[case::private("https://10.0.0.1/", Err(NotPublic))]
#[case::shared("https://100.64.0.1/", Err(NotPublic))]
#[case::v6_loopback("https://[::1]/", Err(NotPublic))]
#[case::v6_long("https://[0:0:0:0:0:0:0:1]/", Err(NotPublic))]
#[case::v6_unspecified("https://[::]/", Err(NotPublic))]
#[case::v6_mapped("https://[::ffff:127.0.0.1]/", Err(NotPublic))]
#[case::v6_mapped_hex("https://[::ffff:7f00:1]/", Err(NotPublic))]
#[case::v6_compatible("https://[::127.0.0.1]/", Err(NotPublic))]
#[case::v6_unique_local("https://[fd00::1]/", Err(NotPublic))]
#[case::v6_link_local("https://[fe80::1]/", Err(NotPublic))]
#[case::v6_6to4("https://[2002:7f00:1::]/", Err(NotPublic))]
#[case::v6_nat64("https://[64:ff9b::7f00:1]/", Err(NotPublic))]
#[case::v6_zone("https://[fe80::1%25eth0]/", Err(NotAUrl))]
#[case::tab("https://app.exam\tple.com/", Err(NotAUrl))]
#[case::line_end("https://app.example.com/\r\nHost: x", Err(NotAUrl))]
#[case::blank(" https://app.example.com/", Err(NotAUrl))]
// Case 76.
fn nothing_but_https_to_a_name_is_admitted(#[case] url: &str, #[case] expected: Result<(), Refused>) {
    assert_eq!(Policy::default().admits(url), expected, "{url}");
}

#[test]
fn backslashes_lead_where_the_parser_says() {
    // The parser reads them as slashes, and so does the client: there is one reading.
    let target = Policy::default().check("https:\\\\app.example.com\\jwks").unwrap();
    assert_eq!(target.url.as_str(), "https://app.example.com/jwks");
}

#[test]
fn overlong_addresses_are_refused() {
    let url = format!("https://app.example.com/{}", "a".repeat(LONGEST_URL));
    assert_eq!(Policy::default().admits(&url), Err(NotAUrl));
}

#[test]
fn a_listed_origin_may_be_private_and_on_this_machine_only_if_the_issuer_is() {
    let origins = [
        "https://10.0.0.5",
        "https://keys.internal:8443",
        "http://10.0.0.5",
        "http://127.0.0.1:9000",
        "http://localhost:9000",
        "https://127.0.0.1",
        "https://169.254.169.254",
        "http://keys.internal",
    ]
    .map(str::to_owned);
    let (elsewhere, here) = (Policy::new(&origins, false), Policy::new(&origins, true));
    for (url, when_elsewhere, when_here) in [
        ("https://10.0.0.5/jwks", Ok(()), Ok(())),
        ("https://10.0.0.5:444/jwks", Err(NotPublic), Err(NotPublic)),
        ("https://10.0.0.6/jwks", Err(NotPublic), Err(NotPublic)),
        ("https://keys.internal:8443/jwks", Ok(()), Ok(())),
        ("http://10.0.0.5/jwks", Err(NotHttps), Err(NotHttps)),
        ("http://keys.internal/jwks", Err(NotHttps), Err(NotHttps)),
        ("http://127.0.0.1:9000/jwks", Err(NotHttps), Ok(())),
        ("http://localhost:9000/jwks", Err(NotHttps), Ok(())),
        ("http://127.0.0.1:9001/jwks", Err(NotHttps), Err(NotHttps)),
        ("http://127.1:9000/jwks", Err(NotHttps), Ok(())),
        ("https://127.0.0.1/jwks", Err(NotPublic), Ok(())),
        ("https://169.254.169.254/", Err(NotPublic), Err(NotPublic)),
        ("http://user@127.0.0.1:9000/jwks", Err(UserInfo), Err(UserInfo)),
    ] {
        assert_eq!(elsewhere.admits(url), when_elsewhere, "{url}");
        assert_eq!(here.admits(url), when_here, "{url}");
    }
}
