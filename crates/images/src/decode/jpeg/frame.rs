//! The frame header: how many blocks each component has (T.81, A.1.1 and A.2).

/// One colour of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of a unit of interleaved data, across.
    pub(super) horizontal: u8,
    /// The same, down.
    pub(super) vertical: u8,
    /// The number of its quantization table.
    pub(super) quantization: u8,
}

/// A frame header of a coding that is understood here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) is_progressive: bool,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) components: Vec<Component>,
}

impl Frame {
    /// Reads the bytes behind the segment's length; `marker` is its marker. `None` where a decoder has to judge: other
    /// codings, a height that comes later, factors out of range.
    pub(super) fn read(marker: u8, segment: &[u8]) -> Option<Self> {
        let [8, high, low, left, right, count, components @ ..] = segment else { return None };
        let components: Vec<Component> = components
            .chunks_exact(3)
            .take(usize::from(*count))
            .filter_map(|bytes| match bytes {
                [id, factors, quantization] => Some(Component {
                    id: *id,
                    horizontal: factors >> 4,
                    vertical: factors & 15,
                    quantization: *quantization,
                }),
                _ => None,
            })
            .collect();
        let frame = Self {
            is_progressive: marker == 0xC2,
            width: u16::from_be_bytes([*left, *right]),
            height: u16::from_be_bytes([*high, *low]),
            components,
        };
        let in_range = |factor: u8| (1..=4).contains(&factor);
        let all_in_range =
            frame.components.iter().all(|one| in_range(one.horizontal) && in_range(one.vertical));
        let is_whole = frame.components.len() == usize::from(*count) && *count > 0;
        (is_whole && all_in_range && frame.width > 0 && frame.height > 0).then_some(frame)
    }

    /// The units of interleaved data, across and down: blocks of every component that lie together.
    pub(super) fn units(&self) -> [u64; 2] {
        self.sides(1, 1)
    }

    /// The blocks of a component that has a scan of its own, across and down.
    pub(super) fn blocks(&self, component: Component) -> [u64; 2] {
        self.sides(component.horizontal, component.vertical)
    }

    /// The greatest factors of all components, across and down.
    pub(super) fn greatest(&self) -> [u8; 2] {
        let greatest = |factor: fn(&Component) -> u8| self.components.iter().map(factor).max().unwrap_or(1);
        [greatest(|one| one.horizontal), greatest(|one| one.vertical)]
    }

    /// ⌈⌈size · factor / greatest factor⌉ / 8⌉ across, and the same down.
    fn sides(&self, horizontal: u8, vertical: u8) -> [u64; 2] {
        let count = |size: u16, factor: u8, greatest: u8| {
            u64::from(size).saturating_mul(factor.into()).div_ceil(u64::from(greatest).saturating_mul(8))
        };
        let [across, down] = self.greatest();
        [count(self.width, horizontal, across), count(self.height, vertical, down)]
    }
}
