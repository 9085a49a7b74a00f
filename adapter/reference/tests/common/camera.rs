//! A whole session through the HAL's own sequence (`cami_ipu3::sequence`), in front of a scene of
//! one grey.

use cami_abi::CameraAlgorithm;
use cami_ipu3::payload::*;
use cami_ipu3::sequence::ae::{AeAnswer, AeControls};
use cami_ipu3::sequence::af::{AfControls, lens_target};
use cami_ipu3::sequence::aic::{Adjustments, AicMode, AicResults, AicSetup, Geometry};
use cami_ipu3::sequence::awb::AwbControls;
use cami_ipu3::sequence::gbce::GbceAnswer;
use cami_ipu3::sequence::pa::PaAnswer;
use cami_ipu3::sequence::sa::{SaAnswer, Tables};
use cami_ipu3::sequence::set_up::{self, CmcAnswer};
use cami_ipu3::sequence::statistics::{AfCells, RgbsCells, Statistics};
use cami_ipu3::sequence::{ae, af, aic, awb, gbce, pa, sa, statistics};
use cami_ipu3::{Command, bytes_of, zeroed_box};

use super::Hal;

/// A grey that is lit: digital numbers per µs of exposure at gain 1, red and blue over green, and
/// the lens position at which it is sharp.
#[derive(Clone, Copy)]
pub struct Scene {
    pub brightness: f64,
    pub r_per_g: f64,
    pub b_per_g: f64,
    pub sharp_at: i32,
}

/// What one frame came to.
pub struct Frame {
    /// Mean green of the frame's statistics, 0 to 255; `None` of the first, which has none.
    pub level: Option<f64>,
    pub ae: AeAnswer,
    pub awb: AwbResults,
    pub af: AfResults,
    pub pa: PaAnswer,
    pub sa_updated: bool,
    pub config: Box<IPU3AicConfig>,
}

/// A camera that is open.
pub struct Camera<'a> {
    hal: &'a Hal,
    pub cmc: CmcAnswer,
    mkn: u64,
    pub aiq: u64,
    setup: AicSetup,
    transport: Box<Transport>,
    frame: u64,
    lens: i32,
    last: Option<Last>,
}

struct Last {
    ae: AeAnswer,
    awb: AwbResults,
    pa: PaAnswer,
    sa: SaAnswer,
    af: AfResults,
}

impl<'a> Camera<'a> {
    pub fn open(hal: &'a Hal, tuning: &[u8]) -> Self {
        let cmc = hal.fill(Command::CmcInit, |payload| {
            set_up::fill_cmc_init(payload, tuning).unwrap();
        });
        let cmc = CmcAnswer::take(&cmc).unwrap();
        assert!(cmc.converts_gains());
        let mkn = hal.fill(Command::MknInit, set_up::fill_mkn_init).results;
        hal.fill(Command::MknEnable, |payload| set_up::fill_mkn_enable(payload, mkn, true));
        let (header, blobs) = set_up::aiq_init(tuning, b"nvm", b"", mkn, cmc.handle).unwrap();
        let buffer = hal.buffer(size_of_val(&header) + blobs.len());
        buffer.fill(&[bytes_of(&header), &blobs].concat());
        assert_eq!(hal.status(Command::AiqInit, buffer.handle), 0);
        let aiq = set_up::take_handle("AIQ", buffer.payload::<AiqInitParams>().results).unwrap();
        hal.server.deregister_buffers(&[buffer.handle]);

        let setup = AicSetup {
            mode: AicMode::Video,
            frame_use: 0,
            geometry: Geometry::full(cmc.size.unwrap(), (1920, 1080)),
            adjustments: Adjustments::default(),
        };
        let mut transport = zeroed_box::<Transport>();
        aic::fill_init(&mut transport, cmc.handle, tuning, &setup).unwrap();
        hal.good(Command::AicInit, &*transport);
        Self { hal, cmc, mkn, aiq, setup, transport, frame: 0, lens: 0, last: None }
    }

    pub fn close(self) {
        let Self { hal, cmc, mkn, aiq, .. } = self;
        hal.fill(Command::AiqDeinit, |payload| set_up::fill_aiq_deinit(payload, aiq));
        hal.fill(Command::MknUninit, |payload| set_up::fill_mkn_uninit(payload, mkn));
        hal.fill(Command::CmcDeinit, |payload| set_up::fill_cmc_deinit(payload, cmc.handle));
    }

    fn timestamp(&self) -> u64 {
        1_000_000 + 33_333 * self.frame
    }

