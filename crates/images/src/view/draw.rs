//! Random numbers of a layer in one view: they depend on what is hashed alone.

use convbase_core::{Digest, Hasher};

/// Up to four numbers: as many as there are in a digest.
#[derive(Debug)]
pub(super) struct Draw {
    digest: Digest,
    used: usize,
}

impl Draw {
    /// The numbers of a layer in a view of a photograph: the digest of
    /// `convbase-view/1`, seed, path, view and the layer's name, with NUL between them (a path has none).
    ///
    /// The layers before and after it do not matter: with another layer in the list, these numbers stay.
    pub(super) fn of(seed: u64, path: &str, view: usize, layer: &str) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(format!("convbase-view/1\0{seed}\0{path}\0{view}\0{layer}").as_bytes());
        Self { digest: hasher.finish(), used: 0 }
    }

    /// The next number from 0 to below 1: the upper 53 of eight bytes, little-endian.
    ///
    /// # Panics
    /// When all four are used.
    pub(super) fn share(&mut self) -> f64 {
        let (eights, _) = self.digest.bytes().as_chunks::<8>();
        let number = u64::from_le_bytes(eights[self.used]);
        self.used += 1;
        (number >> 11) as f64 * 2_f64.powi(-53)
    }

    /// The next number from `middle - reach` to below `middle + reach`.
    pub(super) fn around(&mut self, middle: f64, reach: f64) -> f64 {
        middle - reach + self.share() * 2.0 * reach
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_can_be_computed_by_hand() {
        // printf 'convbase-view/1\0%s\0%s\0%s\0%s' 42 cats/1.jpg 3 zoom | sha256sum
        let mut draw = Draw::of(42, "cats/1.jpg", 3, "zoom");
        assert_eq!(draw.digest.hex(), "c46b853342ce6afbdda63a293b2b815cb867ecfde233228f8a53ab02c7674e8f");
        let first = u64::from_str_radix("fb6ace4233856bc4", 16).unwrap();
        assert_eq!(draw.share(), (first >> 11) as f64 / 9_007_199_254_740_992.0);
    }

    #[test]
    fn draws_are_even_and_each_part_of_what_is_hashed_changes_them() {
        let mut counts = [0; 10];
        for view in 0..25_000 {
            let mut draw = Draw::of(1, "a", view, "zoom");
            for _ in 0..4 {
                counts[(draw.share() * 10.0) as usize] += 1;
            }
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        let first = |seed, path, view, layer| Draw::of(seed, path, view, layer).share();
        let all = [first(1, "a", 2, "zoom"), first(2, "a", 2, "zoom"), first(1, "b", 2, "zoom")];
        let more = [first(1, "a", 3, "zoom"), first(1, "a", 2, "rotate"), first(12, "a", 2, "zoom")];
        let all: std::collections::HashSet<u64> = all.into_iter().chain(more).map(f64::to_bits).collect();
        assert_eq!(all.len(), 6);
        let mut draw = Draw::of(1, "a", 2, "zoom");
        assert!((0..4).all(|_| (0.8..1.2).contains(&draw.around(1.0, 0.2))));
    }
}
