//! The resolver of outgoing requests: what it answers is what is connected to.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::policy::Reach;

/// Answers with those addresses of a name that are within reach. A name that is looked up again by nobody cannot
/// change its meaning between the check and the connection.
#[derive(Debug)]
pub(super) struct GuardedResolver(pub(super) Reach);

/// A name has addresses, and none of them may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("its host has no address that may be connected to")]
pub(super) struct OutOfReach;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(within(reach, found)?)
        })
    }
}

/// If a name has any address out of reach, none of them is used: its owner means harm, or the rule is in the way
/// of what it means.
fn within(reach: Reach, found: Vec<SocketAddr>) -> Result<Addrs, OutOfReach> {
    if found.is_empty() || !found.iter().all(|address| reach.admits(address.ip())) {
        return Err(OutOfReach);
    }
    Ok(Box::new(found.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_out_of_reach_spoils_a_name() {
        let table: [(Reach, &[&str], bool); 9] = [
            (Reach::Public, &["1.1.1.1"], true),
            (Reach::Public, &["1.1.1.1", "2606:4700::1111"], true),
            (Reach::Public, &["1.1.1.1", "10.0.0.1"], false),
            (Reach::Public, &["127.0.0.1"], false),
            (Reach::Public, &[], false),
            (Reach::Private, &["10.0.0.1", "fd00::1"], true),
            (Reach::Private, &["10.0.0.1", "127.0.0.1"], false),
            (Reach::Loopback, &["127.0.0.1", "::1"], true),
            (Reach::Loopback, &["169.254.169.254"], false),
        ];
        for (reach, addresses, expected) in table {
            let found =
                addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
            assert_eq!(within(reach, found).is_ok(), expected, "{reach:?} {addresses:?}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_out_of_reach_of_the_public() {
        let resolve = |reach| GuardedResolver(reach).resolve("localhost".parse().unwrap());
        assert!(resolve(Reach::Public).await.is_err());
        assert!(resolve(Reach::Private).await.is_err());
        assert!(resolve(Reach::Loopback).await.is_ok());
    }
}
