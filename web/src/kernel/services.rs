//! Services by their names and ports, of services(5).

/// The two protocols that have services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Which protocols a service is known for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Tcp,
    Udp,
    Both,
}

impl On {
    fn has(self, protocol: Protocol) -> bool {
        matches!(
            (self, protocol),
            (Self::Both, _) | (Self::Tcp, Protocol::Tcp) | (Self::Udp, Protocol::Udp)
        )
    }
}

/// The services that teaching programs name, as a Debian has them.
const SERVICES: &[(&str, u16, On)] = &[
    ("tcpmux", 1, On::Tcp),
    ("echo", 7, On::Both),
    ("discard", 9, On::Both),
    ("systat", 11, On::Tcp),
    ("daytime", 13, On::Both),
    ("netstat", 15, On::Tcp),
    ("qotd", 17, On::Tcp),
    ("chargen", 19, On::Both),
    ("ftp-data", 20, On::Tcp),
    ("ftp", 21, On::Tcp),
    ("ssh", 22, On::Tcp),
    ("telnet", 23, On::Tcp),
    ("smtp", 25, On::Tcp),
    ("time", 37, On::Both),
    ("whois", 43, On::Tcp),
    ("tacacs", 49, On::Both),
    ("domain", 53, On::Both),
    ("bootps", 67, On::Udp),
    ("bootpc", 68, On::Udp),
    ("tftp", 69, On::Udp),
    ("gopher", 70, On::Tcp),
    ("finger", 79, On::Tcp),
    ("http", 80, On::Tcp),
    ("kerberos", 88, On::Both),
    ("pop3", 110, On::Tcp),
    ("sunrpc", 111, On::Both),
    ("auth", 113, On::Tcp),
    ("nntp", 119, On::Tcp),
    ("ntp", 123, On::Udp),
    ("imap2", 143, On::Tcp),
    ("snmp", 161, On::Both),
    ("snmp-trap", 162, On::Both),
    ("bgp", 179, On::Tcp),
    ("ldap", 389, On::Both),
    ("https", 443, On::Both),
    ("syslog", 514, On::Udp),
    ("submission", 587, On::Tcp),
    ("ldaps", 636, On::Both),
    ("ftps", 990, On::Tcp),
    ("telnets", 992, On::Tcp),
    ("imaps", 993, On::Tcp),
    ("pop3s", 995, On::Tcp),
    ("socks", 1080, On::Tcp),
    ("mysql", 3306, On::Tcp),
    ("mdns", 5353, On::Udp),
    ("postgresql", 5432, On::Tcp),
    ("http-alt", 8080, On::Tcp),
];

/// The port of a service.
pub(crate) fn port(service: &str, protocol: Protocol) -> Option<u16> {
    let mut services = SERVICES.iter();
    let found = services.find(|(name, _, on)| *name == service && on.has(protocol));
    found.map(|&(_, port, _)| port)
}

/// The service of a port.
pub(crate) fn name(port: u16, protocol: Protocol) -> Option<&'static str> {
    let mut services = SERVICES.iter();
    let found = services.find(|(_, number, on)| *number == port && on.has(protocol));
    found.map(|&(name, _, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_belongs_to_its_protocols() {
        assert_eq!(port("http", Protocol::Tcp), Some(80));
        assert_eq!(port("http", Protocol::Udp), None);
        assert_eq!(name(123, Protocol::Udp), Some("ntp"));
        assert_eq!(name(4, Protocol::Tcp), None);
    }

    #[test]
    fn ports_stand_in_order() {
        assert!(SERVICES.is_sorted_by(|a, b| a.1 < b.1));
    }
}
