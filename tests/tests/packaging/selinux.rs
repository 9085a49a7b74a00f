//! SELinux file contexts: their own compiler reads them, and checks each against a binary policy
//! that declares our types and ChromeOS's.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::tool;

const CONTEXTS: &str = "chromeos/sepolicy/cami_ipa_file_contexts";
const TYPES: &str = "chromeos/sepolicy/cami_ipa.te";
/// Types of ChromeOS's policy that our contexts use (platform2 `sepolicy/policy/chromeos/file.te`).
const CHROMEOS_TYPES: &str = "type camera_lib;\ntype camera_libs_dir;\n";
const COMPILER: &str = "apt-get install selinux-utils";

/// The smallest policy that has a type: one class, one user, one role, one sensitivity.
fn policy(types: &str) -> String {
    let types_of_role: Vec<&str> = types
        .lines()
        .filter_map(|line| line.strip_prefix("type ")?.split([',', ';']).next())
        .collect();
    format!(
        "class file\nsid kernel\nclass file {{ read }}\nsensitivity s0;\ndominance {{ s0 }}\n\
         category c0;\nlevel s0:c0;\nmlsconstrain file {{ read }} ( l1 eq l2 );\n\
         {CHROMEOS_TYPES}{types}type kernel;\nrole r;\nrole r types {{ kernel }};\n\
         allow kernel {{ {all} }}:file read;\n\
         user u roles {{ r }} level s0 range s0 - s0;\nsid kernel u:r:kernel:s0\n",
        all = types_of_role.join(" "),
    )
}

/// The types that our policy declares, without the attributes, which are ChromeOS's.
fn declared() -> String {
    let text = tool::text(TYPES);
    let types = text.lines().filter_map(|line| line.strip_prefix("type ")?.split(',').next());
    types.map(|name| format!("type {name};\n")).collect()
}

/// Compiles the contexts against a policy with these types; what the compiler says.
fn compile(types: &str) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    let binary = binary_policy(&folder, types)?;
    let mut compile = tool::find("sefcontext_compile", COMPILER)?;
    compile.arg("-p").arg(binary).arg("-o").arg(folder.path().join("contexts.bin"));
    Some(tool::run(compile.arg(tool::packaging(CONTEXTS))))
}

fn binary_policy(folder: &TempDir, types: &str) -> Option<std::path::PathBuf> {
    let source = folder.path().join("policy.conf");
    let binary = folder.path().join("policy");
    fs::write(&source, policy(types)).unwrap();
    let mut check = tool::find("checkpolicy", "apt-get install checkpolicy")?;
    tool::succeed(check.args(["-M", "-o"]).arg(&binary).arg(source));
    Some(binary)
}

#[test]
fn contexts_are_valid_under_a_policy_with_their_types() {
    if let Some((success, said)) = compile(&declared()) {
        assert!(success, "{said}");
    }
}

/// That the test above can fail.
#[test]
fn context_of_an_undeclared_type_is_refused() {
    let without = declared().replace("type cros_cami_ipa_socket;\n", "");
    if let Some((success, said)) = compile(&without) {
        assert!(!success && said.contains("cros_cami_ipa_socket"), "{said}");
    }
}

#[test]
fn each_file_gets_its_label() {
    for (path, label) in [
        ("/usr/bin/cami-ipa", "cros_cami_ipa_exec"),
        ("/usr/libexec/cami-ipa/cros_ipa_proxy", "cros_cami_ipa_exec"),
        ("/usr/lib64/libcam_algo.so", "camera_lib"),
        ("/usr/lib/cami-ipa/libcam_algo_reference.so", "camera_lib"),
        ("/usr/lib64/libcamera_ipa_proxy.so", "camera_lib"),
        ("/etc/cami-ipa.toml", "cros_cami_ipa_conf_file"),
        ("/run/cami-ipa", "cros_run_cami_ipa"),
        ("/run/cami-ipa/status-1234.json", "cros_run_cami_ipa"),
        ("/run/cami-ipa/camera-algo.sock", "cros_cami_ipa_socket"),
        ("/var/log/cami-ipa/crash", "cros_var_log_cami_ipa"),
    ] {
        let Some(mut lookup) = tool::find("selabel_lookup", COMPILER) else { return };
        // -r: as written; this machine may have no SELinux to ask.
        lookup.args(["-r", "-b", "file", "-k", path, "-f"]).arg(tool::packaging(CONTEXTS));
        let said = tool::succeed(&mut lookup);
        assert!(said.contains(&format!("u:object_r:{label}:s0")), "{path}: {said}");
    }
}

/// The folders and the socket are those of the other files.
#[test]
fn paths_are_those_that_the_jobs_use() {
    let contexts = tool::text(CONTEXTS);
    let folders = tool::text("chromeos/tmpfiles.d/cami-ipa.conf");
    for line in folders.lines().filter(|line| line.starts_with("d=")) {
        let folder = line.split_whitespace().nth(1).unwrap();
        assert!(Path::new(folder).is_absolute());
        assert!(contexts.contains(&format!("\n{folder}(/.*)?")), "{folder} has no context");
    }
}
