//! The state of standard output before Rust's runtime begins.
#![expect(
    unsafe_code,
    reason = "the runtime hides that standard output is closed before `main` can look"
)]

use std::os::fd::BorrowedFd;

use cnnfilter::io::standard_output;

/// The loader calls it before the runtime.
#[used]
#[cfg_attr(
    any(target_os = "linux", target_os = "android"),
    // SAFETY: the section holds pointers to functions of this type.
    unsafe(link_section = ".init_array")
)]
#[cfg_attr(
    target_vendor = "apple",
    // SAFETY: as above.
    unsafe(link_section = "__DATA,__mod_init_func")
)]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: the number is only asked about, whether it is open or not; the copy is closed at once.
    let standard_output = unsafe { BorrowedFd::borrow_raw(1) };
    if standard_output.try_clone_to_owned().is_err() {
        standard_output::note_closed();
    }
}
