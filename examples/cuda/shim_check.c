/* Checks the stand-ins that shim.py makes, without a GPU (build.sh runs it).

   With -DREAL this is a library that plays libcuda.so.1 and libcurand.so.10, without it a program linked with libcuda.a and
   libcurand.a. `shim_check without` expects neither library, `shim_check with` both: every argument has to arrive, in registers of
   both kinds and on the stack, at the first call, which resolves the function, and at the second, and with eight threads at once. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef REAL

int cuInit(unsigned flags) { return flags == 7 ? 0 : 1; }

/* 11 arguments, five of them on the stack: the same digits wherever each is right. */
int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   void *stream, void **params, void **extra) {
    uint64_t sum = (uintptr_t)f;
    const uint64_t rest[] = {gx, gy, gz, bx, by, bz, shared, (uintptr_t)stream, (uintptr_t)params, (uintptr_t)extra};
    for (int at = 0; at < 10; at++) sum = sum * 31 + rest[at];
    return (int)(sum % 1000003);
}

/* Integers and doubles in turn. */
int curandGenerateNormalDouble(void *generator, double *out, unsigned long n, double mean, double deviation) {
    out[0] = (double)(uintptr_t)generator + (double)n * mean - deviation;
    return 0;
}

#else

int cuInit(unsigned flags);
int cuLaunchKernel(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **);
int cuCtxSynchronize(void);
int cuGetErrorString(int code, const char **text);
int curandGenerateNormalDouble(void *, double *, unsigned long, double, double);

static int launch(void) {
    return cuLaunchKernel((void *)1, 2, 3, 4, 5, 6, 7, 8, (void *)9, (void **)10, (void **)11);
}

static int expected(void) {
    uint64_t sum = 1;
    for (int at = 2; at <= 11; at++) sum = sum * 31 + (uint64_t)at;
    return (int)(sum % 1000003);
}

static int failures;

static void check(const char *what, int right) {
    if (!right) {
        fprintf(stderr, "shim_check: %s\n", what);
        failures++;
    }
}

static void *thread(void *found) {
    *(int *)found = launch();
    return NULL;
}

int main(int count, char **arguments) {
    if (count == 2 && !strcmp(arguments[1], "without")) {
        const char *text = "";
        double out = 0.5;
        check("cuInit without a driver", cuInit(7) == 100 && cuInit(7) == 100);
        check("cuLaunchKernel without a driver", launch() == 100);
        check("cuGetErrorString without a driver", !cuGetErrorString(100, &text) && strstr(text, "libcuda.so.1"));
        check("cuRAND without its library", curandGenerateNormalDouble(NULL, &out, 1, 2.0, 3.0) == 203 && out == 0.5);
    } else if (count == 2 && !strcmp(arguments[1], "with")) {
        pthread_t threads[8];
        int found[8];
        for (int at = 0; at < 8; at++) pthread_create(&threads[at], NULL, thread, &found[at]);
        for (int at = 0; at < 8; at++) {
            pthread_join(threads[at], NULL);
            check("arguments of cuLaunchKernel, among threads", found[at] == expected());
        }
        check("arguments of cuLaunchKernel", launch() == expected() && launch() == expected());
        check("cuInit", cuInit(7) == 0 && cuInit(8) == 1);
        check("a function that the driver lacks", cuCtxSynchronize() == 100);
        for (int at = 0; at < 2; at++) {
            double out = 0;
            check("cuRAND's code", curandGenerateNormalDouble((void *)5, &out, 3, 0.5, 0.25) == 0);
            check("arguments of curandGenerateNormalDouble", out == 5 + 1.5 - 0.25);
        }
    } else {
        return 2;
    }
    return failures != 0;
}

#endif
