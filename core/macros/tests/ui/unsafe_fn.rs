#[instana::trace]
unsafe fn traced() {}

fn main() {}
