//! From a photograph's pixels to those of its views.

use convbase_core::{ImageSize, Views};
use rayon::prelude::*;

use super::change::Image;
use super::draw::Draw;
use super::{Augmentation, AugmentationError};
use crate::DecodedBatch;

/// Makes the views of photographs: the same ones on every machine.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewMaker {
    views: Views,
    augmentation: Augmentation,
}

/// Room for one view in the making.
#[derive(Debug, Default)]
struct Room {
    image: Image,
    spare: Image,
}

impl ViewMaker {
    /// Reads what the augmentation's text asks for.
    pub fn new(views: Views) -> Result<Self, AugmentationError> {
        let augmentation = views.augment().parse()?;
        Ok(Self { views, augmentation })
    }

    /// The same of an augmentation that was parsed already: `views` hold it as a text.
    pub fn of(views: Views, augmentation: Augmentation) -> Self {
        Self { views, augmentation }
    }

    /// How many views of which kind.
    pub fn views(&self) -> &Views {
        &self.views
    }

    /// The pixels of one view, [height, width, 3] like the photograph's, which view 0 is itself. `path` is what the
    /// photograph is known by, and decides with seed and view what is drawn.
    ///
    /// # Panics
    /// When photograph or pixels are not as long as the size says.
    pub fn make(&self, path: &str, view: usize, size: ImageSize, photograph: &[u8], pixels: &mut [u8]) {
        self.make_in(&mut Room::default(), path, view, size, photograph, pixels);
    }

    /// Puts the views of each photograph in its place: pixels [decoded, views, height, width, 3]. `paths` are what the
    /// photographs of the batch are known by, those included that did not decode.
    ///
    /// Works on the threads of the caller's pool; see [`DecodeThreads`](crate::DecodeThreads::make_views).
    ///
    /// # Panics
    /// When there are not as many paths as photographs, or their pixels are not as long as the size says.
    pub fn make_all(&self, batch: DecodedBatch, paths: &[&str], size: ImageSize) -> DecodedBatch {
        assert_eq!(batch.images.len(), paths.len(), "paths of a batch");
        let decoded = batch.images.iter().zip(paths).filter(|(image, _)| image.is_ok());
        let paths: Vec<&str> = decoded.map(|(_, path)| *path).collect();
        let (length, count) = (size.rgb_bytes(), self.views.count());
        assert_eq!(batch.pixels.len(), paths.len() * length, "pixels of a batch");
        let mut pixels = vec![0; batch.pixels.len() * count];
        pixels.par_chunks_exact_mut(length).enumerate().for_each_init(
            Room::default,
            |room, (index, pixels)| {
                let (photograph, view) = (index / count, index % count);
                let source = &batch.pixels[photograph * length..][..length];
                self.make_in(room, paths[photograph], view, size, source, pixels);
            },
        );
        DecodedBatch { pixels, ..batch }
    }

