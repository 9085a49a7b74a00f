/* A libcamera application with a pipeline handler that has no hardware: everything from the choice of
 * the IPA module to its end is done by the real CameraManager, IPAManager, IPAModule and IPAProxyIPU3.
 *
 * Compiled by a test against a libcamera with its private and generated headers
 * (tests/tests/libcamera/real.rs). Says what happens, a line for each thing, on standard output.
 *
 * libcamera MODULE...; what else it does is in its environment:
 * HOST_STREAM=FRAMES:PERIOD_US two streams of so many frames, and the time from one to the next
 * HOST_SCENE=1 a sensor with a lens, whose raw statistics somebody gives: "expose FRAME LINES CODE LENS"
 *     asks for them on standard output, and their bytes are expected on standard input
 * HOST_PARAMS=FILE the first buffer of parameters at the end
 * HOST_ABORTS=1 ends by abort(), when a third stream has begun
 */

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

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

#include "libcamera-sensor.h"
#include "libcamera-versions.h"

#include <libcamera/ipa/ipu3_ipa_interface.h>
#include <libcamera/ipa/ipu3_ipa_proxy.h>

using namespace libcamera;
using Proxy = ipa::ipu3::IPAProxyIPU3;

namespace {

constexpr unsigned int PARAMS_BYTES = 39328;
constexpr unsigned int STATS_BYTES = 125664;
/* Buffers of each kind. */
constexpr uint32_t BUFFERS = 4;
/* Requests that are queued before the frame that is exposed, and frames until what was set holds. */
constexpr uint32_t AHEAD = 3;
/* What an IPA may take for its part of a frame. */
constexpr long LATE_MS = 300;

template<typename... Args>
void say(const char *format, Args... args)
{
	std::printf(format, args...);
	std::printf("\n");
	std::fflush(stdout);
}

std::chrono::microseconds now()
{
	auto time = std::chrono::steady_clock::now().time_since_epoch();
	return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

long milliseconds()
{
	return std::chrono::duration_cast<std::chrono::milliseconds>(now()).count();
}

} /* namespace */

namespace fake {

/* The name is what modules are matched with; the namespace keeps it apart from libcamera's own. */
class PipelineHandlerIPU3 : public PipelineHandler
{
public:
	PipelineHandlerIPU3(CameraManager *manager)
		: PipelineHandler(manager), sensor_(std::getenv("HOST_SCENE") != nullptr)
	{
		if (const char *stream = std::getenv("HOST_STREAM"))
			std::sscanf(stream, "%u:%ld", &frames_, &periodUs_);
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
	generateConfiguration(Camera *, versions::Roles) override { return nullptr; }
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
		auto ipa = versions::createIPA<Proxy>(this, 0);
		if (!ipa) {
			say("no ipa");
			return;
		}
		say("ipa valid %d", ipa->isValid());
		ipa->setSensorControls.connect(this, &PipelineHandlerIPU3::setSensorControls);
		versions::paramsComputed(ipa.get()).connect(this, &PipelineHandlerIPU3::paramsReady);
		ipa->metadataReady.connect(this, &PipelineHandlerIPU3::metadataReady);

		const IPACameraSensorInfo mode = sensor_.mode();
		ControlInfoMap offered;
		inInit_ = true;
		int ret = ipa->init(IPASettings("", mode.model), mode, sensor_.controls, &offered);
		inInit_ = false;
		say("init %d, %zu controls", ret, offered.size());
		if (ret)
			return;
		sayOffered(offered);

		ControlInfoMap inMode;
		const Size iif = sensor_.hasLens ? mode.outputSize : Size(1280, 720);
		const Size bds = sensor_.hasLens ? Size(1920, 1080) : Size(1280, 720);
		ipa::ipu3::IPAConfigInfo config{ mode, sensor_.controls, sensor_.lens, bds, iif };
		ret = ipa->configure(config, &inMode);
		say("configure %d, %zu controls", ret, inMode.size());
		sayOffered(inMode);
		auto exposure = inMode.find(&controls::ExposureTime);
		if (exposure != inMode.end())
			say("exposure %d to %d", exposure->second.min().get<int32_t>(),
			    exposure->second.max().get<int32_t>());
		auto gain = inMode.find(&controls::AnalogueGain);
		if (gain != inMode.end())
			say("gain %f to %f", gain->second.min().get<float>(),
			    gain->second.max().get<float>());

		std::vector<uint32_t> numbers;
		std::vector<IPABuffer> buffers;
		for (uint32_t id = 1; id <= 2 * BUFFERS; id++) {
			buffers.push_back(buffer(id, id <= BUFFERS ? PARAMS_BYTES : STATS_BYTES));
			numbers.push_back(id);
		}
		std::memset(memory_[0], 0xee, PARAMS_BYTES);
		ipa->mapBuffers(buffers);

		for (int number = 0; number < 2; number++)
			stream(ipa.get());
		say("parameters written %d", memory_[0][0] != 0xee);
		say("in use %d", memory_[1][0] != 0 || memory_[2][0] != 0);
		say("metadata%s", namesOf(told_).c_str());
		if (const char *file = std::getenv("HOST_PARAMS"))
			write(file, memory_[0], PARAMS_BYTES);
		if (std::getenv("HOST_ABORTS")) {
			ipa->start();
			say("aborts");
			std::abort();
		}
		ipa->unmapBuffers(numbers);
		ipa.reset();
		say("destroyed, %u events inside init", insideInit_);
	}

