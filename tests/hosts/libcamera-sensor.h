/* The sensor, and the lens, of a camera that has no hardware, as their drivers would describe them. */

#pragma once

#include <map>
#include <utility>

#include <linux/v4l2-controls.h>

#include <libcamera/controls.h>
#include <libcamera/geometry.h>
#include <libcamera/ipa/core_ipa_interface.h>

#include "libcamera-versions.h"

namespace fake {

using namespace libcamera;

class Sensor
{
public:
	/* What it is set to. */
	struct Setting {
		int32_t lines, code, lens;
	};

	/* An ov13858 with a lens, in its full mode, or an imx219 without. */
	explicit Sensor(bool hasLens)
		: hasLens(hasLens), exposure_(versions::v4l2Control(V4L2_CID_EXPOSURE, "Exposure")),
		  gain_(versions::v4l2Control(V4L2_CID_ANALOGUE_GAIN, "Analogue Gain")),
		  vblank_(versions::v4l2Control(V4L2_CID_VBLANK, "Vertical Blanking")),
		  hblank_(versions::v4l2Control(V4L2_CID_HBLANK, "Horizontal Blanking")),
		  focus_(versions::v4l2Control(V4L2_CID_FOCUS_ABSOLUTE, "Focus, Absolute"))
	{
		for (const ControlId *id : { &exposure_, &gain_, &vblank_, &hblank_, &focus_ })
			ids_[id->id()] = id;
		if (hasLens) {
			lines_ = { 4, 3206 };
			/* Far more than the sensor has. */
			codes_ = { 0, 8191 };
			first = { 1600, 128, 0 };
			describe(78, 29921, 256);
			lens = ControlInfoMap({ { &focus_, info(0, 1023, 0) } }, ids_);
		} else {
			lines_ = { 4, 2480 };
			codes_ = { 0, 232 };
			first = { 1600, 0, 0 };
			describe(36, 63069, 168);
		}
	}

	IPACameraSensorInfo mode() const
	{
		IPACameraSensorInfo mode;
		const Size size = hasLens ? Size(4224, 3136) : Size(3280, 2464);
		mode.model = hasLens ? "ov13858" : "imx219";
		mode.bitsPerPixel = 10;
#if LIBCAMERA_SINCE(0, 1)
		mode.cfaPattern = 0;
#endif
		mode.activeAreaSize = size;
		mode.analogCrop = Rectangle(0, 0, size.width, size.height);
		mode.outputSize = size;
		mode.pixelRate = hasLens ? 432000000 : 182400000;
		mode.minLineLength = mode.maxLineLength = hasLens ? 4480 : 3448;
		mode.minFrameLength = hasLens ? 3214 : 2500;
		mode.maxFrameLength = hasLens ? 33057 : 65535;
		return mode;
	}

	/* Whether it can be set so. */
	bool takes(const Setting &setting) const
	{
		return setting.lines >= lines_.first && setting.lines <= lines_.second &&
		       setting.code >= codes_.first && setting.code <= codes_.second &&
		       setting.lens >= 0 && setting.lens <= 1023;
	}

	const bool hasLens;
	/* What its driver begins with. */
	Setting first;
	ControlInfoMap controls, lens;

private:
	static ControlInfo info(int32_t min, int32_t max, int32_t def)
	{
		return ControlInfo(ControlValue(min), ControlValue(max), ControlValue(def));
	}

	void describe(int32_t blanking, int32_t maxBlanking, int32_t columns)
	{
		controls = ControlInfoMap({ { &exposure_, info(lines_.first, lines_.second, first.lines) },
					    { &gain_, info(codes_.first, codes_.second, first.code) },
					    { &vblank_, info(blanking, maxBlanking, blanking) },
					    { &hblank_, info(columns, columns, columns) } },
					  ids_);
	}

	ControlId exposure_, gain_, vblank_, hblank_, focus_;
	ControlIdMap ids_;
	std::pair<int32_t, int32_t> lines_, codes_;
};

} /* namespace fake */
