//! The photographs under a folder: sorted, relative, links followed.

use std::collections::BTreeMap;
use std::path::Path;

use super::DatasetError;
use super::names::{is_foreign, is_image_name, is_system_file, suffix};
use super::walk::{Entry, Kind, walk};

/// The photographs under a folder and its sub-folders, and what else lies there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Photographs {
    /// Relative to the folder, with `/` between their parts, sorted by their bytes.
    pub paths: Vec<String>,
    /// How many of them are links.
    pub links: usize,
    /// Those that are no files: links to nothing, pipes, devices.
    pub odd: Vec<String>,
    /// What is no photograph.
    pub left_out: LeftOut,
}

/// What is no photograph and is left out. Names that begin with a dot are not even counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Files by their suffixes: `.txt`, or `no suffix`.
    pub suffixes: BTreeMap<String, usize>,
    /// Photographs of formats that cannot be decoded here; they are among the suffixes too.
    pub foreign: usize,
    /// Files that systems make: `Thumbs.db`.
    pub system_files: usize,
    /// Folders that systems make, not looked into: `@eaDir`.
    pub system_folders: Vec<String>,
    /// Folders with results of Convbase, not looked into.
    pub results: Vec<String>,
    /// Links that lead nowhere and are not called like photographs.
    pub dangling: Vec<String>,
    /// Photographs whose names are no text, with the bytes that are none written out.
    pub not_text: Vec<String>,
}

/// Finds the photographs under `folder`: files with a known suffix whose name, like that of the folders they lie in,
/// does not begin with a dot. Links are followed. Links to nothing that are called like photographs are listed, and so is
/// what is no file: the decoder rejects and records them.
pub fn photographs(folder: &Path) -> Result<Photographs, DatasetError> {
    let mut found = Photographs::default();
    walk(
        folder,
        usize::MAX,
        |_| false,
        |entry| {
            if matches!(entry.kind, Kind::File | Kind::Dangling)
                && entry.is_text
                && is_image_name(entry.name())
            {
                found.links = found.links.saturating_add(entry.is_link.into());
                if entry.is_odd {
                    found.odd.push(entry.path.clone());
                }
                found.paths.push(entry.path);
            } else {
                found.left_out.add(entry);
            }
        },
    )?;
    found.paths.sort_unstable();
    found.odd.sort_unstable();
    found.left_out.sort();
    Ok(found)
}

impl LeftOut {
    /// Counts something that is no photograph, or one whose name is no text.
    pub(super) fn add(&mut self, entry: Entry) {
        match entry.kind {
            Kind::Folder => {}
            Kind::System => self.system_folders.push(entry.path),
            Kind::Results => self.results.push(entry.path),
            Kind::File | Kind::Dangling if is_image_name(entry.name()) => self.not_text.push(entry.path),
            Kind::Dangling => self.dangling.push(entry.path),
            Kind::File if is_system_file(entry.name()) => {
                self.system_files = self.system_files.saturating_add(1);
            }
            Kind::File => self.add_file(entry.name()),
        }
    }

    fn add_file(&mut self, name: &str) {
        let suffix = suffix(name);
        self.foreign = self.foreign.saturating_add(is_foreign(&suffix).into());
        let key = if suffix.is_empty() { "no suffix".to_owned() } else { format!(".{suffix}") };
        let count = self.suffixes.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    /// Brings what is told into the order of the paths.
    pub(super) fn sort(&mut self) {
        let Self { system_folders, results, dangling, not_text, .. } = self;
        [system_folders, results, dangling, not_text].into_iter().for_each(|paths| paths.sort_unstable());
    }

    /// How many files there are by suffix.
    pub fn files(&self) -> usize {
        self.suffixes.values().sum()
    }

    /// Files by suffix, the most first: `.avif 17, .txt 1`. Empty where there are none.
    pub fn shown_suffixes(&self) -> String {
        const MOST: usize = 8;
        let mut suffixes: Vec<(&String, &usize)> = self.suffixes.iter().collect();
        suffixes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let more: usize = suffixes.iter().skip(MOST).map(|(_, count)| **count).sum();
        let shown = suffixes.iter().take(MOST).map(|(suffix, count)| format!("{suffix} {count}"));
        shown.chain((more > 0).then(|| format!("others {more}"))).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;
    use convbase_core::write_artifact;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            write_artifact(&root.path().join(file), b"x").unwrap();
        }
        root
    }

