import CLinux

/// The C library's memory allocator.
package enum ProcessMemory {
    /// Two arenas instead of eight a core, and blocks of 256 KiB mapped: what a burst needed goes
    /// back to the kernel instead of staying with the thread that had it.
    package static func limitArenas() {
        martlet_memory_limit(2, 256 << 10)
    }

    /// Gives free memory back to the kernel, as after reading a large folder.
    package static func trim() {
        martlet_memory_trim()
    }
}
