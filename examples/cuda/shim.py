#!/usr/bin/env python3
"""Static libraries that stand in for CUDA's, so that a program linked with them starts on a machine without CUDA.

    examples/cuda/shim.py CUDARC CANDLE_KERNELS OUT

CUDARC is the source folder of the crate cudarc, whose bindings name the functions; OUT receives libcuda.a, libcublas.a,
libcublasLt.a, libcurand.a and libnvrtc.a. Needs gcc and ar, on x86-64. CANDLE_KERNELS is the source folder of the crate
candle-kernels; OUT/unused.o receives the functions of its kernels for quantised weights, each of which ends the program, and
OUT/libcudart.a, CUDA's runtime, which nothing but those kernels asks for, nothing.

Each function of the five libraries is a jump through a slot of its own, as in a procedure linkage table. At first the slot leads
to a resolver, which opens the real library, puts the real function's address into the slot and goes on there with every argument
register and the stack as they were. Where the library or the function is missing, the slot leads to one that returns an error
code, or a text where the function returns a pointer.

A library is looked for where the loader looks, then in the folders of CNNFILTER_CUDA_PATH (separated by colons), then in
/usr/local/cuda/lib64. A missing driver is the usual case and passes without a word; if the driver is there and another library is
not, standard error says so once.
"""

import pathlib
import re
import subprocess
import sys

# Library: its bindings' folder, its file, and what a function of a missing library returns:
# CUDA_ERROR_NO_DEVICE, CUBLAS_STATUS_NOT_INITIALIZED, CURAND_STATUS_INITIALIZATION_FAILED and NVRTC_ERROR_INTERNAL_ERROR.
LIBRARIES = {
    "cuda": ("driver", "libcuda.so.1", 100),
    "cublas": ("cublas", "libcublas.so.13", 1),
    "cublasLt": ("cublaslt", "libcublasLt.so.13", 1),
    "curand": ("curand", "libcurand.so.10", 203),
    "nvrtc": ("nvrtc", "libnvrtc.so.13", 11),
}

# What no driver says when it is asked what an error means.
NO_DRIVER = r"""
static int no_text(int code, const char **text) {
    (void)code;
    *text = missing;
    return 0;
}
"""

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "@file@"
#define FUNCTIONS @count@

static const char *const names[FUNCTIONS] = {
@names@
};
/* 0: returns a code, 1: returns a pointer, 2: explains a code. */
static const char kinds[FUNCTIONS] = {@kinds@};
static const char missing[] = FILE_NAME " was not found";
extern void *volatile shim_@library@_slots[FUNCTIONS] __attribute__((visibility("hidden")));

static int no_function(void) { return @code@; }
static const char *no_pointer(void) { return missing; }
@no_driver@
static void *open_library(void) {
    void *library = dlopen(FILE_NAME, RTLD_LAZY | RTLD_LOCAL);
    const char *folders[2] = {getenv("CNNFILTER_CUDA_PATH"), "/usr/local/cuda/lib64"};
    for (int list = 0; list < 2; list++) {
        const char *at = folders[list];
        while (!library && at && *at) {
            int length = (int)strcspn(at, ":");
            char path[4096];
            int written = snprintf(path, sizeof path, "%.*s/" FILE_NAME, length, at);
            if (length > 0 && written < (int)sizeof path) library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
            at += length + (at[length] == ':');
        }
    }
    if (!library && @warns@)
        fprintf(stderr, "cnnfilter: %s: the GPU cannot be used (CNNFILTER_CUDA_PATH may name its folder)\n", missing);
    return library;
}

/* Threads that come here at the same time find the same address. */
__attribute__((used)) void *shim_@library@_resolve(long function) {
    static void *volatile opened;
    static volatile int tried;
    static volatile int lock;
    while (__sync_lock_test_and_set(&lock, 1)) {}
    if (!tried) {
        opened = open_library();
        tried = 1;
    }
    __sync_lock_release(&lock);
    void *found = opened ? dlsym(opened, names[function]) : NULL;
    if (!found) {
        switch (kinds[function]) {
        case 1: found = (void *)no_pointer; break;
        case 2: found = (void *)@no_text@; break;
        default: found = (void *)no_function;
        }
    }
    shim_@library@_slots[function] = found;
    return found;
}

/* rdi, rsi, rdx, rcx, r8, r9 and xmm0 to xmm7 hold arguments, rax the number of the latter, r10 a static chain. The resolver is
   called with the stack at a multiple of 16: return address, function number, 8 registers, 8 x 16 bytes. */
