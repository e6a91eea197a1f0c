//! The numbers of features as a store holds them, both ways.

use std::borrow::Cow;

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::DataType;

impl DataType {
    /// Numbers as the bytes that a store holds, little-endian: float32 as they lie in memory, without a copy; float16
    /// rounded to the nearest, ties to even, too large ones to infinity (IEEE 754).
    pub fn encode(self, numbers: &[f32]) -> Cow<'_, [u8]> {
        match self {
            Self::Float32 if cfg!(target_endian = "little") => Cow::Borrowed(bytemuck::cast_slice(numbers)),
            Self::Float32 => Cow::Owned(numbers.iter().flat_map(|number| number.to_le_bytes()).collect()),
            Self::Float16 => {
                let mut bytes = Vec::with_capacity(size_of_val(numbers) / 2);
                // Many at once are converted by wide vectors; so few that they stay near the processor.
                let mut halves = [f16::ZERO; 512];
                for numbers in numbers.chunks(halves.len()) {
                    let Some(halves) = halves.get_mut(..numbers.len()) else { continue };
                    halves.convert_from_f32_slice(numbers);
                    bytes.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
                }
                Cow::Owned(bytes)
            }
        }
    }

    /// What [`encode`](Self::encode) wrote as float32: where the bytes lie, if that is what they are and they lie at a
    /// multiple of four. Bytes behind the last whole number are left out.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, [f32]> {
        match self {
            Self::Float32 => match bytemuck::try_cast_slice(bytes) {
                Ok(numbers) if cfg!(target_endian = "little") => Cow::Borrowed(numbers),
                _ => {
                    Cow::Owned(bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)).collect())
                }
            },
            Self::Float16 => {
                let halves: Vec<f16> =
                    bytes.as_chunks().0.iter().map(|number| f16::from_le_bytes(*number)).collect();
                Cow::Owned(halves.to_f32_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn float32_is_not_copied_either_way() {
        let numbers = [0.5, f32::MIN_POSITIVE, -0.0];
        let bytes = DataType::Float32.encode(&numbers);
        assert!(matches!(bytes, Cow::Borrowed(_)));
        assert_eq!(bytes[..4], 0.5_f32.to_le_bytes());
        assert!(matches!(DataType::Float32.decode(&bytes), Cow::Borrowed(found) if found == numbers));
    }

    #[test]
    fn bytes_that_lie_anywhere_are_read() {
        let numbers: Vec<f32> = (0..5).map(|number| number as f32 / 4.0).collect();
        let bytes = [&[0][..], &DataType::Float32.encode(&numbers)].concat();
        assert_eq!(DataType::Float32.decode(&bytes[1..]), numbers);
    }

    proptest! {
        #[test]
        fn float16_is_rounded_number_by_number(numbers in prop::collection::vec(any::<f32>(), 0..1200)) {
            let bytes = DataType::Float16.encode(&numbers);
            let expected: Vec<u8> = numbers.iter().flat_map(|number| f16::from_f32(*number).to_le_bytes()).collect();
            // How a NaN is written is the processor's own matter.
            if numbers.iter().all(|number| !number.is_nan()) {
                prop_assert_eq!(&bytes[..], &expected[..]);
            }
            prop_assert_eq!(bytes.len(), expected.len());
            let read = DataType::Float16.decode(&bytes);
            prop_assert_eq!(read.len(), numbers.len());
        }
    }
}
