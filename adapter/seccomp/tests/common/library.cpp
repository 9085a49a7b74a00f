// A library that does what 3A libraries do, for tests/behaviour.rs. Each function returns 0, or the
// line that went wrong.
#include <atomic>
#include <condition_variable>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <fstream>
#include <mutex>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <syslog.h>
#include <thread>
#include <unistd.h>
#include <vector>

#define CHECK(what) do { if (!(what)) return __LINE__; } while (0)
#define FAILS(what, error) CHECK((errno = 0, (what) == -1) && errno == (error))

static std::atomic<int> handled;
static void handler(int) { handled++; }

// A constructor with a thread, as vendor libraries have them: it runs while the library loads.
static std::atomic<int> early;
struct Early { Early() { std::thread([] { early = 1; }).join(); } } static early_thread;

extern "C" int threads() {
    CHECK(early == 1);
    std::mutex mutex;
    std::condition_variable condition;
    int count = 0;
    std::vector<std::thread> all;
    for (int i = 0; i < 8; i++)
        all.emplace_back([&] {
            pthread_setname_np(pthread_self(), "worker");
            std::unique_lock<std::mutex> lock(mutex);
            count++;
            condition.notify_all();
            condition.wait(lock, [&] { return count == 8; });
        });
    for (auto &thread : all) thread.join();
    CHECK(count == 8);
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, 4 << 20) == 0);
    pthread_t thread;
    // Cancelling unwinds, for which glibc opens libgcc_s.
    CHECK(pthread_create(&thread, &attributes, [](void *) -> void * { for (;;) pause(); }, nullptr) == 0);
    cpu_set_t cpus;
    CHECK(pthread_getaffinity_np(thread, sizeof cpus, &cpus) == 0);
    CHECK(pthread_setaffinity_np(thread, sizeof cpus, &cpus) == 0);
    int policy;
    sched_param parameters;
    CHECK(pthread_getschedparam(thread, &policy, &parameters) == 0);
    CHECK(pthread_setschedparam(thread, policy, &parameters) == 0);
    CHECK(pthread_cancel(thread) == 0);
    void *result;
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(sched_getcpu() >= 0);
    CHECK(sched_yield() == 0);
    return 0;
}

extern "C" int memory() {
    for (size_t size = 16; size < 64u << 20; size *= 2) {
        auto *block = static_cast<char *>(malloc(size));
        CHECK(block);
        memset(block, 1, size);
        block = static_cast<char *>(realloc(block, size * 2));
        CHECK(block && block[size - 1] == 1);
        free(block);
    }
    // An arena of a second thread is grown by mprotect.
    std::thread([] { for (int i = 0; i < 1000; i++) free(malloc(100000)); }).join();
    void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    CHECK(madvise(page, 4096, MADV_DONTNEED) == 0);
    FAILS(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), EACCES);
    CHECK(mmap(nullptr, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    return munmap(page, 4096) == 0 ? 0 : __LINE__;
}

extern "C" int code_is_new(int allowed) {
    void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    CHECK((mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0) == (allowed != 0));
    void *library = dlopen("libBrokenLocale.so.1", RTLD_NOW);
    CHECK((library != nullptr) == (allowed != 0));
    // What is there already is found all the same.
    CHECK(dlopen("libgcc_s.so.1", RTLD_NOW));
    CHECK(dlsym(RTLD_DEFAULT, "malloc"));
    return 0;
}

extern "C" int exceptions() {
    for (int i = 0; i < 3; i++) {
        try {
            std::vector<int>().at(7);
            return __LINE__;
        } catch (const std::out_of_range &error) {
            CHECK(strlen(error.what()) > 0);
        }
    }
    bool caught = false;
    std::thread([&] { try { throw std::runtime_error("x"); } catch (...) { caught = true; } }).join();
    CHECK(caught);
    void *frames[16];
    CHECK(backtrace(frames, 16) > 1);
    std::ostringstream text;
    text << 1.5 << ' ' << 7;
    CHECK(text.str() == "1.5 7");
    return 0;
}

extern "C" int timers() {
    timespec moment = {0, 1000000};
    CHECK(nanosleep(&moment, nullptr) == 0);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, nullptr) == 0);
    CHECK(syscall(SYS_clock_gettime, CLOCK_REALTIME, &moment) == 0);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    CHECK(timer >= 0);
    itimerspec soon = {{0, 0}, {0, 1000000}};
    CHECK(timerfd_settime(timer, 0, &soon, nullptr) == 0);
    uint64_t ticks;
    CHECK(read(timer, &ticks, sizeof ticks) == sizeof ticks);
    close(timer);
    // glibc runs this in a thread of its own.
    static std::atomic<int> fired;
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = [](sigval) { fired = 1; };
    timer_t thread_timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &thread_timer) == 0);
    CHECK(timer_settime(thread_timer, 0, &soon, nullptr) == 0);
    while (!fired) sched_yield();
    CHECK(timer_delete(thread_timer) == 0);
    return 0;
}

