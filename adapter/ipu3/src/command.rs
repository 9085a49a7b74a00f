//! The commands: a request's `req_id` (spec/ipu3-protocol.md, 1.1 and 1.2).

use crate::payload::{
    AeRunParams, AfRunParams, AicVersionParams, AiqDeinitParams, AiqInitParams, AiqVersionParams,
    AwbRunParams, BinaryDataParams, CmcDeinitParams, CmcInitParams, ConvertCoordinatesParams,
    ExcAnalogGainToSensorUnitsParams, FaceEngineInitParams, FaceEngineRunParams, GbceRunParams,
    IPU3AicConfig, MknEnableParams, MknInitParams, MknPrepareParams, MknUninitParams, PaRunParams,
    SaRunParams, SetStatisticsParams, Transport,
};

/// The whole request header: the key that the server looks for
/// (platform2 `psl/ipu3/ipc/IPCCommon.h`, `IPC_MATCHING_KEY`).
pub const HEADER: [u8; 1] = [0x56];

/// The status of a request that was carried out.
pub const STATUS_OK: u32 = 0;
/// The status of any other; nothing finer crosses.
pub const STATUS_FAILED: u32 = 1;

/// The server's threads. Requests of one group are carried out in order, those of different groups
/// at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Commands 6 to 16.
    Aiq = 0,
    /// Commands 1 to 5.
    Aic = 1,
    /// Commands 17 to 29.
    Other = 2,
}

macro_rules! commands {
    ($($number:literal $variant:ident $name:literal $bytes:expr, $doc:literal;)+) => {
        /// One command. At most one request of each is in flight: the answer names it by this
        /// number alone.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Command {
            $(#[doc = $doc] $variant = $number,)+
        }

        impl Command {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in logs and reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The least size in bytes of the request's buffer; 0 where it has none.
            #[must_use]
            pub const fn payload_bytes(self) -> usize {
                match self { $(Self::$variant => $bytes,)+ }
            }
        }

        impl TryFrom<u32> for Command {
            type Error = UnknownCommand;

            fn try_from(number: u32) -> Result<Self, UnknownCommand> {
                match number {
                    $($number => Ok(Self::$variant),)+
                    other => Err(UnknownCommand(other)),
                }
            }
        }
    };
}

