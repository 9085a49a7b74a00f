//! The sequence against recorded requests of the HAL's own code (folder in `CAMI_IPA_VECTORS`).
//!
//! Each request is filled into what its buffer held after the request before it, and must then
//! equal the recorded bytes, but for words that hold addresses: those must be NULL or not NULL as
//! recorded.

use std::collections::HashMap;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use super::ae::{self, AeAnswer, AeControls};
use super::af::{self, AfControls};
use super::aic::{self, Adjustments, AicMode, AicResults, AicSetup, Geometry};
use super::awb::{self, AwbControls};
use super::gbce::{self, GbceAnswer};
use super::pa::{self, PaAnswer};
use super::sa::{self, SaAnswer, Tables};
use super::set_up::{self, CmcAnswer};
use super::statistics::{self, AfCells, RgbsCells, Statistics};
use crate::payload::{
    AeRunParams, AfResults, AfRunParams, AiqDeinitParams, AwbResults, AwbRunParams,
    CmcDeinitParams, CmcInitParams, ExcAnalogGainToSensorUnitsParams, GbceRunParams, IPU3AicConfig,
    MknEnableParams, MknInitParams, MknUninitParams, PaRunParams, SaRunParams, SetStatisticsParams,
    Transport,
};
use crate::{Pod, bytes_of, bytes_of_mut, zeroed_box};

const ARCHIVE: &str = "requests/ov13858_tfc13myhce_12frames.tar.xz";

/// A handle of this process; its bytes are masked like the recorded one's.
const HANDLE: u64 = 0x1234;

/// One recorded request: its command and the buffer before and after it.
struct Recorded {
    command: u32,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// The files of an xz-compressed tar archive by name.
fn unpack(path: &Path) -> HashMap<String, Vec<u8>> {
    let output = Command::new("xz").arg("-dc").arg(path).output().expect("xz is installed");
    assert!(output.status.success(), "{}: {}", path.display(), output.status);
    let mut rest = output.stdout.as_slice();
    let mut files = HashMap::new();
    while let Some((header, data)) = rest.split_at_checked(512) {
        let text = |range: Range<usize>| {
            let field = header[range].split(|byte| *byte == 0).next().expect("a field");
            String::from_utf8(field.to_vec()).expect("ASCII")
        };
        let name = text(0..100);
        if name.is_empty() {
            break;
        }
        let size = usize::from_str_radix(text(124..136).trim(), 8).expect("an octal size");
        let name = name.rsplit('/').next().expect("a name").to_owned();
        files.insert(name, data[..size].to_vec());
        rest = &data[size.next_multiple_of(512)..];
    }
    files
}

/// All requests in order, and the masked ranges of requests by command.
fn recording(vectors: &Path) -> (Vec<Recorded>, HashMap<u32, Vec<Range<usize>>>) {
    let mut files = unpack(&vectors.join(ARCHIVE));
    let masks = String::from_utf8(files["masks.tsv"].clone()).expect("text");
    let mut masked: HashMap<u32, Vec<Range<usize>>> = HashMap::new();
    for line in masks.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| fields[index].parse::<usize>().expect("a number");
        if fields[1] == "in" {
            let command = u32::try_from(number(0)).expect("a command");
            masked.entry(command).or_default().push(number(2)..number(3) + 1);
        }
    }
    let manifest = String::from_utf8(files["manifest.tsv"].clone()).expect("text");
    let requests = manifest
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let sequence: u32 = fields[0].parse().expect("a number");
            let command: u32 = fields[1].parse().expect("a number");
            let mut take = |direction| {
                let name = format!("{sequence:03}_cmd{command:02}_{direction}.bin");
                files.remove(&name).expect("a recorded buffer")
            };
            Recorded { command, before: take("in"), after: take("out") }
        })
        .collect();
    (requests, masked)
}

fn payload<T: Pod>(bytes: &[u8]) -> Box<T> {
    let mut payload = zeroed_box::<T>();
    bytes_of_mut(&mut *payload).copy_from_slice(bytes);
    payload
}

