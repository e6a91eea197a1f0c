//! What can go wrong, and what to do about it.

use std::fmt::{Display, Formatter};
use std::path::Path;

/// One line for people, a hint, and the exit code.
#[derive(Debug)]
pub struct Failure {
    message: String,
    pub hint: &'static str,
    pub code: u8,
}

impl Failure {
    pub fn usage(message: String) -> Self {
        Self { message, hint: "`--help` lists the arguments", code: 2 }
    }

    /// The folder holds something that this program must not touch.
    pub fn occupied(folder: &Path, found: &str) -> Self {
        let message = format!(
            "`{}` exists: expected a demo data set with these parameters, found {found}",
            folder.display()
        );
        Self { message, hint: "choose another `--out`, or remove the folder yourself", code: 1 }
    }

    pub fn file(action: &str, path: &Path, cause: impl Display) -> Self {
        let message = format!("cannot {action} `{}`: {cause}", path.display());
        Self { message, hint: "check the permissions and the free space there", code: 1 }
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}
