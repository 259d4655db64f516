use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs, process};

use addr2line::Context;
use gimli::Dwarf;
use object::{ObjectSymbol, SymbolKind};

use crate::pipeline::export::frames::image::*;

/// Functions, closures and generics that are inlined into each other.
const SOURCE: &str = "
    use std::collections::BTreeMap;
    struct Shop<T> { goods: BTreeMap<String, T> }
    impl<T: Copy + std::fmt::Debug> Shop<T> {
        #[inline(always)]
        fn price(&self, name: &str) -> Option<T> {
            self.goods.get(name).copied().filter(|price| format!(\"{price:?}\").len() < 9)
        }
    }
    #[inline(never)]
    fn total(shop: &Shop<u64>, names: &[&str]) -> u64 {
        names.iter().filter_map(|name| shop.price(name)).map(|price| price * 3).sum()
    }
    fn main() {
        let goods = [(\"tea\", 3), (\"milk\", 4)].map(|(name, price)| (name.to_owned(), price));
        let shop = Shop { goods: goods.into_iter().collect() };
        let names: Vec<String> = std::env::args().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        println!(\"{}\", total(&shop, &names));
    }
";

/// A program that is removed in the end.
struct Program(PathBuf);

impl Program {
    fn new(flags: &str) -> Self {
        let name: String = flags.chars().filter(char::is_ascii_alphanumeric).collect();
        let folder = env::temp_dir().join(format!("instana-stack-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("shop.rs"), SOURCE).unwrap();
        let flags = flags.split_whitespace();
        let built = Command::new("rustc")
            .args(["--edition", "2021", "-o", "shop", "shop.rs"])
            .args(flags)
            .current_dir(&folder)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{errors}");
        Self(folder)
    }

    fn open(&self) -> Image {
        open(&self.0.join("shop"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path) -> Image {
    let mut image = Image::open(path.to_str().unwrap()).unwrap();
    assert!(image.prepare(Instant::now() + Duration::from_secs(600)));
    image
}

/// What addr2line says, which reads all of the file into memory of its own.
fn expected(context: &Context<Slice>, address: u64) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut frames = context.find_frames(address).skip_all_loads().unwrap();
    while let Some(frame) = frames.next().unwrap() {
        let function = frame.function.as_ref().map(|name| name.raw_name().unwrap());
        let location = frame.location;
        calls.push(Call {
            function: function.map(|name| name.into_owned()),
            file: location.as_ref().and_then(|at| at.file).map(str::to_owned),
            line: location.and_then(|at| at.line),
        });
    }
    calls
}

/// Addresses in every so manieth function.
fn addresses(image: &Image, step: usize) -> Vec<u64> {
    let functions = image.elf.symbols().filter(|symbol| {
        symbol.kind() == SymbolKind::Text && symbol.is_definition() && symbol.size() > 0
    });
    let within = functions.step_by(step).flat_map(|function| {
        let (start, size) = (function.address(), function.size());
        [0, 1, size / 3, size / 2, size - 1].map(|offset| start + offset)
    });
    within.collect()
}

/// Compares; how many calls there were.
fn compare(image: &mut Image, step: usize) -> usize {
    let elf = &image.elf;
    let dwarf = Dwarf::load(|id| Ok::<_, gimli::Error>(debug_section(elf, id))).unwrap();
    let context = Context::from_dwarf(dwarf).unwrap();
    let mut count = 0;
    for address in addresses(image, step) {
        let calls = image.info.as_mut().unwrap().calls(address);
        let expected = expected(&context, address);
        assert_eq!(calls, expected, "{address:#x}");
        count += calls.len();
        assert!(image.info.as_ref().unwrap().bytes() < 2 << 20);
    }
    count
}

#[test]
fn calls_are_those_that_addr2line_finds() {
    let mut own = open(Path::new("/proc/self/exe"));
    assert!(compare(&mut own, 100) > 100);
    for flags in [
        "-g -C opt-level=0",
        "-g -C opt-level=3",
        "-C debuginfo=line-tables-only -C opt-level=3",
        "-C debuginfo=1 -C opt-level=1 -C codegen-units=1",
        "-g -C opt-level=1 -C lto=fat",
    ] {
        let program = Program::new(flags);
        let mut image = program.open();
        assert!(compare(&mut image, 20) > 100, "{flags}");
    }
}

/// Kilobytes of the file that are counted as memory of this process.
fn resident(image: &Image) -> usize {
    let start = format!("{:x}-", image.memory.as_ptr() as usize);
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mapping = maps.split_once(&start).unwrap().1;
    let size = mapping.lines().find_map(|line| line.strip_prefix("Rss:"));
    size.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

#[test]
fn pages_of_the_file_are_given_back() {
    let mut image = open(Path::new("/proc/self/exe"));
    let all = addresses(&image, 500);
    let known: Vec<_> = all.iter().map(|address| image.calls(*address)).collect();
    // The calls may have given them back already.
    let bytes = image.memory.iter().step_by(4096).copied();
    std::hint::black_box(bytes.map(u64::from).sum::<u64>());
    assert!(resident(&image) > 0, "it was read");
    image.release();
    assert_eq!(resident(&image), 0);
    let again: Vec<_> = all.iter().map(|address| image.calls(*address)).collect();
    assert_eq!(known, again);
}

#[test]
fn where_lines_cannot_be_read_functions_have_the_names_of_symbols() {
    for (flags, has_symbols) in [
        ("-C strip=debuginfo", true),
        ("-g -C link-arg=-Wl,--compress-debug-sections=zlib", true),
        ("-g -C strip=symbols", false),
    ] {
        let mut image = Program::new(flags).open();
        let calls: Vec<Call> = match addresses(&image, 20) {
            all if has_symbols => all.into_iter().flat_map(|at| image.calls(at)).collect(),
            _ => image.calls(image.elf.entry()),
        };
        assert_eq!(!calls.is_empty(), has_symbols, "{flags}");
        for call in calls {
            assert!(call.function.is_some() && call.file.is_none(), "{call:?}");
        }
    }
}

#[test]
fn what_is_no_program_is_not_opened() {
    for path in [
        "/nonexistent",
        "/proc/self/maps",
        "/dev/null",
        "/",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ] {
        assert!(Image::open(path).is_none(), "{path}");
    }
}
