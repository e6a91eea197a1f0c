//! Makes the folder: whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::class::Class;
use crate::difficulty::DEFAULT;
use crate::encode::encode;
use crate::failure::Failure;
use crate::picture::Picture;
use crate::plan::{MARKER, Plan, Split};

/// What became of a plan.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Made,
    AlreadyThere,
}

/// Makes `out` under another name beside it, then renames.
pub fn make(out: &Path, plan: &Plan) -> Result<Outcome, Failure> {
    if is_there(out, plan)? {
        return Ok(Outcome::AlreadyThere);
    }
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(|cause| Failure::file("create", parent, cause))?;
    let temporary = tempfile::Builder::new()
        .prefix(".demo-data-")
        .tempdir_in(parent)
        .map_err(|cause| Failure::file("create a temporary folder in", parent, cause))?;
    // A folder inside: the temporary one itself is closed to everybody else, and would stay so.
    let whole = temporary.path().join("whole");
    fill(&whole, plan)?;
    match fs::rename(&whole, out) {
        Ok(()) => Ok(Outcome::Made),
        // Another process may have been faster.
        Err(_) if is_there(out, plan)? => Ok(Outcome::AlreadyThere),
        Err(cause) => Err(Failure::file("rename the finished folder to", out, cause)),
    }
}

/// True if the folder holds this plan already; fails if it holds anything else.
fn is_there(out: &Path, plan: &Plan) -> Result<bool, Failure> {
    match fs::symlink_metadata(out) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(Failure::file("read", out, cause)),
        Ok(_) if !out.is_dir() => return Err(Failure::occupied(out, "something that is not a folder")),
        Ok(_) => {}
    }
    match fs::read_to_string(out.join(MARKER)) {
        Ok(marker) if marker == plan.marker() => Ok(true),
        Ok(marker) => Err(Failure::occupied(out, marker.lines().next().unwrap_or("an empty marker"))),
        Err(_) => Err(Failure::occupied(out, "other files, or an empty folder")),
    }
}

/// Writes every picture and, last, the marker.
fn fill(folder: &Path, plan: &Plan) -> Result<(), Failure> {
    for split in Split::ALL {
        for class in Class::ALL {
            let folder = folder.join(split.folder()).join(class.folder());
            fs::create_dir_all(&folder).map_err(|cause| Failure::file("create", &folder, cause))?;
        }
    }
    let pictures = plan.pictures();
    let next = AtomicUsize::new(0);
    // Which thread makes which picture does not matter: a picture depends on nothing but its own number.
    let work = || {
        while let Some(&picture) = pictures.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (path, bytes) = file(folder, plan.seed, picture)?;
            write(&path, &bytes)?;
        }
        Ok(())
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })?;
    write(&folder.join(MARKER), plan.marker().as_bytes())
}

/// One picture's path and bytes.
fn file(folder: &Path, seed: u64, picture: Picture) -> Result<(PathBuf, Vec<u8>), Failure> {
    let Picture { split, class, index } = picture;
    let folder = folder.join(split.folder()).join(class.folder());
    let mut random = picture.random(seed);
    let photograph = picture.take(&DEFAULT, &mut random);
    let encoded = encode(&photograph, &mut random)
        .map_err(|cause| Failure::file("encode a picture for", &folder, cause))?;
    Ok((folder.join(format!("{index:04}.{}", encoded.suffix)), encoded.bytes))
}

#[expect(clippy::disallowed_methods, reason = "the folder is temporary until all of it is written")]
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|cause| Failure::file("write", path, cause))
}

#[cfg(test)]
mod tests;
