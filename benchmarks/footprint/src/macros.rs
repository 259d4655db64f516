//! A function that is a span.

pub(crate) fn run() {
    println!("{:?}", priced(7));
}

#[cfg_attr(feature = "macros-traced", instana::trace(tags(order)))]
fn priced(order: u64) -> Result<u64, std::num::TryFromIntError> {
    u32::try_from(order).map(|order| u64::from(order) * 3)
}
