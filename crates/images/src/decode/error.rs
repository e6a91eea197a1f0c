//! Why a photograph could not be decoded.

use std::io;

use super::jpeg::JpegError;

/// A photograph that could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file could not be read.
    #[error("cannot read the file")]
    Read(#[source] io::Error),
    /// Something else than a file lies there: it is not opened.
    #[error("expected a file, found {0}")]
    NoFile(&'static str),
    /// The file is larger than any of the most pixels that may be decoded.
    #[error("expected a file of at most {most} bytes, found {found}: `--max-pixels` allows more")]
    TooLarge {
        /// The most bytes.
        most: u64,
        /// Those of the file.
        found: u64,
    },
    /// The file holds no bytes.
    #[error("expected an image, found an empty file")]
    Empty,
    /// The bytes are no image of a known format.
    #[error("expected an image (JPEG, PNG, BMP, GIF, WebP or TIFF), found bytes {0}")]
    UnknownFormat(String),
    /// The bytes are of a kind that is known, and is no image or not one that can be decoded.
    #[error("expected an image (JPEG, PNG, BMP, GIF, WebP or TIFF), found {kind}: {remedy}")]
    OtherKind {
        /// What it is.
        kind: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The image has more pixels than may be decoded.
    #[error("expected at most {most} pixels, found {width} x {height}: `--max-pixels` allows more")]
    TooManyPixels {
        /// The most pixels.
        most: u64,
        /// What the header says.
        width: u32,
        /// What the header says.
        height: u32,
    },
    /// The picture is not whole.
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    /// The bytes begin like an image but do not decode.
    #[error("cannot decode the image")]
    Decode(#[source] image::ImageError),
    /// The decoder panicked, which is its own mistake; the photograph is left out like one that is broken.
    #[error("expected the decoder to give pixels or an error, found a panic: {0}")]
    Panicked(String),
    /// The image could not be resized.
    #[error("cannot resize the image")]
    Resize(#[source] fast_image_resize::ResizeError),
    /// The thumbnail could not be written as a JPEG.
    #[error("cannot make a thumbnail of the image")]
    Encode(#[source] jpeg_encoder::EncodingError),
}
