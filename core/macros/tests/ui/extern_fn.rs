#[instana::trace]
extern "C" fn traced() {}

fn main() {}
