//! Canaries: the features of three drawn images, which tell shards made by a machine that computes something else.
//! The images are drawn where photographs are decoded.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ShardName;
use crate::digest::hex;
use crate::{Digest, Precision};

/// The features of the drawn images, reduced to means of equal parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Canary {
    /// [images, parts], row-major.
    features: Vec<f32>,
    /// The digest over the little-endian float32 bytes of `features`: a digit that changed is not a machine that
    /// computes something else.
    #[serde(with = "hex")]
    sha256: Digest,
}

/// Numbers that are no canary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("canary: {what}: expected {expected}, found {found}")]
pub struct CanaryError {
    what: &'static str,
    expected: String,
    found: String,
}

/// A shard whose canary is not that of the others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OddCanary {
    pub(super) shard: ShardName,
    /// Expected and found.
    pub(super) problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    features: Vec<f32>,
    #[serde(with = "hex")]
    sha256: Digest,
}

impl Canary {
    /// How many images are drawn.
    pub const IMAGES: usize = 3;
    /// Numbers that are kept of each image.
    const PARTS: usize = 16;

    /// Reduces the features of the drawn images, [images, features] row-major: each image's are cut into sixteen
    /// parts as they lie in memory, and the mean of each part is kept. Of fewer than sixteen, each is a part, and some are
    /// two or more: so every number counts, and the canary has the length that it always has.
    pub fn new(features: &[f32]) -> Result<Self, CanaryError> {
        let length = features.len() / Self::IMAGES;
        if length == 0 || !features.len().is_multiple_of(Self::IMAGES) {
            let expected = format!("as many numbers of each of {} images", Self::IMAGES);
            return Err(CanaryError { what: "features", expected, found: features.len().to_string() });
        }
        let mut means = Vec::with_capacity(Self::IMAGES * Self::PARTS);
        for image in features.chunks_exact(length) {
            for part in 0..Self::PARTS {
                #[expect(
                    clippy::arithmetic_side_effects,
                    clippy::indexing_slicing,
                    reason = "the features are this program's own, at least one; sixteen times their length is less than \
                              memory has"
                )]
                let part = {
                    let (start, end) = (part * length / Self::PARTS, (part + 1) * length / Self::PARTS);
                    &image[start..end.max(start + 1)]
                };
                let sum: f64 = part.iter().map(|&number| f64::from(number)).sum();
                means.push((sum / part.len() as f64) as f32);
            }
        }
        let sha256 = digest(&means);
        Self::try_from(Unchecked { features: means, sha256 })
    }

    /// The greatest relative distance ‖a − b‖ / ‖b‖ of an image's numbers from those of `other`.
    pub fn distance(&self, other: &Self) -> f64 {
        let images = self.features.chunks(Self::PARTS).zip(other.features.chunks(Self::PARTS));
        let distance = |(found, expected): (&[f32], &[f32])| {
            let square = |number: f64| number * number;
            let pairs = found.iter().zip(expected).map(|(a, b)| (f64::from(*a), f64::from(*b)));
            let (difference, norm) =
                pairs.fold((0.0, 0.0), |(sum, norm), (a, b)| (sum + square(a - b), norm + square(b)));
            if difference == 0.0 { 0.0 } else { (difference / norm).sqrt() }
        };
        images.map(distance).fold(0.0, f64::max)
    }

    /// The greatest distance of canaries that two good machines compute with an arithmetic.
    ///
    /// Measured with the tutorial's base in both recipes, on a Xeon with AVX-512: passes of 1 to 16 images on one and
    /// two threads, and oneDNN held to AVX2, give the same bits in fp32; held to SSE 4.1 they differ by 6e-7, and in bf16
    /// by 8e-4; bf16 differs from fp32 by 9e-4. The least distance of what must be found is 0.12 (bicubic instead of
    /// bilinear). The `canary` test of convbase-nn repeats what one process can repeat.
    ///
    /// In bf16 every map is rounded to eight bits, and deeper bases add more roundings: the one of the catalogue whose
    /// sums between blocks no activation bounds lies 9e-3 from fp32 with its trained weights. So bf16 has room for it,
    /// still less than half of the least distance that must be found. In 8 bits our kernels give the same bits on every
    /// processor, 6e-3 from fp32; whoever computes in 8 bits otherwise has the same room.
    pub fn tolerance(precision: Precision) -> f64 {
        match precision {
            Precision::Float32 => 1e-4,
            Precision::BFloat16 | Precision::Int8 => 5e-2,
        }
    }
}

impl TryFrom<Unchecked> for Canary {
    type Error = CanaryError;

    fn try_from(unchecked: Unchecked) -> Result<Self, CanaryError> {
        let Unchecked { features, sha256 } = unchecked;
        let error = |what, expected: String, found: String| Err(CanaryError { what, expected, found });
        let count = Self::IMAGES * Self::PARTS;
        if features.len() != count {
            return error("features", format!("{count} numbers"), features.len().to_string());
        }
        if let Some(number) = features.iter().find(|number| !number.is_finite()) {
            return error("features", "finite numbers".to_owned(), number.to_string());
        }
        if digest(&features) != sha256 {
            return error("sha256", digest(&features).hex(), sha256.hex());
        }
        Ok(Self { features, sha256 })
    }
}

