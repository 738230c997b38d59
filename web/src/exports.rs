//! Requests and answers through WebAssembly's memory. The script calls [`page_reserve`], writes the request there, calls
//! [`page_answer`] and reads the answer from where the other functions say it lies.

#![expect(
    unsafe_code,
    reason = "`no_mangle` gives the exports the names that the page's script calls"
)]

use std::cell::RefCell;

use crate::request::{Answer, Worker};

#[derive(Default)]
struct Desk {
    worker: Worker,
    request: Vec<u8>,
    answer: Answer,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Makes room for a request of so many bytes; returns its address.
#[unsafe(no_mangle)]
pub extern "C" fn page_reserve(length: usize) -> *mut u8 {
    DESK.with_borrow_mut(|desk| {
        desk.request = vec![0; length];
        desk.request.as_mut_ptr()
    })
}

/// Answers the request.
#[unsafe(no_mangle)]
pub extern "C" fn page_answer() {
    DESK.with_borrow_mut(|desk| {
        let request = std::mem::take(&mut desk.request);
        desk.answer = desk.worker.answer(&request);
    });
}

/// Address of the answer's JSON.
#[unsafe(no_mangle)]
pub extern "C" fn page_json() -> *const u8 {
    DESK.with_borrow(|desk| desk.answer.json.as_ptr())
}

/// Its length in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn page_json_length() -> usize {
    DESK.with_borrow(|desk| desk.answer.json.len())
}

/// Address of the answer's bytes.
#[unsafe(no_mangle)]
pub extern "C" fn page_bytes() -> *const u8 {
    DESK.with_borrow(|desk| desk.answer.bytes.as_ptr())
}

/// Their number.
#[unsafe(no_mangle)]
pub extern "C" fn page_bytes_length() -> usize {
    DESK.with_borrow(|desk| desk.answer.bytes.len())
}
