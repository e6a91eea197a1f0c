//! Lists a labelled image folder: sorted, relative, validated.

use std::path::{Path, PathBuf};

use convbase_core::{Classes, Digest, Exclusions, Sample, listing_digest};

use super::{DatasetError, Survey};

/// A labelled image folder as it was listed: classes and photographs in a fixed order.
#[derive(Debug, Clone)]
pub struct ImageFolder {
    root: PathBuf,
    table: String,
    remarks: Vec<String>,
    classes: Classes,
    samples: Vec<Sample>,
    excluded: Option<usize>,
}

impl ImageFolder {
    /// Lists `root`. Classes are its sub-folders in sorted order, or `classes` when given; in that case other
    /// sub-folders are left out.
    ///
    /// Photographs are sorted by the bytes of their relative path. Links are followed. Names that begin with a dot
    /// are ignored; everything else that is left out is told by [`remarks`](Self::remarks). Fails, with all that is
    /// wrong, where a class has no photographs, unless that is allowed; where names are no text; and where the folders
    /// are the parts of a data set.
    pub fn open(
        root: &Path,
        classes: Option<&Classes>,
        allows_empty_class: bool,
    ) -> Result<Self, DatasetError> {
        Self::list(root, Survey::of(root, classes)?, allows_empty_class)
    }

    /// The same without the photographs that a list names. A class all of whose photographs it names has none.
    pub fn open_without(
        root: &Path,
        classes: Option<&Classes>,
        allows_empty_class: bool,
        exclusions: &Exclusions,
    ) -> Result<Self, DatasetError> {
        Self::list(root, Survey::of(root, classes)?.without(exclusions), allows_empty_class)
    }

