import Foundation

/// Runs programs and tells what they printed.
enum Shell {
    struct Output: Sendable {
        let status: Int32
        let text: String
    }

    struct Failed: Error, CustomStringConvertible {
        let command: String
        let output: Output
        var description: String { "\(command) ended with \(output.status): \(output.text)" }
    }

    /// Runs a program to its end, standard output and error together.
    @discardableResult
    static func run(_ arguments: [String], allowFailure: Bool = false) throws -> Output {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = (environment["PATH"] ?? "") + ":/usr/sbin:/sbin:/usr/bin:/bin"
        process.environment = environment
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let output = Output(
            status: process.terminationStatus, text: String(decoding: data, as: UTF8.self))
        if !allowFailure, output.status != 0 {
            throw Failed(command: arguments.joined(separator: " "), output: output)
        }
        return output
    }

    /// Runs one line of a shell.
    @discardableResult
    static func run(_ line: String, allowFailure: Bool = false) throws -> Output {
        try run(["bash", "-c", line], allowFailure: allowFailure)
    }
}

/// A process in the background, with its output in a file; ended when let go.
final class Background: @unchecked Sendable {
    private let process = Process()
    private let patience: Double
    let log: URL

    /// The process id; `ip netns exec` replaces itself, so this is the program's own.
    var processID: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// - Parameter patience: seconds for an orderly end. What is started from here inherits the
    ///   signal mask of a worker thread, so only programs that unblock SIGTERM end by it.
    init(_ arguments: [String], log: URL, patience: Double) throws {
        self.log = log
        self.patience = patience
        guard FileManager.default.createFile(atPath: log.path, contents: nil) else {
            throw POSIXError(.EIO)
        }
        let handle = try FileHandle(forWritingTo: log)
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// What the program has printed so far.
    var text: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    /// Sends a signal and, for an ending one, waits until the process is gone.
    func signal(_ number: Int32, wait: Bool = true) {
        guard process.isRunning else { return }
        kill(process.processIdentifier, number)
        if wait { process.waitUntilExit() }
    }

    /// Asks the program to end; ``stop()`` waits for it.
    func ask() {
        if patience > 0, process.isRunning { process.terminate() }
    }

    func stop() {
        guard process.isRunning else { return }
        ask()
        let deadline = Date(timeIntervalSinceNow: patience)
        while process.isRunning, Date() < deadline { usleep(5_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    deinit { stop() }
}
