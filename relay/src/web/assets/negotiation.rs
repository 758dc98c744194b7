//! Which form of a file a client wants, and whether it has it already (RFC 9110, sections 12.5.3 and 13.1.2).

use axum::http::HeaderValue;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Brotli (RFC 7932).
    Brotli,
    /// gzip (RFC 1952).
    Gzip,
    /// Not at all.
    Identity,
}

impl Encoding {
    /// Its name in HTTP, if it needs one.
    pub(super) fn token(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// What the name of such a file has at its end.
    pub(super) fn extension(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gz"),
            Self::Identity => None,
        }
    }
}

/// The forms that a client takes, the smallest first. Uncompressed is always among them: a client that refuses it, too,
/// can only be served badly.
pub(super) fn acceptable(accepted: Option<&HeaderValue>) -> impl Iterator<Item = Encoding> {
    let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or("");
    let takes = |encoding: Encoding| match encoding.token() {
        Some(token) => weight(accepted, token).is_some_and(|weight| 0.0 < weight),
        None => true,
    };
    [Encoding::Brotli, Encoding::Gzip, Encoding::Identity]
        .into_iter()
        .filter(move |&encoding| takes(encoding))
}

/// How much a client wants an encoding, from 0 to 1, if it says so.
fn weight(accepted: &str, token: &str) -> Option<f32> {
    let mut any = None;
    for entry in accepted.split(',') {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().unwrap_or("");
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(Some(1.0), |weight| weight.parse().ok());
        if name.eq_ignore_ascii_case(token) {
            return weight;
        }
        if name == "*" {
            any = weight;
        }
    }
    any
}

/// Whether a client has what bears this tag.
pub(super) fn is_current(known: Option<&HeaderValue>, tag: &str) -> bool {
    let known = known.and_then(|value| value.to_str().ok()).unwrap_or("");
    known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(accepted: &'static str) -> Vec<Encoding> {
        acceptable(Some(&HeaderValue::from_static(accepted))).collect()
    }

    #[test]
    fn the_smallest_form_that_is_wanted_comes_first() {
        use Encoding::{Brotli, Gzip, Identity};
        assert_eq!(forms("gzip, deflate, br, zstd"), [Brotli, Gzip, Identity]);
        assert_eq!(forms("gzip;q=0.8"), [Gzip, Identity]);
        assert_eq!(forms("br;q=0, *"), [Gzip, Identity]);
        assert_eq!(forms("br;q=none"), [Identity]);
        assert_eq!(forms(""), [Identity]);
        assert_eq!(acceptable(None).collect::<Vec<_>>(), [Identity]);
    }

    #[test]
    fn a_known_tag_is_recognised() {
        let known = HeaderValue::from_static("\"a\", W/\"b\"");
        assert!(is_current(Some(&known), "\"b\""));
        assert!(!is_current(Some(&known), "\"c\""));
        assert!(is_current(Some(&HeaderValue::from_static("*")), "\"c\""));
        assert!(!is_current(None, "\"c\""));
    }
}
