//! Native: Debian's own CPython of the tests' version, in namespaces of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::{
    log::Results,
    place::{Piece, Place, follow},
    program,
};

/// Makes the unpacked packages the root of a machine with a loopback, and runs the program there.
const ENTER: &str = r#"
set -e
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
ip link set lo up
exec env -i --default-signal=INT PATH=/usr/bin:/usr/sbin:/bin HOME=/tmp chroot "$1" /usr/bin/python3.14 "/suite/$2.py"
"#;

/// How long a look at what was printed takes if there is nothing.
const LOOK: Duration = Duration::from_millis(200);

/// Runs a module.
pub(crate) fn run(module: &'static str, root: &Path) -> Result<Results> {
    fs::create_dir_all(root.join("suite"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut machine = Machine {
        module,
        root: root.to_owned(),
        running: None,
    };
    runtime.block_on(follow(&mut machine))
}

struct Machine {
    module: &'static str,
    root: PathBuf,
    running: Option<(Child, Lines<BufReader<ChildStdout>>)>,
}

impl Place for Machine {
    const PATIENCE: Duration = Duration::from_secs(180);

    async fn start(&mut self, done: &Results) -> Result<()> {
        let text = program(&format!("test.{}", self.module), done, None);
        fs::write(
            self.root.join("suite").join(format!("{}.py", self.module)),
            text,
        )?;
        let mut child = Command::new("unshare")
            .args(["--map-root-user", "--net", "--mount", "--pid", "--fork"])
            .args(["--kill-child", "sh", "-c", ENTER, "sh"])
            .arg(&self.root)
            .arg(self.module)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("unshare(1) is needed to run programs natively")?;
        let stdout = child.stdout.take().context("it was asked for")?;
        self.running = Some((child, BufReader::new(stdout).lines()));
        Ok(())
    }

    async fn read(&mut self) -> Result<Piece> {
        let Some((_, lines)) = &mut self.running else {
            return Ok(Piece::default());
        };
        let mut piece = Piece::default();
        // Nothing yet, or a test has printed what is no UTF-8: neither is a line of the report.
        if let Ok(Ok(line)) = timeout(LOOK, lines.next_line()).await {
            piece.is_over = line.is_none();
            piece.lines.extend(line);
        }
        Ok(piece)
    }

    async fn last_words(&mut self) -> String {
        let status = match &mut self.running {
            Some((child, _)) => child.wait().await.ok(),
            None => None,
        };
        status.map_or_else(String::new, |status| status.to_string())
    }
}
