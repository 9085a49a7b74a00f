//! The scene model against recorded runs of a real 3A library (folder in `CAMI_IPA_VECTORS`).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use virtual_camera::{Camera, Exposure, SceneModel};

/// The text of an xz file.
fn unpacked(path: &Path) -> String {
    let output = Command::new("xz").arg("-dc").arg(path).output().expect("xz is installed");
    assert!(output.status.success(), "{}: {}", path.display(), output.status);
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_scene_model_gives_the_recorded_checksums() {
    let Some(vectors) = std::env::var_os("CAMI_IPA_VECTORS") else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: CAMI_IPA_VECTORS is not set");
        return;
    };
    let vectors = Path::new(&vectors);
    for file in [
        "closed_loop/ov13858_tfc13myhce_60frames.scene_and_trace.csv.xz",
        "requests/ov13858_tfc13myhce_12frames.trace.csv.xz",
    ] {
        let text = unpacked(&vectors.join(file));
        let scene = SceneModel::parse(&text).expect("a scene");
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
        let mut compared = 0;
        for line in lines {
            let values: Vec<&str> = line.split(',').collect();
            let column = |name: &str| {
                values[header.iter().position(|column| *column == name).expect("a known column")]
            };
            if column("applied_frame") == "-1" {
                continue;
            }
            let exposure = Exposure {
                time_us: column("applied_exp_us").parse().expect("a number"),
                analogue_gain: column("applied_again").parse().expect("a number"),
                digital_gain: column("applied_dgain").parse().expect("a number"),
            };
            let frame = column("frame").parse().expect("a number");
            let grids =
                scene.grids(frame, &exposure, column("lens_pos").parse().expect("a number"));
            assert_eq!(
                format!("{:08x}", grids.rgbs_crc32()),
                column("rgbs_crc32"),
                "frame {frame}"
            );
            assert_eq!(grids.af[0].response_1.to_string(), column("af_fr1"), "frame {frame}");
            assert_eq!(grids.af[0].response_2.to_string(), column("af_fr2"), "frame {frame}");
            compared += 1;
        }
        assert!(compared > 10, "{file} was compared");
    }
}
