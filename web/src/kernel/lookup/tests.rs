//! Look-ups that glibc has answered in this way.

use super::*;

fn query(node: &str) -> Query {
    Query {
        node: Some(node.to_owned()),
        ..Query::default()
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn known(texts: &[&str]) -> Result<Hosts, Failure> {
    Ok(Hosts::Known(
        texts.iter().map(|text| (ip(text), 0)).collect(),
    ))
}

#[test]
fn addresses_and_localhost_need_no_lab() {
    let hosts = |node| query(node).hosts();
    assert_eq!(hosts("127.0.0.1"), known(&["127.0.0.1"]));
    assert_eq!(hosts("127.1"), known(&["127.0.0.1"]));
    assert_eq!(hosts("1.2.3"), known(&["1.2.0.3"]));
    assert_eq!(hosts("::1"), known(&["::1"]));
    assert_eq!(hosts("localhost"), known(&["::1", "127.0.0.1"]));
    assert_eq!(
        hosts("fe80::1%eth0"),
        Ok(Hosts::Known(vec![(ip("fe80::1"), 2)]))
    );
    assert_eq!(hosts("256.0.0.1"), Ok(Hosts::Ask("256.0.0.1".to_owned())));
    assert_eq!(hosts("Bob"), Ok(Hosts::Ask("bob".to_owned())));
    assert_eq!(hosts("fe80::1%wlan0"), Err(Failure::NoName));
    assert_eq!(hosts(""), Err(Failure::NoName));
}

#[test]
fn no_name_means_every_address_or_this_host() {
    let mut query = Query {
        service: Some("80".to_owned()),
        ..Query::default()
    };
    assert_eq!(query.hosts(), known(&["::1", "127.0.0.1"]));
    query.flags = AI_PASSIVE;
    assert_eq!(query.hosts(), known(&["0.0.0.0", "::"]));
    query.family = AF_INET6;
    assert_eq!(query.hosts(), known(&["::"]));
    query.family = 1;
    assert_eq!(query.hosts(), Err(Failure::Family));
    query.family = 0;
    query.flags = AI_CANONNAME;
    assert_eq!(query.hosts(), Err(Failure::Flags));
    assert_eq!(Query::default().hosts(), Err(Failure::NoName));
}

#[test]
fn an_address_of_the_other_family_is_refused_unless_it_may_be_mapped() {
    let mut v4 = query("127.0.0.1");
    v4.family = AF_INET6;
    assert_eq!(v4.hosts(), Err(Failure::AddressFamily));
    v4.flags = AI_V4MAPPED;
    assert_eq!(v4.hosts(), known(&["::ffff:127.0.0.1"]));
    let mut v6 = query("::1");
    v6.family = AF_INET;
    assert_eq!(v6.hosts(), Err(Failure::AddressFamily));
}

#[test]
fn a_names_addresses_are_sorted_and_filtered() {
    let both = || vec![ip("10.0.0.2"), ip("fd00::2")];
    let found = |family, flags, hosts| {
        let query = Query {
            family,
            flags,
            ..query("bob")
        };
        let found = query.found(hosts)?;
        Ok(found
            .into_iter()
            .map(|(ip, _)| ip.to_string())
            .collect::<Vec<_>>())
    };
    let texts = |texts: &[&str]| Ok(texts.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(found(0, 0, both()), texts(&["fd00::2", "10.0.0.2"]));
    assert_eq!(found(AF_INET, 0, both()), texts(&["10.0.0.2"]));
    assert_eq!(found(AF_INET6, AI_V4MAPPED, both()), texts(&["fd00::2"]));
    let all = found(AF_INET6, AI_V4MAPPED | AI_ALL, both());
    assert_eq!(all, texts(&["fd00::2", "::ffff:10.0.0.2"]));
    assert_eq!(
        found(AF_INET6, 0, vec![ip("10.0.0.2")]),
        Err(Failure::NoData)
    );
    assert_eq!(found(0, 0, Vec::new()), Err(Failure::NoName));
}

#[test]
fn every_kind_is_listed_unless_one_was_asked_for() {
    let local = [(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)];
    let mut query = query("x");
    let kinds = |query: &Query| {
        let entries = query.entries(&local)?;
        let kind = |entry: &Entry| (entry.kind, entry.protocol, entry.port);
        Ok(entries.iter().map(kind).collect::<Vec<_>>())
    };
    query.service = Some("80".to_owned());
    assert_eq!(kinds(&query), Ok(vec![(1, 6, 80), (2, 17, 80), (3, 0, 80)]));
    query.service = Some("http".to_owned());
    assert_eq!(kinds(&query), Ok(vec![(1, 6, 80)]));
    query.service = Some("echo".to_owned());
    assert_eq!(kinds(&query), Ok(vec![(1, 6, 7), (2, 17, 7)]));
    query.kind = SOCK_DGRAM;
    assert_eq!(kinds(&query), Ok(vec![(2, 17, 7)]));
    query.kind = SOCK_RAW;
    assert_eq!(kinds(&query), Err(Failure::Service));
    query.kind = 99;
    assert_eq!(kinds(&query), Err(Failure::Kind));
    query.kind = SOCK_STREAM;
    query.protocol = IPPROTO_UDP;
    assert_eq!(kinds(&query), Err(Failure::Kind));
    query.protocol = IPPROTO_UDPLITE;
    assert_eq!(kinds(&query), Err(Failure::Kind));
    query.kind = 0;
    assert_eq!(kinds(&query), Err(Failure::Service));
    query.service = Some("80".to_owned());
    assert_eq!(kinds(&query), Ok(vec![(2, 136, 80)]));
    query.kind = SOCK_STREAM;
    query.protocol = 0;
    query.service = Some("no-such".to_owned());
    assert_eq!(kinds(&query), Err(Failure::Service));
    query.flags = AI_NUMERICSERV;
    assert_eq!(kinds(&query), Err(Failure::NoName));
}

#[test]
fn the_canonical_name_is_the_name() {
    let mut query = query("bob.");
    assert_eq!(query.canonical(), None);
    query.flags = AI_CANONNAME;
    assert_eq!(query.canonical(), Some("bob"));
}
