use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::X_FORWARDED_FOR;
use ipnet::IpNet;

use crate::web::app;

/// The address that a request comes from: the peer's or, where that is a trusted proxy, what the proxy says in
/// `X-Forwarded-For`.
pub fn client_address(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let lines = request.headers().get_all(X_FORWARDED_FOR).map(|value| value.as_bytes());
    // Entry by entry: one that is no text must not hide what stands to its right.
    let entries = lines.flat_map(|line| line.split(|byte| *byte == b','));
    let forwarded: Vec<&str> =
        entries.map(|entry| std::str::from_utf8(entry).unwrap_or_default().trim()).collect();
    nearest_untrusted(peer.to_canonical(), &forwarded, &app(request).config.server.trusted_proxies)
}

/// Goes back from the peer, as long as each address is a trusted proxy's. What is further left was written by
/// somebody whom nobody vouches for; an entry that cannot be read ends the way.
fn nearest_untrusted(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let mut nearest = peer;
    for entry in forwarded.iter().rev() {
        if !trusted.iter().any(|network| network.contains(&nearest)) {
            break;
        }
        let Some(address) = address(entry) else { break };
        nearest = address;
    }
    nearest
}

/// An address, alone or with a port, as proxies write it.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches('"');
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let table: [(&str, &[&str], &str); 10] = [
            ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1", "10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "\"[2001:db8::1]:80\""], "2001:db8::1"),
            ("10.0.0.1", &["6.6.6.6", "[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["6.6.6.6", "unknown"], "10.0.0.1"),
            ("::1", &["garbage", "::ffff:198.51.100.1"], "198.51.100.1"),
        ];
        for (peer, forwarded, expected) in table {
            let got = nearest_untrusted(peer.parse().unwrap(), forwarded, &trusted);
            assert_eq!(got, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn fuzz_what_a_stranger_writes_changes_nothing() {
        const WORDS: [&str; 12] = [
            "10.0.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "[2001:db8::1]:80",
            "::1",
            "::ffff:10.0.0.1",
            "unknown",
            "\"",
            "]",
            ":",
            "",
            "10.0.0.1:99999",
        ];
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
        let peers = ["10.0.0.1", "::1", "203.0.113.9"].map(|peer| peer.parse::<IpAddr>().unwrap());
        bolero::check!().with_type::<(u8, Vec<(u8, u8)>, String)>().for_each(|(peer, written, forged)| {
            let peer = peers[usize::from(*peer) % peers.len()];
            let word = |number: &u8| WORDS[usize::from(*number) % WORDS.len()];
            let entries: Vec<String> =
                written.iter().map(|(a, b)| format!("{}{}", word(a), word(b))).collect();
            let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
            let found = nearest_untrusted(peer, &entries, &trusted);
            if !is_trusted(&peer) {
                assert_eq!(found, peer);
            }
            let was_written = entries.iter().any(|entry| address(entry) == Some(found));
            assert!(found == peer || was_written);
            // Whoever is not trusted can only write to the left of what a trusted proxy wrote about him.
            let further = [&[forged.as_str()], &entries[..]].concat();
            if !is_trusted(&found) {
                assert_eq!(nearest_untrusted(peer, &further, &trusted), found);
            }
        });
    }
}
