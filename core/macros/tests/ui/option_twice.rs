#[instana::trace(kind = exit, kind = entry)]
fn traced() {}

fn main() {}
