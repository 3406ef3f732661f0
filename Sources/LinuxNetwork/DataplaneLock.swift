import CLinux
import Glibc

/// The right to keep the data plane of a network namespace, which one process has at a time.
///
/// It is the abstract socket `@martlet-dataplane`: its name belongs to the network namespace, as
/// the table does, whatever the processes see of each other's files; and the kernel frees it with
/// the process, however that ends. Who lets go of the lock gives the right up.
package final class DataplaneLock: Sendable {
    /// Another process has the right.
    package struct Held: Error, Equatable, Sendable, CustomStringConvertible {
        /// The holder's process; `nil` where it is in a PID namespace that this one does not see.
        package let process: Int32?

        package var description: String {
            let holder =
                process.map { "process \($0)" } ?? "a process in another container or PID namespace"
            let look = process.map { " (ps -fp \($0))" } ?? ""
            return "another Martlet keeps the data plane of this network namespace: \(holder); "
                + "stop that one first\(look), or start this one with --dataplane none"
        }
    }

    private static let name = "martlet-dataplane"

    private let descriptor: Int32

    /// Takes the right, in the network namespace of the calling thread.
    ///
    /// - Throws: ``Held`` when another process has it, which is not waited for; else `SystemError`.
    package init() throws {
        var holder: Int32 = 0
        let taken = unsafe martlet_lock_take(Self.name, &holder)
        if taken == -EADDRINUSE { throw Held(process: holder == 0 ? nil : holder) }
        guard taken >= 0 else {
            throw SystemError("bind(AF_UNIX)", errno: -taken, subject: "@" + Self.name)
        }
        descriptor = taken
    }

    deinit { close(descriptor) }

    /// Lets those go who asked who holds the right. With 64 who were not, the next ones are still
    /// refused, but not told by whom.
    package func answer() { martlet_lock_answer(descriptor) }
}
