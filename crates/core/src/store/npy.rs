//! The head of an npy file, version 1 (NumPy Enhancement Proposal 1; `numpy.lib.format`).
//!
//! Headers are written here because rows that turn out unreadable make the first dimension known only at the end:
//! a header of the same length takes the place of the first one. Reading goes through `npyz`.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;
use npyz::NpyHeader;

use crate::DataType;

/// A file that is not the array it should be.
#[derive(Debug, thiserror::Error)]
pub enum NpyError {
    /// The header could not be read.
    #[error("expected an npy file")]
    Header(#[source] io::Error),
    /// The array has another type, order or shape.
    #[error("expected {expected}, found {found}")]
    Array {
        /// Type, order and shape that were wanted.
        expected: String,
        /// Those of the file.
        found: String,
    },
    /// The header speaks of more bytes than a file can have.
    #[error("expected an array that fits into memory, found shape {shape:?}")]
    TooLarge {
        /// The sides of the header.
        shape: Vec<u64>,
    },
    /// The file is shorter or longer than its header says.
    #[error("expected {expected} bytes, found {found}")]
    Length {
        /// Header and data.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
}

/// How the numbers of an array are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element {
    /// The type string of the format.
    pub(super) descriptor: &'static str,
    /// Bytes of one number.
    bytes: usize,
}

impl Element {
    /// Labels: int64, little-endian.
    pub(super) const LABEL: Self = Self { descriptor: "<i8", bytes: 8 };
}

impl From<DataType> for Element {
    fn from(dtype: DataType) -> Self {
        Self { descriptor: dtype.npy_descriptor(), bytes: dtype.bytes() }
    }
}

/// The header of a C-order array, padded to `length` bytes (or the next multiple of 64 that holds it).
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a shape of a few numbers makes a header of a few hundred bytes"
)]
pub(super) fn header(descriptor: &str, shape: &[u64], length: usize) -> Vec<u8> {
    const PREFIX: usize = 10;
    let sides: Vec<String> = shape.iter().map(u64::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let shape = sides.join(", ");
    let dictionary =
        format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({shape}{comma}), }}");
    // As NumPy pads it: data at a multiple of 64 bytes can be used where it lies in a memory map.
    let length = (PREFIX + dictionary.len() + 1).next_multiple_of(64).max(length);
    let body = length - PREFIX;
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    // A shape of a few numbers stays far below the 65,535 bytes of version 1.
    bytes.extend_from_slice(&(body as u16).to_le_bytes());
    bytes.extend_from_slice(dictionary.as_bytes());
    bytes.resize(length - 1, b' ');
    bytes.push(b'\n');
    bytes
}

/// Maps a file into memory.
pub(super) fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: another process that shortens the file while it is mapped would end this one with SIGBUS. A store's
    // finished shards are never changed in place: the writer renames whole files, which leaves the mapped one as it
    // is. Of files from elsewhere the user is asked the same.
    #[expect(unsafe_code, reason = "memory maps are how arrays larger than memory are read")]
    unsafe {
        Mmap::map(&file)
    }
}

/// Reads the header of an npy file of any version, and gives it with the offset of the data.
pub(super) fn read_header(bytes: &[u8]) -> Result<(NpyHeader, usize), NpyError> {
    // npyz reserves what a header's length field says before it reads: the file must hold that much.
    let claimed = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, ..] => {
            10_usize.saturating_add(u16::from_le_bytes([*low, *high]).into())
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            12_usize.saturating_add(u32::from_le_bytes([*a, *b, *c, *d]) as usize)
        }
        _ => return Err(no_header("no npy header of version 1 to 3")),
    };
    let Some(header) = bytes.get(..claimed) else {
        return Err(NpyError::Length { expected: claimed as u64, found: bytes.len() as u64 });
    };
    let header = NpyHeader::from_reader(header).map_err(NpyError::Header)?;
    Ok((header, claimed))
}

fn no_header(problem: &str) -> NpyError {
    NpyError::Header(io::Error::new(io::ErrorKind::InvalidData, problem.to_owned()))
}

