#[instana::trace(kind = server)]
fn traced() {}

#[instana::trace(kind = "entry")]
fn quoted() {}

fn main() {}
