struct User(u64);

#[instana::trace(tags(user))]
fn traced(user: User) {}

fn main() {}
