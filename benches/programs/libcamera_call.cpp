// SPDX-License-Identifier: BSD-3-Clause
//
// libcamera's own synchronous call: its real IPAProxyIPU3, isolated, calls its real worker
// (ipu3_ipa_proxy with ipa_ipu3.so). `run N` measures N calls of unmapBuffers() without buffers:
// 12 bytes there, 8 bytes back, and nothing to do in the module.
//
// libcamera installs no headers of these classes, but exports their symbols. They are called by
// their mangled names, with storage that is larger than the objects. That is possible for the one
// version whose names and constructors are known here: 0.0.3, as in Debian 12.

#include <dlfcn.h>

#include <string>
#include <vector>

#include "driver.h"

namespace {

constexpr char kLibrary[] = "libcamera.so.0.0.3";

// Filled with a pattern, none of the objects was seen to use more than 608 bytes.
alignas(64) char process_manager[65536];
alignas(64) char module_object[65536];
alignas(64) char proxy[262144];

void *library;

template <typename Function>
Function symbol(const char *mangled) {
  void *address = dlsym(library, mangled);
  if (!address) fail(mangled);
  return reinterpret_cast<Function>(address);
}

}  // namespace

int main() {
  library = dlopen(kLibrary, RTLD_NOW | RTLD_GLOBAL);
  if (!library) fail("libcamera.so.0.0.3 is not installed (Debian 12: apt install libcamera0)");
  auto make_manager = symbol<void (*)(void *)>("_ZN9libcamera14ProcessManagerC1Ev");
  auto make_module = symbol<void (*)(void *, const std::string &)>(
      "_ZN9libcamera9IPAModuleC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE");
  auto is_valid = symbol<bool (*)(const void *)>("_ZNK9libcamera9IPAModule7isValidEv");
  auto make_proxy = symbol<void (*)(void *, void *, bool)>(
      "_ZN9libcamera3ipa4ipu312IPAProxyIPU3C1EPNS_9IPAModuleEb");
  auto end_proxy = symbol<void (*)(void *)>("_ZN9libcamera3ipa4ipu312IPAProxyIPU3D1Ev");
  auto call = symbol<void (*)(void *, const std::vector<unsigned> &)>(
      "_ZN9libcamera3ipa4ipu312IPAProxyIPU312unmapBuffersERKSt6vectorIjSaIjEE");

  Dl_info where;
  if (!dladdr(reinterpret_cast<void *>(make_proxy), &where)) fail("where is libcamera?");
  std::string path = where.dli_fname;
  path = path.substr(0, path.find_last_of('/')) + "/libcamera/ipa_ipu3.so";

  make_manager(process_manager);
  make_module(module_object, path);
  if (!is_valid(module_object)) fail("libcamera's ipa_ipu3.so is missing (apt install libcamera-ipa)");
  make_proxy(proxy, module_object, true);

  prepare();
  const std::vector<unsigned> none;
  // The first call waits until the worker is up. Where it did not come up, the call gives up after
  // 2 s and returns nothing that would say so.
  uint64_t begin = now_ns();
  call(proxy, none);
  if (now_ns() - begin > 1900000000u)
    fail("libcamera's worker does not answer (are user namespaces refused?)");

  char word[32];
  uint32_t number;
  while ((number = command(word)) != END_OF_INPUT) {
    for (uint32_t i = 0; i < number; i++) {
      begin = now_ns();
      call(proxy, none);
      uint64_t time = now_ns() - begin;
      if (time > 1900000000u) fail("libcamera's worker has stopped answering");
      samples[i] = as_sample(time);
    }
    answer(samples, number);
  }
  end_proxy(proxy);
  fflush(nullptr);
  _Exit(0);
}
