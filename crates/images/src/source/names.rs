//! What a name says: a photograph, something that systems leave, a part of a data set.

/// What counts as a photograph, in any case.
pub(super) const SUFFIXES: [&str; 12] =
    ["jpg", "jpeg", "jpe", "jfif", "jfi", "png", "apng", "bmp", "gif", "webp", "tif", "tiff"];

/// Photographs that cannot be decoded here: left out, and said loudly.
const FOREIGN: [&str; 18] = [
    "avif", "heic", "heif", "jxl", "jp2", "j2k", "psd", "svg", "cr2", "cr3", "nef", "arw", "dng", "orf",
    "raf", "rw2", "ppm", "tga",
];

/// Folders that systems and network disks make: what lies in them is thumbnails, copies or what was deleted.
const SYSTEM_FOLDERS: [&str; 10] = [
    "__macosx",
    "@eadir",
    "@recycle",
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "recycler",
    "lost+found",
    "system volume information",
    "network trash folder",
];

/// Files that they make.
const SYSTEM_FILES: [&str; 4] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"];

/// Parts that a data set is split into, by their usual names: those to learn from, and those to judge by.
const TO_LEARN: [&str; 3] = ["train", "training", "trainset"];
const TO_JUDGE: [&str; 12] = [
    "test",
    "testing",
    "tests",
    "testset",
    "val",
    "valid",
    "validation",
    "eval",
    "evaluation",
    "dev",
    "holdout",
    "unlabeled",
];

/// The suffix of a file's name, in small letters; empty where there is none.
pub(super) fn suffix(name: &str) -> String {
    name.rsplit_once('.').map(|(_, suffix)| suffix.to_ascii_lowercase()).unwrap_or_default()
}

/// Whether a file of this name counts as a photograph: its suffix is known and it does not begin with a dot.
pub(super) fn is_image_name(name: &str) -> bool {
    !name.starts_with('.') && SUFFIXES.contains(&suffix(name).as_str())
}

/// Whether files with this suffix are photographs, but none that can be decoded.
pub(super) fn is_foreign(suffix: &str) -> bool {
    FOREIGN.contains(&suffix)
}

/// Whether a folder of this name is a system's own.
pub(super) fn is_system_folder(name: &str) -> bool {
    SYSTEM_FOLDERS.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether a file of this name is a system's own.
pub(super) fn is_system_file(name: &str) -> bool {
    SYSTEM_FILES.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether these folders are the parts of a data set rather than its classes: one to learn from and one to judge by are
/// among them, or there is nothing else.
pub(super) fn are_parts(folders: &[String]) -> bool {
    let count = |names: &[&str]| {
        folders.iter().filter(|folder| names.contains(&folder.to_ascii_lowercase().as_str())).count()
    };
    let (to_learn, to_judge) = (count(&TO_LEARN), count(&TO_JUDGE));
    to_learn > 0 && (to_judge > 0 || to_learn == folders.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_data_set_are_not_mistaken_for_classes_nor_classes_for_parts() {
        let are =
            |folders: &[&str]| are_parts(&folders.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert!(are(&["test", "train"]) && are(&["Train", "VAL", "notes"]) && are(&["train"]));
        assert!(!are(&["bus", "train"]) && !are(&["cats", "dogs"]) && !are(&["dev", "test"]) && !are(&[]));
    }

    #[test]
    fn suffixes_count_in_any_case() {
        assert!(["a.JPG", "b.jfif", "c.d.TiFf", "e.jpe"].iter().all(|name| is_image_name(name)));
        assert!(["a", "jpg", ".jpg", ".a.jpg", "b.avif"].iter().all(|name| !is_image_name(name)));
        assert!(is_foreign(&suffix("x.HEIC")) && is_system_folder("@eaDir") && is_system_file("Thumbs.db"));
    }
}
