/* A vendor library that does what the request number says and answers with a status.
 * Compiled by the tests against include/. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cami/camera_algorithm.h"

static const camera_algorithm_callback_ops_t *host;
static int buffer = -1;
static int forged;

/* HANGS_IN names a call that does not return. */
static void maybe_hang(const char *call) {
    const char *name = getenv("HANGS_IN");
    if (name && !strcmp(name, call)) for (;;) pause();
}

static void refuse_getpriority(uint32_t action);

static int32_t initialize(const camera_algorithm_callback_ops_t *callbacks) {
    const char *refuses = getenv("REFUSES");
    if (refuses) refuse_getpriority(strcmp(refuses, "kill") ? SECCOMP_RET_TRAP : SECCOMP_RET_KILL_PROCESS);
    maybe_hang("initialize");
    host = callbacks;
    return 0;
}

static int32_t register_buffer(int fd) {
    maybe_hang("register_buffer");
    buffer = fd;
    /* HANDLES: each buffer has one of its own. */
    static int32_t next = 7;
    return getenv("HANDLES") ? next++ : next;
}

static uint32_t errno_if(int failed) { return failed ? (uint32_t)errno : 0; }

/* Descriptors that are open beside 0, 1, 2 and the buffer. */
static uint32_t open_descriptors(void) {
    uint32_t count = 0;
    for (int fd = 3; fd < 4096; fd++) {
        if (fd != buffer && fcntl(fd, F_GETFD) >= 0) count++;
    }
    return count;
}

static uint32_t environment_variables(void) {
    uint32_t count = 0;
    for (char **variable = environ; *variable; variable++) count++;
    return count;
}

static uint32_t reopen_by_handle(void) {
    struct { struct file_handle head; unsigned char room[128]; } handle;
    int mount;
    handle.head.handle_bytes = sizeof handle.room;
    if (name_to_handle_at(buffer, "", &handle.head, &mount, AT_EMPTY_PATH)) return (uint32_t)errno;
    return errno_if(open_by_handle_at(buffer, &handle.head, O_RDWR | O_TRUNC) < 0);
}

/* The exit reason "the client hung up" stands at offset 40 (adapter/vendor/src/activity): stage and
 * request at the start tell the page. Without /proc it is searched near the C library. */
static void forge_activity(void) {
    uintptr_t end = ((uintptr_t)&fork & ~4095ul) + (64ul << 20);
    for (uintptr_t page = end; page > end - (512ul << 20); page -= 4096) {
        if (access((const char *)page, F_OK) && errno == EFAULT) continue;
        if (((uint32_t *)page)[0] == 4 && ((uint32_t *)page)[1] == 27) {
            *(uint32_t *)(page + 40) = 1;
            forged = 1;
        }
    }
}

/* Found as above: by the stage and the request at its start. */
static void scribble_over_activity(void) {
    uintptr_t end = ((uintptr_t)&fork & ~4095ul) + (64ul << 20);
    for (uintptr_t page = end; page > end - (512ul << 20); page -= 4096) {
        if (access((const char *)page, F_OK) && errno == EFAULT) continue;
        if (((uint32_t *)page)[0] == 4 && ((uint32_t *)page)[1] == 37) memset((void *)page, 0xff, 4096);
    }
}

/* The kernel allows 65530; neighbours with other rights do not merge. */
static void map_ten_thousand(void) {
    for (int i = 0; i < 10000; i++) {
        mmap(0, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
}

/* A filter of the library's own, on top of the host's and for all threads; in initialize, because
 * later the host's own allows no more. */
static void refuse_getpriority(uint32_t action) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)) _exit(77);
}

static void *sleep_for_ever(void *unused) { for (;;) pause(); return unused; }
static void *ask_priority(void *unused) {
    prctl(PR_SET_NAME, "victim");
    getpriority(PRIO_PROCESS, 0);
    return unused;
}
static void *crash(void *unused) {
    prctl(PR_SET_NAME, "crasher");
    *(volatile int *)16 = 1;
    return unused;
}
static void new_thread(void *(*run)(void *)) {
    pthread_t thread;
    if (pthread_create(&thread, 0, run, 0)) _exit(78);
}
static void handle_once(int number) {
    (void)number;
    signal(SIGSEGV, SIG_DFL);
    *(volatile int *)0x20 = 1;
}

