//! The addresses of the calls that a thread is in, without their names.

pub(crate) mod address;
#[cfg(all(target_os = "linux", not(target_arch = "arm"), not(miri)))]
mod capture;
#[cfg(not(all(target_os = "linux", not(target_arch = "arm"), not(miri))))]
#[path = "capture_none.rs"]
mod capture;

pub(crate) use self::address::Addresses;
pub(crate) use self::capture::capture;
