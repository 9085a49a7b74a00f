//! Every buffer of a client: one per command, made once and used again and again, as the HAL does.

use std::io;
use std::os::fd::OwnedFd;

use cami_abi::CameraAlgorithm;
use cami_ipu3::payload::{
    AeRunParams, AfRunParams, AiqDeinitParams, AiqVersionParams, AwbRunParams, BinaryDataParams,
    CmcDeinitParams, CmcInitParams, ExcAnalogGainToSensorUnitsParams, GbceRunParams, IPU3AicConfig,
    MknEnableParams, MknInitParams, MknUninitParams, PaRunParams, SaRunParams, SetStatisticsParams,
    Transport,
};

use crate::buffer::{PayloadBuffer, RegisterError, UNREGISTERED};

/// Makes the struct, its constructor and the functions that go through all buffers.
macro_rules! buffers {
    ($($(#[$doc:meta])* $name:ident: $payload:ty,)*) => {
        /// The buffers.
        #[derive(Debug)]
        pub struct Buffers {
            $($(#[$doc])* pub $name: PayloadBuffer<$payload>,)*
        }

        impl Buffers {
            /// Makes them all.
            ///
            /// # Errors
            /// There is no memory, or no descriptor for it.
            pub fn new() -> io::Result<Self> {
                Ok(Self { $($name: PayloadBuffer::new(concat!("cami-ipa-", stringify!($name)))?,)* })
            }

            /// Gives the library an fd of each.
            ///
            /// # Errors
            /// [`RegisterError`].
            pub fn register(&mut self, library: &dyn CameraAlgorithm) -> Result<(), RegisterError> {
                $(self.$name.register(library)?;)*
                Ok(())
            }

            /// An fd of each, to be given away by somebody else.
            ///
            /// # Errors
            /// There is none left.
            pub fn share(&self) -> io::Result<Vec<OwnedFd>> {
                Ok(vec![$(self.$name.shared.share()?),*])
            }

            /// Takes what `register_buffer` returned for each of them, in their order.
            ///
            /// # Errors
            /// [`RegisterError`].
            pub fn registered(&mut self, handles: &[i32]) -> Result<(), RegisterError> {
                let mut handles = handles.iter().copied();
                $(self.$name.shared.registered(handles.next().unwrap_or(UNREGISTERED))?;)*
                Ok(())
            }

            /// The handles of all.
            #[must_use]
            pub fn handles(&self) -> Vec<i32> {
                vec![$(self.$name.handle()),*]
            }
        }
    };
}

buffers! {
    /// CMC_INIT.
    cmc_init: CmcInitParams,
    /// CMC_DEINIT.
    cmc_deinit: CmcDeinitParams,
    /// Both gain conversions.
    gain: ExcAnalogGainToSensorUnitsParams,
    /// MKN_INIT.
    mkn_init: MknInitParams,
    /// MKN_ENABLE.
    mkn_enable: MknEnableParams,
    /// MKN_UNINIT.
    mkn_uninit: MknUninitParams,
    /// AIQ_GET_VERSION.
    version: AiqVersionParams,
    /// AIQ_GET_AIQ_DATA.
    aiq_data: BinaryDataParams,
    /// AIQ_STATISTICS_SET.
    statistics: SetStatisticsParams,
    /// AIQ_AE_RUN.
    ae: AeRunParams,
    /// AIQ_GBCE_RUN.
    gbce: GbceRunParams,
    /// AIQ_AWB_RUN.
    awb: AwbRunParams,
    /// AIQ_PA_RUN.
    pa: PaRunParams,
    /// AIQ_SA_RUN.
    sa: SaRunParams,
    /// AIQ_AF_RUN.
    af: AfRunParams,
    /// AIQ_DEINIT.
    aiq_deinit: AiqDeinitParams,
    /// AIC_INIT and AIC_RUN.
    aic: Transport,
    /// AIC_GETAICCONFIG.
    aic_config: IPU3AicConfig,
}