	/* A file in memory, as a stand-in for a dma-buf. */
	IPABuffer buffer(uint32_t id, unsigned int bytes)
	{
		int fd = memfd_create("buffer", 0);
		if (fd < 0 || ftruncate(fd, bytes))
			std::abort();
		memory_.push_back(static_cast<unsigned char *>(
			mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)));
		FrameBuffer::Plane plane;
		plane.fd = SharedFD(std::move(fd));
		plane.offset = 0;
		plane.length = bytes;
		return IPABuffer(id, std::vector<FrameBuffer::Plane>{ plane });
	}

	/* What lies in a buffer at the end, for those who look at it. */
	static void write(const char *file, const unsigned char *bytes, size_t count)
	{
		FILE *to = std::fopen(file, "wb");
		if (!to || std::fwrite(bytes, 1, count, to) != count)
			std::abort();
		std::fclose(to);
	}

	/* Starts, has its frames and stops. */
	void stream(Proxy *ipa)
	{
		sensorControls_ = 0;
		wrong_ = 0;
		paramsOf_.clear();
		metadataOf_.clear();
		frame_ = queued_ = 0;
		/* The lens stays where it is. */
		Sensor::Setting first = sensor_.first;
		if (!setting_.empty())
			first.lens = setting_.rbegin()->second.lens;
		setting_.clear();
		setting_[0] = first;
		int ret = ipa->start();
		say("start %d, %u sensor controls", ret, sensorControls_);
		/* What start() sets holds from the first frame. */
		if (setting_.count(AHEAD)) {
			setting_[0] = setting_[AHEAD];
			setting_.erase(AHEAD);
		}
		unsigned int late = 0;
		auto next = now();
		for (uint32_t frame = 0; frame < frames_; frame++) {
			if (!this->frame(ipa, frame, frame % 10 == 9))
				late++;
			next += std::chrono::microseconds(periodUs_);
			until(next);
		}
		say("frames: %zu parameters, %zu metadata, %u sensor controls, %u late, %u wrong",
		    paramsOf_.size(), metadataOf_.size(), sensorControls_, late, wrong_);
		long before = milliseconds();
		ipa->stop();
		say("stopped, in time %d", milliseconds() - before < 2000);
	}

	/* One frame, as the IPU3 pipeline handler has it; a cancelled one gets no statistics. */
	bool frame(Proxy *ipa, uint32_t frame, bool cancelled)
	{
		frame_ = frame;
		for (; queued_ <= frame + AHEAD && queued_ < frames_; queued_++) {
			ControlList wishes(controls::controls);
			wishes.set(controls::AeEnable, true);
			ipa->queueRequest(queued_, wishes);
		}
		versions::computeParams(ipa, frame, 1 + frame % BUFFERS);
		bool inTime = wait([&]() { return paramsOf_.count(frame); });
		if (cancelled)
			return inTime;

		const Sensor::Setting setting = std::prev(setting_.upper_bound(frame))->second;
		uint32_t stats = 1 + BUFFERS + frame % BUFFERS;
		if (sensor_.hasLens) {
			say("expose %u %d %d %d", frame, setting.lines, setting.code, setting.lens);
			if (std::fread(memory_[stats - 1], 1, STATS_BYTES, stdin) != STATS_BYTES)
				std::abort();
		}
		ControlList inEffect(sensor_.controls);
		inEffect.set(V4L2_CID_EXPOSURE, setting.lines);
		inEffect.set(V4L2_CID_ANALOGUE_GAIN, setting.code);
		int64_t timestamp = 1000000000ll + frame * 33333333ll;
		versions::processStats(ipa, frame, timestamp, stats, inEffect);
		return wait([&]() { return metadataOf_.count(frame); }) && inTime;
	}