    #[test]
    fn links_that_lead_nowhere_are_listed_so_that_they_are_rejected_by_name() {
        let root = folder(&["a/1.jpg", "b.jpg", "notes.txt"]);
        symlink("gone", root.path().join("a/0.jpg")).unwrap();
        symlink("itself.png", root.path().join("itself.png")).unwrap();
        symlink("gone", root.path().join("list.txt")).unwrap();
        symlink("gone", root.path().join(".hidden.jpg")).unwrap();
        symlink(root.path(), root.path().join("a/.loop")).unwrap();
        symlink(root.path().join("b.jpg"), root.path().join("c.jpg")).unwrap();
        let found = photographs(root.path()).unwrap();
        assert_eq!(found.paths, ["a/0.jpg", "a/1.jpg", "b.jpg", "c.jpg", "itself.png"]);
        assert_eq!((found.links, found.left_out.files()), (3, 1));
        assert_eq!(found.odd, ["a/0.jpg", "itself.png"]);
        assert_eq!(found.left_out.dangling, ["list.txt"]);
    }

    #[test]
    fn a_folder_may_be_a_link_and_may_begin_with_a_dot() {
        let root = folder(&[".deep/er/1.jpg"]);
        symlink(root.path().join(".deep"), root.path().join(".link")).unwrap();
        for name in [".deep", ".link"] {
            assert_eq!(photographs(&root.path().join(name)).unwrap().paths, ["er/1.jpg"]);
        }
    }

    #[test]
    fn names_that_no_manifest_can_hold_are_listed_apart_and_others_do_not_matter() {
        let root = folder(&["a/1.jpg"]);
        let put = |name: &[u8]| write_artifact(&root.path().join("a").join(OsStr::from_bytes(name)), b"x");
        // Some file systems take no such name either.
        if put(b"b\xff.jpg").is_err() {
            println!("skipped: the file system takes UTF-8 names alone");
            return;
        }
        put(b"b\xfe.jpg").unwrap();
        put(b"c\xff.txt").unwrap();
        let found = photographs(root.path()).unwrap();
        assert_eq!(found.paths, ["a/1.jpg"]);
        assert_eq!(found.left_out.not_text, [r"a/b\xfe.jpg", r"a/b\xff.jpg"]);
        assert_eq!(found.left_out.shown_suffixes(), ".txt 1");
    }

    #[test]
    fn folders_of_systems_and_of_results_are_not_looked_into() {
        let root = folder(&[
            "a/1.jpg",
            "a/@eaDir/1.jpg/thumb.jpg",
            "__MACOSX/1.jpg",
            "run/config.json",
            "run/history.csv",
            "run/curves.png",
            "report/metrics.json",
            "report/predictions.csv",
            "Thumbs.db",
        ]);
        write_artifact(&root.path().join("store/manifest.json"), b"{\"format\": \"convbase-features/1\"}")
            .unwrap();
        write_artifact(&root.path().join("store/1.png"), b"x").unwrap();
        let found = photographs(root.path()).unwrap();
        assert_eq!(found.paths, ["a/1.jpg"]);
        assert_eq!(found.left_out.system_folders, ["__MACOSX", "a/@eaDir"]);
        assert_eq!(found.left_out.results, ["report", "run", "store"]);
        assert_eq!((found.left_out.system_files, found.left_out.files()), (1, 0));
    }

    #[test]
    fn every_loop_is_found_wherever_it_leads_back_to() {
        let root = folder(&["a/b/1.jpg"]);
        for target in ["a", "a/b", ""] {
            let link = root.path().join("a/b/again");
            symlink(root.path().join(target), &link).unwrap();
            let error = photographs(&root.path().join("a")).unwrap_err().to_string();
            assert!(error.ends_with("expected no link back to a folder above"), "{target}: {error}");
            fs::remove_file(link).unwrap();
        }
        assert_eq!(photographs(root.path()).unwrap().paths, ["a/b/1.jpg"]);
    }
}
