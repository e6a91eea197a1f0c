//! What the program does with its memory, and how it leaves.

/// Makes the allocator keep what is freed, for the whole program.
///
/// Every pass allocates maps, gradients and moments of the same many megabytes. Memory for these comes straight from
/// the kernel and goes back to it, and each page is then faulted in and zeroed anew: with 320 photographs on two cores
/// that was a seventh of the time of an extraction. Peak memory stays what the largest pass needs.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: mallopt only sets parameters of the allocator; an unknown one is refused and changes nothing.
        #[expect(unsafe_code, reason = "glibc's allocator is told in no other way from within")]
        unsafe {
            libc::mallopt(libc::M_MMAP_MAX, 0);
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        }
    }
}

/// Makes the program leave without taking libtorch apart: some thousand operators would be deregistered one by one,
/// which takes a tenth of the time of a command like `--help`. What Rust's own output holds is written before.
pub fn leave_quickly() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::ffi::{c_int, c_void};
        use std::ptr;

        #[expect(unsafe_code, reason = "the standard library has no such function")]
        unsafe extern "C" {
            /// glibc: like `atexit`, and the function is given the exit code.
            fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
        }
        extern "C" fn leave(code: c_int, _: *mut c_void) {
            // SAFETY: ends the process.
            #[expect(
                unsafe_code,
                reason = "the standard library can only end a process by way of all that was registered"
            )]
            unsafe {
                libc::_exit(code);
            }
        }
        // SAFETY: the function takes what it is declared to take. Registered after libtorch's own, it is called first.
        #[expect(unsafe_code, reason = "the standard library has no such function")]
        unsafe {
            on_exit(leave, ptr::null_mut());
        }
    }
}
