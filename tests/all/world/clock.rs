//! A clock that is wrong for a program and all that it starts.

use std::path::PathBuf;
use std::process::Command;

use super::World;

impl World {
    /// A library that, preloaded, makes the clock wrong by `$CLOCK_OFF` seconds.
    pub(crate) fn wrong_clock(&self) -> PathBuf {
        let (source, library) = (self.dir().join("clock.c"), self.dir().join("clock.so"));
        std::fs::write(
            &source,
            "#define _GNU_SOURCE\n#include <stdlib.h>\n#include <sys/syscall.h>\n#include <sys/time.h>\n#include <time.h>\n\
             #include <unistd.h>\n\
             int clock_gettime(clockid_t clock, struct timespec *now) {\n\
               int failed = syscall(SYS_clock_gettime, clock, now);\n\
               const char *off = getenv(\"CLOCK_OFF\");\n\
               if (!failed && clock == CLOCK_REALTIME && off) now->tv_sec += atol(off);\n\
               return failed;\n\
             }\n\
             time_t time(time_t *out) {\n\
               struct timespec now;\n\
               clock_gettime(CLOCK_REALTIME, &now);\n\
               if (out) *out = now.tv_sec;\n\
               return now.tv_sec;\n\
             }\n\
             int gettimeofday(struct timeval *out, void *zone) {\n\
               struct timespec now;\n\
               clock_gettime(CLOCK_REALTIME, &now);\n\
               out->tv_sec = now.tv_sec;\n\
               out->tv_usec = now.tv_nsec / 1000;\n\
               return 0;\n\
             }\n",
        )
        .unwrap();
        // As the git library is built, so is this.
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap();
        assert!(built.success());
        library
    }
}
