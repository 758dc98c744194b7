//! What people see: one behaviour a file, in real browsers, and compared with the machine's own Python.
//!
//! `cargo xtask test` builds the page, finds the browsers and runs these. A failure leaves a picture of the page in
//! `target/screenshots`.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

/// Makes a test of each named engine out of the function `check` of the module.
macro_rules! engines {
    ($($name:ident = $engine:ident),*) => {
        $(
            #[test]
            fn $name() {
                tests::browse(tests::Engine::$engine, check);
            }
        )*
    };
}

mod article_tcp;
mod casts;
mod chat_input;
mod close_busy_tab;
mod close_tab;
mod control_messages;
mod descriptors;
mod end_of_input;
mod ephemeral_ports;
mod epoll;
mod errors;
mod exit_status;
mod flags;
mod gc_stress;
mod half_close;
mod inet6;
mod lost_connection;
mod lost_for_good;
mod makefile;
mod many_threads;
mod names;
mod no_relay;
mod nonblocking;
mod options;
mod packets;
mod ping;
mod raw_refused;
mod relay_restart;
mod select_many;
mod send_fds;
mod sendall_backpressure;
mod short_threads;
mod signals;
mod socketpair;
mod stop_accept;
mod stop_busy_loop;
mod stop_everywhere;
mod stop_in_time;
mod suspensions;
mod syntax_error;
mod threaded_server;
mod thresholds;
mod timeouts;
mod tracebacks;
mod turns;
mod two_labs;
mod udp_twin;
mod udplite;
mod unix_datagram;
mod unix_errors;
mod unix_paths;
mod unix_servers;
mod unix_stream;
mod urgent;
