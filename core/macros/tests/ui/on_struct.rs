#[instana::trace]
struct User(u64);

#[instana::trace]
const N: u64 = 3;

fn main() {}