/// The client: what it remembers, and its buffers as the library left them.
#[derive(Default)]
struct Client {
    masked: HashMap<u32, Vec<Range<usize>>>,
    buffers: HashMap<u32, Vec<u8>>,
    cmc: Option<CmcAnswer>,
    tuning: Vec<u8>,
    frame: u64,
    gains: usize,
    ae: Option<AeAnswer>,
    awb: Option<AwbResults>,
    gbce: Option<GbceAnswer>,
    pa: Option<PaAnswer>,
    sa: Option<SaAnswer>,
    af: Option<AfResults>,
    lens: i32,
}

impl Client {
    /// The buffer that serves a command: both gain conversions share one, and so do AIC_INIT and
    /// AIC_RUN.
    fn buffer(command: u32) -> u32 {
        match command {
            20 => 19,
            2 => 1,
            other => other,
        }
    }

    /// Fills a request into its buffer, compares it with the recorded one, and takes the recorded
    /// answer.
    fn request<T: Pod>(&mut self, recorded: &Recorded, fill: impl FnOnce(&Self, &mut T)) -> Box<T> {
        let buffer = Self::buffer(recorded.command);
        let mut request = match self.buffers.get(&buffer) {
            Some(bytes) => payload::<T>(bytes),
            None => zeroed_box::<T>(),
        };
        fill(self, &mut request);
        self.compare(recorded, bytes_of(&*request));
        if let Some(before) = self.buffers.get(&buffer) {
            self.compare_unused(recorded, bytes_of(&*request), before);
        }
        self.buffers.insert(buffer, recorded.after.clone());
        payload(&recorded.after)
    }

    fn compare(&self, recorded: &Recorded, ours: &[u8]) {
        let theirs = &recorded.before;
        let command = recorded.command;
        assert_eq!(ours.len(), theirs.len(), "size of command {command}");
        let mut next = 0;
        let masked = self.masked.get(&command).map_or(&[][..], Vec::as_slice);
        for range in masked {
            assert_same(command, next, &ours[next..range.start], &theirs[next..range.start]);
            for word in range.clone().step_by(8) {
                let null = |bytes: &[u8]| bytes[word..word + 8] == [0; 8];
                assert_eq!(null(ours), null(theirs), "command {command}: word at {word} NULL");
            }
            next = range.end;
        }
        assert_same(command, next, &ours[next..], &theirs[next..]);
    }

    /// What a request does not say that it uses, it leaves alone.
    fn compare_unused(&self, recorded: &Recorded, ours: &[u8], before: &[u8]) {
        let parts = match recorded.command {
            15 => statistics::used(&payload(ours), Tables::default()),
            2 => aic::used_by_run(&payload(ours), Tables::default()),
            _ => return,
        };
        let used: usize = parts.iter().map(|part| part.len()).sum();
        assert!(used * 10 < ours.len(), "{used} bytes used of {}", ours.len());
        let mut next = 0;
        for part in parts {
            assert!(part.start >= next, "in ascending order");
            assert_same(recorded.command, next, &ours[next..part.start], &before[next..part.start]);
            next = part.end;
        }
        assert_same(recorded.command, next, &ours[next..], &before[next..]);
    }

    fn timestamp(&self) -> u64 {
        1_000_000 + 33_333 * self.frame
    }

    fn setup() -> AicSetup {
        AicSetup {
            mode: AicMode::Video,
            frame_use: 0,
            geometry: Geometry::full((4224, 3136), (1920, 1080)),
            adjustments: Adjustments::default(),
        }
    }

