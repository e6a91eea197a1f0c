//! Photographs on a page: small copies with what is said of them, or their names alone.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use askama::Template;
use base64::prelude::{BASE64_STANDARD, Engine};
use convbase_core::Digest;
use convbase_core::exit::one_line;
use convbase_images::{Thumbnail, ThumbnailMaker};
use tracing::warn;

/// The longer side of a thumbnail in pixels: twice of that at which it is shown, for displays of two pixels a point,
/// would quadruple the page.
const LONGEST_SIDE: u32 = 144;

/// A photograph of a gallery.
#[derive(Debug, Clone)]
pub(crate) struct Photograph<'a> {
    /// Relative to the images folder.
    pub(crate) path: &'a str,
    /// What is said of it, a line each.
    pub(crate) lines: Vec<String>,
    pub(crate) picture: Option<&'a Picture>,
}

/// A thumbnail as a page embeds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) base64: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Photographs side by side.
#[derive(Debug, Clone, Template)]
#[template(path = "gallery.html")]
pub(crate) struct Gallery<'a> {
    pub(crate) photographs: Vec<Photograph<'a>>,
}

/// Thumbnails of the photographs that a page shows, by their paths.
#[derive(Debug, Default)]
pub(crate) struct Pictures(HashMap<String, Picture>);

impl Pictures {
    /// Makes thumbnails of photographs below `folder`: their paths, and the digests of the files that features were
    /// extracted from, where they are known. A photograph that is gone, changed or unreadable has none, and all of those
    /// are warned of together.
    pub(crate) fn of<'a>(
        folder: &Path,
        photographs: impl IntoIterator<Item = (&'a str, Option<Digest>)>,
        turns: bool,
    ) -> Self {
        let mut wanted: Vec<(&str, Option<Digest>)> = photographs.into_iter().collect();
        wanted.sort_unstable_by_key(|(path, _)| *path);
        wanted.dedup_by_key(|(path, _)| *path);
        let paths: Vec<PathBuf> = wanted.iter().map(|(path, _)| folder.join(path)).collect();
        let made = ThumbnailMaker::new(LONGEST_SIDE).with_exif_orientation(turns).make_all(&paths);
        let mut pictures = HashMap::new();
        let mut missing = Vec::new();
        for ((path, digest), thumbnail) in wanted.into_iter().zip(made) {
            match thumbnail {
                Ok(thumbnail) if digest.is_none_or(|digest| digest == thumbnail.sha256) => {
                    pictures.insert(path.to_owned(), Picture::of(&thumbnail));
                }
                Ok(_) => missing.push(format!("`{path}`: changed since its features were extracted")),
                Err(error) => missing.push(format!("`{path}`: {}", one_line(&error))),
            }
        }
        if let Some(first) = missing.first() {
            let (folder, count) = (folder.display(), missing.len());
            warn!("`{folder}`: {count} photographs have no thumbnail on the page, the first is {first}");
        }
        Self(pictures)
    }

    /// The thumbnail of a photograph.
    pub(crate) fn get(&self, path: &str) -> Option<&Picture> {
        self.0.get(path)
    }
}

impl Picture {
    fn of(thumbnail: &Thumbnail) -> Self {
        let base64 = BASE64_STANDARD.encode(&thumbnail.jpeg);
        Self { base64, width: thumbnail.width, height: thumbnail.height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    #[test]
    fn a_photograph_that_changed_or_is_gone_is_shown_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "b.png"] {
            RgbImage::from_pixel(40, 30, Rgb([1, 2, 3])).save(folder.path().join(name)).unwrap();
        }
        let digest = Digest::of(&std::fs::read(folder.path().join("a.png")).unwrap());
        let wanted = [
            ("a.png", Some(digest)),
            ("b.png", Some(Digest::of(b"other"))),
            ("c.png", None),
            ("a.png", None),
        ];
        let pictures = Pictures::of(folder.path(), wanted, false);
        assert_eq!(
            ["a.png", "b.png", "c.png"].map(|path| pictures.get(path).is_some()),
            [true, false, false]
        );

        let photograph = |path| Photograph {
            path,
            lines: vec!["cats <taken> for dogs".to_owned()],
            picture: pictures.get(path),
        };
        let text = Gallery { photographs: vec![photograph("a.png"), photograph("b.png")] }.render().unwrap();
        assert_eq!(text.matches("<img").count(), 1, "{text}");
        assert!(
            text.contains(r#"alt="Photograph a.png""#) && text.contains("cats &#60;taken&#62; for dogs<br>")
        );
    }
}
