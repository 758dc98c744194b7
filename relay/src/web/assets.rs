//! Serves the page: from a directory, or as it was built in.
//!
//! Beside a file may lie its compressed forms, made when the page was built: `app.wasm.br`, `app.wasm.gz`. Nothing is
//! compressed here.

mod negotiation;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::body::Body;
#[cfg(feature = "embed")]
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use self::negotiation::{Encoding, acceptable, is_current};
use super::Site;

/// How much of a file is read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// Where the page is.
#[derive(Debug)]
pub(crate) enum Assets {
    /// In a directory.
    Directory(PathBuf),
    /// In the program.
    #[cfg(feature = "embed")]
    Embedded,
    /// Nowhere.
    #[cfg(not(feature = "embed"))]
    None,
}

/// A form of a file.
struct Found {
    body: Body,
    length: u64,
    /// Changes with the content; the text of an `ETag` without its quotes.
    tag: String,
}

#[cfg(feature = "embed")]
#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../dist"]
struct Built;

impl Assets {
    /// Finds the page.
    ///
    /// # Errors
    ///
    /// The directory has no `index.html`.
    pub(crate) fn open(directory: Option<PathBuf>) -> io::Result<Self> {
        match directory {
            Some(directory) => {
                let index = directory.join("index.html");
                std::fs::metadata(&index).map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", index.display()))
                })?;
                Ok(Self::Directory(directory))
            }
            #[cfg(feature = "embed")]
            None => Ok(Self::Embedded),
            #[cfg(not(feature = "embed"))]
            None => Ok(Self::None),
        }
    }

    async fn find(&self, name: &str) -> io::Result<Option<Found>> {
        match self {
            Self::Directory(directory) => from_disk(&directory.join(name)).await,
            #[cfg(feature = "embed")]
            Self::Embedded => Ok(Built::get(name).map(|file| {
                let hash = file.metadata.sha256_hash();
                let body = match file.data {
                    Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    Cow::Owned(bytes) => Bytes::from(bytes),
                };
                Found {
                    length: body.len() as u64,
                    body: Body::from(body),
                    tag: hash[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
                }
            })),
            #[cfg(not(feature = "embed"))]
            Self::None => Ok(None),
        }
    }
}

async fn from_disk(path: &Path) -> io::Result<Option<Found>> {
    let file = match File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata().await?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH);
    let nanoseconds = modified.map_or(0, |time| time.as_nanos());
    Ok(Some(Found {
        body: Body::from_stream(ReaderStream::with_capacity(file, CHUNK)),
        length: metadata.len(),
        tag: format!("{nanoseconds:x}-{:x}", metadata.len()),
    }))
}

/// Answers a request for a part of the page.
pub(super) async fn serve(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(name) = file_name(uri.path()) else {
        return not_found(&site.assets);
    };
    for encoding in acceptable(headers.get(ACCEPT_ENCODING)) {
        let form = match encoding.extension() {
            Some(extension) => Cow::Owned(format!("{name}.{extension}")),
            None => Cow::Borrowed(name),
        };
        match site.assets.find(&form).await {
            Ok(Some(found)) => return respond(name, encoding, found, headers.get(IF_NONE_MATCH)),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, file = %form, "a file of the page could not be read");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        }
    }
    not_found(&site.assets)
}

fn respond(name: &str, encoding: Encoding, found: Found, known: Option<&HeaderValue>) -> Response {
    // The forms of a file are different things to a cache.
    let tag = match encoding.extension() {
        Some(extension) => format!("\"{}-{extension}\"", found.tag),
        None => format!("\"{}\"", found.tag),
    };
    let current = is_current(known, &tag);
    let mut headers = HeaderMap::new();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control(name)));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    if current {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(found.length));
    if let Some(token) = encoding.token() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(token));
    }
    (headers, found.body).into_response()
}

fn not_found(assets: &Assets) -> Response {
    let text = match assets {
        #[cfg(not(feature = "embed"))]
        Assets::None => {
            "This relay was built without the page. Start it with --assets and the directory of a built page.\n"
        }
        #[cfg(feature = "embed")]
        Assets::Embedded => "There is no such page.\n",
        Assets::Directory(_) => "There is no such page.\n",
    };
    (StatusCode::NOT_FOUND, text).into_response()
}

/// The file that a path names, if it can be one: nothing hidden, nothing outside, nothing that is encoded.
fn file_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/')?;
    if name.is_empty() {
        return Some("index.html");
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte);
    name.split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain))
        .then_some(name)
}

/// How long a file may be used without asking. Its name tells: one with a hash in it never changes.
fn cache_control(name: &str) -> &'static str {
    if has_hash(name) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// Whether a name is of the form `app-0123456789abcdef_bg.wasm`. Trunk's hashes are numbers of 64 bits, without leading
/// zeros.
fn has_hash(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.split('.').next().unwrap_or(file);
    let stem = stem.strip_suffix("_bg").unwrap_or(stem);
    let Some((_, hash)) = stem.rsplit_once('-') else {
        return false;
    };
    (12..=16).contains(&hash.len())
        && hash
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The type of a file, by its name's end.
fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("py" | "txt" | "md") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("zip" | "whl") => "application/zip",
        Some(_) | None => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_a_file_of_the_page_only() {
        assert_eq!(file_name("/"), Some("index.html"));
        assert_eq!(
            file_name("/process/python/__init__.py"),
            Some("process/python/__init__.py")
        );
        for bad in [
            "",
            "//etc/passwd",
            "/../Cargo.toml",
            "/a/../../b",
            "/.git/config",
            "/a/",
            "/%2e%2e/b",
            "/a\\b",
        ] {
            assert_eq!(file_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(has_hash("app-bae72fd1174013f5_bg.wasm"));
        assert!(has_hash("app-bae72fd1174013f5.js"));
        assert!(has_hash("console-d5cbb7b6ef4babd.css"));
        for plain in [
            "index.html",
            "kernel_bg.wasm",
            "pyodide/pyodide-lock.json",
            "app-feed.js",
            "some-long-but-readable-name.js",
        ] {
            assert!(!has_hash(plain), "{plain}");
        }
    }

    #[test]
    fn scripts_and_wasm_have_the_types_that_browsers_insist_on() {
        assert_eq!(content_type("a.wasm"), "application/wasm");
        assert_eq!(content_type("a.mjs"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("LICENSE"), "application/octet-stream");
    }
}
