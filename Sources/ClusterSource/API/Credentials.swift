import FoundationEssentials
import Kubernetes
import Logging
import NIOCore
import NIOSSL

/// What requests show to say who we are, and whom they believe: kept fresh while tokens,
/// certificates and authorities change.
///
/// Files are looked at again every ``Pace/files`` at most, and at once after a 401 or a connection
/// that failed. A file that cannot be read, or has no sense, changes nothing: what was last good is
/// used on. An exec plugin runs when what it made is over, or was refused; never twice at a time.
actor Credentials {
    /// How often something is done at most.
    struct Pace: Sendable {
        /// Between two looks at files.
        var files = Duration.seconds(10)
        /// Between two runs of the plugin.
        var plugin = Duration.seconds(1)
        /// For one run of it.
        var pluginLimit = Duration.seconds(60)
        /// How long before its end what it made is no longer used.
        var margin: TimeInterval = 5
    }

    /// What one request needs.
    struct Prepared: Sendable {
        var headers: [(String, String)]
        var tls: TLSConfiguration?
        /// Grows whenever something of this changes.
        var generation: Int
    }

    private let access: ClusterAccess
    private let pace: Pace
    private let logger: Logger

    private var files: [String: [UInt8]] = [:]
    private var complaints: Set<String> = []
    private var lastLook: ContinuousClock.Instant?

    private var made: ExecCredential?
    private var lastRun: ContinuousClock.Instant?
    private var lastRunFailure: APIFailure?
    private var isRunning = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    private var current: Prepared?
    private var isOutdated = true
    private var generation = 0

    init(access: ClusterAccess, pace: Pace, logger: Logger) {
        self.access = access
        self.pace = pace
        self.logger = logger
    }

    /// What to use now.
    func prepared() async throws(APIFailure) -> Prepared {
        lookAtFiles()
        if case .plugin(let plugin) = access.authorization { try await ask(plugin) }
        if let current, !isOutdated { return current }
        do {
            let fresh = try prepare(generation: generation + 1)
            generation += 1
            current = fresh
            isOutdated = false
            return fresh
        } catch {
            // A certificate and its key are rarely replaced in one moment.
            guard let current else { throw error }
            complain("\(error)", "what identifies us has changed and cannot be used yet")
            return current
        }
    }

    /// What to use after the server answered 401; `nil` if there is nothing better.
    func refused(_ generation: Int) async throws(APIFailure) -> Prepared? {
        if generation == self.generation { expire() }
        let fresh = try await prepared()
        return fresh.generation == generation ? nil : fresh
    }

    /// Trusts nothing that was read or made before.
    func expire() {
        lastLook = nil
        if lastRun.map({ .now - $0 >= pace.plugin }) ?? true { made = nil }
    }

    /// Looks at files again before the next request.
    func checkFiles() { lastLook = nil }

    private func complain(_ what: String, _ meaning: String) {
        guard complaints.insert(what).inserted else { return }
        logger.warning("\(meaning)", metadata: ["reason": "\(what)"])
        if complaints.count > 100 { complaints.removeAll() }
    }
}

// MARK: Files

extension Credentials {
    private var paths: [String] {
        var contents: [ClusterAccess.Content] = []
        if case .authorities(let content) = access.trust { contents.append(content) }
        if let identity = access.identity { contents += [identity.certificate, identity.key] }
        if case .tokenFile(let path, _) = access.authorization { contents.append(.file(path)) }
        return contents.compactMap { if case .file(let path) = $0 { path } else { nil } }
    }

    private func lookAtFiles() {
        if let lastLook, .now - lastLook < pace.files { return }
        lastLook = .now
        for path in paths {
            do {
                let content = try CredentialFile.read(path)
                guard files[path] != content else { continue }
                files[path] = content
                isOutdated = true
            } catch {
                complain("\(path): \(error.reason)", "a file cannot be read; it is used as it was")
            }
        }
    }

    private func bytes(of content: ClusterAccess.Content) throws(APIFailure) -> [UInt8] {
        switch content {
        case .bytes(let bytes): return bytes
        case .file(let path):
            if let bytes = files[path] { return bytes }
            // This says why.
            do {
                return try CredentialFile.read(path)
            } catch {
                throw .credentials("\(path): \(error.reason)")
            }
        }
    }
}