	/* The thread's own event loop, for a second at most; says whether it took less than LATE_MS. */
	template<typename Done>
	bool wait(Done done)
	{
		long before = milliseconds();
		Timer timer;
		timer.start(std::chrono::milliseconds(1000));
		while (!done() && timer.isRunning())
			Thread::current()->eventDispatcher()->processEvents();
		return done() && milliseconds() - before < LATE_MS;
	}

	void until(std::chrono::microseconds time)
	{
		auto left = std::chrono::duration_cast<std::chrono::milliseconds>(time - now());
		if (left.count() <= 0)
			return;
		Timer timer;
		timer.start(left);
		while (timer.isRunning())
			Thread::current()->eventDispatcher()->processEvents();
	}

	void setSensorControls([[maybe_unused]] uint32_t id, const ControlList &sensor,
			       const ControlList &lens)
	{
		insideInit_ += inInit_;
		sensorControls_++;
		/* What DelayedControls::push takes. */
		if (sensor.size() != 2 || !sensor.contains(V4L2_CID_EXPOSURE) ||
		    !sensor.contains(V4L2_CID_ANALOGUE_GAIN) || lens.size() > sensor_.lens.size()) {
			wrong("sensor controls");
			return;
		}
		Sensor::Setting setting = setting_.rbegin()->second;
		setting.lines = sensor.get(V4L2_CID_EXPOSURE).get<int32_t>();
		setting.code = sensor.get(V4L2_CID_ANALOGUE_GAIN).get<int32_t>();
		if (lens.contains(V4L2_CID_FOCUS_ABSOLUTE))
			setting.lens = lens.get(V4L2_CID_FOCUS_ABSOLUTE).get<int32_t>();
		if (!sensor_.takes(setting))
			wrong("a value of a sensor control");
		setting_[frame_ + AHEAD] = setting;
	}

	void paramsReady(uint32_t id)
	{
		insideInit_ += inInit_;
		if (id != frame_ || !paramsOf_.insert(id).second)
			wrong("parameters");
	}

	void metadataReady(uint32_t id, const ControlList &metadata)
	{
		insideInit_ += inInit_;
		if (id != frame_ || !metadataOf_.insert(id).second)
			wrong("metadata");
		std::string text;
		for (const auto &[number, value] : metadata) {
			/* As applications look them up. */
			auto known = controls::controls.find(number);
			if (known == controls::controls.end() || known->second->type() != value.type()) {
				wrong("a control in metadata");
				continue;
			}
			told_.insert(known->second->name());
			text += " " + known->second->name() + "=" + value.toString();
		}
		if (sensor_.hasLens)
			say("told %u%s", id, text.c_str());
	}

	/* The names of the controls that applications would see, if their limits fit their type. */
	void sayOffered(const ControlInfoMap &offered)
	{
		std::set<std::string> names;
		for (const auto &[id, info] : offered) {
			names.insert(id->name());
			const ControlValue &min = info.min();
			if (!min.isNone() && !min.isArray() && min.type() != id->type())
				wrong("a control that is offered");
		}
		say("offers%s", namesOf(names).c_str());
	}

	static std::string namesOf(const std::set<std::string> &names)
	{
		std::string all;
		for (const std::string &name : names)
			all += " " + name;
		return all;
	}

	void wrong(const char *what)
	{
		wrong_++;
		say("wrong: %s, frame %u", what, frame_);
	}

	const Sensor sensor_;
	uint32_t frames_ = 30;
	long periodUs_ = 0;
	std::vector<unsigned char *> memory_;
	uint32_t frame_ = 0, queued_ = 0;
	/* By the frame from which they hold. */
	std::map<uint32_t, Sensor::Setting> setting_;
	std::set<uint32_t> paramsOf_, metadataOf_;
	std::set<std::string> told_;
	unsigned int sensorControls_ = 0, wrong_ = 0, insideInit_ = 0;
	bool inInit_ = false;
};

static PipelineHandlerFactory<PipelineHandlerIPU3> factory(versions::PIPELINE);

} /* namespace fake */

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		IPAModule module(argv[i]);
		say("module %d, pipeline %s, %zu bytes of signature", module.isValid(),
		    versions::pipelineOf(module.info(), 0).c_str(), module.signature().size());
	}
	CameraManager manager;
	say("manager %d", manager.start());
	manager.stop();
	say("end");
	return 0;
}
