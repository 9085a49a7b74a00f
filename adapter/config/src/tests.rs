//! Tests of the configuration.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::{
    Config, Environment, KEYS, LIBCAMERA_SECTION, LibcameraVersion, PerSensor, Recovery, variable,
};

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn read(text: &str, variables: &[(&str, &str)], section: Option<&str>) -> Result<Config, String> {
    let file = file(text);
    let mut all = vec![("CAMI_IPA_CONFIG", file.path().to_str().unwrap())];
    all.extend_from_slice(variables);
    Config::read(&Environment::of(&all), section).map_err(|error| error.to_string())
}

#[test]
fn config_empty_gives_documented_defaults() {
    let config = read("", &[], None).unwrap();
    assert_eq!(config.vendor_library, None);
    assert_eq!(config.timeouts.initialize, Duration::from_millis(3000));
    assert_eq!(config.timeouts.register, Duration::from_millis(5000));
    assert_eq!(config.timeouts.request, Duration::ZERO);
    assert_eq!(config.profile.name, "generic");
}

/// libcamera's door resumes, and speaks the IPU3 protocol, unless it is told otherwise.
#[test]
fn config_of_libcamera_s_door_has_defaults_of_its_own() {
    let section = Some(LIBCAMERA_SECTION);
    let config = read("", &[], section).unwrap();
    assert_eq!((config.recovery, config.profile.name.as_str()), (Recovery::Resume, "intel-ipu3"));
    // What is said for all HALs is not said for libcamera, whose library another protocol's profile
    // would keep from being resumed; all else of the top level holds.
    let common = "profile = \"generic\"\nrecovery = \"notify\"\nstandby = true\n";
    let config = read(common, &[], section).unwrap();
    assert_eq!((config.recovery, config.profile.name.as_str()), (Recovery::Resume, "intel-ipu3"));
    assert!(config.standby && config.warnings.is_empty(), "{:?}", config.warnings);
    let config = read(common, &[], Some("libcam_algo.so")).unwrap();
    assert_eq!((config.recovery, config.profile.name.as_str()), (Recovery::Notify, "generic"));
    let own = "[\"ipa_cami_ipu3.so\"]\nprofile = \"generic\"\nrecovery = \"notify\"";
    let config = read(own, &[], section).unwrap();
    assert_eq!((config.recovery, config.profile.name.as_str()), (Recovery::Notify, "generic"));
    let set = [("CAMI_IPA_PROFILE", "generic"), ("CAMI_IPA_RECOVERY", "notify")];
    let config = read("", &set, section).unwrap();
    assert_eq!((config.recovery, config.profile.name.as_str()), (Recovery::Notify, "generic"));
    assert_eq!(read("", &[], Some("libcam_algo.so")).unwrap().recovery, Recovery::Notify);
}

#[test]
fn config_profile_sets_request_deadline_unless_a_key_does() {
    let config = read("profile = \"rockchip\"", &[], None).unwrap();
    assert_eq!(config.timeouts.request, Duration::from_millis(4500));
    let config = read("profile = \"rockchip\"\n[timeouts]\nrequest_ms = 7", &[], None).unwrap();
    assert_eq!(config.timeouts.request, Duration::from_millis(7));
}

#[test]
fn config_environment_wins_over_section_wins_over_common() {
    let text = "vendor_library = \"/a.so\"\nlibrary_path = [\"/x\"]\n\
                [\"libcam_algo_vendor_gpu.so\"]\nvendor_library = \"/b.so\"\n";
    let library = |variables: &[(&str, &str)], section| {
        read(text, variables, section).unwrap().vendor_library.unwrap()
    };
    assert_eq!(library(&[], None), std::path::Path::new("/a.so"));
    assert_eq!(library(&[], Some("libcam_algo.so")), std::path::Path::new("/a.so"));
    assert_eq!(library(&[], Some("libcam_algo_vendor_gpu.so")), std::path::Path::new("/b.so"));
    let set = [("CAMI_IPA_VENDOR_LIBRARY", "/c.so")];
    assert_eq!(library(&set, Some("libcam_algo_vendor_gpu.so")), std::path::Path::new("/c.so"));
}

#[test]
fn config_lists_and_tables_come_from_the_environment_too() {
    let set = [
        ("CAMI_IPA_LIBRARY_PATH", "/one:/two"),
        ("CAMI_IPA_ENVIRONMENT", "A=1:B=x=y"),
        ("CAMI_IPA_TIMEOUTS__REGISTER_MS", "12"),
    ];
    let config = read("", &set, None).unwrap();
    assert_eq!(config.library_path.len(), 2);
    assert_eq!(config.environment[1], ("B".to_owned(), "x=y".to_owned()));
    assert_eq!(config.timeouts.register, Duration::from_millis(12));
}