/// The shards whose canary is further than the tolerance from that of most shards (the first on ties), or that have
/// one where most have none, or the reverse.
pub(super) fn odd_canaries<'a>(
    precision: Precision,
    shards: impl Iterator<Item = (ShardName, Option<&'a Canary>)> + Clone,
) -> Vec<OddCanary> {
    let mut kinds: HashMap<Option<Digest>, (usize, usize, Option<&Canary>)> = HashMap::new();
    for (shard, canary) in shards.clone() {
        let kind = kinds.entry(canary.map(|canary| canary.sha256)).or_insert((0, shard.index, canary));
        kind.0 = kind.0.saturating_add(1);
    }
    let most = kinds.values().max_by_key(|(count, first, _)| (*count, std::cmp::Reverse(*first)));
    let Some(&(count, first, reference)) = most else { return Vec::new() };
    let tolerance = Canary::tolerance(precision);
    let problem = |canary: Option<&Canary>| match (canary, reference) {
        (Some(canary), Some(reference)) => {
            let distance = canary.distance(reference);
            (distance > tolerance).then(|| {
                format!(
                    "canary: expected at most {tolerance} from that of shard {first} (and {} others), found {distance:.2e}",
                    count.saturating_sub(1)
                )
            })
        }
        (None, Some(_)) => Some(format!("canary: expected one, as in shard {first}, found none")),
        (Some(_), None) => Some(format!("canary: expected none, as in shard {first}, found one")),
        (None, None) => None,
    };
    shards.filter_map(|(shard, canary)| Some(OddCanary { shard, problem: problem(canary)? })).collect()
}

fn digest(features: &[f32]) -> Digest {
    Digest::of(&features.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canary(scale: f32) -> Canary {
        let features: Vec<f32> = (0..3 * 64).map(|number| (number % 13) as f32 * scale).collect();
        Canary::new(&features).unwrap()
    }

    fn odd(canaries: &[Option<&Canary>]) -> Vec<(usize, String)> {
        let count = canaries.len();
        let shards = canaries.iter().enumerate().map(|(index, canary)| (ShardName { index, count }, *canary));
        let odd = odd_canaries(Precision::Float32, shards);
        odd.into_iter().map(|odd| (odd.shard.index, odd.problem)).collect()
    }

    #[test]
    fn parts_are_means_of_the_numbers_as_they_lie() {
        let features: Vec<f32> = (0..3 * 32).map(|number| number as f32).collect();
        let expected: Vec<f32> = (0..48).map(|part| part as f32 * 2.0 + 0.5).collect();
        assert_eq!(Canary::new(&features).unwrap().features, expected);
        assert!(Canary::new(&features[..32]).is_err());
        assert!(Canary::new(&[]).is_err());
        let error = Canary::new(&vec![f32::NAN; 96]).unwrap_err().to_string();
        assert_eq!(error, "canary: features: expected finite numbers, found NaN");
    }

    #[test]
    fn fewer_numbers_than_parts_all_count() {
        for length in 1..16 {
            let features: Vec<f32> = (0..3 * length).map(|number| number as f32 + 1.0).collect();
            let canary = Canary::new(&features).unwrap();
            let mut kept = canary.features.clone();
            kept.dedup();
            assert_eq!(kept, features, "each of {length} numbers, in order");
            for changed in 0..features.len() {
                let mut other = features.clone();
                other[changed] *= 1.5;
                assert!(Canary::new(&other).unwrap().distance(&canary) > 1e-2, "{changed} of {length}");
            }
        }
    }

    #[test]
    fn the_shards_that_differ_from_most_are_named() {
        let (good, close, other) = (canary(1.0), canary(1.000_01), canary(1.01));
        assert!(odd(&[]).is_empty());
        assert!(odd(&[Some(&good), Some(&close), Some(&good)]).is_empty());
        let found = odd(&[Some(&other), Some(&good), Some(&close), Some(&good)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, 0);
        assert!(
            found[0].1.contains("expected at most 0.0001 from that of shard 1 (and 1 others), found 1.00e-2")
        );
        let found = odd(&[Some(&good), None, Some(&good)]);
        assert_eq!(found, [(1, "canary: expected one, as in shard 0, found none".to_owned())]);
        assert!(odd(&[None, None]).is_empty());
    }

    #[test]
    fn a_digit_that_changed_is_refused() {
        let json = serde_json::to_string(&canary(0.7)).unwrap();
        assert_eq!(serde_json::from_str::<Canary>(&json).unwrap(), canary(0.7));
        let position = json.find('.').unwrap() + 1;
        let mut bytes = json.into_bytes();
        bytes[position] = if bytes[position] == b'1' { b'2' } else { b'1' };
        let error = serde_json::from_slice::<Canary>(&bytes).unwrap_err().to_string();
        assert!(error.starts_with("canary: sha256: expected "), "{error}");
    }

    proptest! {
        #[test]
        fn any_finite_numbers_survive_the_way_through_json(
            features in prop::collection::vec(prop::num::f32::NORMAL | prop::num::f32::ZERO | prop::num::f32::SUBNORMAL, 48)
        ) {
            let canary = Canary { sha256: digest(&features), features };
            let json = serde_json::to_vec(&canary).unwrap();
            let read: Canary = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(serde_json::to_vec(&read).unwrap(), json);
        }
    }
}