    fn list(root: &Path, survey: Survey, allows_empty_class: bool) -> Result<Self, DatasetError> {
        if let Some(error) = DatasetError::of(survey.problems(allows_empty_class)) {
            return Err(error);
        }
        let (table, remarks) = (survey.table(), survey.remarks());
        let excluded = survey.excluded().map(|excluded| excluded.photographs);
        let names = survey.classes().iter().map(|class| class.name.clone()).collect();
        let classes =
            Classes::new(names).map_err(|source| DatasetError::Classes { path: root.to_owned(), source })?;
        let mut samples = Vec::with_capacity(survey.photographs());
        // Class by class, so that no path is held twice for long.
        for ((label, name), class) in classes.labelled().zip(survey.into_classes()) {
            let paths = class.photographs.paths.into_iter();
            samples.extend(paths.map(|path| Sample { path: format!("{name}/{path}"), label }));
        }
        samples.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { root: root.to_owned(), table, remarks, classes, samples, excluded })
    }

    /// What was found, a line for each class; see [`Survey::table`].
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What was left out or is missing, one sentence each.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The folder that was listed.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many photographs a list left out, where one was given.
    pub fn excluded(&self) -> Option<usize> {
        self.excluded
    }

    /// The classes.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// The photographs in listing order.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
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
        let listed = ImageFolder::open(root.path(), None, false).unwrap();
        assert_eq!(listed.classes().names(), ["cats", "dogs"]);
        let expected = [("cats/deep/er/c.tiff", 0), ("cats/z.webp", 0), ("dogs/a.png", 1), ("dogs/b.JPG", 1)];
        assert_eq!(paths(&listed), expected);
        assert!(listed.remarks().is_empty());
    }

    #[test]
    fn given_classes_fix_the_labels_even_where_a_folder_is_missing() {
        let root = folder(&["dogs/a.jpg", "birds/a.jpg"]);
        let given = Classes::new(vec!["cats".into(), "dogs".into()]).unwrap();
        let listed = ImageFolder::open(root.path(), Some(&given), true).unwrap();
        assert_eq!(paths(&listed), [("dogs/a.jpg", 1)]);
        assert_eq!(
            listed.remarks(),
            [
                "folder `birds` is not among the classes and is left out",
                "class cats (no such folder) has no photographs here"
            ]
        );
    }

    #[test]
    fn what_is_left_out_is_told() {
        let root = folder(&["cats/a.jpg", "cats/b.avif", "cats/notes.txt", "stray.jpg"]);
        let listed = ImageFolder::open(root.path(), None, false).unwrap();
        assert_eq!(
            listed.remarks(),
            [
                "1 photographs beside the class folders have no class and are left out: stray.jpg",
                "class cats: 1 photographs are of formats that cannot be decoded and are left out: .avif 1, .txt 1",
                "1 files without an image suffix are left out"
            ]
        );
    }

    #[test]
    fn the_digest_changes_with_paths_and_labels() {
        let root = folder(&["a/1.jpg", "b/1.jpg"]);
        let digest = |classes: &[&str]| {
            let classes = Classes::new(classes.iter().map(|name| (*name).to_owned()).collect()).unwrap();
            ImageFolder::open(root.path(), Some(&classes), true).unwrap().listing_digest()
        };
        assert_ne!(digest(&["a", "b"]), digest(&["b", "a"]));
        assert_ne!(digest(&["a", "b"]), digest(&["a"]));
        assert_eq!(
            digest(&["a", "b"]),
            ImageFolder::open(root.path(), None, false).unwrap().listing_digest()
        );
    }

    #[test]
    fn folders_without_classes_or_photographs_are_refused() {
        let error = |root: &Path| ImageFolder::open(root, None, false).unwrap_err().to_string();
        assert!(error(folder(&["a.jpg"]).path()).ends_with("expected one folder per class, found none"));
        assert!(error(folder(&["a/b.txt"]).path()).contains("under a (.txt 1), found none"));
        assert!(error(Path::new("does/not/exist")).starts_with("cannot list `does/not/exist`"));
    }

    #[test]
    fn a_class_without_photographs_is_an_error_that_says_what_is_there_unless_it_is_allowed() {
        let root = folder(&["cats/a.jfif", "dogs/1.avif", "dogs/2.avif", "dog s/a.jpg"]);
        let classes =
            |names: &[&str]| Classes::new(names.iter().map(|name| (*name).to_owned()).collect()).unwrap();
        let open = |names: &[&str], allows| ImageFolder::open(root.path(), Some(&classes(names)), allows);
        let error = open(&["cats", "dogs"], false).unwrap_err();
        assert!(error.to_string().ends_with("of every class, found none of dogs (.avif 2)"), "{error}");
        assert!(error.remedy().unwrap().contains("`--allow-empty-class`"));
        assert_eq!(open(&["cats", "dogs"], true).unwrap().samples().len(), 1);
        let error = open(&["cats", "dog_s"], false).unwrap_err().to_string();
        assert!(error.ends_with("found none of dog_s (no such folder, but `dog s`)"), "{error}");
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let root = folder(&["train/cats/a.jpg", "test/cats/a.txt"]);
        let error = ImageFolder::open(root.path(), None, false).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("found the parts of a data set: test, train; `"), "{text}");
        assert!(text.ends_with("found none of test (.txt 1)"), "{text}");
        assert!(error.remedy().unwrap().contains("--images DIR/train"));
        let given = Classes::new(vec!["train".into()]).unwrap();
        assert_eq!(ImageFolder::open(root.path(), Some(&given), false).unwrap().samples().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_class_whose_disk_is_gone_keeps_its_label() {
        let root = folder(&["dogs/a.jpg", "1/b.jpg"]);
        std::os::unix::fs::symlink("/no/disk", root.path().join("cats")).unwrap();
        let error = ImageFolder::open(root.path(), None, false).unwrap_err().to_string();
        assert!(error.ends_with("found none of cats (a link to nothing)"), "{error}");
        let listed = ImageFolder::open(root.path(), None, true).unwrap();
        assert_eq!(listed.classes().names(), ["1", "cats", "dogs"]);
        assert_eq!(paths(&listed), [("1/b.jpg", 0), ("dogs/a.jpg", 2)]);
    }

    #[test]
    fn excluded_photographs_are_not_listed_and_paths_that_name_none_are_told() {
        let root = folder(&["cats/a.jpg", "cats/b.jpg", "cats/notes.txt", "dogs/a.jpg", "dogs/deep/c.jpg"]);
        let open = |names: &[&str], allows| {
            let exclusions: Exclusions = names.iter().map(|&name| name.to_owned()).collect();
            ImageFolder::open_without(root.path(), None, allows, &exclusions)
        };
        let listed =
            open(&["cats/b.jpg", "cats/gone.jpg", "dogs/deep/c.jpg", "cats/notes.txt"], false).unwrap();
        assert_eq!(paths(&listed), [("cats/a.jpg", 0), ("dogs/a.jpg", 1)]);
        assert_eq!(listed.excluded(), Some(2));
        let remark = "2 paths of the exclusions name no photograph that would be listed: cats/gone.jpg, cats/notes.txt";
        assert_eq!(listed.remarks(), [remark, "1 files without an image suffix are left out"]);
        let whole = ImageFolder::open(root.path(), None, false).unwrap();
        assert_eq!((whole.excluded(), open(&[], false).unwrap().excluded()), (None, Some(0)));
        assert_ne!(whole.listing_digest(), listed.listing_digest());
        let all = ["dogs/a.jpg", "dogs/deep/c.jpg"];
        let error = open(&all, false).unwrap_err().to_string();
        assert!(error.ends_with("of every class, found none of dogs"), "{error}");
        assert_eq!(paths(&open(&all, true).unwrap()), [("cats/a.jpg", 0), ("cats/b.jpg", 0)]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_loops_are_refused() {
        let root = folder(&["a/1.jpg"]);
        std::os::unix::fs::symlink(root.path().join("a/1.jpg"), root.path().join("a/2.jpg")).unwrap();
        assert_eq!(ImageFolder::open(root.path(), None, false).unwrap().samples().len(), 2);
        std::os::unix::fs::symlink(root.path().join("a"), root.path().join("a/again")).unwrap();
        assert!(matches!(ImageFolder::open(root.path(), None, false), Err(DatasetError::Loop { .. })));
    }
}
