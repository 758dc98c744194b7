//! The modules of CPython's tests that are run, and which of them this time.

use std::num::NonZeroUsize;

use anyhow::{Context as _, Result, bail};

/// The modules, in the order of the report.
pub(crate) const MODULES: &[&str] = &[
    "test_socket",
    "test_socketserver",
    "test_select",
    "test_selectors",
    "test_poll",
    "test_epoll",
    "test_timeout",
    "test_threading",
    "test_threading_local",
    "test_thread",
    "test_threadedtempfile",
    "test_queue",
    "test_concurrent_futures.test_thread_pool",
    "test_concurrent_futures.test_as_completed",
    "test_concurrent_futures.test_wait",
    "test_concurrent_futures.test_future",
    "test_concurrent_futures.test_shutdown",
    "test_httplib",
    "test_httpservers",
    "test_urllib2_localnet",
    "test_xmlrpc",
    "test_docxmlrpc",
    "test_smtplib",
    "test_poplib",
    "test_imaplib",
    "test_ftplib",
    "test_ssl",
    "test_wsgiref",
    "test_signal",
    "test_multiprocessing_spawn.test_processes",
    "test_multiprocessing_spawn.test_threads",
    "test_multiprocessing_spawn.test_manager",
    "test_multiprocessing_spawn.test_misc",
    "test_asyncio.test_base_events",
    "test_asyncio.test_buffered_proto",
    "test_asyncio.test_context",
    "test_asyncio.test_eager_task_factory",
    "test_asyncio.test_events",
    "test_asyncio.test_free_threading",
    "test_asyncio.test_futures",
    "test_asyncio.test_futures2",
    "test_asyncio.test_graph",
    "test_asyncio.test_locks",
    "test_asyncio.test_pep492",
    "test_asyncio.test_proactor_events",
    "test_asyncio.test_protocols",
    "test_asyncio.test_queues",
    "test_asyncio.test_runners",
    "test_asyncio.test_selector_events",
    "test_asyncio.test_sendfile",
    "test_asyncio.test_server",
    "test_asyncio.test_sock_lowlevel",
    "test_asyncio.test_ssl",
    "test_asyncio.test_sslproto",
    "test_asyncio.test_staggered",
    "test_asyncio.test_streams",
    "test_asyncio.test_subprocess",
    "test_asyncio.test_taskgroups",
    "test_asyncio.test_tasks",
    "test_asyncio.test_threads",
    "test_asyncio.test_timeouts",
    "test_asyncio.test_tools",
    "test_asyncio.test_transports",
    "test_asyncio.test_unix_events",
    "test_asyncio.test_waitfor",
];

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Choice {
    /// What to run.
    pub(crate) modules: Vec<&'static str>,
    /// How many at a time.
    pub(crate) jobs: NonZeroUsize,
}

impl Choice {
    /// Reads `[--jobs N] [--report] [MODULE…]`; a module stands for itself and for what is inside.
    pub(crate) fn read(arguments: &[String]) -> Result<Self> {
        let mut jobs = NonZeroUsize::MIN.saturating_add(1);
        let mut modules = Vec::new();
        let mut all = true;
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--jobs" => {
                    jobs = arguments
                        .next()
                        .and_then(|text| text.parse().ok())
                        .context("--jobs needs a number from 1 on")?;
                }
                "--report" => all = false,
                name => {
                    all = false;
                    let inside = format!("{name}.");
                    let named = MODULES
                        .iter()
                        .filter(|module| **module == name || module.starts_with(&inside));
                    let before = modules.len();
                    modules.extend(named);
                    if modules.len() == before {
                        bail!(
                            "there is no module `{name}`; there are {}",
                            MODULES.join(", ")
                        );
                    }
                }
            }
        }
        if all {
            modules = MODULES.to_vec();
        }
        Ok(Self { modules, jobs })
    }
}
