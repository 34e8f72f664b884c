/* A bad world for one process: loaded before it (LD_PRELOAD), this lets chosen system calls fail, come up short, be
 * interrupted, or be the moment at which a signal comes or a file changes.
 *
 * Every call of the kinds below is caught, whoever makes it and by whatever way: a seccomp filter lets the kernel send
 * SIGSYS instead of doing the call, and the handler does it, or not. Calls from `world_call` itself pass the filter.
 * Threads are refused by standing in for pthread_create. What struck is written to a file, so that nobody takes a run
 * for a proof that had no fault in it.
 *
 * WORLD_DO      list | error | short | interrupt | signal | truncate | rewrite | grow | replace | remove | thread
 * WORLD_CALLS   some of read,write,open,map,sync,rename
 * WORLD_PATH    what the path of the descriptor or name must hold
 * WORLD_NTH     the first matching call that is struck, from 1
 * WORLD_TIMES   how many are, 0 for all that follow
 * WORLD_VALUE   the error, the signal, the length or the offset
 * WORLD_TARGET  the file that changes, once it was read from; WORLD_SPARE the one that takes its place
 * WORLD_SEED    for lengths of short calls and for interruptions
 * WORLD_TOLD    where to write what struck
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the shim knows x86-64 alone"
#endif

long world_call(long number, ...) __attribute__((visibility("hidden")));
extern char world_called[] __attribute__((visibility("hidden")));
__asm__(".text\n"
        ".hidden world_call\n.type world_call,@function\nworld_call:\n"
        "mov %rdi,%rax\nmov %rsi,%rdi\nmov %rdx,%rsi\nmov %rcx,%rdx\nmov %r8,%r10\nmov %r9,%r8\nmov 8(%rsp),%r9\n"
        "syscall\n"
        ".hidden world_called\nworld_called:\nret\n");

enum deed { LIST, ERROR, SHORT, INTERRUPT, SIGNAL, TRUNCATE, REWRITE, GROW, REPLACE, REMOVE, THREAD, NOTHING };
static const char *const DEEDS[] = {"list",    "error", "short",   "interrupt", "signal", "truncate",
                                    "rewrite", "grow",  "replace", "remove",    "thread"};

struct kind {
    long number;
    const char *name;
    /* Which argument is a descriptor, which a path, which a length; -1 for none. */
    int descriptor, path, length;
};
static const struct kind KINDS[] = {
    {SYS_read, "read", 0, -1, 2},    {SYS_pread64, "read", 0, -1, 2},    {SYS_readv, "read", 0, -1, -1},
    {SYS_preadv, "read", 0, -1, -1}, {SYS_write, "write", 0, -1, 2},     {SYS_pwrite64, "write", 0, -1, 2},
    {SYS_writev, "write", 0, -1, -1}, {SYS_open, "open", -1, 0, -1},     {SYS_openat, "open", -1, 1, -1},
    {SYS_mmap, "map", 4, -1, -1},    {SYS_fsync, "sync", 0, -1, -1},     {SYS_fdatasync, "sync", 0, -1, -1},
    {SYS_rename, "rename", -1, 1, -1}, {SYS_renameat, "rename", -1, 3, -1}, {SYS_renameat2, "rename", -1, 3, -1},
};
#define KINDS_LEN (sizeof KINDS / sizeof KINDS[0])

static enum deed deed = NOTHING;
static const char *calls, *part, *target, *target_name, *spare, *told;
static long nth, times, value;
static atomic_long seen;
static atomic_int is_open;
static atomic_ulong chance;

/* A number below `limit`, another one each time. */
static unsigned long draw(unsigned long limit) {
    unsigned long x = atomic_fetch_add(&chance, 0x9E3779B97F4A7C15ul);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ul;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBul;
    return (x ^ (x >> 31)) % limit;
}