__asm__(
    ".text\n"
    ".type shim_@library@_first, @function\n"
    "shim_@library@_first:\n"
    "push %rdi\n push %rsi\n push %rdx\n push %rcx\n push %r8\n push %r9\n push %rax\n push %r10\n"
    "sub $128, %rsp\n"
    "movups %xmm0, (%rsp)\n movups %xmm1, 16(%rsp)\n movups %xmm2, 32(%rsp)\n movups %xmm3, 48(%rsp)\n"
    "movups %xmm4, 64(%rsp)\n movups %xmm5, 80(%rsp)\n movups %xmm6, 96(%rsp)\n movups %xmm7, 112(%rsp)\n"
    "mov 192(%rsp), %rdi\n"
    "call shim_@library@_resolve\n"
    "mov %rax, %r11\n"
    "movups (%rsp), %xmm0\n movups 16(%rsp), %xmm1\n movups 32(%rsp), %xmm2\n movups 48(%rsp), %xmm3\n"
    "movups 64(%rsp), %xmm4\n movups 80(%rsp), %xmm5\n movups 96(%rsp), %xmm6\n movups 112(%rsp), %xmm7\n"
    "add $128, %rsp\n"
    "pop %r10\n pop %rax\n pop %r9\n pop %r8\n pop %rcx\n pop %rdx\n pop %rsi\n pop %rdi\n"
    "add $8, %rsp\n"
    "jmp *%r11\n"
@functions@
    ".data\n .balign 8\n"
    "shim_@library@_slots:\n"
@slots@
    ".text\n"
);
"""


def functions(bindings: str) -> dict[str, str]:
    """What each function of the bindings returns, as Rust writes it."""
    found = re.findall(r"\bfn ((?:cu(?!lib\b)|nvrtc)[A-Za-z0-9_]+)\([^;{]*?\)(?: -> ([^;{]+?))?\s*[;{]", bindings)
    return {name: returned.strip() for name, returned in sorted(found)}


def source(library: str, file: str, code: int, returned: dict[str, str]) -> str:
    """The C source of a library's stand-in."""

    def kind(name: str) -> str:
        if name in ("cuGetErrorString", "cuGetErrorName"):
            return "2"
        return "1" if returned[name].startswith("*") else "0"

    jumps = (
        f'    ".globl {name}\\n .type {name}, @function\\n {name}: jmp *shim_{library}_slots+{8 * at}(%rip)\\n"\n'
        f'    ".Lresolve{at}: push ${at}\\n jmp shim_{library}_first\\n"'
        for at, name in enumerate(returned)
    )
    values = {
        "library": library,
        "file": file,
        "code": str(code),
        "count": str(len(returned)),
        "names": "\n".join(f'    "{name}",' for name in returned),
        "kinds": ", ".join(map(kind, returned)),
        "warns": "0" if library == "cuda" else "1",
        "no_driver": NO_DRIVER if library == "cuda" else "",
        "no_text": "no_text" if library == "cuda" else "no_function",
        "functions": "\n".join(jumps),
        "slots": "\n".join(f'    ".quad .Lresolve{at}\\n"' for at in range(len(returned))),
    }
    return re.sub("@([a-z_]+)@", lambda name: values[name[1]], SOURCE)


def compile_c(text: str, out: pathlib.Path) -> pathlib.Path:
    """Compiles C to an object."""
    command = ["gcc", "-O2", "-fPIC", "-Wall", "-Wextra", "-x", "c", "-c", "-o", str(out), "-"]
    subprocess.run(command, input=text.encode(), check=True)
    return out


def archive(out: pathlib.Path, *objects: pathlib.Path) -> None:
    """Makes a static library."""
    out.unlink(missing_ok=True)
    subprocess.run(["ar", "crs", out, *objects], check=True)


UNUSED = r"""
#include <stdio.h>
#include <stdlib.h>
static void end(const char *name) {
    fprintf(stderr, "cnnfilter: %s, a kernel for quantised weights, is not in this build\n", name);
    abort();
}
"""


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: shim.py CUDARC CANDLE_KERNELS OUT")
    cudarc, kernels, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    unused = re.findall(r"\bpub fn ([A-Za-z0-9_]+)\(", (kernels / "src" / "ffi.rs").read_text())
    compile_c(UNUSED + "".join(f'void {name}(void) {{ end("{name}"); }}\n' for name in unused), out / "unused.o")
    archive(out / "libcudart.a")
    for library, (folder, file, code) in LIBRARIES.items():
        returned = functions((cudarc / "src" / folder / "sys" / "mod.rs").read_text())
        compiled = compile_c(source(library, file, code, returned), out / f"{library}.o")
        archive(out / f"lib{library}.a", compiled)
        compiled.unlink()
        print(f"lib{library}.a: {len(returned)} functions of {file}")


if __name__ == "__main__":
    main()
