#[instana::trace(skip(secret))]
fn traced(secret: u8) {
    let _ = secret;
}

fn main() {}
