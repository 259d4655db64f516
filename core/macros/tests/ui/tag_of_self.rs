struct User(u64);

impl User {
    #[instana::trace(tags(self))]
    fn traced(&self) {}

    #[instana::trace(tags(self.0))]
    fn field(&self) {}
}

fn main() {}