static void tell(const char *name, const char *path) {
    struct iovec line[] = {{(void *)name, strlen(name)}, {(void *)" ", 1}, {(void *)path, strlen(path)}, {(void *)"\n", 1}};
    long file = world_call(SYS_openat, AT_FDCWD, told, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600L, 0L, 0L);
    if (file < 0) return;
    world_call(SYS_writev, file, line, 4L, 0L, 0L, 0L);
    world_call(SYS_close, file, 0L, 0L, 0L, 0L, 0L);
}

/* The path that a call is about; what is read, written or reported by number has its number in front. */
static void name_path(const struct kind *kind, const greg_t *arguments, char *path, size_t room) {
    if (kind->path >= 0) {
        const char *given = (const char *)arguments[kind->path];
        size_t len = strnlen(given, room - 1);
        memcpy(path, given, len);
        path[len] = 0;
        return;
    }
    int number = (int)arguments[kind->descriptor];
    if (number < 0) {
        strcpy(path, "memory");
        return;
    }
    char link[32] = "/proc/self/fd/", digits[12];
    int count = 0;
    for (int rest = number; count == 0 || rest > 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
    size_t end = strlen(link);
    while (count > 0) link[end++] = digits[--count];
    link[end] = 0;
    size_t start = 0;
    if (number <= 2) {
        memcpy(path, "fd0:", 4);
        path[2] = (char)('0' + number);
        start = 4;
    }
    long len = world_call(SYS_readlink, link, path + start, (long)(room - start - 1), 0L, 0L, 0L);
    path[start + (size_t)(len > 0 ? len : 0)] = 0;
}

/* Does to the file what is to happen to it. */
static void change(void) {
    static const char other[] = "\n{\"written\":\"by somebody else\"}\n";
    long file;
    switch (deed) {
    case TRUNCATE:
        world_call(SYS_truncate, target, value, 0L, 0L, 0L, 0L);
        break;
    case REPLACE:
        world_call(SYS_rename, spare, target, 0L, 0L, 0L, 0L);
        break;
    case REMOVE:
        world_call(SYS_unlink, target, 0L, 0L, 0L, 0L, 0L);
        break;
    case REWRITE:
    case GROW:
        file = world_call(SYS_openat, AT_FDCWD, target, O_WRONLY | O_CLOEXEC | (deed == GROW ? O_APPEND : 0), 0L, 0L, 0L);
        if (deed == GROW) world_call(SYS_write, file, other, (long)sizeof other - 1, 0L, 0L, 0L);
        else world_call(SYS_pwrite64, file, other, (long)sizeof other - 1, value, 0L, 0L);
        world_call(SYS_close, file, 0L, 0L, 0L, 0L, 0L);
        break;
    default:
        break;
    }
}

/* Whether the call at hand is to be struck. */
static int strikes(void) {
    long turn = atomic_fetch_add(&seen, 1) + 1;
    return turn >= nth && (times == 0 || turn < nth + times);
}

static long called(long number, const greg_t *a) {
    return world_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* One call in the bad world. */
static long world(const struct kind *kind, greg_t *a) {
    char path[512];
    if (strstr(calls, kind->name) == NULL) return called(kind->number, a);
    name_path(kind, a, path, sizeof path);
    if (*target != 0 && !atomic_load(&is_open)) {
        /* Whoever reads from a file has asked for its length before. */
        long done = called(kind->number, a);
        if (strcmp(kind->name, "read") == 0 && strstr(path, target_name) != NULL) atomic_store(&is_open, 1);
        return done;
    }
    if (strstr(path, part) == NULL || !strikes()) return called(kind->number, a);
    switch (deed) {
    case LIST:
        tell(kind->name, path);
        break;
    case ERROR:
        tell(kind->name, path);
        return -value;
    case INTERRUPT:
        if (draw(2) == 0) {
            tell(kind->name, path);
            return -EINTR;
        }
        break;
    case SHORT:
        if (kind->length >= 0 && a[kind->length] > 1) {
            unsigned long most = (unsigned long)a[kind->length] - 1;
            if (draw(4) == 0 && most > 16) most = 16;
            a[kind->length] = (greg_t)(1 + draw(most));
            tell(kind->name, path);
        }
        break;
    case SIGNAL:
        tell(kind->name, path);
        world_call(SYS_kill, (long)getpid(), value, 0L, 0L, 0L, 0L);
        break;
    case THREAD:
    case NOTHING:
        break;
    default:
        change();
        tell(kind->name, path);
    }
    return called(kind->number, a);
}

static void on_call(int signal, siginfo_t *info, void *given) {
    (void)signal;
    ucontext_t *context = given;
    greg_t *registers = context->uc_mcontext.gregs;
    greg_t a[6] = {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                   registers[REG_R10], registers[REG_R8],  registers[REG_R9]};
    int before = errno;
    long done = -ENOSYS;
    for (size_t at = 0; at < KINDS_LEN; at++) {
        if (KINDS[at].number == info->si_syscall) done = world(&KINDS[at], a);
    }
    errno = before;
    registers[REG_RAX] = done;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    create *real = (create *)dlsym(RTLD_NEXT, "pthread_create");
    if (deed == LIST) tell("thread", "start");
    if (deed == THREAD && strikes()) {
        tell("thread", "start");
        return EAGAIN;
    }
    return real(thread, attributes, start, argument);
}

/* Catches the calls of all kinds, but for those from `world_call`. */
static int catch_calls(void) {
    struct sock_filter filter[16 + KINDS_LEN];
    uintptr_t own = (uintptr_t)world_called;
    const unsigned place = offsetof(struct seccomp_data, instruction_pointer);
    unsigned short len = 0;
#define LOAD(offset) filter[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define WHEN(value, then, other) filter[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, other)
#define ANSWER(what) filter[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what)
    LOAD(offsetof(struct seccomp_data, arch));
    WHEN(AUDIT_ARCH_X86_64, 1, 0);
    ANSWER(SECCOMP_RET_ALLOW);
    LOAD(offsetof(struct seccomp_data, nr));
    for (size_t at = 0; at < KINDS_LEN; at++) WHEN((unsigned)KINDS[at].number, (unsigned char)(KINDS_LEN - at), 0);
    ANSWER(SECCOMP_RET_ALLOW);
    LOAD(place);
    WHEN((uint32_t)own, 0, 3);
    LOAD(place + 4);
    WHEN((uint32_t)(own >> 32), 0, 1);
    ANSWER(SECCOMP_RET_ALLOW);
    ANSWER(SECCOMP_RET_TRAP);
    struct sock_fprog program = {len, filter};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_call;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART;
    return sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0
        || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0;
}

static const char *given(const char *name) {
    const char *found = getenv(name);
    return found == NULL ? "" : found;
}

__attribute__((constructor)) static void begin(void) {
    const char *asked = given("WORLD_DO");
    for (size_t at = 0; at < sizeof DEEDS / sizeof DEEDS[0]; at++) {
        if (strcmp(asked, DEEDS[at]) == 0) deed = (enum deed)at;
    }
    calls = given("WORLD_CALLS");
    part = given("WORLD_PATH");
    target = given("WORLD_TARGET");
    target_name = strrchr(target, '/') == NULL ? target : strrchr(target, '/');
    spare = given("WORLD_SPARE");
    told = given("WORLD_TOLD");
    nth = atol(given("WORLD_NTH"));
    times = atol(given("WORLD_TIMES"));
    value = atol(given("WORLD_VALUE"));
    atomic_store(&chance, strtoul(given("WORLD_SEED"), NULL, 10));
    if (deed == NOTHING) return;
    /* Nobody must take a run without its fault for one that stood it. */
    if (catch_calls()) {
        tell("failed", "to catch calls");
        _exit(99);
    }
}
