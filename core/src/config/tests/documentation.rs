//! `docs/ENVIRONMENT.md` against the table of settings.

use std::path::Path;

use crate::config::key::Side;
use crate::config::keys::KEYS;
use crate::config::tests::{Said, kind};

fn documentation() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ENVIRONMENT.md");
    std::fs::read_to_string(path).expect("docs/ENVIRONMENT.md is there")
}

/// It holds one row for each variable and each path, and no other.
#[test]
fn the_documentation_shows_the_table() {
    let text = documentation();
    let mut expected: Vec<String> = Vec::new();
    for variable in KEYS.iter().flat_map(|key| key.variables) {
        let row = format!(
            "| `{}` | {} | {} | {} |",
            variable.name, variable.kind, variable.default, variable.meaning
        );
        if !expected.contains(&row) {
            expected.push(row);
        }
    }
    let section = |from: &str| {
        let (_, rest) = text.split_once(from).expect(from);
        rest.split_once("\n## ")
            .expect("a section after it")
            .0
            .to_owned()
    };
    let rows = |section: &str| -> Vec<String> {
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        rows.map(str::to_owned).collect()
    };
    let variables = section("## Variables\n");
    assert_eq!(
        rows(&variables),
        expected,
        "expected rows:\n{}",
        expected.join("\n")
    );

    let mut expected: Vec<String> = Vec::new();
    for path in KEYS.iter().flat_map(|key| key.paths) {
        let side = match path.side {
            Side::Agent => "agent",
            Side::Both => "file, agent",
        };
        let row = format!(
            "| `{}` | {} | {side} | {} |",
            path.name, path.kind, path.meaning
        );
        if !expected.contains(&row) {
            expected.push(row);
        }
    }
    let paths = section("## Configuration file\n");
    assert_eq!(
        rows(&paths),
        expected,
        "expected rows:\n{}",
        expected.join("\n")
    );
}

#[test]
fn the_example_in_the_documentation_is_understood() {
    let text = documentation();
    let (_, rest) = text.split_once("```yaml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let config = Said {
        file: example,
        ..Said::default()
    }
    .config();
    let mut settings = config.settings();
    settings.retain(|setting| kind(&setting.origin) == "file");
    let names: Vec<&str> = settings.iter().map(|setting| setting.name).collect();
    let with_file = KEYS
        .iter()
        .filter(|key| key.paths.iter().any(|path| path.side == Side::Both));
    let expected: Vec<&str> = with_file.map(|key| key.name).collect();
    assert_eq!(names, expected, "the example shows all settings of a file");
}
