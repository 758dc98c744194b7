//! The shim: the generated module between the interpreter and the kernel. `build/shim.rs` says what it does and makes it.

// `BLOCKED`, what a try returns that would block, and `MODULE`, the module's bytes.
include!(concat!(env!("OUT_DIR"), "/shim.rs"));

#[cfg(test)]
mod tests {
    use super::MODULE;
    use wasmparser::{Parser, Payload, Validator};

    #[test]
    fn the_module_is_valid() {
        Validator::new().validate_all(MODULE).unwrap();
    }

    #[test]
    fn every_call_is_tried_and_offered_under_its_own_name() {
        let (mut tries, mut offers) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(MODULE) {
            match payload.unwrap() {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.unwrap();
                        if import.module == "try" {
                            tries.push(import.name.to_owned());
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    offers.extend(
                        section
                            .into_iter()
                            .map(|export| export.unwrap().name.to_owned()),
                    );
                }
                _ => {}
            }
        }
        assert_eq!(offers.pop().as_deref(), Some("oserror_new"));
        assert_eq!(tries, offers);
        assert!(tries.iter().any(|name| name == "__syscall_recvfrom"));
    }
}
