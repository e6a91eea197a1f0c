//! What a file is that is no image, so that a person knows what to do about it.

use super::DecodeError;

const CONVERT: &str = "convert it to JPEG or PNG";
const REMOVE: &str = "remove it, or give it another suffix";
const AGAIN: &str = "download or copy it again";

/// How files of a kind begin: at a byte, with these bytes.
const STARTS: [(usize, &[u8], &str, &str); 28] = [
    (0, b"version https://git-lfs.github.com/", "a Git LFS pointer", "run `git lfs pull`"),
    (4, b"ftypheic", "a HEIC photograph", CONVERT),
    (4, b"ftypheix", "a HEIC photograph", CONVERT),
    (4, b"ftyphevc", "a HEIC sequence", CONVERT),
    (4, b"ftypmif1", "a HEIF photograph", CONVERT),
    (4, b"ftypmsf1", "a HEIF sequence", CONVERT),
    (4, b"ftypavif", "an AVIF image", CONVERT),
    (4, b"ftypavis", "an AVIF sequence", CONVERT),
    (4, b"ftypcrx ", "a Canon raw photograph", CONVERT),
    (4, b"ftyp", "a video", REMOVE),
    (0, b"\xFF\x0A", "a JPEG XL image", CONVERT),
    (0, b"\0\0\0\x0CJXL ", "a JPEG XL image", CONVERT),
    (0, b"\0\0\0\x0CjP  ", "a JPEG 2000 image", CONVERT),
    (0, b"\xFF\x4F\xFF\x51", "a JPEG 2000 image", CONVERT),
    (0, b"8BPS", "a Photoshop document", CONVERT),
    (0, b"%PDF", "a PDF document", CONVERT),
    (0, b"\0\0\x01\0", "an icon", CONVERT),
    (0, b"FUJIFILM", "a Fuji raw photograph", CONVERT),
    (0, b"IIU\0", "a Panasonic raw photograph", CONVERT),
    (0, b"IIRO", "an Olympus raw photograph", CONVERT),
    (0, b"\x76\x2F\x31\x01", "an OpenEXR image", CONVERT),
    (0, b"#?RADIANCE", "a Radiance image", CONVERT),
    (0, b"PK\x03\x04", "a ZIP archive", "unpack it"),
    (0, b"\x1F\x8B", "a gzip archive", "unpack it"),
    (0, b"7z\xBC\xAF", "a 7z archive", "unpack it"),
    (0, b"Rar!", "a RAR archive", "unpack it"),
    (0, b"\x1A\x45\xDF\xA3", "a video", REMOVE),
    (0, b"\x93NUMPY", "a NumPy array", "`extractor import` takes features"),
];

/// How texts of a kind begin, after white space, in any case.
const TEXTS: [(&str, &str, &str); 5] = [
    ("<!doctype html", "an HTML page", AGAIN),
    ("<html", "an HTML page", AGAIN),
    ("<svg", "an SVG drawing", CONVERT),
    ("<?xml", "an XML document", AGAIN),
    ("{", "a JSON document", AGAIN),
];

/// The error of a file whose format is not known.
pub(super) fn unknown_format(bytes: &[u8]) -> DecodeError {
    let other = |kind: &str, remedy| DecodeError::OtherKind { kind: kind.to_owned(), remedy };
    if bytes.iter().all(|byte| *byte == 0) {
        return other("zeros alone", AGAIN);
    }
    let begins = |at: usize, start: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(start));
    if let Some((_, _, kind, remedy)) = STARTS.iter().find(|(at, start, ..)| begins(*at, start)) {
        return other(kind, remedy);
    }
    let text = String::from_utf8_lossy(bytes.get(..1024).unwrap_or(bytes)).to_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with("<?xml") && text.contains("<svg") {
        return other("an SVG drawing", CONVERT);
    }
    if let Some((_, kind, remedy)) = TEXTS.iter().find(|(start, ..)| text.starts_with(start)) {
        return other(kind, remedy);
    }
    let start: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    DecodeError::UnknownFormat(start.join(" "))
}

/// The error of a TIFF whose colours the decoder does not know, by their name.
pub(super) fn unknown_tiff(bytes: &[u8], error: image::ImageError) -> DecodeError {
    /// TIFF 6.0, section 8, PhotometricInterpretation, and what came after it.
    const COLOURS: [(u32, &str); 9] = [
        (0, "greys"),
        (1, "greys"),
        (2, "RGB"),
        (3, "palette colours"),
        (4, "a mask"),
        (5, "CMYK"),
        (6, "YCbCr"),
        (8, "CIELab"),
        (32_803, "a colour filter array, as a raw photograph has"),
    ];
    let colours = tiff::decoder::Decoder::new(std::io::Cursor::new(bytes)).and_then(|mut decoder| {
        let colours = decoder.find_tag_unsigned::<u32>(tiff::tags::Tag::PhotometricInterpretation)?;
        let bits = decoder.find_tag_unsigned_vec::<u16>(tiff::tags::Tag::BitsPerSample)?.unwrap_or_default();
        Ok((colours, bits.first().copied().unwrap_or(1), bits.len()))
    });
    match colours {
        Ok((Some(colours), bits, samples)) => {
            let known = COLOURS.iter().find(|(number, _)| *number == colours);
            let name =
                known.map_or_else(|| format!("colours of kind {colours}"), |(_, name)| (*name).to_owned());
            let transparency = if colours < 2 && samples == 2 { " and transparency" } else { "" };
            let kind = format!("a TIFF of {name}{transparency} with {bits} bits, which is not supported");
            DecodeError::OtherKind { kind, remedy: "convert it to RGB of 8 bits" }
        }
        _ => DecodeError::Decode(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_named_with_a_remedy_and_what_is_not_is_shown() {
        for (bytes, expected) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid sha256:12"[..],
                "a Git LFS pointer: run `git lfs pull`",
            ),
            (b"\xEF\xBB\xBF\n <!DOCTYPE html><html>", "an HTML page: download or copy it again"),
            (b"<?xml version=\"1.0\"?>\n<svg>", "an SVG drawing: convert it to JPEG or PNG"),
            (
                b"<?xml version=\"1.0\"?><Error><Code>AccessDenied",
                "an XML document: download or copy it again",
            ),
            (b"\0\0\0\x18ftypheic\0\0", "a HEIC photograph: convert it to JPEG or PNG"),
            (b"\0\0\0\x20ftypavif\0\0", "an AVIF image: convert it to JPEG or PNG"),
            (b"\0\0\0\x20ftypisom\0\0", "a video: remove it, or give it another suffix"),
            (&[0; 5000], "zeros alone: download or copy it again"),
            (b"GARBAGE!?", "bytes 47 41 52 42 41 47 45 21"),
            (b"\x01", "bytes 01"),
        ] {
            let error = unknown_format(bytes).to_string();
            assert!(error.ends_with(&format!(", found {expected}")), "{error}");
        }
    }
}
