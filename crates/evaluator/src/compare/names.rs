//! What the compared reports are called.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use convbase_core::escaped;

/// The shortest endings of the folders' paths that tell them apart, all with as many parts: `first/test`, `second/test`.
/// A folder that is given twice is refused.
pub(super) fn distinct_names(folders: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let parts: Vec<Vec<String>> = folders.iter().map(|folder| parts(folder)).collect::<Result<_, _>>()?;
    let mut seen = BTreeMap::new();
    for (folder, parts) in folders.iter().zip(&parts) {
        if let Some(first) = seen.insert(parts, folder) {
            let (first, folder) = (first.display(), folder.display());
            bail!("reports: expected each once, found `{first}` twice (`{folder}`)");
        }
    }
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    let ending = |parts: &Vec<String>, length: usize| parts[parts.len().saturating_sub(length)..].join("/");
    for length in 1..longest {
        let names: Vec<String> = parts.iter().map(|parts| ending(parts, length)).collect();
        if names.iter().collect::<std::collections::BTreeSet<_>>().len() == names.len() {
            return Ok(names);
        }
    }
    Ok(parts.iter().map(|parts| ending(parts, longest)).collect())
}

/// The names on the way to a folder. Links are followed only where `..` would lead elsewhere without.
fn parts(folder: &Path) -> anyhow::Result<Vec<String>> {
    let context = || format!("cannot find `{}`", folder.display());
    let path = if folder.components().any(|part| part == Component::ParentDir) {
        folder.canonicalize().with_context(context)?
    } else {
        std::path::absolute(folder).with_context(context)?
    };
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(escaped(&name.to_string_lossy()).into_owned()),
        _ => None,
    });
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folders: &[&str]) -> Vec<String> {
        distinct_names(&folders.iter().map(PathBuf::from).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn names_are_as_short_as_they_can_be_told_apart() {
        assert_eq!(names(&["/runs/a", "/runs/b/"]), ["a", "b"]);
        assert_eq!(names(&["/runs/a/test", "/runs/b/test"]), ["a/test", "b/test"]);
        assert_eq!(names(&["/x/a/test", "/y/a/test", "/z/b/test"]), ["x/a/test", "y/a/test", "z/b/test"]);
        assert_eq!(names(&["/test", "/a/test"]), ["test", "a/test"]);
        assert_eq!(names(&["/a/b", "/b"]), ["a/b", "b"]);
    }

    #[test]
    fn a_folder_that_is_given_twice_is_refused() {
        let twice = ["/runs/a", "/runs/./a/"].map(PathBuf::from);
        assert!(distinct_names(&twice).unwrap_err().to_string().starts_with("reports: expected each once"));
    }
}
