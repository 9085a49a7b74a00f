/* A libcamera application with a pipeline handler that has no hardware: everything from the choice of
 * the IPA module to its end is done by the real CameraManager, IPAManager, IPAModule and IPAProxyIPU3.
 *
 * Compiled by a test against libcamera 0.0.3, with its private and generated headers
 * (tests/tests/libcamera/real.rs). Says what happens, a line for each thing, on standard output.
 */

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <linux/v4l2-controls.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libcamera/base/event_dispatcher.h>
#include <libcamera/base/shared_fd.h>
#include <libcamera/base/thread.h>
#include <libcamera/base/timer.h>
#include <libcamera/camera.h>
#include <libcamera/camera_manager.h>
#include <libcamera/control_ids.h>
#include <libcamera/controls.h>

#include "libcamera/internal/ipa_manager.h"
#include "libcamera/internal/ipa_module.h"
#include "libcamera/internal/pipeline_handler.h"

#include <libcamera/ipa/ipu3_ipa_interface.h>
#include <libcamera/ipa/ipu3_ipa_proxy.h>

using namespace libcamera;

namespace {

constexpr unsigned int PARAMS_BYTES = 39328;
constexpr unsigned int STATS_BYTES = 125664;

template<typename... Args>
void say(const char *format, Args... args)
{
	std::printf(format, args...);
	std::printf("\n");
	std::fflush(stdout);
}

long milliseconds()
{
	auto now = std::chrono::steady_clock::now().time_since_epoch();
	return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

} /* namespace */

namespace fake {

/* The name is what modules are matched with; the namespace keeps it apart from libcamera's own. */
class PipelineHandlerIPU3 : public PipelineHandler
{
public:
	PipelineHandlerIPU3(CameraManager *manager)
		: PipelineHandler(manager),
		  exposure_(V4L2_CID_EXPOSURE, "Exposure", ControlTypeInteger32),
		  gain_(V4L2_CID_ANALOGUE_GAIN, "Analogue Gain", ControlTypeInteger32),
		  vblank_(V4L2_CID_VBLANK, "Vertical Blanking", ControlTypeInteger32),
		  hblank_(V4L2_CID_HBLANK, "Horizontal Blanking", ControlTypeInteger32)
	{
		for (const ControlId *id : { &exposure_, &gain_, &vblank_, &hblank_ })
			ids_[id->id()] = id;

		controls_ = ControlInfoMap({ { &exposure_, ControlInfo(4, 2480, 1600) },
					     { &gain_, ControlInfo(0, 232, 0) },
					     { &vblank_, ControlInfo(32, 63069, 36) },
					     { &hblank_, ControlInfo(168, 168, 168) } },
					   ids_);
	}

	bool match([[maybe_unused]] DeviceEnumerator *enumerator) override
	{
		static bool once = false;
		if (once)
			return false;
		once = true;
		run();
		return false;
	}

	std::unique_ptr<CameraConfiguration>
	generateConfiguration(Camera *, const StreamRoles &) override { return nullptr; }
	int configure(Camera *, CameraConfiguration *) override { return -EINVAL; }
	int exportFrameBuffers(Camera *, Stream *,
			       std::vector<std::unique_ptr<FrameBuffer>> *) override { return -EINVAL; }
	int start(Camera *, const ControlList *) override { return -EINVAL; }

protected:
	int queueRequestDevice(Camera *, Request *) override { return -EINVAL; }
	void stopDevice(Camera *) override {}

private:
	void run()
	{
		auto ipa = IPAManager::createIPA<ipa::ipu3::IPAProxyIPU3>(this, 1, 1);
		if (!ipa) {
			say("no ipa");
			return;
		}
		say("ipa valid %d", ipa->isValid());
		ipa->setSensorControls.connect(this, &PipelineHandlerIPU3::setSensorControls);
		ipa->paramsBufferReady.connect(this, &PipelineHandlerIPU3::paramsReady);
		ipa->metadataReady.connect(this, &PipelineHandlerIPU3::metadataReady);

		IPACameraSensorInfo sensor;
		sensor.model = "imx219";
		sensor.bitsPerPixel = 10;
		sensor.activeAreaSize = Size(3280, 2464);
		sensor.analogCrop = Rectangle(0, 0, 3280, 2464);
		sensor.outputSize = Size(3280, 2464);
		sensor.pixelRate = 182400000;
		sensor.minLineLength = 3448;
		sensor.maxLineLength = 3448;
		sensor.minFrameLength = 2500;
		sensor.maxFrameLength = 65535;

		ControlInfoMap offered;
		inInit_ = true;
		int ret = ipa->init(IPASettings("", "imx219"), sensor, controls_, &offered);
		inInit_ = false;
		say("init %d, %zu controls", ret, offered.size());
		if (ret)
			return;

		ControlInfoMap inMode;
		ipa::ipu3::IPAConfigInfo config{ sensor, controls_, ControlInfoMap(),
						 Size(1280, 720), Size(1280, 720) };
		ret = ipa->configure(config, &inMode);
		say("configure %d, %zu controls", ret, inMode.size());
		auto exposure = inMode.find(&controls::ExposureTime);
		if (exposure != inMode.end())
			say("exposure %d to %d", exposure->second.min().get<int32_t>(),
			    exposure->second.max().get<int32_t>());

		std::vector<IPABuffer> buffers;
		std::vector<uint32_t> numbers;
		for (uint32_t id = 1; id <= 8; id++) {
			unsigned int bytes = id <= 4 ? PARAMS_BYTES : STATS_BYTES;
			int fd = memfd_create("buffer", 0);
			if (fd < 0 || ftruncate(fd, bytes))
				std::abort();
			memory_.push_back(static_cast<unsigned char *>(
				mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)));
			FrameBuffer::Plane plane;
			plane.fd = SharedFD(std::move(fd));
			plane.offset = 0;
			plane.length = bytes;
			buffers.emplace_back(id, std::vector<FrameBuffer::Plane>{ plane });
			numbers.push_back(id);
		}
		std::memset(memory_[0], 0xee, PARAMS_BYTES);
		ipa->mapBuffers(buffers);

