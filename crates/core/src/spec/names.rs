//! Choices that have one name each, on the command line and in artifacts.

/// A name that is none of a choice's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: expected one of {expected}, found `{found}`")]
pub struct UnknownName {
    what: &'static str,
    expected: String,
    found: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, names: &[&str], found: &str) -> Self {
        Self { what, expected: names.join(", "), found: found.to_owned() }
    }
}

/// Declares an enum whose variants have one name each: shown, parsed and serialised alike.
macro_rules! named {
    ($(#[$meta:meta])* $type:ident, $what:literal, { $($(#[$variant_meta:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $type {
            $($(#[$variant_meta])* #[serde(rename = $name)] $variant,)+
        }

        impl $type {
            /// Every name, in order.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The name on the command line and in artifacts.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::UnknownName;

            fn from_str(text: &str) -> Result<Self, $crate::UnknownName> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownName::new($what, Self::NAMES, text)),
                }
            }
        }
    };
}

pub(crate) use named;

named! {
    /// What becomes of a feature map [height, width, channels] after the last layer.
    Pooling, "pooling", {
        /// The map as it is.
        None = "none",
        /// The mean over height and width: `[channels]` (Keras `GlobalAveragePooling2D`).
        Average = "avg",
        /// The maximum over height and width: `[channels]` (Keras `GlobalMaxPooling2D`).
        Maximum = "max",
    }
}

named! {
    /// How a photograph is brought to the size of the conv base. All are Pillow's definitions: `nearest` takes the
    /// pixel under the centre, the others widen their filter when they make an image smaller.
    Interpolation, "interpolation", {
        /// Pillow `NEAREST`, which the published tutorial used.
        Nearest = "nearest",
        /// Pillow `BILINEAR`: triangle filter.
        Bilinear = "bilinear",
        /// Pillow `BICUBIC`: Catmull-Rom filter, a = -0.5.
        Bicubic = "bicubic",
        /// Pillow `LANCZOS`: three lobes.
        Lanczos = "lanczos",
    }
}

named! {
    /// The arithmetic of the convolutions.
    Precision, "precision", {
        /// 32-bit floating point.
        Float32 = "fp32",
        /// bfloat16 products, float32 sums.
        BFloat16 = "bf16",
        /// Products of 8 bits in convolutions, 32-bit sums; float32 between them.
        Int8 = "int8",
    }
}

named! {
    /// How a store holds its numbers.
    DataType, "dtype", {
        /// Little-endian IEEE single precision.
        Float32 = "float32",
        /// Little-endian IEEE half precision.
        Float16 = "float16",
    }
}

impl DataType {
    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Self::Float32 => 4,
            Self::Float16 => 2,
        }
    }

    /// The type string of the npy format.
    pub fn npy_descriptor(self) -> &'static str {
        match self {
            Self::Float32 => "<f4",
            Self::Float16 => "<f2",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_on_the_command_line_and_in_json() {
        for name in Pooling::NAMES {
            let parsed: Pooling = name.parse().unwrap();
            assert_eq!(parsed.to_string(), *name);
            assert_eq!(serde_json::to_string(&parsed).unwrap(), format!("\"{name}\""));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "cubic".parse::<Interpolation>().unwrap_err();
        let expected = "interpolation: expected one of nearest, bilinear, bicubic, lanczos, found `cubic`";
        assert_eq!(error.to_string(), expected);
    }
}
