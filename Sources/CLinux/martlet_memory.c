#include "martlet_memory.h"

#include <malloc.h>

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
