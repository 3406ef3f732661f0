import Glibc

/// The kernel's notices of what happens to files in watched folders (`inotify(7)`).
///
/// One queue for any number of folders. Its descriptor becomes readable when there are notices; a
/// loop sleeps on it (``Mailbox``) and then calls ``drain()``. The kernel bounds the queue
/// (`fs.inotify.max_queued_events`); when it is full, notices are lost and an event with
/// ``Change/queueOverflow`` says so: whoever reads it must look at everything again.
package final class InotifyWatch: Sendable {
    /// What happened, or what to be told about.
    package struct Change: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        private init(_ mask: Int32) { rawValue = UInt32(bitPattern: mask) }

        /// Bytes were written, or the file was cut.
        package static let modified = Change(IN_MODIFY)
        /// A file that was open for writing was closed; also when its writer died.
        package static let closedAfterWriting = Change(IN_CLOSE_WRITE)
        /// A file, link or folder appeared under a new name.
        package static let created = Change(IN_CREATE)
        /// A name was removed.
        package static let deleted = Change(IN_DELETE)
        /// A name went away by renaming.
        package static let movedFrom = Change(IN_MOVED_FROM)
        /// A name came by renaming.
        package static let movedTo = Change(IN_MOVED_TO)
        /// Mode or owner changed.
        package static let attributes = Change(IN_ATTRIB)
        /// The watched folder itself was deleted.
        package static let selfDeleted = Change(IN_DELETE_SELF)
        /// The watched folder itself was renamed.
        package static let selfMoved = Change(IN_MOVE_SELF)
        /// The file system of the watched folder was unmounted.
        package static let unmounted = Change(IN_UNMOUNT)
        /// Notices were lost.
        package static let queueOverflow = Change(IN_Q_OVERFLOW)
        /// The kernel has removed the watch.
        package static let watchRemoved = Change(IN_IGNORED)
        /// The name is a folder.
        package static let isFolder = Change(IN_ISDIR)
    }

    /// One notice.
    package struct Event: Hashable, Sendable {
        /// The watch, as ``InotifyWatch/watch(_:for:)`` named it; -1 for an overflow.
        package var watch: Int32
        /// What happened.
        package var change: Change
        /// The name within the watched folder; empty when the folder itself is meant.
        package var name: String

        /// Makes a notice, for tests of what acts on them.
        package init(watch: Int32, change: Change, name: String) {
            self.watch = watch
            self.change = change
            self.name = name
        }
    }

    /// The descriptor to sleep on.
    package let descriptor: Int32

    /// Opens an empty queue.
    package init() throws(SystemError) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else {
            throw SystemError(
                "inotify_init1", errno: errno, subject: "folder watch",
                detail: "fs.inotify.max_user_instances may be too low")
        }
    }

    deinit { close(descriptor) }

    /// Watches a folder and returns the watch's number. A folder that is watched already keeps its
    /// number and is watched for the changes of both calls.
    package func watch(_ folder: String, for changes: Change) throws(SystemError) -> Int32 {
        let mask = changes.rawValue | UInt32(IN_ONLYDIR) | UInt32(IN_MASK_ADD)
        let watch = unsafe inotify_add_watch(descriptor, folder, mask)
        guard watch >= 0 else {
            let detail = errno == ENOSPC ? "fs.inotify.max_user_watches is too low" : nil
            throw SystemError("inotify_add_watch", errno: errno, subject: folder, detail: detail)
        }
        return watch
    }

    /// Stops watching; a number that is not watched any more is passed over.
    package func forget(_ watch: Int32) {
        inotify_rm_watch(descriptor, watch)
    }

    /// The notices that have come, oldest first; empty when there are none. At most 1 MiB of them
    /// in one call, so that a storm cannot keep the caller here: the rest comes with the next.
    package func drain() throws(SystemError) -> [Event] {
        var events: [Event] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<16 {
            let count = unsafe buffer.withUnsafeMutableBytes { space in
                unsafe read(descriptor, space.baseAddress, space.count)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            guard count > 0 else {
                throw SystemError("read", errno: errno, subject: "folder watch")
            }
            Self.decode(buffer[..<count], into: &events)
            // What remains is less than one event; asking again would only return EAGAIN.
            if count < buffer.count - 4096 { break }
        }
        return events
    }

    /// Decodes `struct inotify_event` records: watch, mask, cookie and length of 4 bytes each in
    /// host order, then the name padded with zeros.
    static func decode(_ bytes: ArraySlice<UInt8>, into events: inout [Event]) {
        var rest = bytes
        while rest.count >= 16 {
            func word(_ index: Int) -> UInt32 {
                let start = rest.startIndex + index * 4
                let value = rest[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
                return UInt32(littleEndian: value)
            }
            let length = Int(word(3))
            guard rest.count - 16 >= length else { return }
            let name = rest.dropFirst(16).prefix(length).prefix { $0 != 0 }
            events.append(
                Event(
                    watch: Int32(bitPattern: word(0)), change: Change(rawValue: word(1)),
                    name: String(decoding: name, as: UTF8.self)))
            rest = rest.dropFirst(16 + length)
        }
    }
}
