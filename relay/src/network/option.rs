//! Which socket options a program may get and set, by Linux's numbers (socket(7), tcp(7), ip(7), ipv6(7),
//! raw(7), udplite(7)).
//!
//! What is not in this table is `ENOPROTOOPT`, whatever the relay's kernel would say: an option may lead out of the lab,
//! need rights that the relay has and its users have not, or have addresses of the relay's memory in it. What is in it
//! goes to the kernel's socket as it is, in the kernel's own layout; the kernel says what is wrong with it.

use protocol::limits::MAX_OPTION;

/// The level of what every socket has (socket(7)).
pub(crate) const SOL_SOCKET: i32 = 1;
/// The level of IPv4 (ip(7)).
pub(crate) const SOL_IP: i32 = 0;
/// The level of TCP (tcp(7)).
pub(crate) const SOL_TCP: i32 = 6;
/// The level of IPv6 (ipv6(7)).
pub(crate) const SOL_IPV6: i32 = 41;
/// The level of UDP-Lite (udplite(7)).
pub(crate) const SOL_UDPLITE: i32 = 136;

/// The level of raw sockets (raw(7)).
pub(crate) const SOL_RAW: i32 = 255;

/// What a program may do with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Get it.
    Get,
    /// Set it.
    Set,
    /// Both.
    Both,
}

/// An option that programs may have. Only this module makes one, so none has an address of memory in its value.
#[derive(Debug)]
pub(crate) struct Allowed {
    /// The level, then the option's own number.
    number: (i32, i32),
    /// What it is called.
    #[cfg(test)]
    name: &'static str,
    /// What its value is.
    value: Value,
    /// What a program may do with it.
    access: Access,
}

/// What the value of an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A number of four bytes. Those of IPv4 can also be set with one byte.
    Number,
    /// A `struct linger`: two numbers.
    Linger,
    /// A `struct tcp_info`, or as much of it as there is room for.
    TcpInfo,
    /// The name of a way to control congestion.
    Congestion,
    /// An `in_addr`, an `ip_mreq` or an `ip_mreqn` (ip(7)): a group, an address of the host, an interface.
    Group,
    /// An `ip_mreq_source` (ip(7)): a group, an address of the host, a sender.
    Source,
    /// An `ipv6_mreq` (ipv6(7)): a group and an interface.
    Group6,
}

impl Value {
    /// How many bytes of it count.
    pub(crate) const fn most(self) -> usize {
        match self {
            Self::Number => 4,
            Self::Linger => 8,
            Self::TcpInfo => MAX_OPTION,
            Self::Congestion => 16,
            Self::Group | Self::Source => 12,
            Self::Group6 => 20,
        }
    }
}

impl Allowed {
    /// The option with this level and number, if programs may have it.
    pub(crate) fn find(number: (i32, i32)) -> Option<&'static Self> {
        ALLOWED.iter().find(|allowed| allowed.number == number)
    }

    /// The level, then the option's own number.
    pub(crate) fn number(&self) -> (i32, i32) {
        self.number
    }

    /// What its value is.
    pub(crate) fn value(&self) -> Value {
        self.value
    }

    /// Whether a program may get it.
    pub(crate) fn can_get(&self) -> bool {
        self.access != Access::Set
    }

    /// Whether a program may set it.
    pub(crate) fn can_set(&self) -> bool {
        self.access != Access::Get
    }
}

/// Makes the numbers and the table of the same list.
macro_rules! allowed {
    ($($level:ident { $($name:ident = $number:literal $value:ident $access:ident,)* })*) => {
        $($(
            #[doc = concat!("`", stringify!($name), "`, after its level.")]
            #[allow(dead_code, reason = "most options are only passed on, and need no name in the code")]
            pub(crate) const $name: (i32, i32) = ($level, $number);
        )*)*

        /// Every option that programs may have.
        static ALLOWED: &[Allowed] = &[
            $($(Allowed {
                number: ($level, $number),
                #[cfg(test)]
                name: stringify!($name),
                value: Value::$value,
                access: Access::$access,
            },)*)*
        ];
    };
}

