//! Who may use the relay, and how clients are told apart.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use subtle::ConstantTimeEq;

/// Who may use the relay. The command line's flags are these fields.
#[derive(Clone, Debug, Default, Args)]
pub struct Access {
    /// Let in only who knows this token: 16 to 128 of the characters A-Z a-z 0-9 - . _ ~.
    ///
    /// People open the page once as /?token=TOKEN, which leaves a cookie; programs send "Authorization: Bearer TOKEN".
    #[arg(
        long = "access-token",
        env = "SOCKETPAD_ACCESS_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<AccessToken>,

    /// Believe what proxies at these addresses say about where a request comes from.
    #[arg(
        long = "trusted-proxy",
        env = "SOCKETPAD_TRUSTED_PROXY",
        value_name = "CIDR",
        value_parser = network,
        value_delimiter = ','
    )]
    pub proxies: Vec<IpNet>,

    /// The header in which the trusted proxies say it. A proxy must replace or extend it in every request.
    #[arg(
        long = "proxy-header",
        env = "SOCKETPAD_PROXY_HEADER",
        value_enum,
        default_value_t
    )]
    pub header: ProxyHeader,
}

/// The header in which a proxy names its client. Only one is believed: a proxy that writes the one lets a client's own
/// of the other through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeader {
    /// The one that most proxies write.
    #[default]
    XForwardedFor,
    /// The standard's (RFC 7239).
    Forwarded,
}

/// A secret that opens the relay. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// Whether this is the token. It takes as long whatever is wrong with it, except its length.
    pub(crate) fn is(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken")
    }
}

/// Why a text cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// Too easily guessed, or longer than anybody needs.
    #[error("a token has 16 to 128 characters")]
    Length,
    /// It could not stand in an address and a cookie as it is.
    #[error("a token has only the characters A-Z a-z 0-9 - . _ ~")]
    Character,
}

impl FromStr for AccessToken {
    type Err = AccessTokenError;

    fn from_str(text: &str) -> Result<Self, AccessTokenError> {
        if !(16..=128).contains(&text.len()) {
            return Err(AccessTokenError::Length);
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !text.bytes().all(allowed) {
            return Err(AccessTokenError::Character);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Reads a network, or an address, which is a network of one.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
    text.parse()
        .ok()
        .or_else(address)
        .ok_or_else(|| String::from("an address is needed, or a network such as 10.0.0.0/8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_fits_into_an_address() {
        assert_eq!(
            "short".parse::<AccessToken>(),
            Err(AccessTokenError::Length)
        );
        let spaced = "correct horse battery".parse::<AccessToken>();
        assert_eq!(spaced, Err(AccessTokenError::Character));
        let token: AccessToken = "correct-horse-battery".parse().unwrap();
        assert!(token.is("correct-horse-battery"));
        assert!(!token.is("correct-horse-batterY"));
        assert!(!token.is("correct-horse"));
        assert!(!format!("{token:?}").contains("horse"));
    }

    #[test]
    fn a_network_may_be_one_address() {
        assert_eq!(network("10.0.0.1"), Ok("10.0.0.1/32".parse().unwrap()));
        assert_eq!(network("fd00::/8"), Ok("fd00::/8".parse().unwrap()));
        assert!(network("everybody").is_err());
    }
}
