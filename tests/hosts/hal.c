/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A camera HAL that does what its standard input says, one command a line.
 *
 * Each command is answered by one line that begins with "= ". Callbacks print lines that begin with
 * "! ", each written at once. Both are for the Rust side (src/hal.rs), which waits for them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffers.h"
#include "cami/camera_algorithm.h"
#include "herd.h"
#include "storm.h"

static FILE* script;
static int script_output = STDOUT_FILENO;

/* What a line begins with: a reply, or an event where a callback runs the command. */
static __thread const char* mark = "= ";

__attribute__((format(printf, 1, 2))) static void say(const char* format, ...) {
  char line[4096];
  int used = snprintf(line, sizeof line, "%s", mark);
  va_list arguments;
  va_start(arguments, format);
  used += vsnprintf(line + used, sizeof line - used - 1, format, arguments);
  va_end(arguments);
  line[used++] = '\n';
  if (write(script_output, line, used) != used) _exit(70);
}

static void* library;
static camera_algorithm_ops_t* cami;
static int kept_fds[64];
static int kept;
static char in_callback[256];
static int tallying;

/* ---- callbacks ---- */

static void execute(char* line);

/* An event under way: what lines begin with outside it, and the command that was left for it. */
struct event {
  const char* outer;
  char line[sizeof in_callback];
};

/* Begins an event. The command is taken before the event is printed: one that is left because the
   event was seen is for the next. */
static struct event enter(void) {
  struct event event = {.outer = mark};
  strcpy(event.line, in_callback);
  in_callback[0] = 0;
  mark = "! ";
  return event;
}

static void leave(struct event* event) {
  mark = "! then ";
  if (event->line[0]) execute(event->line);
  mark = event->outer;
}

static void on_return(const camera_algorithm_callback_ops_t* self, uint32_t id, uint32_t status,
                      int32_t handle) {
  (void)self;
  if (tallying) {
    storm_answer(id, status, handle);
    return;
  }
  struct event event = enter();
  say("return %u %u %d tid=%d", id, status, handle, gettid());
  leave(&event);
}

static void on_notify(const camera_algorithm_callback_ops_t* self,
                      camera_algorithm_error_msg_code_t message) {
  (void)self;
  struct event event = enter();
  say("notify %u", message);
  leave(&event);
}

static void on_update(const camera_algorithm_callback_ops_t* self, uint32_t id,
                      const uint8_t header[], uint32_t size, int fd) {
  char content[64] = "";
  char text[257] = "";
  (void)self;
  for (uint32_t i = 0; i < size && i < 128; i++) sprintf(text + 2 * i, "%02x", header[i]);
  if (fd >= 0) {
    ssize_t length = pread(fd, content, sizeof content - 1, 0);
    content[length < 0 ? 0 : length] = 0;
    kept_fds[kept++ % 64] = fd;
  }
  struct event event = enter();
  say("update %u %s fd=%s content=%s", id, text, fd < 0 ? "none" : "open", content);
  leave(&event);
}

static const camera_algorithm_callback_ops_t callbacks = {on_return, on_notify, on_update};
static const camera_algorithm_callback_ops_t silent = {on_return, NULL, NULL};
static const camera_algorithm_callback_ops_t none = {NULL, on_notify, on_update};

/* A revision E table of two slots that ends where the mapped memory ends. */
static const camera_algorithm_callback_ops_t* old_table(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char* memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* table = memory + page - 2 * sizeof(void*);
  munmap(memory + page, page);
  memcpy(table, &callbacks, 2 * sizeof(void*));
  return (const void*)table;
}

/* ---- commands ---- */

static void cmd_load(char* path) {
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    say("load failed: %s", dlerror());
    return;
  }
  cami = dlsym(library, CAMERA_ALGORITHM_MODULE_INFO_SYM_AS_STR);
  say("load %s", cami ? "ok" : "without CAMI");
}

static void cmd_init(char* how) {
  const camera_algorithm_callback_ops_t* ops = &callbacks;
  if (!strcmp(how, "old")) ops = old_table();
  if (!strcmp(how, "silent")) ops = &silent;
  if (!strcmp(how, "empty")) ops = &none;
  if (!strcmp(how, "null")) ops = NULL;
  say("init %d", cami->initialize(ops));
}

static void cmd_reg(char* arguments) {
  char kind[32] = "memfd";
  unsigned long size = 4096;
  sscanf(arguments, "%31s %lu", kind, &size);
  int fd = buffer_make(kind, size);
  if (fd < 0 && fd != -1) {
    say("reg unavailable %s", strerror(-fd));
    return;
  }
  int handle = cami->register_buffer(fd);
  say("reg %d", handle);
  /* A number that is not open stays the caller's; anything else is the library's now. */
}

