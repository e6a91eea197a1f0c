//! Makes the folder: whole or not at all.

use std::{fs, io, path::Path};

use anyhow::Context;
use convbase_core::exit::Hinted;
use rayon::prelude::*;

use crate::{Plan, picture, random::Random};

/// Raise it whenever the same seed makes other pictures than before.
const VERSION: u32 = 2;

/// The file that says how a folder was made. It begins with a dot, so that no stage takes it for an image.
pub const MARKER: &str = ".demo-data.json";

/// Makes `out` under another name beside it, then renames. False: it was there already.
pub fn make(out: &Path, plan: &Plan) -> anyhow::Result<bool> {
    let Plan { seed, train, test } = plan;
    let format = format!("\"format\": \"convbase-demo-data/{VERSION}\"");
    let marker = format!("{{{format}, \"seed\": {seed}, \"train\": {train}, \"test\": {test}}}\n");
    if is_there(out, &marker)? {
        return Ok(false);
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| cannot("create", parent))?;
    let temporary = tempfile::Builder::new().prefix(".demo-data-").tempdir_in(parent)?;
    // A folder inside: the temporary one itself is closed to everybody else, and would stay so.
    let whole = temporary.path().join("whole");
    fill(&whole, plan)?;
    write(&whole.join(MARKER), marker.as_bytes())?;
    match fs::rename(&whole, out) {
        Ok(()) => Ok(true),
        // Another process may have been faster.
        Err(_) if is_there(out, &marker)? => Ok(false),
        Err(cause) => Err(cause).with_context(|| cannot("rename the finished folder to", out)),
    }
}

/// True if the folder holds this plan already; fails if it holds anything else.
fn is_there(out: &Path, expected: &str) -> anyhow::Result<bool> {
    if out.symlink_metadata().is_err_and(|cause| cause.kind() == io::ErrorKind::NotFound) {
        return Ok(false);
    }
    let found = match fs::read_to_string(out.join(MARKER)) {
        Ok(marker) if marker == expected => return Ok(true),
        Ok(marker) => marker.lines().next().unwrap_or("an empty marker").to_owned(),
        Err(cause) => format!("no `{MARKER}` in it ({cause})"),
    };
    let wanted = format!("`{}` exists: expected a demo data set with these parameters", out.display());
    let hint = "choose another `--out`, or remove the folder yourself";
    Err(Hinted::new(format!("{wanted}, found {found}"), hint).into())
}

/// Writes every picture. Each has a stream of chance of its own: neither threads nor other pictures matter.
fn fill(folder: &Path, plan: &Plan) -> anyhow::Result<()> {
    for (split, (name, count)) in (0..).zip([("train", plan.train), ("test", plan.test)]) {
        for (class, leaf) in [("feathers", 0_u8), ("leaves", 1)] {
            let folder = folder.join(name).join(class);
            fs::create_dir_all(&folder).with_context(|| cannot("create", &folder))?;
            (0..count / 2).into_par_iter().try_for_each(|index| {
                let mut random = Random::of(&[plan.seed, split, leaf.into(), index.into()]);
                let photograph = picture::take(leaf.into(), &mut random);
                let (suffix, bytes) = picture::encode(photograph, &mut random)?;
                write(&folder.join(format!("{index:04}.{suffix}")), &bytes)
            })?;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the folder is temporary until all of it is written")]
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| cannot("write", path))
}

fn cannot(action: &str, path: &Path) -> String {
    format!("cannot {action} `{}`", path.display())
}
