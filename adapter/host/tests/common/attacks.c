/* A vendor library that attacks what is around it. Each request is one attack; its header is a text
 * that the attack needs. 0: the attack worked; otherwise the errno that it met.
 *
 * Compiled as a library for the host and as a program that makes the same attack unconfined:
 * attacks NUMBER TEXT. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cami/camera_algorithm.h"

static uint32_t result(long value) { return value < 0 ? (uint32_t)errno : 0; }

static uint32_t connect_unix(const char *name, int abstract) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) return (uint32_t)errno;
    strncpy(address.sun_path + abstract, name, sizeof address.sun_path - 2);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)abstract + strlen(name));
    uint32_t answer = result(connect(fd, (struct sockaddr *)&address, size + !abstract));
    close(fd);
    return answer;
}

static uint32_t connect_tcp(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return (uint32_t)errno;
    uint32_t answer = result(connect(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
    return answer;
}

/* Processes that stay, up to 2000. 0: that many were made; otherwise what ended it. */
static uint32_t fork_bomb(int keep) {
    pid_t made[2000];
    int count = 0;
    uint32_t answer = 0;
    for (; count < 2000; count++) {
        pid_t child = fork();
        if (child < 0) { answer = (uint32_t)errno; break; }
        if (child == 0) for (;;) pause();
        made[count] = child;
    }
    if (keep) return answer;
    for (int i = 0; i < count; i++) kill(made[i], SIGKILL);
    for (int i = 0; i < count; i++) waitpid(made[i], 0, 0);
    return answer;
}

/* 6 GiB of private memory, not touched. */
static uint32_t memory_bomb(void) {
    for (int i = 0; i < 96; i++) {
        void *block = mmap(0, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (block == MAP_FAILED) return (uint32_t)errno;
    }
    return 0;
}

/* Ways up and around: any that reads the file is success. */
static uint32_t escape(const char *path) {
    static const char *const prefixes[] = {"", "/proc/1/root", "/proc/self/root", "/proc/self/cwd/../../../../../..",
                                           "../../../../../../../..", "/tmp/../..", "/.old-root", "/proc/thread-self/root"};
    char name[4096];
    uint32_t answer = 0;
    for (unsigned i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        snprintf(name, sizeof name, "%s%s", prefixes[i], path);
        int fd = open(name, O_RDONLY);
        if (fd >= 0) { close(fd); return 0; }
        answer = (uint32_t)errno;
    }
    for (int base = 0; base < 64; base++) {
        snprintf(name, sizeof name, "../../../../../../..%s", path);
        int fd = openat(base, name, O_RDONLY);
        if (fd >= 0) { close(fd); return 0; }
    }
    return answer;
}

/* Any place that takes a file is success. */
static uint32_t write_anywhere(const char *folder) {
    const char *const folders[] = {folder, "", "/tmp", "/dev", "/dev/shm", "/usr/lib", "/var/tmp", "/proc", "/etc", "."};
    char name[4096];
    uint32_t answer = 0;
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(name, sizeof name, "%s/cami-attack", folders[i]);
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        if (fd >= 0) { close(fd); unlink(name); return 0; }
        answer = (uint32_t)errno;
    }
    return answer;
}

static uint32_t steal_descriptor(const char *target) {
    int process = (int)syscall(SYS_pidfd_open, atoi(target), 0);
    if (process < 0) return (uint32_t)errno;
    return result(syscall(SYS_pidfd_getfd, process, 0, 0));
}

static uint32_t write_memory(const char *target) {
    char *pid = strdup(target), *address = strchr(pid, ' ');
    char byte = 1;
    struct iovec local = {&byte, 1}, remote = {(void *)strtoul(address, 0, 16), 1};
    return result(process_vm_writev(atoi(pid), &local, 1, &remote, 1, 0));
}

/* A process of one thread may make a user namespace, and has capabilities in it. */
static uint32_t new_namespaces(void) {
    int status;
    pid_t child = fork();
    if (child < 0) return (uint32_t)errno;
    if (child == 0) _exit((int)result(unshare(CLONE_NEWUSER | CLONE_NEWNS)));
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : ENOSYS;
}

static uint32_t attack(uint32_t number, const char *text) {
    switch (number) {
        case 1: return result(open(text, O_RDONLY));
        case 2: return result(open(text, O_RDWR));
        case 3: return connect_tcp(text);
        case 4: return connect_unix(text, 1);
        case 5: return connect_unix(text, 0);
        case 6: return result(ptrace(PTRACE_SEIZE, atoi(text), 0, 0));
        case 7: return result(kill(atoi(text), 0));
        case 8: return fork_bomb(0);
        case 9: return memory_bomb();
        case 10: return steal_descriptor(text);
        case 11: return escape(text);
        case 12: return write_anywhere(text);
        case 13: return write_memory(text);
        case 14: return new_namespaces();
        case 15: return result(mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
        case 16: return fork_bomb(1);
        case 17: /* everybody that it can see, and its parent */
            kill(-1, SIGKILL);
            kill(getppid(), SIGKILL);
            return 0;
        default: return 0xffffffff;
    }
}

#ifdef PROGRAM
int main(int count, char **arguments) {
    if (count < 3) return 99;
    uint32_t answer = attack((uint32_t)atoi(arguments[1]), arguments[2]);
    return answer > 98 ? 98 : (int)answer;
}
#else
static const camera_algorithm_callback_ops_t *host;

static int32_t initialize(const camera_algorithm_callback_ops_t *callbacks) {
    host = callbacks;
    return 0;
}

static int32_t register_buffer(int fd) { (void)fd; return 7; }

static void request(uint32_t req_id, const uint8_t header[], uint32_t size, int32_t handle) {
    char text[4096];
    snprintf(text, sizeof text, "%.*s", (int)size, (const char *)header);
    host->return_callback(host, req_id, attack(req_id, text), handle);
}

static void deregister_buffers(const int32_t handles[], uint32_t size) { (void)handles, (void)size; }

__attribute__((visibility("default"))) camera_algorithm_ops_t CAMERA_ALGORITHM_MODULE_INFO_SYM = {
    .initialize = initialize,
    .register_buffer = register_buffer,
    .request = request,
    .deregister_buffers = deregister_buffers,
};
#endif
