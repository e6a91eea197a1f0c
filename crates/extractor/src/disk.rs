//! What several views of each photograph take.

use convbase_core::DataType;
use convbase_core::store::Manifest;
use tracing::info;

/// So many views, and float32 is a lot.
const MANY_VIEWS: usize = 4;

/// Tells the disk that a store of views takes, before hours of work; of one view it is what it always was.
pub(crate) fn tell_disk(manifest: &Manifest) {
    let Some(views) = manifest.views() else { return };
    let (images, count, row_bytes) = (manifest.listing().images, views.count(), manifest.row_bytes());
    // In floats, which do not overflow: a plan may ask for more than there is.
    let bytes = images as f64 * count as f64 * row_bytes as f64;
    info!(
        bytes,
        "{views}; the whole store takes {} of disk: {images} photographs of {count} views of {row_bytes} bytes",
        shown(bytes)
    );
    if count > MANY_VIEWS && manifest.dtype() == DataType::Float32 {
        info!("with `--dtype float16` it would take {}", shown(bytes / 2.0));
    }
}

/// Bytes with a unit: 1.2 GB.
fn shown(bytes: f64) -> String {
    let (unit, name) = match bytes {
        ..1e6 => (1e3, "kB"),
        ..1e9 => (1e6, "MB"),
        ..1e12 => (1e9, "GB"),
        _ => (1e12, "TB"),
    };
    format!("{:.1} {name}", bytes / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_with_the_unit_that_fits() {
        let shown = [100.0, 999_000.0, 1e6, 2000.0 * 8.0 * 51_200.0, 3.5e12].map(shown);
        assert_eq!(shown, ["0.1 kB", "999.0 kB", "1.0 MB", "819.2 MB", "3.5 TB"]);
    }
}
