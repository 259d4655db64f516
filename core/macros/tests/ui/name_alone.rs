#[instana::trace("price")]
fn traced() {}

fn main() {}
