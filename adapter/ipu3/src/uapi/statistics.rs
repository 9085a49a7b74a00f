//! `ipu3_uapi_stats_3a`: what the driver gives for one frame.

use super::measuring::*;

plain! { "ipu3_uapi_awb_set_item", AwbSetItem, 8:
    gr_avg: u8 = 0,
    r_avg: u8 = 1,
    b_avg: u8 = 2,
    gb_avg: u8 = 3,
    sat_ratio: u8 = 4,
    padding0: u8 = 5,
    padding1: u8 = 6,
    padding2: u8 = 7,
}

plain! { "one cell of ipu3_uapi_af_raw_buffer", AfItem, 4:
    y1_avg: u16 = 0,
    y2_avg: u16 = 2,
}

plain! { "one cell of ipu3_uapi_awb_fr_raw_buffer", AwbFrItem, 8:
    gr_avg: u16 = 0,
    r_avg: u16 = 2,
    b_avg: u16 = 4,
    gb_avg: u16 = 6,
}

plain! { "ipu3_uapi_4a_config", Stats4aConfig, 192:
    awb_config: AwbConfigS = 0,
    ae_grd_config: AeGridConfig = 32,
    padding: [u8; 20] = 44,
    af_config: AfConfigS = 64,
    awb_fr_config: AwbFrConfigS = 160,
}

plain! { "ipu3_uapi_bubble_info", BubbleInfo, 128:
    num_of_stripes: u32 = 0,
    padding: [u8; 28] = 4,
    num_sets: u32 = 32,
    padding1: [u8; 28] = 36,
    size_of_set: u32 = 64,
    padding2: [u8; 28] = 68,
    bubble_size: u32 = 96,
    padding3: [u8; 28] = 100,
}

plain! { "ipu3_uapi_stats_3a_bubble_info_per_stripe", Stats3aBubbleInfoPerStripe, 768:
    awb: [BubbleInfo; 2] = 0,
    af: [BubbleInfo; 2] = 256,
    awb_fr: [BubbleInfo; 2] = 512,
}

plain! { "ipu3_uapi_ff_status", FfStatus, 128:
    awb_en: u32 = 0,
    padding: [u8; 28] = 4,
    ae_en: u32 = 32,
    padding1: [u8; 28] = 36,
    af_en: u32 = 64,
    padding2: [u8; 28] = 68,
    awb_fr_en: u32 = 96,
    padding3: [u8; 28] = 100,
}

plain! { "ipu3_uapi_stats_3a", Stats3a, 125664:
    awb_raw_buffer: [AwbSetItem; 10800] = 0,
    ae_raw_buffer: [[u32; 1024]; 2] = 86400,
    af_raw_buffer: [AfItem; 2496] = 94592,
    awb_fr_raw_buffer: [AwbFrItem; 2496] = 104576,
    stats_4a_config: Stats4aConfig = 124544,
    ae_join_buffers: u32 = 124736,
    padding: [u8; 28] = 124740,
    stats_3a_bubble_per_stripe: Stats3aBubbleInfoPerStripe = 124768,
    stats_3a_status: FfStatus = 125536,
}