commands! {
    1 AicInit "AIC_INIT" size_of::<Transport>(), "Makes the AIC of one mode.";
    2 AicRun "AIC_RUN" size_of::<Transport>(), "Computes the ISP configuration of a frame.";
    3 AicReset "AIC_RESET" size_of::<Transport>(), "As AIC_RUN, from scratch; a HAL never sends it.";
    4 AicGetVersion "AIC_GETAICVERSION" size_of::<AicVersionParams>(), "Version of the AIC.";
    5 AicGetConfig "AIC_GETAICCONFIG" size_of::<IPU3AicConfig>(), "Reads the ISP configuration.";
    6 AiqInit "AIQ_INIT" size_of::<AiqInitParams>(), "Makes an AIQ; tuning, NVM and AIQD follow the struct.";
    7 AiqDeinit "AIQ_DEINIT" size_of::<AiqDeinitParams>(), "Ends an AIQ.";
    8 AeRun "AIQ_AE_RUN" size_of::<AeRunParams>(), "Automatic exposure.";
    9 AfRun "AIQ_AF_RUN" size_of::<AfRunParams>(), "Automatic focus.";
    10 AwbRun "AIQ_AWB_RUN" size_of::<AwbRunParams>(), "Automatic white balance.";
    11 GbceRun "AIQ_GBCE_RUN" size_of::<GbceRunParams>(), "Gamma and tone map.";
    12 PaRun "AIQ_PA_RUN" size_of::<PaRunParams>(), "Colour matrix, colour gains, black level.";
    13 SaRun "AIQ_SA_RUN" size_of::<SaRunParams>(), "Lens shading table.";
    14 AiqGetData "AIQ_GET_AIQ_DATA" size_of::<BinaryDataParams>(), "State to start from next time.";
    15 StatisticsSet "AIQ_STATISTICS_SET" size_of::<SetStatisticsParams>(), "Statistics of a frame and the results that it was taken with.";
    16 AiqGetVersion "AIQ_GET_VERSION" size_of::<AiqVersionParams>(), "Version of the AIQ.";
    17 CmcInit "CMC_INIT" size_of::<CmcInitParams>(), "Parses a tuning file.";
    18 CmcDeinit "CMC_DEINIT" size_of::<CmcDeinitParams>(), "Ends a CMC.";
    19 ExcAnalogGainToSensor "EXC_ANALOG_GAIN_TO_SENSOR" size_of::<ExcAnalogGainToSensorUnitsParams>(), "Gain to the sensor's code.";
    20 ExcSensorToAnalogGain "EXC_SENSOR_TO_ANALOG_GAIN" size_of::<ExcAnalogGainToSensorUnitsParams>(), "The sensor's code to gain.";
    21 MknInit "MKN_INIT" size_of::<MknInitParams>(), "Makes a makernote.";
    22 MknUninit "MKN_UNINIT" size_of::<MknUninitParams>(), "Ends a makernote.";
    23 MknPrepare "MKN_PREPARE" size_of::<MknPrepareParams>(), "Reads a makernote.";
    24 MknEnable "MKN_ENABLE" size_of::<MknEnableParams>(), "Starts and stops collecting.";
    25 CoordinateConvert "COORDINATE_COVERT" size_of::<ConvertCoordinatesParams>(), "From one coordinate system to another (the name is the original's).";
    26 CoordinateFaces "COORDINATE_FACES" 0, "Not carried out by the server.";
    27 FaceInit "FACE_INIT" size_of::<FaceEngineInitParams>(), "Starts the face engine.";
    28 FaceUninit "FACE_UNINIT" 0, "Ends it; the only command without a buffer (handle -1).";
    29 FaceRun "FACE_RUN" size_of::<FaceEngineRunParams>(), "Finds faces in a picture.";
}

impl Command {
    /// The number: a request's `req_id`.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The thread that carries it out.
    #[must_use]
    pub const fn group(self) -> Group {
        match self.number() {
            1..=5 => Group::Aic,
            6..=16 => Group::Aiq,
            _ => Group::Other,
        }
    }
}

/// No command has this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCommand(pub u32);

#[cfg(test)]
mod tests {
    use super::{Command, Group, UnknownCommand};

    /// spec/ipu3-protocol.md, 1.2.
    #[test]
    fn payload_bytes_are_the_measured_ones() {
        for (command, bytes) in [
            (Command::AicInit, 1_201_128),
            (Command::AicGetVersion, 108),
            (Command::AicGetConfig, 288_072),
            (Command::AiqInit, 48),
            (Command::AeRun, 16_800),
            (Command::AfRun, 120),
            (Command::AwbRun, 80),
            (Command::GbceRun, 16_456),
            (Command::PaRun, 105_768),
            (Command::SaRun, 262_440),
            (Command::AiqGetData, 500_016),
            (Command::StatisticsSet, 1_178_008),
            (Command::AiqGetVersion, 104),
            (Command::CmcInit, 823_296),
            (Command::ExcAnalogGainToSensor, 22_576),
            (Command::MknPrepare, 800_016),
            (Command::CoordinateConvert, 80),
            (Command::FaceRun, 2_458_268),
        ] {
            assert_eq!(command.payload_bytes(), bytes, "{}", command.name());
        }
    }

    #[test]
    fn numbers_go_there_and_back_and_have_their_groups() {
        for command in Command::ALL {
            assert_eq!(Command::try_from(command.number()), Ok(*command));
        }
        assert_eq!(Command::ALL.len(), 29);
        assert_eq!(Command::try_from(0), Err(UnknownCommand(0)));
        assert_eq!(Command::try_from(30), Err(UnknownCommand(30)));
        assert_eq!(Command::AeRun.group(), Group::Aiq);
        assert_eq!(Command::AicRun.group(), Group::Aic);
        assert_eq!(Command::CmcInit.group(), Group::Other);
    }
}
