//! Sound and broken variables.

use super::*;
use domain::Right;
use domain::error::Reason;

fn variables() -> Variables {
    Variables {
        sealing_keys: Some(Zeroizing::new(format!("1:{}", "11".repeat(32)))),
        index_key: Zeroizing::new("22".repeat(32)),
        secret: Some(Zeroizing::new("s".repeat(MIN_SECRET_BYTES))),
        ..Variables::default()
    }
}

#[test]
fn sound_variables_make_settings_with_safe_defaults() {
    let settings = Settings::from_variables(&variables()).unwrap();
    assert!(!settings.callback_allow_http);
    assert_eq!(settings.trusted_proxies, TrustedProxies::default());
    assert!(settings.is_secret(&"s".repeat(MIN_SECRET_BYTES)));
    assert!(!settings.is_secret(&"s".repeat(MIN_SECRET_BYTES + 1)));
    assert!(!settings.is_secret(""));
}

#[test]
fn while_a_secret_is_changed_both_are_accepted_and_the_first_is_used() {
    let settings = |text: String| {
        Settings::from_variables(&Variables {
            secret: Some(Zeroizing::new(text)),
            ..variables()
        })
    };
    let [old, new, other] = ["o", "n", "x"].map(|text| text.repeat(MIN_SECRET_BYTES));
    let both = settings(format!("{new}, {old}")).unwrap();
    assert!(both.is_secret(&old) && both.is_secret(&new) && !both.is_secret(&other));
    assert!(!both.is_secret(&format!("{new}, {old}")));
    assert_eq!(both.own_secret(), new);
    assert!(settings(format!("{new},short")).is_err());
    assert!(settings(format!("{new},{old},{other}")).is_err());
    assert!(settings(format!("{new},")).is_err());
}

#[test]
fn whether_the_clock_is_trusted_is_true_or_false() {
    let read = |text: &str| {
        let settings = Settings::from_variables(&Variables {
            clock_trusted: Some(text.to_owned()),
            ..variables()
        });
        settings.map(|settings| settings.maintenance.clock_trusted)
    };
    assert!(read("true").unwrap() && !read("false").unwrap());
    let cause = read("perhaps").err().unwrap().cause().unwrap().to_owned();
    assert!(cause.starts_with("variable clock_trusted"), "{cause}");
}

#[test]
fn a_component_without_a_secret_accepts_nothing() {
    let settings = Settings::from_variables(&Variables {
        secret: None,
        ..variables()
    })
    .unwrap();
    assert!(!settings.is_secret(""));
}

#[test]
fn what_is_ignored_is_a_list_of_names_and_holds_no_credential() {
    let read = |text: &str| {
        Settings::from_variables(&Variables {
            ignored_parameters: Some(text.to_owned()),
            ..variables()
        })
        .map(|settings| settings.ignored_parameters)
    };
    assert!(read("a,b").unwrap().contains("b"));
    assert!(!read("").unwrap().contains("sign"));
    for text in ["sign,token", "key", "a b"] {
        let cause = read(text).err().unwrap().cause().unwrap().to_owned();
        assert!(
            cause.starts_with("variable ignored_parameters: ") && !cause.contains(text),
            "{cause}"
        );
    }
}

#[test]
fn number_ranges_are_prefixes_separated_by_commas() {
    let settings = |text: &str| {
        Settings::from_variables(&Variables {
            number_ranges: Some(text.to_owned()),
            ..variables()
        })
    };
    assert!(settings("1440, 10641").is_ok());
    let error = settings("1440;148").err().unwrap();
    assert!(
        error
            .cause()
            .is_some_and(|cause| cause.starts_with("variable number_ranges"))
    );
}

#[test]
fn served_provinces_are_codes_separated_by_commas_and_none_are_configured_by_an_empty_text() {
    let served = |text: &str| {
        let variables = Variables {
            served_provinces: Some(text.to_owned()),
            ..variables()
        };
        Settings::from_variables(&variables).map(|settings| settings.served_provinces)
    };
    assert_eq!(served(" ").unwrap(), None);
    let shandong = domain::Province::parse("37").unwrap();
    assert!(served("11, 37").unwrap().unwrap().contains(shandong));
    let cause = served("37;65").unwrap_err().cause().unwrap().to_owned();
    assert!(cause.starts_with("variable served_provinces"), "{cause}");
}

