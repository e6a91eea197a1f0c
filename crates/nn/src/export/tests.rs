//! Exported files are run by tract and compared with what `predict` computes.

mod bases;
mod file;
mod ground;
mod heads;
mod steps;
