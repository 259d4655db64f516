//! Which source wins, and how that is shown.

use super::*;

#[test]
fn without_anything_the_defaults_hold() {
    let config = Said::default().config();
    for case in cases() {
        let setting = setting(&config, case.name);
        assert_eq!(
            (setting.value.as_str(), &setting.origin),
            (case.default, &Origin::Default)
        );
    }
}

#[test]
fn each_source_wins_over_those_below_it() {
    for case in cases() {
        let sources = sources(&case);
        assert!(!sources.is_empty(), "{}", case.name);
        for (number, (upper, shown, origin)) in sources.iter().enumerate() {
            let alone = setting(&upper.config(), case.name);
            assert_eq!(
                (alone.value.as_str(), kind(&alone.origin)),
                (*shown, *origin),
                "{}",
                case.name
            );
            // Each pair of neighbours, and all below it.
            let mut all = *upper;
            for (lower, ..) in &sources[number + 1..] {
                all = Said {
                    environment: if all.environment.is_empty() {
                        lower.environment
                    } else {
                        all.environment
                    },
                    file: if all.file.is_empty() {
                        lower.file
                    } else {
                        all.file
                    },
                    code: all.code.or(lower.code),
                    agent: if all.agent.is_empty() {
                        lower.agent
                    } else {
                        all.agent
                    },
                };
                let found = setting(&all.config(), case.name);
                assert_eq!(found.value, *shown, "{}", case.name);
                assert_eq!(kind(&found.origin), *origin, "{}", case.name);
            }
        }
    }
}

#[test]
fn debug_beats_the_level() {
    for debug in ["1", "x", "false"] {
        let environment = &[("INSTANA_DEBUG", debug), ("INSTANA_LOG_LEVEL", "error")];
        let config = Said {
            environment,
            ..Said::default()
        }
        .config();
        assert_eq!(config.log_level, Level::Debug, "{debug}");
    }
}

#[test]
fn the_first_name_beats_the_older_one() {
    let both = [
        ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "false"),
        ("INSTANA_ALLOW_EXIT_AS_ROOT", "true"),
    ];
    let read = |environment| {
        Said {
            environment,
            ..Said::default()
        }
        .resolve()
    };
    assert!(!read(&both).0.allow_root_exits);
    assert!(read(&both[1..]).0.allow_root_exits);
    let (config, problems) = read(&[("INSTANA_ALLOW_ROOT_EXIT_SPAN", "ja"), both[1]]);
    assert!(config.allow_root_exits);
    assert_eq!(problems.len(), 1);
}

#[test]
fn a_file_can_be_named_in_code() {
    let file = File::new("\ntracing: {disable: logging}");
    let mut code = Code::default();
    code.config_path(Given::Text(file.path()));
    let (_, config, problems) = Sources::read(&Environment::default(), code);
    let disabled = setting(&config, "disable");
    assert_eq!(disabled.origin.to_string(), format!("{}:2", file.path()));
    assert_eq!(problems, [] as [&str; 0]);

    let mut code = Code::default();
    code.config_path(Given::Text("/nowhere"));
    let (_, _, problems) = Sources::read(&Environment::default(), code);
    let text = "config_path=\"/nowhere\" is not a file that can be used (";
    assert!(problems[0].starts_with(text), "{problems:?}");
}

#[test]
fn a_setting_is_shown_with_its_origin() {
    let environment = &[
        ("INSTANA_SERVICE_NAME", "shop"),
        ("INSTANA_PROCESS_NAME", "http://u:pw@h"),
    ];
    let config = Said {
        environment,
        ..Said::default()
    }
    .config();
    let text = |name| setting(&config, name).to_string();
    assert_eq!(text("service"), "service = shop (INSTANA_SERVICE_NAME)");
    assert_eq!(text("plugin"), "plugin = rust (default)");
    assert!(!text("process_name").contains("pw"));
}

#[test]
fn the_process_environment_is_read() {
    let (_, config, _) = Sources::read(&Environment::of_process(), Code::default());
    assert!(config.agent_port > 0);
}

/// What is in the table is in the tests above.
#[test]
fn every_name_in_the_table_is_tested() {
    let cases = cases();
    let tested = [
        include_str!("mod.rs"),
        include_str!("lists.rs"),
        include_str!("mistakes.rs"),
        include_str!("precedence.rs"),
    ];
    let tested = tested.concat();
    for key in KEYS.iter().filter(|key| key.name != "config_path") {
        let case = cases
            .iter()
            .find(|case| case.name == key.name)
            .expect(key.name);
        let has_files = key.paths.iter().any(|path| path.side == Side::Both);
        assert_eq!(case.file.is_some(), has_files, "{}", key.name);
        assert_eq!(case.agent.is_some(), !key.paths.is_empty(), "{}", key.name);
        assert_eq!(
            case.environment.is_some(),
            !key.variables.is_empty(),
            "{}",
            key.name
        );
        for variable in key.variables {
            let name = variable.name.split('<').next().unwrap();
            assert!(tested.contains(name), "{name}");
        }
        for path in key.paths {
            let last = path.name.rsplit('.').next().unwrap();
            assert!(tested.contains(last), "{last}");
        }
    }
    assert_eq!(cases.len(), KEYS.len() - 1);
}