extern "C" int shared_memory() {
    int fd = memfd_create("update", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(fd >= 0);
    // ftruncate is not to be had; a memfd gets its size by fallocate, or by writing.
    FAILS(ftruncate(fd, 8192), EPERM);
    CHECK(posix_fallocate(fd, 0, 8192) == 0);
    CHECK(pwrite(fd, "x", 1, 12287) == 1);
    struct stat status;
    CHECK(fstat(fd, &status) == 0 && status.st_size == 12288);
    CHECK(lseek(fd, 0, SEEK_END) == 12288);
    void *map = mmap(nullptr, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    FAILS(madvise(map, 4096, MADV_REMOVE), EPERM);
    FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    FAILS(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), EPERM);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    CHECK(copy >= 100);
    close(copy);
    munmap(map, 12288);
    close(fd);
    return 0;
}

extern "C" int files(const char *folder, int may_truncate) {
    std::string path = std::string(folder) + "/cache";
    std::ofstream cache(path);
    cache << "new";
    cache.close();
    // A first write needs no truncation, but ofstream asks for it.
    struct stat status;
    CHECK((stat(path.c_str(), &status) == 0) == (may_truncate != 0));
    int fd = open((path + ".new").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, "text", 4) == 4 && fsync(fd) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    char text[5] = {};
    CHECK(read(fd, text, 4) == 4 && strcmp(text, "text") == 0);
    close(fd);
    CHECK(rename((path + ".new").c_str(), path.c_str()) == 0);
    CHECK(access(path.c_str(), R_OK) == 0);
    DIR *open_folder = opendir(folder);
    CHECK(open_folder && readdir(open_folder));
    closedir(open_folder);
    struct statfs system;
    CHECK(statfs(folder, &system) == 0);
    CHECK(unlink(path.c_str()) == 0);
    CHECK(fopen("/proc/self/status", "re"));
    isatty(2);
    return 0;
}

extern "C" int events() {
    int event = eventfd(0, EFD_CLOEXEC), pipes[2], pair[2];
    CHECK(event >= 0 && pipe2(pipes, O_CLOEXEC) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event wanted = {EPOLLIN, {}};
    CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted) == 0);
    uint64_t one = 1;
    CHECK(write(event, &one, sizeof one) == sizeof one);
    CHECK(epoll_wait(epoll, &wanted, 1, -1) == 1);
    pollfd poll_for = {event, POLLIN, 0};
    CHECK(poll(&poll_for, 1, -1) == 1);
    char hello[] = "hello";
    iovec text = {hello, 5};
    msghdr message = {};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    CHECK(sendmsg(pair[0], &message, MSG_NOSIGNAL) == 5);
    CHECK(recvmsg(pair[1], &message, 0) == 5);
    // What is not to be had fails as on a machine without it.
    FAILS(socket(AF_INET, SOCK_STREAM, 0), EAFNOSUPPORT);
    FAILS(socket(AF_NETLINK, SOCK_RAW, 0), EAFNOSUPPORT);
    FAILS(syscall(SYS_io_uring_setup, 1, nullptr), ENOSYS);
    FAILS(syscall(SYS_openat2, -1, "x", nullptr, 0), ENOSYS);
    addrinfo *addresses;
    CHECK(getaddrinfo("camera.invalid", nullptr, nullptr, &addresses) != 0);
    openlog("camera", 0, LOG_USER);
    syslog(LOG_DEBUG, "a line that is lost");
    closelog();
    return 0;
}

extern "C" int identity() {
    utsname name;
    CHECK(uname(&name) == 0);
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0);
    char bytes[16];
    CHECK(getrandom(bytes, sizeof bytes, 0) == sizeof bytes);
    rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    FAILS(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
    FAILS(setuid(getuid()), EPERM);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) > 0);
    rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    CHECK(getpriority(PRIO_PROCESS, 0) >= -20);
    return 0;
}

// A signal to the process may go to any thread, a little later.
static int handled_are(int count) {
    while (handled < count) sched_yield();
    return handled == count;
}

extern "C" int signals() {
    signal(SIGUSR1, handler);
    CHECK(raise(SIGUSR1) == 0 && handled_are(1));
    CHECK(kill(getpid(), SIGUSR1) == 0 && handled_are(2));
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0 && handled_are(3));
    CHECK(sigqueue(getpid(), SIGUSR1, {}) == 0 && handled_are(4));
    FAILS(kill(getppid(), 0), EPERM);
    return 0;
}

extern "C" int children() {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) _exit(5);
    int status;
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
    // Its child dies of execve; the library goes on.
    status = system("true");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    return 0;
}

extern "C" void aborts() { abort(); }
extern "C" void executes() { execl("/bin/true", "true", static_cast<char *>(nullptr)); }
extern "C" void terminates() { throw std::runtime_error("nobody catches it"); }

// A thread that runs already when the second filter comes.
static std::atomic<int> go;
static std::atomic<int> answer{-1};
static std::thread *waiting;
extern "C" void start_waiting() {
    waiting = new std::thread([] {
        while (!go) sched_yield();
        void *page = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        answer = page == MAP_FAILED ? errno : 0;
    });
}
extern "C" int waiting_got() {
    go = 1;
    waiting->join();
    return answer;
}
