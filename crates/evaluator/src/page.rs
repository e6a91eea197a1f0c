//! What the pages have in common: charts, thumbnails, numbers as people read them.
//!
//! A page is one file that opens from disk and asks no network for anything. Its templates lie in `templates/`; each
//! extends `page.html`, which holds the style, light and dark.

mod chart;
mod gallery;
mod number;

pub(crate) use chart::{Axis, Bar, Chart, Line};
pub(crate) use gallery::{Gallery, Photograph, Pictures};
pub(crate) use number::{grouped, percent};
