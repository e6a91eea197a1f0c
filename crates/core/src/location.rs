//! Where files lie.

use std::io;
use std::path::Path;

/// Whether `path`, which may be missing yet with folders above it, is the folder `folder` or lies inside of it, links
/// followed. A folder that is missing holds nothing.
pub fn lies_inside(path: &Path, folder: &Path) -> io::Result<bool> {
    let Ok(folder) = folder.canonicalize() else { return Ok(false) };
    let above = std::path::absolute(path)?;
    let existing = above.ancestors().find_map(|folder| folder.canonicalize().ok());
    Ok(existing.is_some_and(|existing| existing.starts_with(&folder)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_path_lies_in_a_folder_whatever_it_is_called_and_whether_it_is_there() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("images/cats")).unwrap();
        std::os::unix::fs::symlink(at("images/cats"), at("link")).unwrap();
        let inside = |path: &str| lies_inside(&at(path), &at("images")).unwrap();
        for path in ["images", "images/cats", "images/new/below", "images/cats/../new", "link", "link/new"] {
            assert!(inside(path), "{path}");
        }
        for path in ["", "imagesque", "other/images", "images/../other"] {
            assert!(!inside(path), "{path}");
        }
        assert!(!lies_inside(&at("images"), &at("missing")).unwrap());
    }
}
