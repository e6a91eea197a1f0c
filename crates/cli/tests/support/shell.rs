//! A shell around a program, for what only a shell or root can do to it. The tests of the three programs share it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// How a script ended and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A script for bash, and the paths that it knows by name.
pub struct Script {
    text: String,
    paths: Vec<(&'static str, PathBuf)>,
}

impl Script {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), paths: Vec::new() }
    }

    pub fn with(mut self, name: &'static str, path: impl AsRef<Path>) -> Self {
        self.paths.push((name, path.as_ref().to_owned()));
        self
    }

    pub fn run(&self) -> Ended {
        run(&["bash", "-c", &self.text], &self.paths)
    }

    /// The same with mounts of its own, which are gone when it ends, whatever happens; a file system can be mounted at
    /// `$mount`. `None`, with a line that says so, where this user may mount nothing.
    pub fn run_with_mounts(self) -> Option<Ended> {
        static PLACE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
        static MAY_MOUNT: LazyLock<bool> = LazyLock::new(|| {
            let paths = [("mount", PLACE.path().to_owned())];
            run(&[&UNSHARE[..], &["mount -t tmpfs none \"$mount\""]].concat(), &paths).code == Some(0)
        });
        if !*MAY_MOUNT {
            println!("skipped: this user may mount nothing: some tests of disks were not run");
            return None;
        }
        let Self { text, paths } = self.with("mount", PLACE.path());
        Some(run(&[&UNSHARE[..], &[&text]].concat(), &paths))
    }
}

const UNSHARE: [&str; 6] = ["unshare", "--mount", "--propagation", "private", "bash", "-c"];

/// Whether a command is there and ends well.
pub fn works(words: &[&str]) -> bool {
    run(words, &[]).code == Some(0)
}

fn run(words: &[&str], paths: &[(&'static str, PathBuf)]) -> Ended {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env_remove("RUST_LOG").stdin(Stdio::null());
    command.envs(paths.iter().map(|(name, path)| (name, path)));
    let Ok(output) = command.output() else {
        return Ended { code: None, stdout: String::new(), stderr: format!("{}: cannot be run", words[0]) };
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
