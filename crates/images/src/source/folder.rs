//! Lists a labelled image folder: sorted, relative, validated.

use std::path::{Path, PathBuf};

use convbase_core::{Classes, Digest, Sample, listing_digest};

use super::DatasetError;
use super::photographs::{is_image_name, list, photographs};

/// A labelled image folder as it was listed: classes and photographs in a fixed order.
#[derive(Debug, Clone)]
pub struct ImageFolder {
    root: PathBuf,
    classes: Classes,
    samples: Vec<Sample>,
    remarks: Vec<String>,
}

impl ImageFolder {
    /// Lists `root`. Classes are its sub-folders in sorted order, or `classes` when given; in that case other
    /// sub-folders are left out, and a class may be without a folder.
    ///
    /// Photographs are sorted by the bytes of their relative path. Links are followed. Names that begin with a dot
    /// are ignored; everything else that is left out is told in [`remarks`](Self::remarks).
    pub fn open(root: &Path, classes: Option<&Classes>) -> Result<Self, DatasetError> {
        let mut remarks = Vec::new();
        let (folders, files) = list(root)?;
        let unlabelled = files.iter().filter(|name| is_image_name(name)).count();
        if unlabelled > 0 {
            remarks.push(format!(
                "{unlabelled} photographs beside the class folders have no class and are left out"
            ));
        }
        let classes = match classes {
            Some(given) => {
                for name in folders.iter().filter(|name| given.label(name).is_none()) {
                    remarks.push(format!("folder `{name}` is not among the classes and is left out"));
                }
                given.clone()
            }
            None if folders.is_empty() => return Err(DatasetError::NoClasses { path: root.to_owned() }),
            None => Classes::new(folders.clone())
                .map_err(|source| DatasetError::Classes { path: root.to_owned(), source })?,
        };

        let mut samples = Vec::new();
        let mut others = 0;
        for (label, name) in classes.labelled() {
            let found = if folders.iter().any(|folder| folder == name) {
                photographs(&root.join(name))?
            } else {
                Default::default()
            };
            if found.paths.is_empty() {
                remarks.push(format!("class `{name}` has no photographs here"));
            }
            others += found.others;
            samples.extend(found.paths.iter().map(|path| Sample { path: format!("{name}/{path}"), label }));
        }
        if others > 0 {
            remarks.push(format!("{others} files without an image suffix are left out"));
        }
        if samples.is_empty() {
            return Err(DatasetError::NoImages {
                path: root.to_owned(),
                classes: classes.names().join(", "),
            });
        }
        samples.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { root: root.to_owned(), classes, samples, remarks })
    }

    /// The folder that was listed.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The classes.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// The photographs in listing order.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// What was left out or is missing, one sentence each.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The digest over label, NUL, path, NUL of every photograph in order.
    pub fn listing_digest(&self) -> Digest {
        listing_digest(&self.samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use convbase_core::write_artifact;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            write_artifact(&root.path().join(file), b"x").unwrap();
        }
        root
    }

    fn paths(folder: &ImageFolder) -> Vec<(&str, usize)> {
        folder.samples().iter().map(|sample| (sample.path.as_str(), sample.label.index())).collect()
    }

    #[test]
    fn the_listing_is_sorted_relative_and_labelled_by_class_name() {
        let root = folder(&[
            "dogs/b.JPG",
            "dogs/a.png",
            "cats/z.webp",
            "cats/deep/er/c.tiff",
            "cats/.d.jpg",
            ".x/e.jpg",
        ]);
        let listed = ImageFolder::open(root.path(), None).unwrap();
        assert_eq!(listed.classes().names(), ["cats", "dogs"]);
        let expected = [("cats/deep/er/c.tiff", 0), ("cats/z.webp", 0), ("dogs/a.png", 1), ("dogs/b.JPG", 1)];
        assert_eq!(paths(&listed), expected);
        assert!(listed.remarks().is_empty());
    }

    #[test]
    fn given_classes_fix_the_labels_even_where_a_folder_is_missing() {
        let root = folder(&["dogs/a.jpg", "birds/a.jpg"]);
        let given = Classes::new(vec!["cats".into(), "dogs".into()]).unwrap();
        let listed = ImageFolder::open(root.path(), Some(&given)).unwrap();
        assert_eq!(paths(&listed), [("dogs/a.jpg", 1)]);
        assert_eq!(
            listed.remarks(),
            [
                "folder `birds` is not among the classes and is left out",
                "class `cats` has no photographs here"
            ]
        );
    }

    #[test]
    fn what_is_left_out_is_told() {
        let root = folder(&["cats/a.jpg", "cats/notes.txt", "stray.jpg"]);
        let listed = ImageFolder::open(root.path(), None).unwrap();
        assert_eq!(
            listed.remarks(),
            [
                "1 photographs beside the class folders have no class and are left out",
                "1 files without an image suffix are left out"
            ]
        );
    }

    #[test]
    fn the_digest_changes_with_paths_and_labels() {
        let root = folder(&["a/1.jpg", "b/1.jpg"]);
        let digest = |classes: &[&str]| {
            let classes = Classes::new(classes.iter().map(|name| (*name).to_owned()).collect()).unwrap();
            ImageFolder::open(root.path(), Some(&classes)).unwrap().listing_digest()
        };
        assert_ne!(digest(&["a", "b"]), digest(&["b", "a"]));
        assert_ne!(digest(&["a", "b"]), digest(&["a"]));
        assert_eq!(digest(&["a", "b"]), ImageFolder::open(root.path(), None).unwrap().listing_digest());
    }

    #[test]
    fn folders_without_classes_or_photographs_are_refused() {
        let error = |root: &Path| ImageFolder::open(root, None).unwrap_err().to_string();
        assert!(error(folder(&["a.jpg"]).path()).ends_with("expected one folder per class, found none"));
        assert!(error(folder(&["a/b.txt"]).path()).contains("under a, found none"));
        assert!(error(Path::new("does/not/exist")).starts_with("cannot list `does/not/exist`"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_loops_are_refused() {
        let root = folder(&["a/1.jpg"]);
        std::os::unix::fs::symlink(root.path().join("a/1.jpg"), root.path().join("a/2.jpg")).unwrap();
        assert_eq!(ImageFolder::open(root.path(), None).unwrap().samples().len(), 2);
        std::os::unix::fs::symlink(root.path().join("a"), root.path().join("a/again")).unwrap();
        assert!(matches!(ImageFolder::open(root.path(), None), Err(DatasetError::Loop { .. })));
    }
}