/// Checks that `bytes` are exactly one array of this type and shape, and gives the offset of its data.
pub(super) fn check(bytes: &[u8], element: Element, shape: &[u64]) -> Result<usize, NpyError> {
    if bytes.get(6) != Some(&1) {
        return Err(no_header("no npy version 1 header"));
    }
    let (header, claimed) = read_header(bytes)?;
    let descriptor = header.dtype().descr();
    let found = (descriptor.trim_matches('\''), header.order(), header.shape());
    let expected = (element.descriptor, npyz::Order::C, shape);
    if expected != found {
        let describe = |(descriptor, order, shape): (&str, npyz::Order, &[u64])| {
            let order = if order == npyz::Order::C { "C" } else { "Fortran" };
            format!("{descriptor} {order} {shape:?}")
        };
        return Err(NpyError::Array { expected: describe(expected), found: describe(found) });
    }
    let sides = shape.iter().map(|&side| usize::try_from(side).ok());
    let length = file_length(claimed, element.bytes, sides).ok_or_else(|| too_large(shape))?;
    if length != bytes.len() {
        return Err(NpyError::Length { expected: length as u64, found: bytes.len() as u64 });
    }
    Ok(claimed)
}

/// The bytes of a file with such a header, numbers of so many bytes, and these sides; `None` where no memory could
/// hold them.
pub(super) fn file_length(
    header: usize,
    number: usize,
    sides: impl IntoIterator<Item = Option<usize>>,
) -> Option<usize> {
    let data = sides.into_iter().try_fold(number, |product, side| product.checked_mul(side?));
    data.and_then(|data| data.checked_add(header))
}

pub(super) fn too_large(shape: &[u64]) -> NpyError {
    NpyError::TooLarge { shape: shape.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLOATS: Element = Element { descriptor: "<f4", bytes: 4 };

    proptest! {
        #[test]
        fn npyz_reads_the_header_that_was_written(shape in prop::collection::vec(0_u64..1 << 40, 1..5), extra in 0_usize..3) {
            let bytes = header("<f4", &shape, extra * 64);
            prop_assert_eq!(bytes.len() % 64, 0);
            let read = NpyHeader::from_reader(&bytes[..]).unwrap();
            prop_assert_eq!(read.shape(), &shape[..]);
            prop_assert_eq!(read.dtype().descr(), "'<f4'");
        }

        #[test]
        fn no_bytes_make_the_check_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..128) {
            let _ = check(&bytes, FLOATS, &[2, 3]);
            let mut begun = header("<f4", &[2, 3], 0);
            begun.truncate(cut);
            begun.extend(bytes);
            let _ = check(&begun, FLOATS, &[2, 3]);
        }
    }

    #[test]
    fn wrong_types_shapes_orders_and_lengths_are_refused() {
        let array = |descriptor: &str, shape: &[u64], data: usize| {
            let mut bytes = header(descriptor, shape, 0);
            bytes.resize(bytes.len() + data, 0);
            bytes
        };
        let refused = |bytes: &[u8]| check(bytes, FLOATS, &[2, 3]).unwrap_err().to_string();
        assert_eq!(check(&array("<f4", &[2, 3], 24), FLOATS, &[2, 3]).unwrap(), 128);
        assert_eq!(refused(&array("<f2", &[2, 3], 24)), "expected <f4 C [2, 3], found <f2 C [2, 3]");
        assert_eq!(refused(&array("<f4", &[3, 2], 24)), "expected <f4 C [2, 3], found <f4 C [3, 2]");
        assert_eq!(refused(&array("<f4", &[2, 3], 23)), "expected 152 bytes, found 151");
        assert_eq!(refused(&array("<f4", &[2, 3], 25)), "expected 152 bytes, found 153");
        let mut fortran = array("<f4", &[2, 3], 24);
        let position = fortran.windows(5).position(|window| window == b"False").unwrap();
        fortran[position..position + 5].copy_from_slice(b"True ");
        assert_eq!(refused(&fortran), "expected <f4 C [2, 3], found <f4 Fortran [2, 3]");
        assert!(refused(b"PK\x03\x04").starts_with("expected an npy file"));
    }

    #[test]
    fn a_later_header_with_fewer_rows_takes_the_same_place() {
        let first = header("<f4", &[10_000_000_000, 5, 5, 512], 0);
        assert_eq!(header("<f4", &[1, 5, 5, 512], first.len()).len(), first.len());
    }
}
