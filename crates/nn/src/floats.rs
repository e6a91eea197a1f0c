//! The numbers of tensors where they lie.

use tch::{Device, Kind, Tensor};

/// The numbers of a float32 tensor that lies in one piece in the processor's memory.
pub(crate) fn floats(tensor: &Tensor) -> Option<&[f32]> {
    let pointer = plain(tensor)?;
    // SAFETY: the tensor owns so many floats, which nobody changes while it is borrowed: libtorch is not called.
    #[expect(unsafe_code, reason = "the numbers are read where they lie")]
    Some(unsafe { std::slice::from_raw_parts(pointer, tensor.numel()) })
}

/// The same, to be changed.
pub(crate) fn floats_mut(tensor: &mut Tensor) -> Option<&mut [f32]> {
    let pointer = plain(tensor)?;
    // SAFETY: as above; parameters and moments are no views of one another.
    #[expect(unsafe_code, reason = "the numbers are changed where they lie")]
    Some(unsafe { std::slice::from_raw_parts_mut(pointer, tensor.numel()) })
}

fn plain(tensor: &Tensor) -> Option<*mut f32> {
    let is_plain = tensor.device() == Device::Cpu && tensor.kind() == Kind::Float && tensor.is_contiguous();
    (is_plain && tensor.numel() > 0).then(|| tensor.data_ptr().cast())
}
