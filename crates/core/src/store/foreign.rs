//! Arrays that another program saved, to be taken into a store.

use std::io;
use std::path::{Path, PathBuf};

use half::f16;
use memmap2::Mmap;
use npyz::{DType, Endianness, Order, TypeChar};

use super::{NpyError, npy};
use crate::{Classes, DataType, Digest, Label};

/// An npy file of numbers, memory-mapped, its first dimension the rows.
#[derive(Debug)]
pub struct ForeignArray {
    path: PathBuf,
    map: Mmap,
    data_offset: usize,
    number: Number,
    shape: Vec<usize>,
    /// Numbers of a row.
    row_length: usize,
}

/// How a number is held, little-endian, in so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Bool,
    Signed(usize),
    Unsigned(usize),
    Float(usize),
}

/// An array that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ForeignArrayError {
    /// The file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no npy file, or not a whole one.
    #[error("`{}`", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: NpyError,
    },
    /// The array is of another type, order or shape.
    #[error("`{}`: {what}: expected {expected}, found {found}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl ForeignArray {
    /// Opens an npy file of booleans, integers or floating-point numbers in C order.
    pub fn open(path: &Path) -> Result<Self, ForeignArrayError> {
        let read = |source| ForeignArrayError::Read { path: path.to_owned(), source };
        let map = npy::map(path).map_err(read)?;
        let array = |source| ForeignArrayError::Array { path: path.to_owned(), source };
        let (header, data_offset) = npy::read_header(&map).map_err(array)?;
        let field = |what: &str, expected: &str, found: String| ForeignArrayError::Field {
            path: path.to_owned(),
            what: what.to_owned(),
            expected: expected.to_owned(),
            found,
        };
        let number = number(&header.dtype()).ok_or_else(|| {
            field("dtype", "little-endian booleans, integers or floats", header.dtype().descr())
        })?;
        if header.order() != Order::C && header.shape().len() > 1 {
            return Err(field("order", "C order (`numpy.ascontiguousarray`)", "Fortran order".to_owned()));
        }
        let sides = || header.shape().iter().map(|&side| usize::try_from(side).ok());
        let length = npy::file_length(data_offset, number.bytes(), sides());
        let (Some(length), Some(shape)) = (length, sides().collect::<Option<Vec<usize>>>()) else {
            return Err(array(npy::too_large(header.shape())));
        };
        if length != map.len() {
            let (expected, found) = (length as u64, map.len() as u64);
            return Err(array(NpyError::Length { expected, found }));
        }
        if shape.is_empty() || shape.contains(&0) {
            return Err(field("shape", "at least one row of at least one number", format!("{shape:?}")));
        }
        // Sides from 1 on, whose whole product fits.
        let row_length = shape.iter().skip(1).fold(1, |product: usize, &side| product.saturating_mul(side));
        Ok(Self { path: path.to_owned(), map, data_offset, number, shape, row_length })
    }

    /// The sides, rows first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The digest of the file.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.map)
    }

    /// The type that loses nothing of the numbers, or float32.
    pub fn data_type(&self) -> DataType {
        if self.number == Number::Float(2) { DataType::Float16 } else { DataType::Float32 }
    }

    /// One row's numbers as a store holds them.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row_bytes(&self, row: usize, dtype: DataType) -> Result<Vec<u8>, ForeignArrayError> {
        let mut bytes = Vec::with_capacity(self.row_length.saturating_mul(dtype.bytes()));
        for (position, number) in self.row(row).enumerate() {
            let is_finite = match dtype {
                DataType::Float32 => {
                    bytes.extend((number as f32).to_le_bytes());
                    (number as f32).is_finite()
                }
                DataType::Float16 => {
                    bytes.extend(f16::from_f64(number).to_le_bytes());
                    f16::from_f64(number).is_finite()
                }
            };
            if !is_finite {
                let what = format!("row {row}, number {position}");
                return Err(self.field(&what, &format!("a finite {dtype}"), number.to_string()));
            }
        }
        Ok(bytes)
    }

    /// The rows as labels: each a position in `classes`, `[rows]` or [rows, 1], or one-hot, [rows, classes].
    pub fn labels(&self, classes: &Classes) -> Result<Vec<Label>, ForeignArrayError> {
        let one_hot = match self.shape[..] {
            [_] | [_, 1] => false,
            [_, count] if count == classes.len() => true,
            _ => {
                let expected = format!("[rows], [rows, 1] or [rows, {}]", classes.len());
                return Err(self.field("shape", &expected, format!("{:?}", self.shape)));
            }
        };
        (0..self.shape.first().copied().unwrap_or(0))
            .map(|row| {
                let mut numbers = self.row(row);
                let label = if one_hot {
                    let ones: Vec<f64> = numbers.collect();
                    let label = ones.iter().position(|&number| number == 1.0);
                    let others = ones.iter().filter(|&&number| number != 0.0).count();
                    let label = label.filter(|_| others == 1).and_then(|index| classes.label_at(index));
                    label.ok_or_else(|| format!("{ones:?}"))
                } else {
                    // A shape without 0 has one number in each row.
                    let number = numbers.next().unwrap_or(f64::NAN);
                    // Also what is too large for an index stays no index: `as` saturates.
                    let label =
                        (number.fract() == 0.0 && number >= 0.0).then(|| classes.label_at(number as usize));
                    label.flatten().ok_or_else(|| number.to_string())
                };
                let expected = || match one_hot {
                    true => "one 1 among zeros".to_owned(),
                    false => format!("a label from 0 to {}", classes.len().saturating_sub(1)),
                };
                label.map_err(|found| self.field(&format!("row {row}"), &expected(), found))
            })
            .collect()
    }

    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "`open` held the product of the sides against the file's length; a row beyond them is the caller's mistake"
    )]
    fn row(&self, row: usize) -> impl Iterator<Item = f64> + '_ {
        let width = self.number.bytes();
        let start = self.data_offset + row * self.row_length * width;
        let bytes = &self.map[start..start + self.row_length * width];
        bytes.chunks_exact(width).map(|bytes| self.number.read(bytes))
    }

    fn field(&self, what: &str, expected: &str, found: String) -> ForeignArrayError {
        ForeignArrayError::Field {
            path: self.path.clone(),
            what: what.to_owned(),
            expected: expected.to_owned(),
            found,
        }
    }
}

