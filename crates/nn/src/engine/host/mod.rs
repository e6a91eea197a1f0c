//! Every base of the catalogue on the processor's vectors, without libtorch.
//!
//! A plan becomes a program ([`program`]): operators, of which each takes in what can be computed while it stores (bias,
//! activation, the sum with another map, a pool), and the memory in which their maps lie, channels last. Convolutions that
//! see all channels are products of pixels with packed weights ([`products`]), those of single pixels with enough channels
//! multiply seven times where others do eight ([`strassen`]), those of 3 × 3 with stride 1 and enough channels a quarter as
//! often, or where maps are large a fifth (Winograd's minimal filtering, [`winograd`]), depthwise ones go along rows
//! ([`depthwise`]). Where maps are larger than the caches, operators one behind the other run in turns, a band of rows each;
//! where they are small, several images go through together, so that weights are fetched once for all of them.
//!
//! Each value is one fixed sequence of fused multiply-adds and additions, whatever the batch, the number of threads or the width of
//! the processor's vectors: equal images have equal features to the bit on every processor that this runs on.
//!
//! bf16 is computed here where the processor does not multiply it itself: pixels, weights and the values between the
//! layers are rounded to bf16, products and sums are float32, as matrix units have them. In int8 every convolution that
//! sees all channels, but the first, multiplies whole numbers of 8 bits ([`quantised`]); the rest, and what lies between,
//! stays float32.

mod activation;
mod bands;
mod cache;
mod chunks;
mod depthwise;
mod epilogue;
mod fusion;
mod integers;
mod layout;
mod multiply;
mod network;
mod numbers;
mod packing;
mod placement;
mod pointwise;
mod pool;
mod products;
mod profile;
mod program;
mod quantised;
mod strassen;
mod tiles;
mod transform;
mod window;
mod winograd;

#[cfg(test)]
mod tests;

pub(crate) use integers::int8_group;
pub(crate) use network::Network;
pub use profile::OperatorTime;
