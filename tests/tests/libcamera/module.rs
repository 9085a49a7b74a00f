//! The module files, read as libcamera reads them.

use std::fs;
use std::path::{Path, PathBuf};

use cami_libcamera::{MODULE_NAME, OLD_MODULE_NAME, is_ours, read_module};
use cami_tests::artefact;

#[test]
fn modules_say_what_every_libcamera_wants_to_hear() {
    // 0.0.3 to 0.2.x match the first name with the pipeline's class, 0.3.0 to 0.7.2 with its short
    // name, and master reads its only name from there.
    for (file, pipeline) in [(MODULE_NAME, "ipu3"), (OLD_MODULE_NAME, "PipelineHandlerIPU3")] {
        let info = read_module(&artefact(file)).unwrap();
        assert_eq!(info.size, 520, "exactly, for 0.0.3");
        assert_eq!((info.api_version, info.pipeline_version), (1, 1));
        assert_eq!(info.pipeline_name, pipeline);
        assert_eq!(info.name.as_deref(), Some("ipu3"));
        assert!(!info.creates && is_ours(&artefact(file)));
        assert!(file < "ipa_ipu3.so", "the first that matches is taken");
    }
}

#[test]
fn modules_have_no_code_and_export_one_symbol() {
    use object::{Object, ObjectSection, ObjectSymbol, SectionKind};
    for file in [MODULE_NAME, OLD_MODULE_NAME] {
        let bytes = fs::read(artefact(file)).unwrap();
        let file = object::File::parse(bytes.as_slice()).unwrap();
        let exported: Vec<&str> =
            file.dynamic_symbols().map(|symbol| symbol.name().unwrap()).collect();
        assert_eq!(exported, ["ipaModuleInfo"]);
        assert!(file.dynamic_symbols().all(|symbol| symbol.is_global()));
        let code = file.sections().filter(|section| section.kind() == SectionKind::Text);
        assert_eq!(code.filter(|section| section.size() > 0).count(), 0);
    }
}

/// libcamera's own modules, where there are some, read the same way.
#[test]
fn libcamera_s_own_modules_are_not_ours() {
    let folders = cami_libcamera::folders(None);
    let modules: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| [folder.join("libcamera"), folder.join("libcamera/ipa")])
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "so"))
        .collect();
    for module in &modules {
        let info = read_module(module).unwrap();
        assert!(info.creates && !is_ours(module), "{}", module.display());
        assert_eq!(info.api_version, 1);
    }
    assert!(!is_ours(Path::new("/nonexistent.so")) && !is_ours(Path::new("/dev/null")));
    assert!(!is_ours(&artefact("libcam_algo.so")));
}
