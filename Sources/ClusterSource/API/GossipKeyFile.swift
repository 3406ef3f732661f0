import FoundationEssentials
import Kubernetes
import LinuxNetwork
import Logging

/// The file of the gossip's keys in the state folder, brought to what the cluster's Secret says.
struct GossipKeyFile: Sendable {
    let path: String

    init(folder: String) { path = folder + "/gossip.keys" }

    /// Whether there is one, be it from a former process.
    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// Writes the keys, unless they are there already.
    func replace(with keys: [UInt8], _ logger: Logger) {
        do throws(SystemError) {
            if exists, try DurableFile.read(path, limit: 64 << 10)?.bytes == keys { return }
            try DurableFile.replace(
                path, with: keys, guarantee: .survivesPowerLoss, isPrivate: true)
            logger.notice("the gossip's keys were taken from the cluster's Secret")
        } catch {
            logger.error(
                "the gossip's keys cannot be written", metadata: ["error": "\(error.fileReason)"])
        }
    }
}

extension KubernetesSource {
    /// Returns once the state folder holds keys for the gossip: those of a former process, or those
    /// of the Secret, which a controller makes. Call it before ``run()``.
    package func prepareGossipKeys() async throws {
        guard let folder = settings.state else { return }
        try DurableFile.makeFolder(folder)
        let file = GossipKeyFile(folder: folder)
        if settings.allocates { _ = await createGossipSecret() }
        var told: String?
        while !file.exists {
            let trouble = await fetchGossipKeys(into: file)
            if let trouble, trouble != told {
                logger.warning(
                    "waiting for the keys of the gossip", metadata: ["why": "\(trouble)"])
                told = trouble
            }
            if !file.exists { try await Task.sleep(for: .seconds(1)) }
        }
    }

    /// Why the keys could not be had, if they could not.
    private func fetchGossipKeys(into file: GossipKeyFile) async -> String? {
        let name = ObjectName(namespace: settings.namespace, GossipSecret.name)
        do throws(APIFailure) {
            let answer = try await sender.client.send(
                APIRequest(.get(.secrets, name), timeout: RequestSender.patience))
            let object = try decoder(of: .secrets).object(answer.body)
            guard case .secret(let secret)? = object.value,
                let keys = secret.values[GossipSecret.key]
            else { return "Secret \(name) has no key \(GossipSecret.key)" }
            file.replace(with: keys, logger)
            return nil
        } catch {
            return error.code == 404
                ? "there is no Secret \(name); the controller makes it" : error.explanation
        }
    }

    /// Makes the Secret where it is missing; tries until it is known to be there.
    func makeGossipSecret() async {
        while !Task.isCancelled {
            let problem = await createGossipSecret()
            await cluster.note(problem, about: "gossip")
            if problem == nil { return }
            do {
                try await Task.sleep(for: .seconds(10))
            } catch {
                return
            }
        }
    }

    private func createGossipSecret() async -> Problem? {
        let name = ObjectName(namespace: settings.namespace, GossipSecret.name)
        do throws(APIFailure) {
            _ = try await sender.client.send(
                APIRequest(.get(.secrets, name), timeout: RequestSender.patience))
            return nil
        } catch {
            guard error.code == 404 else { return refusal(name, "read", error) }
        }
        let request = ObjectRequest.create(
            .secrets, in: name.namespace,
            body: GossipSecret.body(
                namespace: name.namespace, keys: Array(settings.makeGossipKeys().utf8)),
            manager: LeadershipKeeper.manager)
        do throws(APIFailure) {
            _ = try await sender.client.send(
                APIRequest(request, timeout: RequestSender.patience))
            logger.notice("made the Secret with the gossip's keys")
            return nil
        } catch {
            // Another controller was faster.
            return error.isConflict ? nil : refusal(name, "made", error)
        }
    }

    private func refusal(_ name: ObjectName, _ what: String, _ failure: APIFailure) -> Problem {
        Problem(
            .warning, object: "Secret \(name)",
            rule: "cannot be \(what): \(failure.explanation)",
            remedy: "speakers wait for it; allow get and create of secrets in \(name.namespace) "
                + "(deploy/kubernetes/rbac), or make it by hand")
    }
}
