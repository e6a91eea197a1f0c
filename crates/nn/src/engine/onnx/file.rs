//! Bytes of an ONNX file → its protobuf message.

use std::fs;
use std::path::Path;

use convbase_core::Digest;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::Framework;

use super::error::OnnxProblem;
use super::fault::guarded;

/// Reads a file: its message and the digest of its bytes.
pub(super) fn read(path: &Path) -> Result<(ModelProto, Digest), OnnxProblem> {
    let bytes = fs::read(path).map_err(OnnxProblem::Read)?;
    let decoded = guarded(|| tract_onnx::onnx().proto_model_for_read(&mut bytes.as_slice()));
    let message = decoded.map_err(|fault| match missing_bytes(&bytes) {
        Some(expected) => OnnxProblem::Truncated { expected, found: bytes.len() as u64 },
        None => OnnxProblem::Format(fault),
    })?;
    Ok((message, Digest::of(&bytes)))
}

/// The length that the outermost fields of a model ask for, where that is more than there is. All writers put the
/// version of the format (field 1, a number) first and the graph (field 7) behind it; other bytes are no model at all.
fn missing_bytes(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes;
    let (1, 0) = field(&mut rest)? else { return None };
    variable_length(&mut rest)?;
    loop {
        let (number, wire_type) = field(&mut rest)?;
        match wire_type {
            0 => drop(variable_length(&mut rest)?),
            2 => {
                let length = variable_length(&mut rest)?;
                match usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) {
                    Some((_, after)) => rest = after,
                    None if number == 7 => {
                        return (bytes.len().saturating_sub(rest.len()) as u64).checked_add(length);
                    }
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}

/// A field's number and its wire type (protobuf encoding).
fn field(rest: &mut &[u8]) -> Option<(u64, u64)> {
    let tag = variable_length(rest)?;
    Some((tag >> 3, tag & 7))
}

/// A number of seven bits a byte, low ones first.
fn variable_length(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_longer_than_the_file_is_told_from_other_bytes() {
        // ir_version 8, a producer's name "a", a graph of 300 bytes of which one is there.
        let model = [0x08, 8, 0x12, 1, b'a', 0x3a, 0xac, 0x02, 0];
        assert_eq!(missing_bytes(&model), Some(308));
        assert_eq!(missing_bytes(b"version https://"), None);
        assert_eq!(missing_bytes(&[0xff; 40]), None);
        assert_eq!(missing_bytes(&[]), None);
    }
}