/* Registers `count` buffers and says the least and the greatest handle. */
static void cmd_regs(char* arguments) {
  int least = 1 << 30, greatest = -(1 << 30);
  for (int i = atoi(arguments); i > 0; i--) {
    int handle = cami->register_buffer(buffer_make("memfd", 4096));
    if (handle < least) least = handle;
    if (handle > greatest) greatest = handle;
  }
  say("regs %d %d", least, greatest);
}

static void cmd_req(char* arguments) {
  char hex[2048] = "";
  unsigned id = 0, count = 1;
  int handle = -1;
  uint8_t header[1024];
  uint32_t size = 0;
  sscanf(arguments, "%u %2047s %d %u", &id, hex, &handle, &count);
  if (strcmp(hex, "-"))
    for (unsigned byte; sscanf(hex + 2 * size, "%2x", &byte) == 1; size++) header[size] = byte;
  for (unsigned i = 0; i < count; i++) cami->request(id + i, header, size, handle);
  memset(header, 0xee, sizeof header); /* the library must have copied it */
  say("req");
}

/* A request whose header is `size` bytes at `offset` of a file. */
static void cmd_send(char* arguments) {
  static uint8_t header[65536];
  unsigned id = 0;
  unsigned long offset = 0;
  char path[512] = "";
  sscanf(arguments, "%u %511s %lu", &id, path, &offset);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = pread(fd, header, sizeof header, offset);
  close(fd);
  cami->request(id, header, size, -1);
  say("send %zd", size);
}

static void cmd_dereg(char* arguments) {
  int32_t handles[512];
  uint32_t count = 0;
  for (char* word = strtok(arguments, " "); word && count < 512; word = strtok(NULL, " "))
    handles[count++] = atoi(word);
  cami->deregister_buffers(handles, count);
  say("dereg");
}

static void cmd_updret(char* arguments) {
  unsigned id = 0, status = 0;
  char which[16] = "none";
  sscanf(arguments, "%u %u %15s", &id, &status, which);
  int fd = -1;
  if (!strcmp(which, "kept")) fd = kept_fds[--kept % 64];
  if (!strcmp(which, "closed")) fd = 987654;
  cami->update_return(id, status, fd);
  say("updret");
}

static void cmd_burst(char* arguments) {
  unsigned first, count, least, most, seed, window;
  sscanf(arguments, "%u %u %u %u %u %u", &first, &count, &least, &most, &seed, &window);
  tallying = 1;
  storm_send(cami, first, count, least, most, seed, window);
  say("burst");
}

static void cmd_await(char* arguments) {
  char result[128];
  storm_wait(atoi(arguments), result, sizeof result);
  say("await %s", result);
}

static void cmd_peek(char* arguments) {
  unsigned buffer = 0, offset = 0, length = 0;
  char text[513] = "";
  sscanf(arguments, "%u %u %u", &buffer, &offset, &length);
  for (unsigned i = 0; i < length && i < 256; i++)
    sprintf(text + 2 * i, "%02x", buffer_map(buffer)[offset + i]);
  say("peek %s", text);
}

/* Fills a buffer from a file, or writes a buffer into one. */
static void cmd_fill(char* arguments) {
  unsigned buffer = 0;
  char path[512] = "";
  sscanf(arguments, "%u %511s", &buffer, path);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = read(fd, buffer_map(buffer), buffer_size(buffer));
  close(fd);
  say("fill %zd", length);
}

static void cmd_dump(char* arguments) {
  unsigned buffer = 0;
  char path[512] = "";
  sscanf(arguments, "%u %511s", &buffer, path);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ssize_t length = write(fd, buffer_map(buffer), buffer_size(buffer));
  close(fd);
  say("dump %zd", length);
}

/* dlopen, dlsym, dlclose; with "use", initialize and deinitialize in between. */
static void cmd_cycle(char* arguments) {
  char path[512] = "", use[8] = "";
  int count = 0, failures = 0;
  sscanf(arguments, "%d %511s %7s", &count, path, use);
  for (int i = 0; i < count; i++) {
    void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    camera_algorithm_ops_t* ops = handle ? dlsym(handle, "CAMI") : NULL;
    if (!ops) {
      failures++;
      continue;
    }
    if (use[0]) {
      failures += ops->initialize(&callbacks) != 0;
      ops->deinitialize();
    }
    failures += dlclose(handle) != 0;
  }
  say("cycle failures=%d", failures);
}

/* Opens fds until `leave` are left below the limit, which is lowered to `limit`. */
static void cmd_fds(char* arguments) {
  unsigned limit = 1024, leave = 0;
  sscanf(arguments, "%u %u", &limit, &leave);
  struct rlimit bound = {limit, limit};
  setrlimit(RLIMIT_NOFILE, &bound);
  int opened = 0, last = -1;
  for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0; last = fd) opened++;
  for (unsigned i = 0; i < leave; i++, opened--) close(last--);
  say("fds %d", opened);
}

