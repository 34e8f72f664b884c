// How a C++ program writes a schema-v1 event log: about thirty lines to copy, and a use of them.
//     c++ -std=c++17 -pthread -o emit emit.cpp && ./emit OUT
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

// A JSON string; the text must be UTF-8.
static std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (unsigned char c : text) {
        char escape[8];
        if (c == '"' || c == '\\') (out += '\\') += char(c);
        else if (c < 0x20) std::snprintf(escape, sizeof escape, "\\u%04x", c), out += escape;
        else out += char(c);
    }
    return out + "\"";
}

// The log: one for the whole program.
struct Log {
    std::FILE* file;
    std::mutex lock;
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();

    Log(const char* path, const std::string& engine) : file(std::fopen(path, "wb")) {
        if (file) write("{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":" + quoted(engine) + "}\n");
    }
    ~Log() { if (file) std::fclose(file); }
    // A whole line at once, so that threads cannot write into each other's.
    void write(const std::string& line) {
        std::lock_guard<std::mutex> held(lock);
        std::fwrite(line.data(), 1, line.size(), file);
    }
    // To be called wherever a crash is likely.
    bool flush() { return std::fflush(file) == 0 && !std::ferror(file); }
};

// What a thread must remember: its id and its next ordinal. `payload` is the text of a JSON object.
struct Thread {
    Log& log;
    std::uint64_t tid, next = 0;

    void event(const char* kind, std::uint64_t cycle, const std::string& payload) {
        auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - log.start).count();
        log.write("{\"kind\":" + quoted(kind) + ",\"tid\":" + std::to_string(tid) + ",\"tid_event_idx\":" + std::to_string(next++)
                  + ",\"host_ns\":" + std::to_string(ns) + ",\"guest_cycle\":" + std::to_string(cycle)
                  + ",\"deterministic\":true,\"payload\":" + payload + "}\n");
    }
};

// A guest thread that opens three files and ends.
static void guest(Thread thread) {
    std::uint64_t cycle = 0;
    for (const char* path : {"game:\\a.pak", "caf\xc3\xa9 \"b\"\n", "\x01\xf0\x9f\xa6\x80"}) {
        cycle += 40;
        thread.event("kernel.call", cycle, "{\"name\":\"NtOpenFile\",\"args\":{\"path\":" + quoted(path) + "}}");
        thread.event("kernel.return", cycle + 9, "{\"name\":\"NtOpenFile\",\"return_value\":0}");
    }
    thread.event("thread.exit", cycle + 20, "{\"exit_code\":0}");
}

int main(int count, char** arguments) {
    Log log(count > 1 ? arguments[1] : "emit.jsonl", "emit \"cpp\"");
    if (!log.file) return std::perror("emit"), 1;
    std::thread one(guest, Thread{log, 4}), two(guest, Thread{log, 8});
    one.join(), two.join();
    return log.flush() ? 0 : 1;
}