#[test]
fn config_of_libcamera_s_door_comes_from_file_and_environment() {
    let text = "aiqd = \"/var/lib/aiqd\"\n[tuning]\nov13858 = \"/a.aiqb\"\nimx258 = \"/b.aiqb\"\n\
                [libcamera]\nversion = \"0.4.0\"\nproxy_dir = \"/usr/libexec/libcamera\"\n";
    let config = read(text, &[], None).unwrap();
    assert_eq!(config.tuning.of("imx258"), Some(Path::new("/b.aiqb")));
    assert_eq!(config.tuning.of("imx25"), None);
    assert_eq!(config.nvm, PerSensor::default());
    assert_eq!(config.aiqd.as_deref(), Some(Path::new("/var/lib/aiqd")));
    assert_eq!(config.libcamera.proxy_dir.as_deref(), Some(Path::new("/usr/libexec/libcamera")));
    let version = config.libcamera.version.unwrap();
    assert_eq!((version.major, version.minor, version.patch), (0, 4, 0));
    let set = [
        ("CAMI_IPA_TUNING", "ov5670=/c.aiqb:ov13858=/d.aiqb"),
        ("CAMI_IPA_NVM", "ov13858=/eeprom"),
        ("CAMI_IPA_LIBCAMERA__VERSION", "master"),
    ];
    let config = read(text, &set, None).unwrap();
    assert_eq!(config.tuning.of("ov13858"), Some(Path::new("/d.aiqb")));
    assert_eq!(config.tuning.of("imx258"), None, "the variable replaces the whole table");
    assert_eq!(config.nvm.of("ov13858"), Some(Path::new("/eeprom")));
    assert_eq!(config.libcamera.version, Some(LibcameraVersion::MASTER));
}

#[test]
fn versions_of_libcamera_are_in_the_order_of_its_releases() {
    let version = |text| LibcameraVersion::parse(text).unwrap();
    assert!(version("0.0.5") < version("0.1.0"));
    assert!(version("0.5") < version("0.5.2"));
    assert!(version("0.7.2") < version("master"));
    for text in ["", "0", "0.1.2.3", "0.x", "v0.1", "0.-1"] {
        assert_eq!(LibcameraVersion::parse(text), None, "{text}");
    }
}

#[test]
fn config_mistakes_are_named_with_key_and_origin() {
    for (text, variables, expected) in [
        ("vendor_libary = \"x\"", &[][..], "unknown key `vendor_libary`"),
        ("timeouts.register_ms = \"x\"", &[], "`timeouts.register_ms` is not a whole number"),
        ("timeouts.register_ms = -1", &[], "`timeouts.register_ms` is not a whole number"),
        ("library_path = \"x\"", &[], "`library_path` is not a list"),
        ("library_path = [\"/a\", \"\"]", &[], "expected absolute folders"),
        ("", &[("CAMI_IPA_LIBRARY_PATH", "/a::/b")], "expected absolute folders"),
        ("", &[("CAMI_IPA_ENVIRONMENT", "=x")], "expected names and values"),
        ("[tuning]\nov13858 = \"a.aiqb\"", &[], "expected sensor models with absolute paths"),
        ("tuning = \"/a.aiqb\"", &[], "`tuning` is not a table of texts"),
        ("", &[("CAMI_IPA_NVM", "=/a")], "expected sensor models with absolute paths"),
        ("aiqd = \"here\"", &[], "expected an absolute path"),
        ("libcamera.version = \"7\"", &[], "expected a version such as 0.7.2, or master"),
        ("libcamera.version = 7", &[], "`libcamera.version` is not a text"),
        ("[libcam_x.so]\nvendor_library = \"/x\"", &[], "section as [\"libcam_x.so\"]"),
        ("recovery = \"retry\"", &[], "`recovery` is \"retry\", expected notify or resume"),
        ("profile = \"nokia\"", &[], "`profile` is \"nokia\", expected generic"),
        (
            "",
            &[("CAMI_IPA_SANDBOX__REQUIRE", "pid,mount")],
            "`sandbox.require` is \"pid,mount\", exp",
        ),
        ("library_path = [\"/a\", \"b\"]", &[], "`library_path` is \"/a:b\", expected"),
        ("log = \"loud\"", &[], "`log` is \"loud\", expected"),
        ("vendor_library = ", &[], ""),
        ("", &[("CAMI_IPA_TIMEOUTS__INITIALIZE_MS", "soon")], "INITIALIZE_MS=soon is not"),
    ] {
        let error = read(text, variables, None).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn config_misspelt_variable_is_a_warning() {
    let config = read("", &[("CAMI_IPA_TIMEOUT_MS", "1"), ("OTHER", "1")], None).unwrap();
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains("CAMI_IPA_TIMEOUT_MS"), "{:?}", config.warnings);
}

#[test]
fn config_named_file_that_is_missing_is_an_error() {
    let environment = Environment::of(&[("CAMI_IPA_CONFIG", "/nonexistent/cami.toml")]);
    let error = Config::read(&environment, None).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/cami.toml"), "{error}");
}

#[test]
fn variables_are_capitals_with_double_underscores_for_dots() {
    assert_eq!(variable("timeouts.register_ms"), "CAMI_IPA_TIMEOUTS__REGISTER_MS");
    assert!(KEYS.iter().all(|(key, ..)| key.is_ascii()));
}
