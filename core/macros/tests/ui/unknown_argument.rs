#[instana::trace(tags(id, usr))]
fn traced(id: u8, user: u8) {
    let _ = (id, user);
}

#[instana::trace(tags(usr))]
async fn without_arguments() {}

fn main() {}
