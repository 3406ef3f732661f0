#define _GNU_SOURCE
#include "martlet_memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void martlet_memory_limit(int arenas, int threshold)
{
    mallopt(M_ARENA_MAX, arenas);
    mallopt(M_MMAP_THRESHOLD, threshold);
    mallopt(M_TRIM_THRESHOLD, threshold);
}

void martlet_memory_trim(void)
{
    malloc_trim(0);
}

static int unmap_code(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        // Executable and never written, so every page is the file's and can come back from it.
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || (segment->p_flags & PF_W))
            continue;
        uintptr_t begin = ((uintptr_t)info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (uintptr_t)info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        // Advice: where the kernel does not take it, nothing is lost but the memory.
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 1;  // the first object is the program itself
}

void martlet_memory_unmap_code(void)
{
    dl_iterate_phdr(unmap_code, NULL);
}
