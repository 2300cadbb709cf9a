//! Which part of the Internet an address belongs to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who can be reached at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Everybody: globally reachable unicast (RFC 6890).
    Public,
    /// An organisation's own machines: RFC 1918, RFC 6598, RFC 4193.
    Private,
    /// This machine.
    Loopback,
    /// Nobody that a request could be meant for: link-local (where clouds keep their metadata), multicast,
    /// documentation, reserved, and IPv6 addresses that stand for IPv4 ones.
    Special,
}

impl Network {
    /// The network of an address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Network {
    match address.octets() {
        [127, ..] => Network::Loopback,
        [10, ..] | [192, 168, ..] => Network::Private,
        [172, second, ..] if second & 0xf0 == 16 => Network::Private,
        [100, second, ..] if second & 0xc0 == 64 => Network::Private,
        // This network, link-local, protocol assignments, documentation, 6to4 relays, benchmarks.
        [0, ..] | [169, 254, ..] | [192, 0, 0, _] | [192, 0, 2, _] | [192, 88, 99, _] => Network::Special,
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => Network::Special,
        // Multicast and reserved, broadcast among them.
        [224..=255, ..] => Network::Special,
        _ => Network::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Network {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Network::Loopback,
        [0xfc00..=0xfdff, ..] => Network::Private,
        // Protocol assignments with Teredo, documentation, 6to4.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => {
            Network::Special
        }
        // Of the rest only 2000::/3 is given out (RFC 4291 §2.4); IPv4-mapped and NAT64 addresses lie outside.
        [0x2000..=0x3fff, ..] => Network::Public,
        _ => Network::Special,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_belongs_to_a_network() {
        use Network::{Loopback, Private, Public, Special};
        let table: [(&str, Network); 63] = [
            ("1.1.1.1", Public),
            ("8.8.8.8", Public),
            ("9.255.255.255", Public),
            ("11.0.0.0", Public),
            ("100.63.255.255", Public),
            ("100.128.0.0", Public),
            ("126.255.255.255", Public),
            ("128.0.0.0", Public),
            ("169.253.255.255", Public),
            ("169.255.0.0", Public),
            ("172.15.255.255", Public),
            ("172.32.0.0", Public),
            ("192.0.1.0", Public),
            ("192.167.255.255", Public),
            ("192.169.0.0", Public),
            ("198.17.255.255", Public),
            ("198.20.0.0", Public),
            ("223.255.255.255", Public),
            ("10.0.0.0", Private),
            ("10.255.255.255", Private),
            ("100.64.0.0", Private),
            ("100.127.255.255", Private),
            ("172.16.0.0", Private),
            ("172.31.255.255", Private),
            ("192.168.0.0", Private),
            ("192.168.255.255", Private),
            ("127.0.0.1", Loopback),
            ("127.255.255.255", Loopback),
            ("0.0.0.0", Special),
            ("0.255.255.255", Special),
            ("169.254.0.0", Special),
            ("169.254.169.254", Special),
            ("192.0.0.8", Special),
            ("192.0.2.1", Special),
            ("192.88.99.1", Special),
            ("198.18.0.0", Special),
            ("198.19.255.255", Special),
            ("198.51.100.1", Special),
            ("203.0.113.1", Special),
            ("224.0.0.1", Special),
            ("239.255.255.255", Special),
            ("240.0.0.0", Special),
            ("255.255.255.255", Special),
            ("2606:4700::1111", Public),
            ("2001:200::1", Public),
            ("2a00:1450:4001::1", Public),
            ("fc00::1", Private),
            ("fdff:ffff::1", Private),
            ("::1", Loopback),
            ("::", Special),
            ("::2", Special),
            ("::7f00:1", Special),
            ("::ffff:127.0.0.1", Special),
            ("::ffff:8.8.8.8", Special),
            ("64:ff9b::7f00:1", Special),
            ("64:ff9b:1::a00:1", Special),
            ("2001::1", Special),
            ("2001:db8::1", Special),
            ("2002:7f00:1::1", Special),
            ("3fff::1", Special),
            ("fe80::1", Special),
            ("fec0::1", Special),
            ("ff02::1", Special),
        ];
        for (address, expected) in table {
            assert_eq!(Network::of(address.parse().unwrap()), expected, "{address}");
        }
    }
}
