#[instana::trace]
const fn traced() {}

fn main() {}
