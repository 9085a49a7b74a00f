//! The findings for people: the verdict first.

use std::fmt::Write;

use super::findings::Findings;

/// The whole text.
pub fn render(findings: &Findings) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(findings, &mut text);
    text
}

fn write(findings: &Findings, text: &mut String) -> std::fmt::Result {
    if findings.problems.is_empty() {
        writeln!(text, "good: the vendor library runs in all layers of the sandbox")?;
    } else {
        writeln!(text, "falls short:")?;
        for problem in &findings.problems {
            writeln!(text, "  - {problem}")?;
        }
    }
    writeln!(text, "\nsandbox")?;
    for layer in &findings.sandbox.layers {
        let stands = if layer.engaged { "yes" } else { "no " };
        let more = if layer.engaged { &layer.detail } else { &layer.reason };
        let more = more.as_deref().unwrap_or_default();
        writeln!(text, "{}", format!("  {:<10}{stands} {more}", layer.name.name()).trim_end())?;
    }
    let system = &findings.system;
    writeln!(text, "\nsystem")?;
    let landlock = system.landlock_abi.map_or("none".to_owned(), |abi| format!("ABI {abi}"));
    let yes_or_no = |value: bool| if value { "yes" } else { "no" };
    writeln!(text, "  kernel                {}", system.kernel)?;
    writeln!(text, "  Landlock              {landlock}")?;
    writeln!(text, "  outer seccomp filter  {}", yes_or_no(system.outer_seccomp_filter))?;
    writeln!(text, "  tracing allowed       {}", yes_or_no(system.ptrace_allowed))?;
    writeln!(text, "  user has a number     {}", yes_or_no(system.user_mapped))?;
    writeln!(text, "  in a chroot           {}", yes_or_no(system.chroot))?;
    for (name, value) in &system.sysctls {
        writeln!(text, "  {name} = {value}")?;
    }
    let configuration = &findings.configuration;
    writeln!(text, "\nconfiguration")?;
    if let Some(file) = &configuration.file {
        let absent = if configuration.file_exists { "" } else { " (is not there)" };
        writeln!(text, "  {}{absent}", file.display())?;
    }
    for setting in &configuration.settings {
        writeln!(text, "  {} = {} (from {})", setting.key, setting.value, setting.set_by)?;
    }
    for warning in &configuration.warnings {
        writeln!(text, "  {warning}")?;
    }
    writeln!(text, "\nvendor library")?;
    match &findings.library {
        None => writeln!(text, "  none")?,
        Some(library) => {
            writeln!(text, "  {}", library.path.display())?;
            let unknown = "unknown";
            let revision = library.revision.as_deref().unwrap_or(unknown);
            let build_id = library.build_id.as_deref().unwrap_or(unknown);
            writeln!(text, "  revision {revision}, build-id {build_id}")?;
            for needed in &library.needed {
                let path = needed
                    .path
                    .as_ref()
                    .map_or("not found".to_owned(), |path| path.display().to_string());
                writeln!(text, "  needs {} => {path}", needed.name)?;
            }
        }
    }
    writeln!(text, "\nhost")?;
    match &findings.host {
        Some(path) => writeln!(text, "  {}", path.display())?,
        None => writeln!(text, "  not found")?,
    }
    writeln!(text, "\nrecording")?;
    match &findings.recording {
        None => writeln!(text, "  off (the key `record` is not set)")?,
        Some(recording) => {
            let can = if recording.can_write { "" } else { ", which cannot be written" };
            writeln!(text, "  to the {} {}{can}", recording.kind, recording.path.display())?;
            let limit = match recording.limit_mib {
                0 => "no limit".to_owned(),
                limit => format!("{limit} MiB"),
            };
            let free =
                recording.free_mib.map_or("unknown".to_owned(), |free| format!("{free} MiB"));
            writeln!(text, "  record_limit_mib {limit}, free on the disk {free}")?;
        }
    }
    writeln!(text, "\nlibcamera")?;
    let libcamera = &findings.libcamera;
    if libcamera.libraries.is_empty() {
        writeln!(text, "  none")?;
    }
    let path = |path: &Option<std::path::PathBuf>| match path {
        Some(path) => path.display().to_string(),
        None => "none".to_owned(),
    };
    let whose = |ours| if ours { "ours" } else { "libcamera's" };
    for found in &libcamera.libraries {
        let version = found.version.as_deref().unwrap_or("version unknown");
        writeln!(text, "  {} ({version}), led by {}", found.path.display(), found.led_by)?;
        let (module, worker) = (path(&found.module), path(&found.worker));
        writeln!(text, "    IPU3 module {module}, {}", whose(found.module_is_ours))?;
        writeln!(text, "      {}", found.module_why)?;
        writeln!(text, "    worker      {worker}, {}", whose(found.worker_is_ours))?;
    }
    for service in &libcamera.services {
        let set = |value: &Option<String>| value.clone().unwrap_or_else(|| "unset".to_owned());
        let (modules, workers) = (set(&service.module_path), set(&service.proxy_path));
        writeln!(
            text,
            "  {} (process {}): modules {modules}, workers {workers}",
            service.name, service.pid
        )?;
        for said in &service.overrides {
            writeln!(text, "    {}={}: {}", said.name, said.value, said.effect)?;
        }
    }
    for said in &libcamera.overrides {
        writeln!(text, "  {}={}: {}", said.name, said.value, said.effect)?;
    }
    for tuning in &libcamera.tuning {
        writeln!(text, "  tuning of {}: {}", tuning.sensor, tuning.path.display())?;
    }
    Ok(())
}