// MARK: The exec plugin

extension Credentials {
    private func ask(_ plugin: ExecPlugin) async throws(APIFailure) {
        while true {
            if let made, made.expires.map({ $0.timeIntervalSinceNow > pace.margin }) ?? true {
                return
            }
            if !isRunning { break }
            await withCheckedContinuation { waiting.append($0) }
        }
        // A plugin that fails, or makes what is over at once, is not asked for every request.
        if let lastRun, .now - lastRun < pace.plugin {
            if let lastRunFailure { throw lastRunFailure }
            if made != nil { return }
        }
        isRunning = true
        defer {
            isRunning = false
            lastRun = .now
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        do throws(APIFailure) {
            made = try await plugin.run(within: pace.pluginLimit)
            lastRunFailure = nil
            isOutdated = true
        } catch {
            // Whoever was cancelled has not found out anything about the plugin.
            if !Task.isCancelled { lastRunFailure = error }
            throw error
        }
    }
}

// MARK: Making what requests need

extension Credentials {
    private func prepare(generation: Int) throws(APIFailure) -> Prepared {
        var headers: [(String, String)] = []
        if let value = try authorization() { headers.append(("authorization", value)) }
        if let other = access.impersonation {
            headers.append(("impersonate-user", other.user))
            if let uid = other.uid, !uid.isEmpty { headers.append(("impersonate-uid", uid)) }
            for group in other.groups { headers.append(("impersonate-group", group)) }
            for (key, values) in other.extra.sorted(by: { $0.key < $1.key }) {
                for value in values {
                    headers.append(("impersonate-extra-" + HeaderText.nameSuffix(key), value))
                }
            }
        }
        let tls = access.server.isTLS ? try tls() : nil
        return Prepared(headers: headers, tls: tls, generation: generation)
    }

    private func authorization() throws(APIFailure) -> String? {
        switch access.authorization {
        case .none: return nil
        case .token(let token): return "Bearer \(token)"
        case .password(let user, let password):
            return "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
        case .plugin: return made?.token.map { "Bearer \($0)" }
        case .tokenFile(let path, let initial):
            let token: String
            do {
                token = CredentialFile.line(try bytes(of: .file(path)))
            } catch {
                guard let initial else { throw error }
                return "Bearer \(initial)"
            }
            guard !token.isEmpty, HeaderText.isValid(token) else {
                throw .credentials("\(path) has no token in it; give it one")
            }
            return "Bearer \(token)"
        }
    }

    private func tls() throws(APIFailure) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.shutdownTimeout = .seconds(1)
        switch access.trust {
        case .system: break
        case .anybody: tls.certificateVerification = .none
        case .authorities(let content):
            do {
                let authorities = try NIOSSLCertificate.fromPEMBytes(try bytes(of: content))
                tls.trustRoots = .certificates(authorities)
            } catch let failure as APIFailure {
                throw failure
            } catch {
                throw unusable(content, "certificate authority")
            }
        }
        guard let identity = made?.identity ?? access.identity else { return tls }
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(
                try bytes(of: identity.certificate))
            tls.certificateChain = certificates.map { .certificate($0) }
            let key = try NIOSSLPrivateKey(bytes: try bytes(of: identity.key), format: .pem)
            tls.privateKey = .privateKey(key)
            // It throws if the key is not the certificate's.
            _ = try NIOSSLContext(configuration: tls)
        } catch let failure as APIFailure {
            throw failure
        } catch {
            throw unusable(identity.certificate, "client certificate, or its key,")
        }
        return tls
    }

    private func unusable(_ content: ClusterAccess.Content, _ what: String) -> APIFailure {
        switch content {
        case .file(let path): .credentials("\(path): the \(what) is no PEM that fits; replace it")
        case .bytes: .credentials("the \(what) is no PEM that fits; replace it")
        }
    }
}

extension ClusterAccess {
    /// Whether requests show something that others must not see.
    var hasSecret: Bool {
        if case .none = authorization { return false }
        return true
    }
}