    fn set_up(&mut self, recorded: &Recorded) {
        match recorded.command {
            17 => {
                let size = u32::from_le_bytes(recorded.before[..4].try_into().expect("4 bytes"));
                let size = usize::try_from(size).expect("a size");
                self.tuning = recorded.before[4..][..size].to_vec();
                let answer = self.request(recorded, |client, payload: &mut CmcInitParams| {
                    set_up::fill_cmc_init(payload, &client.tuning).expect("it fits");
                });
                let cmc = CmcAnswer::take(&answer).expect("a good answer");
                assert_eq!(cmc.nearest_cm, Some(10), "its travel is that to 100 mm");
                assert_eq!(cmc.size, Some((4224, 3136)));
                assert!(cmc.converts_gains());
                self.cmc = Some(cmc);
            }
            19 => {
                let gain = [1.0, 2.0, 8.0, set_up::UNREACHABLE_GAIN][self.gains];
                self.gains += 1;
                type Exc = ExcAnalogGainToSensorUnitsParams;
                self.request(recorded, |client, payload: &mut Exc| {
                    set_up::fill_gain_to_code(payload, client.cmc.as_ref().expect("CMC"), gain);
                });
            }
            20 => {
                type Exc = ExcAnalogGainToSensorUnitsParams;
                let code = set_up::take_code(&payload::<Exc>(&self.buffers[&19]));
                let answer = self.request(recorded, |client, payload: &mut Exc| {
                    set_up::fill_code_to_gain(payload, client.cmc.as_ref().expect("CMC"), code);
                });
                let expected = [1.0, 2.0, 8.0, 15.5][self.gains - 1];
                assert_eq!(set_up::take_gain(&answer), Ok(expected));
            }
            21 => {
                let answer = self.request(recorded, |_, payload: &mut MknInitParams| {
                    set_up::fill_mkn_init(payload);
                });
                assert!(set_up::take_handle("handle", answer.results).is_ok());
            }
            24 => {
                self.request(recorded, |_, payload: &mut MknEnableParams| {
                    set_up::fill_mkn_enable(payload, HANDLE, true);
                });
            }
            6 => {
                let (header, data) =
                    set_up::aiq_init(&self.tuning, &[], &[], HANDLE, HANDLE).expect("it fits");
                self.compare(recorded, &[bytes_of(&header), &data].concat());
            }
            1 => {
                self.request(recorded, |client, payload: &mut Transport| {
                    aic::fill_init(payload, HANDLE, &client.tuning, &Self::setup())
                        .expect("it fits");
                });
            }
            7 => {
                self.request(recorded, |_, payload: &mut AiqDeinitParams| {
                    set_up::fill_aiq_deinit(payload, HANDLE);
                });
            }
            22 => {
                self.request(recorded, |_, payload: &mut MknUninitParams| {
                    set_up::fill_mkn_uninit(payload, HANDLE);
                });
            }
            18 => {
                self.request(recorded, |_, payload: &mut CmcDeinitParams| {
                    set_up::fill_cmc_deinit(payload, HANDLE);
                });
            }
            // Versions, AIQ data, maker note and coordinates: not part of this sequence.
            4 | 14 | 16 | 23 | 25 => {}
            other => panic!("unexpected command {other}"),
        }
    }