/* What nobody asked for, `count` times. */
static void flood(uint32_t command, const uint8_t *header, uint32_t size) {
    uint32_t count = 0;
    memcpy(&count, header, size < sizeof count ? size : sizeof count);
    /* The answer of START, to a call that nobody made. */
    uint32_t message[3] = {2, 0x70000000, 0};
    for (uint32_t i = 0; i < count; i++) {
        if (command == 48) host->return_callback(host, 5000, i, 7);
        if (command == 50) host->update(host, 6, header, size, -1);
        if (command == 51) for (int fd = 3; fd < 64; fd++) send(fd, message, sizeof message, MSG_NOSIGNAL);
    }
}

/* No descriptor more fits into this process. */
static uint32_t no_more_descriptors(void) {
    while (dup(buffer) >= 0) {}
    return (uint32_t)errno;
}

static uint32_t run(uint32_t command, const uint8_t *header, uint32_t size) {
    char path[64];
    switch (command) {
        case 1: /* sum of the header */ {
            uint32_t sum = size;
            for (uint32_t i = 0; i < size; i++) sum = sum * 31 + header[i];
            return sum;
        }
        case 2: return open_descriptors();
        case 3: return environment_variables();
        case 4: return (uint32_t)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
        case 5: return errno_if(ftruncate(buffer, 0));
        case 6: return errno_if(fcntl(buffer, F_ADD_SEALS, F_SEAL_WRITE));
        case 7: return errno_if(fallocate(buffer, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
        case 8: snprintf(path, sizeof path, "/proc/self/fd/%d", buffer); return errno_if(truncate(path, 0));
        case 9: snprintf(path, sizeof path, "/proc/self/fd/%d", buffer); return errno_if(open(path, O_RDWR | O_TRUNC) < 0);
        case 10: return errno_if(syscall(SYS_io_uring_setup, 1, 0) < 0);
        case 11: return errno_if(syscall(SYS_openat2, AT_FDCWD, "/", 0, 0) < 0);
        case 12: snprintf(path, sizeof path, "/proc/self/fd/%d", buffer); return errno_if(creat(path, 0600) < 0);
        case 13: *(volatile int *)16 = 1; return 0;
        case 14: abort();
        case 15: exit(3);
        case 16: for (;;) pause();
        case 17: puts("to standard output"); fflush(stdout); fputs("to standard error\n", stderr); return 0;
        case 18: return (uint32_t)fcntl(buffer, F_GETFD);
        case 19: /* a process of its own, that stays */ {
            pid_t child = fork();
            if (child == 0) { if (fork() == 0) for (;;) pause(); _exit(0); }
            return 0;
        }
        case 20: raise(SIGSTOP); return 0;
#ifdef __x86_64__
        case 21: return errno_if(syscall(0x40000000 | 77, buffer, 0) < 0); /* x32 ftruncate */
#endif
        case 22: { const char *value = getenv("CAMERA_MODE"); return value ? (uint32_t)atoi(value) : 0; }
        case 23: host->update(host, 5, (const uint8_t *)"\x01\x02", 2, memfd_create("update", 0)); return 0;
        case 24: return reopen_by_handle();
#ifdef __x86_64__
        case 25: /* ftruncate of the i386 ABI */ {
            long result;
            __asm__ volatile("int $0x80" : "=a"(result) : "a"(93), "b"(buffer), "c"(0) : "memory");
            return (uint32_t)-result;
        }
#endif
        case 26: execl("/bin/true", "true", (char *)0); return (uint32_t)errno;
        case 27: /* forge the activity page, where it can be found, and crash */
            forge_activity();
            *(volatile int *)(uintptr_t)(forged ? 16 : 32) = 1;
            return 0;
        case 28: for (int fd = 3; fd < 64; fd++) shutdown(fd, SHUT_RDWR); for (;;) pause();
        case 29: prctl(PR_SET_NAME, "x\ncami-ipa: E"); abort();
        case 30: for (int i = 0; i < 3; i++) if (fork() == 0) { for (;;) pause(); } return 0;
        case 31: return errno_if(madvise(&buffer, 1, MADV_HWPOISON) < 0);
        case 33: getpriority(PRIO_PROCESS, 0); return 0; /* see REFUSES */
        case 35: /* a family of threads that is left behind */
            if (fork() == 0) { for (int i = 0; i < 3; i++) new_thread(sleep_for_ever); for (;;) pause(); }
            return 0;
        case 36: for (int i = 0; i < 200; i++) fprintf(stderr, "line %d\n", i); *(volatile int *)16 = 1; return 0;
        case 37: scribble_over_activity(); *(volatile int *)16 = 1; return 0;
        case 38: map_ten_thousand(); *(volatile int *)16 = 1; return 0;
        case 39: /* the filter's victim among threads that wait in other calls */
            for (int i = 0; i < 8; i++) new_thread(sleep_for_ever);
            new_thread(ask_priority);
            for (;;) pause();
        case 40: new_thread(crash); for (;;) pause();
        case 41: /* a crash that the library handles, and another that it does not */
            signal(SIGSEGV, handle_once); *(volatile int *)16 = 1; return 0;
        case 42: raise(SIGTERM); return 0;
        case 32: { int status = system("exit 5"); return WIFSIGNALED(status) ? 100u + (uint32_t)WTERMSIG(status) : (uint32_t)WEXITSTATUS(status); }
        case 43: { pid_t child = fork(); if (child == 0) _exit(5);
            int status; waitpid(child, &status, 0); return (uint32_t)WEXITSTATUS(status); }
        case 44: /* a cache file, as libraries write it */ {
            FILE *file = fopen((const char *)header, "w");
            if (!file) return (uint32_t)errno;
            fputs("cache", file);
            return errno_if(fclose(file));
        }
        case 45: return errno_if(pwrite(buffer, header, size, 100) != (ssize_t)size);
        case 46: return (uint32_t)buffer;
        case 47: /* many callbacks, then a crash */
            for (uint32_t i = 0; i < 300; i++) host->return_callback(host, 3000 + i, i, 7);
            *(volatile int *)16 = 1;
            return 0;
        case 48: case 50: case 51: flood(command, header, size); return 0;
        case 49: for (int fd = 3; fd < 64; fd++) shutdown(fd, SHUT_RD); return 0;
        case 52: return no_more_descriptors();
        case 54: host->return_callback(host, 53, 9, 7); return 0;
        default: return 0xffffffff;
    }
}

static void request(uint32_t req_id, const uint8_t header[], uint32_t size, int32_t handle) {
    if (req_id == 53) return; /* see 54 */
    uint32_t status = run(req_id, header, size);
    host->return_callback(host, req_id, status, handle);
}

static void deregister_buffers(const int32_t handles[], uint32_t size) {
    (void)handles, (void)size;
    maybe_hang("deregister_buffers");
}

static void update_return(uint32_t upd_id, uint32_t status, int fd) {
    (void)status;
    maybe_hang("update_return");
    host->return_callback(host, 1000 + upd_id, (uint32_t)fd, 0);
}

static void deinitialize(void) {
    maybe_hang("deinitialize");
    host->return_callback(host, 2000, 0, 0);
}

/* TALKS: so many lines before anybody uses it. */
__attribute__((constructor)) static void load(void) {
    const char *talks = getenv("TALKS");
    for (int i = 0; talks && i < atoi(talks); i++) fprintf(stderr, "early %d\n", i);
    maybe_hang("load");
}

__attribute__((visibility("default"))) camera_algorithm_ops_t CAMERA_ALGORITHM_MODULE_INFO_SYM = {
    .initialize = initialize,
    .register_buffer = register_buffer,
    .request = request,
    .deregister_buffers = deregister_buffers,
    .update_return = update_return,
    .deinitialize = deinitialize,
};