		for (int stream = 0; stream < 2; stream++) {
			sensorControls_ = params_ = metadata_ = 0;
			ret = ipa->start();
			say("start %d, %u sensor controls", ret, sensorControls_);
			unsigned int slow = 0;
			for (uint32_t frame = 0; frame < 30; frame++) {
				if (!this->frame(ipa.get(), frame, frame % 10 == 9))
					slow++;
			}
			say("frames: %u parameters, %u metadata, %u sensor controls, %u late, %u wrong",
			    params_, metadata_, sensorControls_, slow, wrong_);
			long before = milliseconds();
			ipa->stop();
			say("stopped, in time %d", milliseconds() - before < 2000);
		}
		say("parameters written %d", memory_[0][0] != 0xee);
		say("in use %d", memory_[1][0] != 0 || memory_[2][0] != 0);
		if (std::getenv("HOST_ABORTS")) {
			ipa->start();
			say("aborts");
			std::abort();
		}
		ipa->unmapBuffers(numbers);
		ipa.reset();
		say("destroyed, %u events inside init", insideInit_);
	}

	/* One frame, as the IPU3 pipeline handler has it; a cancelled one gets no statistics. */
	bool frame(ipa::ipu3::IPAProxyIPU3 *ipa, uint32_t frame, bool cancelled)
	{
		frame_ = frame;
		ControlList wishes(controls::controls);
		wishes.set(controls::AeEnable, true);
		ipa->queueRequest(frame, wishes);
		unsigned int params = params_;
		ipa->fillParamsBuffer(frame, 1 + frame % 4);
		bool inTime = wait([&]() { return params_ > params; });
		if (cancelled)
			return inTime;

		ControlList inEffect(controls_);
		inEffect.set(V4L2_CID_EXPOSURE, 1600);
		inEffect.set(V4L2_CID_ANALOGUE_GAIN, 0);
		unsigned int metadata = metadata_;
		ipa->processStatsBuffer(frame, frame * 33333333ll, 5 + frame % 4, inEffect);
		return wait([&]() { return metadata_ > metadata; }) && inTime;
	}

	/* The thread's own event loop, for a second at most; says whether it took less than 300 ms. */
	template<typename Done>
	bool wait(Done done)
	{
		long before = milliseconds();
		Timer timer;
		timer.start(std::chrono::milliseconds(1000));
		while (!done() && timer.isRunning())
			Thread::current()->eventDispatcher()->processEvents();
		return done() && milliseconds() - before < 300;
	}

	void setSensorControls([[maybe_unused]] uint32_t id, const ControlList &sensor,
			       const ControlList &lens)
	{
		insideInit_ += inInit_;
		sensorControls_++;
		/* What DelayedControls::push takes. */
		if (sensor.size() != 2 || !sensor.contains(V4L2_CID_EXPOSURE) ||
		    !sensor.contains(V4L2_CID_ANALOGUE_GAIN) || !lens.empty())
			wrong_++;
	}

	void paramsReady(uint32_t id)
	{
		insideInit_ += inInit_;
		params_++;
		wrong_ += id != frame_;
	}

	void metadataReady(uint32_t id, const ControlList &metadata)
	{
		insideInit_ += inInit_;
		metadata_++;
		wrong_ += id != frame_;
		for (const auto &control : metadata) {
			/* As applications look them up. */
			if (controls::controls.find(control.first) == controls::controls.end())
				wrong_++;
		}
	}

	ControlId exposure_, gain_, vblank_, hblank_;
	ControlIdMap ids_;
	ControlInfoMap controls_;
	std::vector<unsigned char *> memory_;
	uint32_t frame_ = 0;
	unsigned int sensorControls_ = 0, params_ = 0, metadata_ = 0, wrong_ = 0, insideInit_ = 0;
	bool inInit_ = false;
};

static PipelineHandlerFactory<PipelineHandlerIPU3> factory("PipelineHandlerIPU3");

} /* namespace fake */

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		IPAModule module(argv[i]);
		say("module %d, pipeline %s, name %s, %zu bytes of signature", module.isValid(),
		    module.info().pipelineName, module.info().name, module.signature().size());
	}
	CameraManager manager;
	say("manager %d", manager.start());
	manager.stop();
	say("end");
	return 0;
}