    fn make_in(
        &self,
        room: &mut Room,
        path: &str,
        view: usize,
        size: ImageSize,
        photograph: &[u8],
        pixels: &mut [u8],
    ) {
        assert_eq!(
            (photograph.len(), pixels.len()),
            (size.rgb_bytes(), size.rgb_bytes()),
            "pixels of one image"
        );
        if view == 0 {
            pixels.copy_from_slice(photograph);
            return;
        }
        let Room { image, spare } = room;
        let (height, width) = (size.height(), size.width());
        (image.height, image.width) = (height, width);
        image.pixels.clear();
        image.pixels.extend(photograph.iter().map(|&byte| f32::from(byte)));
        for layer in self.augmentation.layers() {
            let draw = Draw::of(self.views.seed(), path, view, layer.name());
            let change = layer.draw(draw, height, width);
            change.apply(image, spare, self.views.fill(), self.views.interpolation());
        }
        // Rounded once, after the last layer.
        for (byte, number) in pixels.iter_mut().zip(&image.pixels) {
            *byte = number.round_ties_even() as u8; // Saturates.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DecodeError, DecodeThreads};
    use convbase_core::{DecodedImage, Digest, FillMode, Interpolation};

    fn maker(augment: &str, count: usize, seed: u64) -> ViewMaker {
        let augment = augment.to_owned();
        let views = Views::new(count, augment, FillMode::Reflect, Interpolation::Bilinear, seed).unwrap();
        ViewMaker::new(views).unwrap()
    }

    fn photograph(size: ImageSize) -> Vec<u8> {
        (0..size.rgb_bytes()).map(|index| (index * index / 7 % 251) as u8).collect()
    }

    fn view(maker: &ViewMaker, path: &str, number: usize, size: ImageSize) -> Vec<u8> {
        let mut pixels = vec![0; size.rgb_bytes()];
        maker.make(path, number, size, &photograph(size), &mut pixels);
        pixels
    }

    const ALL: &str = "flip,rotate=0.1,zoom=0.2,translate=0.1,contrast=0.2";

    #[test]
    fn view_0_is_the_photograph_and_every_other_is_one_of_its_own() {
        let (size, maker) = (ImageSize::new(20, 30).unwrap(), maker(ALL, 9, 42));
        let views: Vec<Vec<u8>> = (0..9).map(|number| view(&maker, "a/1.jpg", number, size)).collect();
        assert_eq!(views[0], photograph(size));
        let different: std::collections::HashSet<&Vec<u8>> = views.iter().collect();
        assert_eq!(different.len(), 9);
    }

    #[test]
    fn what_is_drawn_depends_on_seed_path_and_view_and_on_nothing_else() {
        let size = ImageSize::new(20, 30).unwrap();
        let expected = view(&maker(ALL, 9, 42), "a/1.jpg", 3, size);
        assert_eq!(
            view(&maker(ALL, 4, 42), "a/1.jpg", 3, size),
            expected,
            "the number of views does not matter"
        );
        assert_ne!(view(&maker(ALL, 9, 43), "a/1.jpg", 3, size), expected);
        assert_ne!(view(&maker(ALL, 9, 42), "a/2.jpg", 3, size), expected);
        assert_ne!(view(&maker(ALL, 9, 42), "a/1.jpg", 4, size), expected);
    }

    #[test]
    fn views_are_the_same_bytes_on_every_machine() {
        let size = ImageSize::new(20, 30).unwrap();
        let bytes: Vec<u8> =
            (1..5).flat_map(|number| view(&maker(ALL, 9, 42), "a/1.jpg", number, size)).collect();
        assert_eq!(
            Digest::of(&bytes).hex(),
            "f8a42a92f4f1dcb268884bd6bbfa46b354474030f9300622c4dc8b9f0d062510"
        );
    }

    #[test]
    fn half_of_the_views_are_flipped_and_flipping_alone_changes_nothing_else() {
        let (size, maker) = (ImageSize::new(2, 3).unwrap(), maker("flip", 1000, 1));
        let photograph = photograph(size);
        let mirrored: Vec<u8> = (0..2)
            .flat_map(|row| (0..3).rev().map(move |column| (row * 3 + column) * 3))
            .flat_map(|start| photograph[start..start + 3].to_vec())
            .collect();
        let flipped = (1..1000).map(|number| view(&maker, "a", number, size));
        let flipped = flipped.filter(|view| {
            *view == mirrored || {
                assert_eq!(*view, photograph);
                false
            }
        });
        assert!((450..550).contains(&flipped.count()));
    }

    #[test]
    fn a_batch_holds_the_views_of_each_photograph_that_decoded_one_after_the_other() {
        let size = ImageSize::new(4, 5).unwrap();
        let maker = maker(ALL, 3, 42);
        let decoded = DecodedImage { width: 5, height: 4, sha256: Digest::of(b"") };
        let batch = DecodedBatch {
            doubts: Vec::new(),
            images: vec![Ok(decoded), Err(DecodeError::Empty), Ok(decoded)],
            pixels: [photograph(size), photograph(size)].concat(),
        };
        let threads = DecodeThreads::start(2).unwrap();
        let batch = threads.make_views(batch, &maker, &["a", "b", "c"], size);
        assert_eq!(batch.decoded(), 2);
        let expected: Vec<u8> = ["a", "c"]
            .iter()
            .flat_map(|path| (0..3).flat_map(|number| view(&maker, path, number, size)))
            .collect();
        assert_eq!(batch.pixels, expected);
    }

    #[test]
    fn a_text_that_is_no_augmentation_makes_no_views() {
        let views = Views::new(2, "shear=0.1".into(), FillMode::Wrap, Interpolation::Nearest, 0).unwrap();
        assert!(ViewMaker::new(views).unwrap_err().to_string().contains("found `shear=0.1`"));
    }
}
