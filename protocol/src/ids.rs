//! The names of labs, hosts, processes, sockets and calls.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A socket of one process. The process chooses the number, so that creating a socket costs no round trip; it never
/// uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SocketId(pub u32);

/// A request that will be answered. The process counts them up from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub u32);

/// Why a text cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Too short or too long.
    #[error("a {what} has {min} to {max} characters")]
    Length {
        /// What was to be named.
        what: &'static str,
        /// The fewest characters.
        min: usize,
        /// The most characters.
        max: usize,
    },
    /// A character that is not allowed.
    #[error("a {what} has only the characters {allowed}")]
    Character {
        /// What was to be named.
        what: &'static str,
        /// The allowed characters, in words.
        allowed: &'static str,
    },
}

fn check(
    text: &str,
    what: &'static str,
    (min, max): (usize, usize),
    allowed: &'static str,
    is_allowed: fn(char) -> bool,
) -> Result<(), NameError> {
    let length = text.chars().count();
    if length < min || max < length {
        return Err(NameError::Length { what, min, max });
    }
    if !text.chars().all(is_allowed) {
        return Err(NameError::Character { what, allowed });
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $range:expr, $allowed:literal, $is_allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text that keeps the rules of this name.
            ///
            /// # Errors
            ///
            /// [`NameError`] says which rule it breaks.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check(&text, $what, $range, $allowed, $is_allowed)?;
                Ok(Self(text))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A lab. Whoever knows the id may join, so it has at least 80 bits when made at random from its alphabet.
    LabId,
    "lab id",
    (16, 64),
    "a-z and 0-9",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit()
);

name!(
    /// A host of a lab, as a host name: one label (RFC 1123, section 2.1).
    HostName,
    "host name",
    (1, 63),
    "a-z, 0-9 and -",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
);

name!(
    /// A process, for people to read. Several may bear the same name.
    ProcessName,
    "process name",
    (1, 64),
    "that can be printed",
    |c| !c.is_control()
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_id_must_be_hard_to_guess() {
        assert!(LabId::new("short").is_err());
        assert!(LabId::new("abcdefghijklmnop").is_ok());
        assert!(LabId::new("abcdefghijklmno/").is_err());
    }

    #[test]
    fn a_host_name_is_one_label() {
        assert!(HostName::new("desk-2").is_ok());
        assert!(HostName::new("desk.lan").is_err());
        assert_eq!(
            HostName::new("").unwrap_err().to_string(),
            "a host name has 1 to 63 characters"
        );
    }

    #[test]
    fn a_process_name_may_be_chinese() {
        assert!(ProcessName::new("服务器").is_ok());
        assert!(ProcessName::new("a\nb").is_err());
    }
}