    fn frame(&mut self, recorded: &Recorded) {
        match recorded.command {
            15 => {
                self.frame += 1;
                self.request(recorded, |client, payload: &mut SetStatisticsParams| {
                    client.statistics(&recorded.before, payload);
                });
            }
            8 => {
                let answer = self.request(recorded, |_, payload: &mut AeRunParams| {
                    let mut sensor = payload.sensor_descriptor;
                    sensor.pixel_clock_freq_mhz = 432.0;
                    sensor.pixel_periods_per_line = 4480;
                    sensor.line_periods_per_field = 3214;
                    sensor.line_periods_vertical_blanking = 78;
                    sensor.fine_integration_time_max_margin = 4480;
                    sensor.coarse_integration_time_min = 4;
                    sensor.coarse_integration_time_max_margin = 8;
                    ae::fill(payload, HANDLE, &AeControls::preview(sensor, (33_333, 33_334)));
                });
                self.ae = Some(AeAnswer::take(&answer).expect("a good answer"));
            }
            11 => {
                let answer = self.request(recorded, |_, payload: &mut GbceRunParams| {
                    gbce::fill(payload, HANDLE, 0, 0.0);
                });
                self.gbce = Some(GbceAnswer::take(&answer).expect("a good answer"));
            }
            10 => {
                let answer = self.request(recorded, |_, payload: &mut AwbRunParams| {
                    awb::fill(payload, HANDLE, &AwbControls::default());
                });
                self.awb = Some(awb::take(&answer).expect("a good answer"));
            }
            12 => {
                let answer = self.request(recorded, |client, payload: &mut PaRunParams| {
                    let awb = client.awb.as_ref().expect("AWB");
                    pa::fill(payload, HANDLE, awb, client.ae.as_ref().expect("AE"), None);
                });
                self.pa = Some(PaAnswer::take(&answer).expect("a good answer"));
            }
            13 => {
                let answer = self.request(recorded, |client, payload: &mut SaRunParams| {
                    let sensor = Self::setup().geometry.sensor;
                    sa::fill(payload, HANDLE, 0, &sensor, client.awb.as_ref().expect("AWB"));
                });
                let before = self.sa.take();
                self.sa = Some(SaAnswer::take(&answer, before).expect("a good answer"));
            }
            9 => {
                let answer = self.request(recorded, |client, payload: &mut AfRunParams| {
                    af::fill(payload, HANDLE, &client.af_controls());
                });
                let af = af::take(&answer).expect("a good answer");
                self.lens = af::lens_target(&af).unwrap_or(self.lens);
                self.af = Some(af);
            }
            2 => {
                self.request(recorded, |client, payload: &mut Transport| {
                    let results = AicResults {
                        timestamp_us: i64::try_from(client.timestamp()).expect("a time"),
                        ae: client.ae.as_ref().expect("AE"),
                        awb: client.awb.as_ref().expect("AWB"),
                        gbce: client.gbce.as_ref().expect("GBCE"),
                        pa: client.pa.as_ref().expect("PA"),
                        sa: client.sa.as_ref().expect("SA"),
                        tables: Tables::default(),
                    };
                    aic::fill_run(payload, &Self::setup(), &results);
                });
            }
            5 => {
                self.request(recorded, |_, payload: &mut IPU3AicConfig| {
                    aic::fill_get_config(payload, AicMode::Video);
                });
            }
            _ => self.set_up(recorded),
        }
    }

    fn af_controls(&self) -> AfControls {
        AfControls {
            lens_position: self.lens,
            lens_moved_us: self.timestamp() - 20_000,
            new_search: self.frame == 5,
            ..AfControls::default()
        }
    }

    /// The grids are the recorded ones: the virtual camera's tests compare those.
    fn statistics(&self, recorded: &[u8], target: &mut SetStatisticsParams) {
        let theirs = payload::<SetStatisticsParams>(recorded);
        let rgbs = &theirs.input.rgbs_grids[0];
        let af = &theirs.input.af_grids[0];
        statistics::fill(
            target,
            HANDLE,
            &Statistics {
                frame_id: self.frame,
                timestamp_us: self.timestamp(),
                ae: self.ae.as_ref().expect("AE"),
                awb: self.awb.as_ref().expect("AWB"),
                pa: self.pa.as_ref().expect("PA"),
                sa: self.sa.as_ref(),
                tables: Tables::default(),
                af: self.af.as_ref(),
                rgbs: RgbsCells { width: 80, height: 60, cells: &rgbs.blocks_ptr[..4800] },
                af_grid: AfCells {
                    width: 32,
                    height: 24,
                    block: (32, 32),
                    response_1: &af.filter_response_1[..768],
                    response_2: &af.filter_response_2[..768],
                },
            },
        )
        .expect("the grids fit");
    }
}

fn assert_same(command: u32, start: usize, ours: &[u8], theirs: &[u8]) {
    if let Some(at) = ours.iter().zip(theirs).position(|(a, b)| a != b) {
        panic!(
            "command {command}: byte {} is {:#04x}, recorded {:#04x}",
            start + at,
            ours[at],
            theirs[at]
        );
    }
}

#[test]
fn the_sequence_fills_the_recorded_requests() {
    let Some(vectors) = std::env::var_os("CAMI_IPA_VECTORS") else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: CAMI_IPA_VECTORS is not set");
        return;
    };
    let (requests, masked) = recording(Path::new(&vectors));
    assert_eq!(requests.len(), 128);
    let mut client = Client { masked, ..Client::default() };
    for recorded in &requests {
        client.frame(recorded);
    }
    assert_eq!(client.frame, 11, "12 frames, the first without statistics");
    assert_eq!(client.lens, 222, "the lens moved as recorded");
}
