//! TFRecord: how messages lie one behind the other in a file.
//!
//! A record is the length of its data (uint64), the masked CRC-32C of these eight bytes (uint32), the data, and the
//! masked CRC-32C of the data (uint32), all little-endian (`tensorflow/core/lib/io/record_writer.h`).

use crc32c::crc32c;
use prost::Message;

/// The bytes of a record that holds a message.
pub(super) fn framed(message: &impl Message) -> Vec<u8> {
    let data = message.encode_to_vec();
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), &data, &masked(&data).to_le_bytes()].concat()
}

/// The CRC-32C, turned by 15 bits and moved, so that the checksum of data which holds checksums is a good one
/// (`tensorflow/core/lib/hash/crc32c.h`).
fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis_and_masked() {
        // RFC 3720, appendix B.4: 32 bytes of zeros and of ones.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        // Written out: the low 15 bits of 0x8a9136aa come first.
        assert_eq!(masked(&[0; 32]), 0x6d55_1522_u32.wrapping_add(0xa282_ead8));
    }
}
