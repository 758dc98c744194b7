//! The numbers of the interpreter's own world.
//!
//! The interpreter is compiled against Emscripten's C library, whose error numbers are WASI's and whose texts are
//! musl's. Inside, CPython's C code compares against these numbers; what the program sees must be Linux's
//! (ARCHITECTURE.md, "Errors").

use protocol::Errno;

/// `O_NONBLOCK`, among a stream's flags.
pub(crate) const O_NONBLOCK: u32 = 0o4000;

/// Emscripten's number and musl's text for each error both worlds know, and Linux's number for it.
const ERRORS: &[(i32, Errno, &str)] = &[
    (1, Errno::E2BIG, "Argument list too long"),
    (2, Errno::EACCES, "Permission denied"),
    (3, Errno::EADDRINUSE, "Address in use"),
    (4, Errno::EADDRNOTAVAIL, "Address not available"),
    (
        5,
        Errno::EAFNOSUPPORT,
        "Address family not supported by protocol",
    ),
    (6, Errno::EAGAIN, "Resource temporarily unavailable"),
    (7, Errno::EALREADY, "Operation already in progress"),
    (8, Errno::EBADF, "Bad file descriptor"),
    (9, Errno::EBADMSG, "Bad message"),
    (10, Errno::EBUSY, "Resource busy"),
    (11, Errno::ECANCELED, "Operation canceled"),
    (12, Errno::ECHILD, "No child process"),
    (13, Errno::ECONNABORTED, "Connection aborted"),
    (14, Errno::ECONNREFUSED, "Connection refused"),
    (15, Errno::ECONNRESET, "Connection reset by peer"),
    (16, Errno::EDEADLK, "Resource deadlock would occur"),
    (17, Errno::EDESTADDRREQ, "Destination address required"),
    (18, Errno::EDOM, "Domain error"),
    (20, Errno::EEXIST, "File exists"),
    (21, Errno::EFAULT, "Bad address"),
    (22, Errno::EFBIG, "File too large"),
    (23, Errno::EHOSTUNREACH, "Host is unreachable"),
    (24, Errno::EIDRM, "Identifier removed"),
    (25, Errno::EILSEQ, "Illegal byte sequence"),
    (26, Errno::EINPROGRESS, "Operation in progress"),
    (27, Errno::EINTR, "Interrupted system call"),
    (28, Errno::EINVAL, "Invalid argument"),
    (29, Errno::EIO, "I/O error"),
    (30, Errno::EISCONN, "Socket is connected"),
    (31, Errno::EISDIR, "Is a directory"),
    (32, Errno::ELOOP, "Symbolic link loop"),
    (33, Errno::EMFILE, "No file descriptors available"),
    (34, Errno::EMLINK, "Too many links"),
    (35, Errno::EMSGSIZE, "Message too large"),
    (37, Errno::ENAMETOOLONG, "Filename too long"),
    (38, Errno::ENETDOWN, "Network is down"),
    (39, Errno::ENETRESET, "Connection reset by network"),
    (40, Errno::ENETUNREACH, "Network unreachable"),
    (41, Errno::ENFILE, "Too many open files in system"),
    (42, Errno::ENOBUFS, "No buffer space available"),
    (43, Errno::ENODEV, "No such device"),
    (44, Errno::ENOENT, "No such file or directory"),
    (45, Errno::ENOEXEC, "Exec format error"),
    (46, Errno::ENOLCK, "No locks available"),
    (48, Errno::ENOMEM, "Out of memory"),
    (49, Errno::ENOMSG, "No message of desired type"),
    (50, Errno::ENOPROTOOPT, "Protocol not available"),
    (51, Errno::ENOSPC, "No space left on device"),
    (52, Errno::ENOSYS, "Function not implemented"),
    (53, Errno::ENOTCONN, "Socket not connected"),
    (54, Errno::ENOTDIR, "Not a directory"),
    (55, Errno::ENOTEMPTY, "Directory not empty"),
    (57, Errno::ENOTSOCK, "Not a socket"),
    (59, Errno::ENOTTY, "Not a tty"),
    (60, Errno::ENXIO, "No such device or address"),
    (61, Errno::EOVERFLOW, "Value too large for data type"),
    (63, Errno::EPERM, "Operation not permitted"),
    (64, Errno::EPIPE, "Broken pipe"),
    (65, Errno::EPROTO, "Protocol error"),
    (66, Errno::EPROTONOSUPPORT, "Protocol not supported"),
    (67, Errno::EPROTOTYPE, "Protocol wrong type for socket"),
    (68, Errno::ERANGE, "Result not representable"),
    (69, Errno::EROFS, "Read-only file system"),
    (70, Errno::ESPIPE, "Invalid seek"),
    (71, Errno::ESRCH, "No such process"),
    (72, Errno::ESTALE, "Stale file handle"),
    (73, Errno::ETIMEDOUT, "Operation timed out"),
    (74, Errno::ETXTBSY, "Text file busy"),
    (75, Errno::EXDEV, "Cross-device link"),
    (138, Errno::EOPNOTSUPP, "Not supported"),
];

/// Emscripten's number for an error; `EIO` for one it does not have.
pub(crate) fn number(errno: Errno) -> i32 {
    ERRORS
        .iter()
        .find(|&&(_, linux, _)| linux == errno)
        .map_or(29, |&(number, _, _)| number)
}

/// The whole table, as JSON rows `[Emscripten's number, musl's text, Linux's number, glibc's text]`, for the glue that
/// translates exceptions.
pub(crate) fn table() -> String {
    let rows: Vec<_> = ERRORS
        .iter()
        .map(|&(number, linux, text)| (number, text, linux.0, linux.text()))
        .collect();
    serde_json::to_string(&rows).unwrap_or_default()
}

/// Every error number of Linux by name, as a JSON object, for the `errno` module.
pub(crate) fn names() -> String {
    let names: Vec<_> = protocol::errno::ALL
        .iter()
        .map(|&(errno, name, text)| (name, errno.0, text))
        .collect();
    serde_json::to_string(&names).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_number_crosses_worlds() {
        assert_eq!(number(Errno::ECONNREFUSED), 14);
        assert_eq!(number(Errno::EAGAIN), 6);
    }

    #[test]
    fn no_number_stands_twice() {
        assert!(ERRORS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