#[test]
fn every_broken_variable_is_an_internal_error_that_does_not_show_it() {
    let text = |text: &str| Some(text.to_owned());
    let short = "x".repeat(MIN_SECRET_BYTES - 1);
    for broken in [
        Variables {
            sealing_keys: Some(Zeroizing::default()),
            ..variables()
        },
        Variables {
            index_key: Zeroizing::new("2222".into()),
            ..variables()
        },
        Variables {
            secret: Some(Zeroizing::default()),
            ..variables()
        },
        Variables {
            secret: Some(Zeroizing::new(short.clone())),
            ..variables()
        },
        Variables {
            time_zone: text("Asia/Nowhere"),
            ..variables()
        },
        Variables {
            time_zone: text(""),
            ..variables()
        },
        Variables {
            trusted_proxies: text("proxy"),
            ..variables()
        },
        Variables {
            call_log_interval_ms: text("1001"),
            ..variables()
        },
        Variables {
            database: Some(Zeroizing::new("host=db.example user=xieka".to_owned())),
            ..variables()
        },
        Variables {
            callback_allow_http: text("yes"),
            ..variables()
        },
        Variables {
            unchecked_eids: text(""),
            ..variables()
        },
        Variables {
            pool_low_water: text("1000001"),
            ..variables()
        },
        Variables {
            pool_low_water: text("-1"),
            ..variables()
        },
        Variables {
            call_log_days: text("184"),
            ..variables()
        },
    ] {
        let error = Settings::from_variables(&broken).err().unwrap();
        assert_eq!(error.reason(), Reason::Internal);
        let cause = error.cause().unwrap();
        assert!(!cause.contains("2222") && !cause.contains(&short), "{cause}");
    }
}

#[test]
fn numbers_of_incidents_and_sessions_have_bounds() {
    let text = |text: &str| Some(text.to_owned());
    for (name, broken) in [
        (
            "history_days",
            Variables {
                history_days: text("36526"),
                ..variables()
            },
        ),
        (
            "drill_days",
            Variables {
                drill_days: text("36526"),
                ..variables()
            },
        ),
        (
            "stuck_after_minutes",
            Variables {
                stuck_after_minutes: text("0"),
                ..variables()
            },
        ),
        (
            "stuck_group_percent",
            Variables {
                stuck_group_percent: text("101"),
                ..variables()
            },
        ),
        (
            "power_up_gap_secs",
            Variables {
                power_up_gap_secs: text("3601"),
                ..variables()
            },
        ),
        (
            "alternation_minutes",
            Variables {
                alternation_minutes: text("1441"),
                ..variables()
            },
        ),
    ] {
        let error = Settings::from_variables(&broken).err().unwrap();
        assert!(error.cause().unwrap().contains(name), "{name}");
    }
}

#[test]
fn acts_that_need_a_second_person_are_named_by_their_rights() {
    let read = |rights: &str, rows: &str, delay: &str| {
        let variables = Variables {
            second_person: Some(rights.to_owned()),
            second_person_rows: Some(rows.to_owned()),
            approval_delay_minutes: Some(delay.to_owned()),
            ..variables()
        };
        Settings::from_variables(&variables).map(|settings| settings.second_person)
    };
    assert_eq!(read("", "0", "0").unwrap(), SecondPerson::default());
    let second = read("irreversible, roles.update", "50", "10080").unwrap();
    assert!(second.is_needed(Right::ChipsDestroy, 0) && second.is_needed(Right::RolesUpdate, 0));
    assert!(second.is_needed(Right::NumbersAllot, 51) && !second.is_needed(Right::NumbersAllot, 50));
    // A brake that one person must be able to pull alone, and what changes nothing.
    assert!(!second.is_needed(Right::ClientsFreeze, 51) && !second.is_needed(Right::TasksList, 51));
    assert_eq!(second.delay_ms, 7 * 86_400_000);
    for (rights, rows, delay, name) in [
        ("everything", "0", "0", "second_person: "),
        ("tasks.list", "0", "0", "second_person: "),
        ("clients.freeze", "0", "0", "second_person: "),
        ("approvals.refuse", "0", "0", "second_person: "),
        ("", "-1", "0", "second_person_rows: "),
        ("", "100001", "0", "second_person_rows: "),
        ("", "0", "10081", "approval_delay_minutes: "),
        ("", "0", "soon", "approval_delay_minutes: "),
    ] {
        let cause = read(rights, rows, delay)
            .err()
            .unwrap()
            .cause()
            .unwrap()
            .to_owned();
        assert!(cause.starts_with(&format!("variable {name}")), "{cause}");
    }
}
