trait Shop {
    #[instana::trace]
    fn open(&self);
}

fn main() {}