    /// Sends the statistics of a frame that was exposed by the results of the one before.
    fn statistics(&self, scene: &Scene, last: &Last) -> f64 {
        let exposure = &last.ae.results().exposure;
        let light = f64::from(exposure.exposure_time_us)
            * f64::from(exposure.analog_gain)
            * f64::from(exposure.digital_gain);
        let level = |factor: f64| (scene.brightness * light * factor).clamp(0.0, 255.0) as u8;
        let green = level(1.0);
        let cell = RgbsGridBlock {
            avg_gr: green,
            avg_r: level(scene.r_per_g),
            avg_b: level(scene.b_per_g),
            avg_gb: green,
            sat: if green > 250 { 255 } else { 0 },
        };
        let away = f64::from(self.lens - scene.sharp_at) / 80.0;
        let sharpness = 1.0 / (1.0 + away * away);
        self.hal.fill(Command::StatisticsSet, |payload| {
            let statistics = Statistics {
                frame_id: self.frame,
                timestamp_us: self.timestamp(),
                ae: &last.ae,
                awb: &last.awb,
                pa: &last.pa,
                sa: Some(&last.sa),
                tables: Tables::AsAnswered,
                af: Some(&last.af),
                rgbs: RgbsCells { width: 80, height: 60, cells: &[cell; 4800] },
                af_grid: AfCells {
                    width: 32,
                    height: 24,
                    block: (32, 32),
                    response_1: &[(1000.0 * sharpness) as i32; 768],
                    response_2: &[(3000.0 * sharpness) as i32; 768],
                },
            };
            statistics::fill(payload, self.aiq, &statistics).unwrap();
        });
        f64::from(green)
    }

    pub fn frame(&mut self, scene: &Scene) -> Frame {
        let (hal, aiq) = (self.hal, self.aiq);
        let last = self.last.take();
        let level = last.as_ref().map(|last| self.statistics(scene, last));

        let answer = hal.fill(Command::AeRun, |payload: &mut AeRunParams| {
            let mut sensor = payload.sensor_descriptor;
            sensor.pixel_clock_freq_mhz = 432.0;
            sensor.pixel_periods_per_line = 4480;
            sensor.line_periods_per_field = 3214;
            sensor.line_periods_vertical_blanking = 78;
            sensor.fine_integration_time_max_margin = 4480;
            sensor.coarse_integration_time_min = 4;
            sensor.coarse_integration_time_max_margin = 8;
            ae::fill(payload, aiq, &AeControls::preview(sensor, (33_333, 33_334)));
        });
        let ae = AeAnswer::take(&answer).unwrap();
        let answer = hal.fill(Command::GbceRun, |payload| gbce::fill(payload, aiq, 0, 0.0));
        let gbce = GbceAnswer::take(&answer).unwrap();
        let controls = AwbControls::default();
        let answer = hal.fill(Command::AwbRun, |payload| awb::fill(payload, aiq, &controls));
        let awb = awb::take(&answer).unwrap();
        let answer = hal.fill(Command::PaRun, |payload| pa::fill(payload, aiq, &awb, &ae, None));
        let pa = PaAnswer::take(&answer).unwrap();
        let sensor = self.setup.geometry.sensor;
        let answer = hal.fill(Command::SaRun, |payload| sa::fill(payload, aiq, 0, &sensor, &awb));
        let sa = SaAnswer::take(&answer, last.map(|last| last.sa)).unwrap();
        let answer =
            hal.fill(Command::AfRun, |payload| af::fill(payload, aiq, &self.af_controls()));
        let af = af::take(&answer).unwrap();
        self.lens = lens_target(&af).unwrap_or(self.lens);

        let results = AicResults {
            timestamp_us: i64::try_from(self.timestamp()).unwrap(),
            ae: &ae,
            awb: &awb,
            gbce: &gbce,
            pa: &pa,
            sa: &sa,
            tables: Tables::AsAnswered,
        };
        aic::fill_run(&mut self.transport, &self.setup, &results);
        hal.good(Command::AicRun, &*self.transport);
        let config = hal.fill(Command::AicGetConfig, |payload| {
            aic::fill_get_config(payload, self.setup.mode);
        });
        self.frame += 1;
        let sa_updated = sa.updated();
        self.last = Some(Last { ae: ae.clone(), awb, pa: pa.clone(), sa, af });
        Frame { level, ae, awb, af, pa, sa_updated, config }
    }

    fn af_controls(&self) -> AfControls {
        AfControls {
            lens_position: self.lens,
            lens_moved_us: self.timestamp().saturating_sub(20_000),
            new_search: self.frame == 5,
            ..AfControls::default()
        }
    }

    pub fn lens(&self) -> i32 {
        self.lens
    }
}
