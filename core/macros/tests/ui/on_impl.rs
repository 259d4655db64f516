struct User(u64);

#[instana::trace]
impl User {
    fn id(&self) -> u64 {
        self.0
    }
}

fn main() {}