/* Closes what `fds` opened: everything above `from`. */
static void cmd_unfds(char* arguments) {
  for (int fd = atoi(arguments); fd < 1 << 16; fd++) {
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, target, sizeof target - 1) > 0 && !strcmp(target, "/dev/null")) close(fd);
  }
  say("unfds");
}

/* Opens a file that a careless spawn would pass on. */
static void cmd_open(char* path) { say("open %d", open(path, O_RDONLY) >= 0); }

/* Closes 0, 1 and 2, as daemons do: the next fds that anyone opens have these numbers. */
static void cmd_nostdio(char* unused) {
  (void)unused;
  script_output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100);
  script = fdopen(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100), "r");
  for (int fd = 0; fd < 3; fd++) close(fd);
  say("nostdio");
}

static void cmd_sigchld(char* how) {
  signal(SIGCHLD, !strcmp(how, "ignore") ? SIG_IGN : SIG_DFL);
  say("sigchld");
}

static void* reap_for_ever(void* unused) {
  (void)unused;
  for (;;)
    if (waitpid(-1, NULL, 0) < 0) usleep(1000); /* a host without children asks again */
  return NULL;
}

static void cmd_reaper(char* unused) {
  pthread_t thread;
  (void)unused;
  pthread_create(&thread, NULL, reap_for_ever, NULL);
  pthread_detach(thread);
  say("reaper");
}

static void* run_line(void* line) {
  execute(line);
  return NULL;
}

/* Runs a command on a thread that ends afterwards. */
static void cmd_thread(char* line) {
  pthread_t thread;
  pthread_create(&thread, NULL, run_line, line);
  pthread_join(thread, NULL);
}

/* Runs a command in a child. The child answers; its end is an event. */
static void cmd_fork(char* line) {
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    execute(line);
    _exit(0);
  }
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const char* outer = mark;
  mark = "! ";
  say("child %d", status);
  mark = outer;
}

static void cmd_deinit(char* unused) {
  (void)unused;
  cami->deinitialize();
  say("deinit");
}

static void cmd_unload(char* unused) {
  (void)unused;
  say("unload %d", dlclose(library));
}

static void cmd_then(char* line) {
  strncpy(in_callback, line, sizeof in_callback - 1);
  say("then");
}

static void cmd_tally(char* how) {
  tallying = !strcmp(how, "on");
  say("tally");
}

static void cmd_null(char* unused) {
  (void)unused;
  cami->request(1, NULL, 5, 0);
  cami->deregister_buffers(NULL, 5);
  say("null");
}

static void cmd_herd(char* arguments) {
  int threads = 1, rounds = 1;
  sscanf(arguments, "%d %d", &threads, &rounds);
  say("herd failures=%d", herd_run(cami, threads, rounds));
}

static void cmd_hang(char* unused) {
  (void)unused;
  say("hang");
  for (;;) pause();
}

static void cmd_echo(char* text) { say("echo %s", text); }

static const struct {
  const char* name;
  void (*run)(char* arguments);
} commands[] = {
    {"await", cmd_await},   {"burst", cmd_burst},   {"cycle", cmd_cycle}, {"deinit", cmd_deinit},
    {"dereg", cmd_dereg},   {"dump", cmd_dump},     {"echo", cmd_echo},   {"fds", cmd_fds},
    {"fill", cmd_fill},     {"fork", cmd_fork},     {"hang", cmd_hang},   {"herd", cmd_herd},   {"init", cmd_init},   {"load", cmd_load},
    {"nostdio", cmd_nostdio}, {"null", cmd_null}, {"open", cmd_open},     {"peek", cmd_peek},     {"reaper", cmd_reaper}, {"reg", cmd_reg},
    {"regs", cmd_regs},     {"req", cmd_req},       {"send", cmd_send},   {"sigchld", cmd_sigchld}, {"tally", cmd_tally},
    {"then", cmd_then},     {"thread", cmd_thread}, {"unfds", cmd_unfds}, {"unload", cmd_unload},
    {"updret", cmd_updret},
};

static void execute(char* line) {
  char* arguments = line + strcspn(line, " ");
  if (*arguments) *arguments++ = 0;
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (!strcmp(line, commands[i].name)) {
      commands[i].run(arguments);
      return;
    }
  }
  say("unknown command %s", line);
}

int main(void) {
  char line[8192];
  /* The parent's end is the end of this process, whatever its threads do. */
  script = stdin;
  while (fgets(line, sizeof line, script)) {
    line[strcspn(line, "\n")] = 0;
    execute(line);
  }
  return 0;
}
