/* SPDX-License-Identifier: BSD-3-Clause
 *
 * algo_service SOCKET LIBRARY: does with the service's door what ChromeOS's cros_camera_algo does
 * (platform2 camera/common/camera_algorithm_main.cc, camera_algorithm_adapter_libcamera.cc): a named
 * stream socket, one forked child for each connection, and in it dlopen, ipaRun on a thread of its
 * own, dlclose, _exit. What becomes of a child is a line on standard error.
 *
 * algo_service LIBRARY: calls ipaRun with numbers that are no sockets, and prints what it returns.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void* library;
static int (*ipa_run)(int);

static void load(const char* path) {
  library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    dprintf(STDERR_FILENO, "dlopen: %s\n", dlerror());
    _exit(3);
  }
  *(void**)&ipa_run = dlsym(library, "ipaRun");
  if (!ipa_run) _exit(4);
}

static void* ipc_thread(void* fd) {
  dprintf(STDERR_FILENO, "ipaRun returned %d\n", ipa_run((int)(intptr_t)fd));
  return NULL;
}

static void child(int connection, const char* path) {
  pthread_t thread;
  load(path);
  pthread_create(&thread, NULL, ipc_thread, (void*)(intptr_t)connection);
  pthread_join(thread, NULL);
  dlclose(library);
  _exit(0);
}

/* The original ignores SIGCHLD, which the child inherits; here it is looked at. */
static void* reap(void* pid) {
  int status = 0;
  waitpid((pid_t)(intptr_t)pid, &status, 0);
  if (WIFSIGNALED(status)) {
    dprintf(STDERR_FILENO, "child signal %d\n", WTERMSIG(status));
  } else {
    dprintf(STDERR_FILENO, "child exit %d\n", WEXITSTATUS(status));
  }
  return NULL;
}

int main(int count, char** arguments) {
  if (count == 2) {
    load(arguments[1]);
    printf("%d %d\n", ipa_run(-1), ipa_run(987654));
    fflush(stdout);
    _exit(0);
  }
  if (count != 3) return 2;
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) || listen(listener, SOMAXCONN))
    return 1;
  dprintf(STDERR_FILENO, "listening\n");
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) return 1;
    pid_t pid = fork();
    if (pid == 0) {
      signal(SIGCHLD, SIG_IGN);
      child(connection, arguments[2]);
    }
    close(connection);
    pthread_t thread;
    pthread_create(&thread, NULL, reap, (void*)(intptr_t)pid);
    pthread_detach(thread);
  }
}
