// SPDX-License-Identifier: BSD-3-Clause
//
// A C++ HAL that goes through the whole ABI once: hal_cpp LIBRARY, with vendors/updates.c behind
// it. Prints "done" if every answer was right.

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "cami/camera_algorithm.h"

// The header as a C++ compiler sees it: the sizes of revision G, and types that stay plain.
static_assert(sizeof(camera_algorithm_ops_t) == 6 * sizeof(void*), "six slots");
static_assert(sizeof(camera_algorithm_callback_ops_t) == 3 * sizeof(void*), "three slots");
static_assert(offsetof(camera_algorithm_ops_t, deinitialize) == 5 * sizeof(void*), "the last");
static_assert(std::is_trivial<camera_algorithm_ops_t>::value, "a table is plain data");
static_assert(std::is_standard_layout<camera_algorithm_callback_ops_t>::value, "a C type");

namespace {

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      std::_Exit(1);                                                               \
    }                                                                              \
  } while (false)

struct Returned {
  uint32_t id;
  uint32_t status;
  int32_t handle;
  std::thread::id thread;
};

struct Updated {
  uint32_t id;
  std::string header;
  int fd;
};

// The HAL's object derives from the C table, as the HALs' classes do: `self` leads back to it.
class Hal : public camera_algorithm_callback_ops_t {
 public:
  Hal() : camera_algorithm_callback_ops_t{} {
    return_callback = &Hal::OnReturn;
    notify = &Hal::OnNotify;
    update = &Hal::OnUpdate;
  }

  Returned NextReturn() { return Next(returned_); }
  Updated NextUpdate() { return Next(updated_); }

 private:
  static Hal* Self(const camera_algorithm_callback_ops_t* table) {
    return const_cast<Hal*>(static_cast<const Hal*>(table));
  }
  static void OnReturn(const camera_algorithm_callback_ops_t* table, uint32_t id, uint32_t status,
                       int32_t handle) {
    Self(table)->Push(Self(table)->returned_, Returned{id, status, handle, std::this_thread::get_id()});
  }
  static void OnNotify(const camera_algorithm_callback_ops_t*, camera_algorithm_error_msg_code_t) {
    std::fprintf(stderr, "the library was lost\n");
    std::_Exit(1);
  }
  static void OnUpdate(const camera_algorithm_callback_ops_t* table, uint32_t id,
                       const uint8_t header[], uint32_t size, int fd) {
    Self(table)->Push(Self(table)->updated_,
                      Updated{id, std::string(header, header + size), fd});
  }

  template <typename T>
  void Push(std::vector<T>& events, T event) {
    std::lock_guard<std::mutex> lock(mutex_);
    events.push_back(std::move(event));
    changed_.notify_all();
  }
  template <typename T>
  T Next(std::vector<T>& events) {
    std::unique_lock<std::mutex> lock(mutex_);
    CHECK(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return !events.empty(); }));
    T first = events.front();
    events.erase(events.begin());
    return first;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Returned> returned_;
  std::vector<Updated> updated_;
};

int MakeBuffer(std::size_t size) {
  int fd = memfd_create("hal", MFD_CLOEXEC);
  CHECK(fd >= 0 && ftruncate(fd, static_cast<off_t>(size)) == 0);
  return fd;
}

void GoThrough(camera_algorithm_ops_t* cami) {
  static Hal hal;
  CHECK(cami->initialize(nullptr) == -EINVAL);
  CHECK(cami->register_buffer(MakeBuffer(4096)) == -ECONNRESET);  // not initialised yet
  CHECK(cami->initialize(&hal) == 0);
  CHECK(cami->register_buffer(-1) == -EBADF);

  std::vector<int32_t> handles;
  for (int i = 1; i <= 3; i++) {
    handles.push_back(cami->register_buffer(MakeBuffer(4096)));
    CHECK(handles.back() == i);
  }
  const std::string content = "from C++";
  cami->request(9, reinterpret_cast<const uint8_t*>(content.data()),
                static_cast<uint32_t>(content.size()), handles[0]);
  Updated update = hal.NextUpdate();
  char text[32] = {};
  CHECK(update.id == 9 && update.header == content && update.fd >= 0);
  CHECK(pread(update.fd, text, sizeof(text) - 1, 0) == static_cast<ssize_t>(content.size()));
  CHECK(content == text);
  cami->update_return(update.id, 5, update.fd);
  Returned returned = hal.NextReturn();
  CHECK(returned.id == 9 && returned.handle == 5);
  CHECK(returned.status == 7);  // same file, same number, same content
  CHECK(returned.thread != std::this_thread::get_id());

  cami->deregister_buffers(handles.data(), static_cast<uint32_t>(handles.size()));
  cami->deregister_buffers(nullptr, 0);
  cami->deinitialize();
  CHECK(cami->register_buffer(MakeBuffer(4096)) == -ECONNRESET);
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 2);
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) std::fprintf(stderr, "%s\n", dlerror());
  CHECK(library != nullptr);
  auto* cami = static_cast<camera_algorithm_ops_t*>(
      dlsym(library, CAMERA_ALGORITHM_MODULE_INFO_SYM_AS_STR));
  CHECK(cami != nullptr);
  GoThrough(cami);
  GoThrough(cami);  // a HAL that is opened again
  CHECK(dlclose(library) == 0);
  std::puts("done");
  return 0;
}
