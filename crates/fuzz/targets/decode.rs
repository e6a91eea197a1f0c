//! Photographs: whatever the bytes are, pixels or an error.
#![no_main]

use std::cell::RefCell;

use convbase_core::{ImageSize, Interpolation};
use convbase_images::Decoder;
use libfuzzer_sys::fuzz_target;

const SIDE: u32 = 16;

thread_local! {
    static DECODERS: RefCell<Vec<Decoder>> = RefCell::new(
        Interpolation::NAMES
            .iter()
            .map(|name| {
                let size = ImageSize::new(SIDE, SIDE).expect("a size");
                Decoder::new(size, name.parse().expect("a name of its own")).with_exif_orientation(true)
            })
            .collect(),
    );
}

fuzz_target!(|bytes: &[u8]| {
    DECODERS.with_borrow_mut(|decoders| {
        let which = bytes.len() % decoders.len();
        let mut pixels = [0; (SIDE * SIDE * 3) as usize];
        if let Ok(decoded) = decoders[which].decode(bytes, &mut pixels) {
            assert!(decoded.image.width > 0 && decoded.image.height > 0, "an image without pixels");
        }
    });
});
