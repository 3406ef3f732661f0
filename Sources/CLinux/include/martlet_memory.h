#ifndef MARTLET_MEMORY_H
#define MARTLET_MEMORY_H

/// Limits the C library's allocator to `arenas` arenas; blocks of `threshold` bytes and more are
/// mapped, and so returned at once when freed.
void martlet_memory_limit(int arenas, int threshold);

/// Returns free memory to the kernel.
void martlet_memory_trim(void);

/// Unmaps the pages of the program's own code and constants; those still needed are mapped again
/// from the page cache at their next use.
void martlet_memory_unmap_code(void);

#endif