impl Number {
    fn bytes(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Signed(bytes) | Self::Unsigned(bytes) | Self::Float(bytes) => bytes,
        }
    }

    /// Of at most eight bytes.
    fn read(self, bytes: &[u8]) -> f64 {
        let mut wide = [0; 8];
        wide.iter_mut().zip(bytes).for_each(|(wide, byte)| *wide = *byte);
        let unsigned = u64::from_le_bytes(wide);
        let unused_bits = 64_u32.saturating_sub(8_u32.saturating_mul(bytes.len() as u32));
        match self {
            Self::Bool => f64::from(u8::from(unsigned != 0)),
            Self::Unsigned(_) => unsigned as f64,
            Self::Signed(_) => ((unsigned << unused_bits) as i64 >> unused_bits) as f64,
            Self::Float(2) => f16::from_bits(unsigned as u16).to_f64(),
            Self::Float(4) => f64::from(f32::from_bits(unsigned as u32)),
            Self::Float(_) => f64::from_bits(unsigned),
        }
    }
}

fn number(dtype: &DType) -> Option<Number> {
    let DType::Plain(plain) = dtype else { return None };
    let bytes = plain.num_bytes()?;
    if plain.endianness() == Endianness::Big {
        return None;
    }
    match (plain.type_char(), bytes) {
        (TypeChar::Bool, 1) => Some(Number::Bool),
        (TypeChar::Int, 1 | 2 | 4 | 8) => Some(Number::Signed(bytes)),
        (TypeChar::Uint, 1 | 2 | 4 | 8) => Some(Number::Unsigned(bytes)),
        (TypeChar::Float, 2 | 4 | 8) => Some(Number::Float(bytes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::one_line;
    use proptest::prelude::*;

    fn array(descriptor: &str, shape: &[u64], data: &[u8]) -> Result<ForeignArray, ForeignArrayError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let bytes = [npy::header(descriptor, shape, 0), data.to_vec()].concat();
        crate::write_artifact(&path, &bytes).unwrap();
        ForeignArray::open(&path)
    }

    fn labels(descriptor: &str, shape: &[u64], data: &[u8]) -> Result<Vec<usize>, String> {
        let classes = Classes::new(vec!["a".into(), "b".into(), "c".into()]).unwrap();
        let labels = array(descriptor, shape, data).unwrap().labels(&classes);
        let labels = labels.map(|labels| labels.into_iter().map(Label::index).collect());
        labels.map_err(|error| {
            let error = one_line(&error);
            error[error.find(": ").unwrap() + 2..].to_owned()
        })
    }

    #[test]
    fn every_kind_of_number_is_read() {
        let numbers = |descriptor: &str, count: u64, data: &[u8]| {
            array(descriptor, &[1, count], data).unwrap().row(0).collect::<Vec<f64>>()
        };
        assert_eq!(numbers("|b1", 2, &[0, 1]), [0.0, 1.0]);
        assert_eq!(numbers("|i1", 2, &[255, 3]), [-1.0, 3.0]);
        assert_eq!(numbers("<u2", 1, &[0xFE, 0xFF]), [65534.0]);
        assert_eq!(numbers("<i4", 1, &(-7_i32).to_le_bytes()), [-7.0]);
        assert_eq!(numbers("<i8", 1, &i64::MIN.to_le_bytes()), [i64::MIN as f64]);
        assert_eq!(numbers("<f2", 1, &f16::from_f32(1.5).to_le_bytes()), [1.5]);
        assert_eq!(numbers("<f4", 1, &0.1_f32.to_le_bytes()), [f64::from(0.1_f32)]);
        assert_eq!(numbers("<f8", 1, &0.1_f64.to_le_bytes()), [0.1]);
    }

    #[test]
    fn labels_are_positions_or_one_hot() {
        let floats = |numbers: &[f32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
        assert_eq!(labels("<f4", &[3], &floats(&[0.0, 2.0, 1.0])).unwrap(), [0, 2, 1]);
        assert_eq!(labels("|u1", &[2, 1], &[2, 0]).unwrap(), [2, 0]);
        assert_eq!(labels("<f4", &[2, 3], &floats(&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0])).unwrap(), [2, 0]);
        let refused = |descriptor: &str, shape: &[u64], data: &[u8], part: &str| {
            assert_eq!(labels(descriptor, shape, data).unwrap_err(), part);
        };
        refused("|u1", &[2], &[0, 3], "row 1: expected a label from 0 to 2, found 3");
        refused("|i1", &[1], &[255], "row 0: expected a label from 0 to 2, found -1");
        refused("<f4", &[1], &floats(&[0.5]), "row 0: expected a label from 0 to 2, found 0.5");
        refused(
            "<f4",
            &[1],
            &floats(&[1e30]),
            "row 0: expected a label from 0 to 2, found 1000000015047466200000000000000",
        );
        refused("<f4", &[1], &floats(&[f32::NAN]), "row 0: expected a label from 0 to 2, found NaN");
        refused("|u1", &[1, 3], &[1, 1, 0], "row 0: expected one 1 among zeros, found [1.0, 1.0, 0.0]");
        refused("|u1", &[1, 2], &[1, 0], "shape: expected [rows], [rows, 1] or [rows, 3], found [1, 2]");
    }

    #[test]
    fn rows_become_what_a_store_holds_and_overflow_is_refused() {
        let data: Vec<u8> = [1.0_f64, 70_000.0].iter().flat_map(|number| number.to_le_bytes()).collect();
        let array = array("<f8", &[2, 1], &data).unwrap();
        assert_eq!(array.row_bytes(1, DataType::Float32).unwrap(), 70_000_f32.to_le_bytes());
        assert_eq!(array.row_bytes(0, DataType::Float16).unwrap(), f16::ONE.to_le_bytes());
        let error = array.row_bytes(1, DataType::Float16).unwrap_err().to_string();
        assert!(error.ends_with("row 1, number 0: expected a finite float16, found 70000"), "{error}");
    }

    #[test]
    fn what_is_no_array_of_numbers_is_refused() {
        let refused = |descriptor: &str, shape: &[u64], data: usize, part: &str| {
            let error = one_line(&array(descriptor, shape, &vec![0; data]).unwrap_err());
            assert!(error.contains(part), "{error}");
        };
        refused(">f4", &[1, 1], 4, "dtype: expected little-endian booleans, integers or floats, found '>f4'");
        refused("<c8", &[1, 1], 8, "found '<c8'");
        refused("<U3", &[1], 12, "found '<U3'");
        refused("<f4", &[2, 2], 15, "expected 144 bytes, found 143");
        refused("<f4", &[0, 2], 0, "shape: expected at least one row of at least one number, found [0, 2]");
        refused(
            "<f4",
            &[u64::MAX, 9],
            4,
            "expected an array that fits into memory, found shape [18446744073709551615, 9]",
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_opening_panic(version in 0_u8..5, bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.npy");
            let start = [b"\x93NUMPY".as_slice(), &[version, 0]].concat();
            crate::write_artifact(&path, &[start, bytes].concat()).unwrap();
            let _ = ForeignArray::open(&path);
        }
    }
}