allowed! {
    SOL_SOCKET {
        SO_REUSEADDR = 2 Number Both,
        SO_TYPE = 3 Number Get,
        SO_ERROR = 4 Number Get,
        SO_DONTROUTE = 5 Number Both,
        SO_BROADCAST = 6 Number Both,
        SO_SNDBUF = 7 Number Both,
        SO_RCVBUF = 8 Number Both,
        SO_KEEPALIVE = 9 Number Both,
        SO_OOBINLINE = 10 Number Both,
        SO_PRIORITY = 12 Number Both,
        SO_LINGER = 13 Linger Both,
        SO_REUSEPORT = 15 Number Both,
        SO_SNDLOWAT = 19 Number Get,
        SO_TIMESTAMP = 29 Number Both,
        SO_ACCEPTCONN = 30 Number Get,
        SO_TIMESTAMPNS = 35 Number Both,
        SO_PROTOCOL = 38 Number Get,
        SO_DOMAIN = 39 Number Get,
    }
    SOL_TCP {
        TCP_NODELAY = 1 Number Both,
        TCP_MAXSEG = 2 Number Both,
        TCP_CORK = 3 Number Both,
        TCP_KEEPIDLE = 4 Number Both,
        TCP_KEEPINTVL = 5 Number Both,
        TCP_KEEPCNT = 6 Number Both,
        TCP_SYNCNT = 7 Number Both,
        TCP_LINGER2 = 8 Number Both,
        TCP_DEFER_ACCEPT = 9 Number Both,
        TCP_WINDOW_CLAMP = 10 Number Both,
        TCP_INFO = 11 TcpInfo Get,
        TCP_QUICKACK = 12 Number Both,
        TCP_CONGESTION = 13 Congestion Both,
        TCP_USER_TIMEOUT = 18 Number Both,
        TCP_FASTOPEN = 23 Number Both,
        TCP_NOTSENT_LOWAT = 25 Number Both,
    }
    SOL_IP {
        IP_TOS = 1 Number Both,
        IP_TTL = 2 Number Both,
        IP_HDRINCL = 3 Number Both,
        IP_PKTINFO = 8 Number Both,
        IP_MTU_DISCOVER = 10 Number Both,
        IP_RECVTTL = 12 Number Both,
        IP_RECVTOS = 13 Number Both,
        IP_MTU = 14 Number Get,
        IP_MULTICAST_IF = 32 Group Both,
        IP_MULTICAST_TTL = 33 Number Both,
        IP_MULTICAST_LOOP = 34 Number Both,
        IP_ADD_MEMBERSHIP = 35 Group Set,
        IP_DROP_MEMBERSHIP = 36 Group Set,
        IP_UNBLOCK_SOURCE = 37 Source Set,
        IP_BLOCK_SOURCE = 38 Source Set,
        IP_ADD_SOURCE_MEMBERSHIP = 39 Source Set,
        IP_DROP_SOURCE_MEMBERSHIP = 40 Source Set,
        IP_MULTICAST_ALL = 49 Number Both,
    }
    SOL_IPV6 {
        IPV6_UNICAST_HOPS = 16 Number Both,
        IPV6_MULTICAST_IF = 17 Number Both,
        IPV6_MULTICAST_HOPS = 18 Number Both,
        IPV6_MULTICAST_LOOP = 19 Number Both,
        IPV6_JOIN_GROUP = 20 Group6 Set,
        IPV6_LEAVE_GROUP = 21 Group6 Set,
        IPV6_MTU_DISCOVER = 23 Number Both,
        IPV6_MTU = 24 Number Get,
        IPV6_V6ONLY = 26 Number Both,
        IPV6_RECVPKTINFO = 49 Number Both,
        IPV6_RECVHOPLIMIT = 51 Number Both,
        IPV6_DONTFRAG = 62 Number Both,
        IPV6_RECVTCLASS = 66 Number Both,
        IPV6_TCLASS = 67 Number Both,
    }
    SOL_UDPLITE {
        UDPLITE_SEND_CSCOV = 10 Number Both,
        UDPLITE_RECV_CSCOV = 11 Number Both,
    }
    SOL_RAW {
        ICMP_FILTER = 1 Number Both,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROSE: &str = include_str!("../../../docs/PROTOCOL.md");

    /// The row of the document for an option.
    fn row(allowed: &Allowed) -> String {
        let (level, number) = allowed.number;
        let access = match allowed.access {
            Access::Get => "get",
            Access::Set => "set",
            Access::Both => "get, set",
        };
        let value = match allowed.value {
            Value::Number => "a number",
            Value::Linger => "`linger`",
            Value::TcpInfo => "`tcp_info`",
            Value::Congestion => "`reno` or `cubic`",
            Value::Group => "`in_addr`, `ip_mreq` or `ip_mreqn`",
            Value::Source => "`ip_mreq_source`",
            Value::Group6 => "`ipv6_mreq`",
        };
        let name = allowed.name;
        let most = allowed.value.most();
        format!("| {level} | {number} | `{name}` | {access} | {value} | {most} |")
    }

    #[test]
    fn the_document_lists_what_is_allowed_and_nothing_else() {
        let rows: Vec<String> = ALLOWED.iter().map(row).collect();
        let listed: Vec<&str> = PROSE
            .lines()
            .skip_while(|line| !line.starts_with("| Level |"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .collect();
        assert_eq!(listed, rows);
    }

    #[test]
    fn no_option_stands_twice() {
        assert!(ALLOWED.is_sorted_by_key(|allowed| {
            let levels = [SOL_SOCKET, SOL_TCP, SOL_IP, SOL_IPV6, SOL_UDPLITE, SOL_RAW];
            let level = levels.iter().position(|&level| level == allowed.number.0);
            (level, allowed.number.1)
        }));
        for allowed in ALLOWED {
            let found = Allowed::find(allowed.number).map(|found| found.name);
            assert_eq!(found, Some(allowed.name));
        }
    }
}
