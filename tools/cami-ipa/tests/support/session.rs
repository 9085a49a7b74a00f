//! Recordings made up for tests: an IPU3 session whose every number is known.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test may state what it expects; not every test uses everything"
)]

use std::fs::File;
use std::path::Path;

use cami_ipu3::payload::{
    AeRunParams, AfRunParams, AwbRunParams, IPU3AicConfig, PaRunParams, SetStatisticsParams,
};
use cami_ipu3::{Command, bytes_of, zeroed_box};
use cami_recording::block::{
    Annotation, Answered, Called, Died, Ended, Host, Line, Lost, Requested, Resumed, Returned,
    Usage,
};
use cami_recording::{Buffer, Call, Shadow, Writer};

const MS: u64 = 1_000_000;
/// Between two frames.
const FRAME_NS: u64 = 33 * MS;
const BEGIN_NS: u64 = 5_000 * MS;

/// What happens in the session.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Frames.
    pub frames: u32,
    /// The frame in whose AWB_RUN the first host dies; another takes over.
    pub death: Option<u32>,
    /// The frame whose PA_RUN fails.
    pub failure: Option<u32>,
    /// What the library prints in frame 1.
    pub line: String,
    /// The profile.
    pub profile: String,
    /// The recording's copy of it.
    pub profile_text: Option<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            frames: 12,
            death: None,
            failure: None,
            line: "hello".to_owned(),
            profile: "intel-ipu3".to_owned(),
            profile_text: None,
        }
    }
}

