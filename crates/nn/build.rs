//! Gives binaries and tests the folder of the libtorch they were linked against, so that they find it at run
//! time from any working directory, with no `LD_LIBRARY_PATH`.
//!
//! Shared by every crate that ends in an executable: `convbase-nn` learns the folder from torch-sys and hands it
//! on through its own `links` key, the stages learn it from `convbase-nn`.

fn main() {
    let from_torch_sys = std::env::var("DEP_TCH_LIBTORCH_LIB");
    let from_nn = std::env::var("DEP_CONVBASE_NN_LIBTORCH_LIB");
    if let Ok(folder) = from_torch_sys.or(from_nn) {
        println!("cargo:libtorch_lib={folder}");
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    // By a path that leads here from every crate that shares it: one that leads nowhere counts as changed, and the crate
    // would be compiled anew each time.
    println!("cargo:rerun-if-changed=../nn/build.rs");
}
