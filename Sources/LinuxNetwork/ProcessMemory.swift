import CLinux

/// The C library's memory allocator.
package enum ProcessMemory {
    /// Two arenas instead of eight a core, and blocks of 256 KiB mapped: what a burst needed goes
    /// back to the kernel instead of staying with the thread that had it.
    package static func limitArenas() {
        martlet_memory_limit(2, 256 << 10)
    }

    /// Gives back what only a burst of work needed, as a start is one: free memory, and the pages
    /// of code that ran once. Half of the program's resident size is such code otherwise, because
    /// the kernel maps sixteen pages for each that is touched.
    package static func trim() {
        martlet_memory_trim()
        martlet_memory_unmap_code()
    }
}