/// A profile of one's own: the numbers of IPU3's commands under other names, without fields. A frame
/// begins with `measure` (AIQ_AE_RUN).
pub const OWN_PROFILE: &str = "\
name = \"own\"
frame_begins = [\"measure\"]
[commands.measure]
id = 8
[commands.balance]
id = 10
";

/// Exposure time of a frame, in µs.
pub fn exposure_us(frame: u32) -> i32 {
    1000 + 10 * frame as i32
}

/// A session that is being written.
struct Session {
    writer: Writer<File>,
    shadows: Vec<Shadow>,
    number: u64,
    cookie: u32,
    host: u32,
    now: u64,
}

impl Session {
    fn host(&mut self, plan: &Plan, cause: Option<&str>) {
        self.now += MS;
        if let Some(cause) = cause {
            let (host, at_ns) = (self.host, self.now);
            let died = Died { host, at_ns, signal: 11, cause: cause.into(), ..Died::default() };
            self.writer.write(&died.into()).expect("written");
            self.now += 2 * MS;
        }
        self.host += 1;
        let host = Host {
            host: self.host,
            at_ns: self.now,
            real_ns: 1_790_000_000_000_000_000 + self.now,
            monitor_pid: 100 + self.host as i32,
            vendor_pid: 200 + self.host as i32,
            restarts: self.host - 1,
            library: "/opt/vendor/libvendor.so".into(),
            build_id: "0123abcd".into(),
            revision: "G".into(),
            profile: plan.profile.clone(),
            command_at: 0,
            ok_status: 0,
        };
        self.writer.write(&host.into()).expect("written");
        self.call(Call::Load, 0, 0);
        self.call(Call::Initialize, 0, 0);
        for handle in 1..=6 {
            self.call(Call::RegisterBuffer, 4096, handle);
        }
        self.request(Command::CmcInit, 6, &[1; 5000], Some((&[2; 5000], 0)));
    }

    fn call(&mut self, call: Call, buffer_bytes: u64, value: i32) {
        self.cookie += 1;
        let (host, cookie, call) = (self.host, self.cookie, call.number());
        let called =
            Called { host, at_ns: self.now, cookie, call, buffer_bytes, handles: Vec::new() };
        self.writer.write(&called.into()).expect("written");
        self.now += MS / 10;
        let answered = Answered { host, at_ns: self.now, cookie, call, value };
        self.writer.write(&answered.into()).expect("written");
    }

    fn content(&mut self, handle: usize, bytes: &[u8]) -> u64 {
        while self.shadows.len() <= handle {
            self.shadows.push(Shadow::default());
        }
        let snapshot = self.shadows[handle]
            .look(bytes.len(), &mut |out: &mut [u8], at| {
                out.copy_from_slice(&bytes[at as usize..][..out.len()]);
                Ok::<(), ()>(())
            })
            .expect("looked at");
        self.writer.content(Buffer(handle as u64), &snapshot).expect("written")
    }

    /// A request, and its answer and status.
    fn request(
        &mut self,
        command: Command,
        handle: i32,
        before: &[u8],
        after: Option<(&[u8], u32)>,
    ) {
        self.number += 1;
        self.now += MS / 20;
        let buffer = handle as usize;
        let requested = Requested {
            host: self.host,
            at_ns: self.now,
            number: self.number,
            req_id: command.number(),
            handle,
            content: self.content(buffer, before),
            ..Requested::default()
        };
        self.writer.write(&requested.into()).expect("written");
        self.now += MS / 2 + u64::from(command.number()) * MS / 50;
        let Some((after, status)) = after else { return };
        let returned = Returned {
            host: self.host,
            at_ns: self.now,
            request: self.number,
            req_id: command.number(),
            status,
            handle,
            content: self.content(buffer, after),
            content_errno: 0,
        };
        self.writer.write(&returned.into()).expect("written");
    }

    fn line(&mut self, text: &str) {
        let line = Line { host: self.host, at_ns: self.now, stream: 2, text: text.into() };
        self.writer.write(&line.into()).expect("written");
    }
}

/// Writes a recording.
pub fn write(path: &Path, plan: &Plan) {
    let file = File::create(path).expect("a file");
    let writer = Writer::begin(file, 1_790_000_000_000_000_000).expect("written");
    let mut session =
        Session { writer, shadows: Vec::new(), number: 0, cookie: 0, host: 0, now: BEGIN_NS };
    let copy = plan.profile_text.iter().map(|text| ("profile_text", text.as_str()));
    for (key, value) in
        [("tool_version", "0.1.0"), ("kernel", "Linux 6.1.0")].into_iter().chain(copy)
    {
        let annotation = Annotation { key: key.into(), value: value.into() };
        session.writer.write(&annotation.into()).expect("written");
    }
    session.host(plan, None);
    let (mut ae, mut awb) = (zeroed_box::<AeRunParams>(), zeroed_box::<AwbRunParams>());
    let (mut pa, mut af) = (zeroed_box::<PaRunParams>(), zeroed_box::<AfRunParams>());
    let mut statistics = zeroed_box::<SetStatisticsParams>();
    let mut aic = zeroed_box::<IPU3AicConfig>();
    for frame in 0..plan.frames {
        session.now = session.now.max(BEGIN_NS + 20 * MS + u64::from(frame) * FRAME_NS);
        if frame > 0 {
            grids(&mut statistics, frame);
            let bytes = bytes_of(&*statistics);
            session.request(Command::StatisticsSet, 1, bytes, Some((bytes, 0)));
        }
        if frame == 1 {
            session.line(&plan.line);
        }
        let before = bytes_of(&*ae).to_vec();
        ae.res.exposure.exposure_time_us = exposure_us(frame);
        ae.res.exposure.analog_gain = 1.0 + frame as f32 / 8.0;
        ae.res.exposure.digital_gain = 1.0;
        ae.res.exposures[0].converged = u8::from(frame > 5);
        session.request(Command::AeRun, 2, &before, Some((bytes_of(&*ae), 0)));
        let before = bytes_of(&*awb).to_vec();
        if plan.death == Some(frame) {
            session.request(Command::AwbRun, 3, &before, None);
            session.host(plan, Some("vendor process 201 killed by SIGSEGV in libvendor.so+0x1234"));
            session.request(Command::AwbRun, 3, &before, Some((&before, 0)));
            let resumed = Resumed { host: session.host, at_ns: session.now + 1 };
            session.writer.write(&resumed.into()).expect("written");
        }
        awb.results.cct_estimate = 5000 + 20 * frame;
        awb.results.final_r_per_g = 0.5;
        awb.results.final_b_per_g = 0.75;
        session.request(Command::AwbRun, 3, &before, Some((bytes_of(&*awb), 0)));
        let before = bytes_of(&*pa).to_vec();
        let gains = &mut pa.res.base.color_gains;
        (gains.r, gains.gr, gains.gb, gains.b) = (2.0, 1.0, 1.0, 1.5);
        let status = u32::from(plan.failure == Some(frame));
        session.request(Command::PaRun, 4, &before, Some((bytes_of(&*pa), status)));
        let before = bytes_of(&*af).to_vec();
        af.results.next_lens_position = 300 + frame as i32 % 40;
        session.request(Command::AfRun, 5, &before, Some((bytes_of(&*af), 0)));
        aic.aic_config.bnr_2500_config.bnr.wb_gains.r = 4000;
        session.request(Command::AicGetConfig, 6, &[], Some((bytes_of(&*aic), 0)));
        if frame % 6 == 0 {
            let usage = Usage {
                host: session.host,
                at_ns: session.now,
                cpu_us: u64::from(frame) * 3000,
                resident_bytes: (20 << 20) + (u64::from(frame) << 12),
                threads: 4,
            };
            session.writer.write(&usage.into()).expect("written");
        }
    }
    let (host, at_ns) = (session.host, session.now + MS);
    let lost = Lost { host, at_ns, events: 3, reason: "the queue was full".into() };
    session.writer.write(&lost.into()).expect("written");
    session.writer.write(&Ended { host, at_ns: at_ns + MS }.into()).expect("written");
}

/// A colour ramp that moves, and a focus peak that does.
fn grids(statistics: &mut SetStatisticsParams, frame: u32) {
    let input = &mut statistics.input;
    input.base.frame_id = frame.into();
    (input.base.rgbs_grids, input.base.num_rgbs_grids) = (1, 1);
    (input.base.af_grids, input.base.num_af_grids) = (1, 1);
    let grid = &mut input.rgbs_grids[0];
    (grid.base.grid_width, grid.base.grid_height) = (80, 60);
    for (at, cell) in (0_u32..4800).zip(&mut grid.blocks_ptr) {
        let (x, y) = (at % 80, at / 80);
        cell.avg_r = (x * 3 + frame) as u8;
        (cell.avg_gr, cell.avg_gb) = ((y * 4) as u8, (y * 4) as u8);
        cell.avg_b = (255 - x * 3) as u8;
        cell.sat = if x < 2 { 255 } else { 0 };
    }
    let grid = &mut input.af_grids[0];
    (grid.base.grid_width, grid.base.grid_height) = (32, 24);
    for at in 0..768_u32 {
        let (x, y) = ((at % 32) as i32, (at / 32) as i32);
        let far = (x - (frame % 32) as i32).pow(2) + (y - 12).pow(2);
        grid.filter_response_1[at as usize] = 1000 / (1 + far);
        grid.filter_response_2[at as usize] = 3000 / (1 + far);
    }
}
