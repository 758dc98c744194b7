//! Which path a name means (path_resolution(7), without symbolic links, of which there are none).

/// The absolute path of a name, which may be relative to a directory.
pub(super) fn resolve(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let start: &[u8] = if name.first() == Some(&b'/') {
        b""
    } else {
        directory
    };
    let mut parts: Vec<&[u8]> = Vec::new();
    let all = start
        .split(|&byte| byte == b'/')
        .chain(name.split(|&byte| byte == b'/'));
    for part in all {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut path = Vec::new();
    for part in parts {
        path.push(b'/');
        path.extend_from_slice(part);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_path_is_the_same_path() {
        for name in [
            &b"/home/user/s"[..],
            b"s",
            b"./s",
            b"../user//s",
            b"/../home/x/../user/./s",
        ] {
            assert_eq!(resolve(b"/home/user", name), b"/home/user/s");
        }
        assert_eq!(resolve(b"/", b"s"), b"/s");
    }
}
