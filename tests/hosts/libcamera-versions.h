/* What differs between the libcameras, 0.0.3 to master at 94d17442, of what hosts/libcamera.cpp uses.
 *
 * Where a difference can be seen in the headers it is asked for there, and not by the version: master
 * has the version of the last release.
 */

#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include <libcamera/controls.h>
#include <libcamera/version.h>

#include "libcamera/internal/ipa_manager.h"
#include "libcamera/internal/ipa_module.h"
#include "libcamera/internal/pipeline_handler.h"

#define LIBCAMERA_SINCE(major, minor)                 \
	(LIBCAMERA_VERSION_MAJOR > (major) ||         \
	 (LIBCAMERA_VERSION_MAJOR == (major) && LIBCAMERA_VERSION_MINOR >= (minor)))

namespace versions {

using namespace libcamera;

/* What modules are matched with. */
#if LIBCAMERA_SINCE(0, 3)
constexpr const char *PIPELINE = "ipu3";
#else
constexpr const char *PIPELINE = "PipelineHandlerIPU3";
#endif

/* The roles of PipelineHandler::generateConfiguration: a vector, then a Span. */
template<typename Method>
struct SecondOf;

template<typename Result, typename Class, typename First, typename Second>
struct SecondOf<Result (Class::*)(First, Second)> {
	using type = Second;
};

using Roles = SecondOf<decltype(&PipelineHandler::generateConfiguration)>::type;

/* A V4L2 control as V4L2Device makes it: of no vendor, then of one. */
template<typename Id = ControlId>
Id v4l2Control(unsigned int id, const char *name)
{
	if constexpr (std::is_constructible_v<Id, unsigned int, std::string, ControlType>)
		return Id(id, name, ControlTypeInteger32);
	else
		return Id(id, name, "v4l2", ControlTypeInteger32,
			  typename Id::DirectionFlags(Id::Direction::In) | Id::Direction::Out);
}

/* The IPA by the pipeline handler (0.7.1 and later), or by the one IPAManager. */
template<typename Proxy, typename Handler>
auto createIPA(Handler *handler, int) -> decltype(handler->template createIPA<Proxy>(1, 1))
{
	return handler->template createIPA<Proxy>(1, 1);
}

template<typename Proxy, typename Handler, typename Manager = IPAManager>
std::unique_ptr<Proxy> createIPA(Handler *handler, long)
{
	return Manager::template createIPA<Proxy>(handler, 1, 1);
}

/* The pipeline that a module is for; after 0.7.2 it is its name. */
template<typename Info>
auto pipelineOf(const Info &info, int) -> decltype(std::string(info.pipelineName))
{
	return info.pipelineName;
}

template<typename Info>
std::string pipelineOf(const Info &info, long)
{
	return info.name;
}

/* The methods and events that 0.4.0 renamed. */
template<typename Proxy>
void computeParams(Proxy *ipa, uint32_t frame, uint32_t buffer)
{
#if LIBCAMERA_SINCE(0, 4)
	ipa->computeParams(frame, buffer);
#else
	ipa->fillParamsBuffer(frame, buffer);
#endif
}

template<typename Proxy>
void processStats(Proxy *ipa, uint32_t frame, int64_t timestamp, uint32_t buffer,
		  const ControlList &sensorControls)
{
#if LIBCAMERA_SINCE(0, 4)
	ipa->processStats(frame, timestamp, buffer, sensorControls);
#else
	ipa->processStatsBuffer(frame, timestamp, buffer, sensorControls);
#endif
}

template<typename Proxy>
auto &paramsComputed(Proxy *ipa)
{
#if LIBCAMERA_SINCE(0, 4)
	return ipa->paramsComputed;
#else
	return ipa->paramsBufferReady;
#endif
}

} /* namespace versions */
