import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes

extension KubernetesSource {
    /// Reads what a new leader must not be behind with: Services, and what pools keep back.
    static func catchUp(
        _ client: APIClient, _ cluster: ClusterMirror, _ settings: Settings
    ) async throws(APIFailure) {
        for (resource, namespace) in [
            (APIResource.services, nil), (.ipAddressPools, settings.namespace),
        ] {
            let decoder = ObjectDecoder(
                resource: resource, configurationNamespace: settings.namespace,
                keepsText: settings.announces && settings.state != nil)
            try await pages(of: resource, in: namespace, client, decoder) { page in
                await cluster.accept(listed: page.objects, of: resource)
            }
        }
    }

    /// All objects of a resource, as they are now, page by page.
    private static func pages(
        of resource: APIResource, in namespace: String?, query: [(String, String)] = [],
        _ client: APIClient, _ decoder: ObjectDecoder,
        _ body: (ObjectPage) async -> Void
    ) async throws(APIFailure) {
        var token: String?
        repeat {
            let request = APIRequest(
                path: resource.path(namespace: namespace),
                query: query + [("limit", "500")] + (token.map { [("continue", $0)] } ?? []),
                timeout: .seconds(30))
            let page = try decoder.page(try await client.send(request).body)
            await body(page)
            token = page.continueToken
        } while token != nil
    }

    /// A cluster as it is, without following or writing anything: for commands that answer and end.
    /// Kinds that cannot be read are named. Only without Services there is nothing to tell.
    package static func read(
        access: ClusterAccess, userAgent: String, namespace: String, scope: ServiceScope
    ) async throws(APIFailure) -> ClusterReading {
        // Nobody reads a log of a command that tells the problems itself.
        let logger = Logger(label: "martlet.source") { _ in SwiftLogNoOpLogHandler() }
        let client = APIClient(access: access, userAgent: userAgent, logger: logger)
        let result = await look(
            client, namespace: namespace, scope: scope,
            ClusterReading(server: access.description))
        await client.shutdown()
        return try result.get()
    }

    private static func look(
        _ client: APIClient, namespace: String, scope: ServiceScope, _ empty: ClusterReading
    ) async -> Result<ClusterReading, APIFailure> {
        var reading = empty
        let interests = ResourceInterest.all(
            allocates: true, announces: true, namespace: namespace
        ).filter { $0 != .gossipSecret(namespace) }
        let cluster = ClusterMirror(
            settings: ClusterMirror.Settings(
                node: "", namespace: namespace, scope: scope, interests: interests,
                carriesTraffic: true),
            journal: nil, gossipKeys: { _ in })
        for interest in interests {
            do throws(APIFailure) {
                reading.objects += try await take(interest, client, cluster, namespace)
            } catch {
                if interest.resource == .services { return .failure(error) }
                reading.unread.append(error.problem("list", interest.resource, interest.namespace))
                await cluster.finishReplacing(interest, at: "")
            }
        }
        guard let state = await cluster.state() else {
            return .failure(.malformed("the cluster could not be put together"))
        }
        reading.state = state
        // What is missing may exist all the same.
        reading.state.isComplete = reading.unread.isEmpty
        reading.state.isRestored = false
        await lookAtStatuses(client, namespace, &reading)
        return .success(reading)
    }

    private static func take(
        _ interest: ResourceInterest, _ client: APIClient, _ cluster: ClusterMirror,
        _ namespace: String
    ) async throws(APIFailure) -> Int {
        let decoder = ObjectDecoder(
            resource: interest.resource, configurationNamespace: namespace)
        await cluster.beginReplacing(interest)
        var (count, version) = (0, "")
        try await pages(
            of: interest.resource, in: interest.namespace, query: interest.listQuery, client,
            decoder
        ) { page in
            await cluster.accept(page, of: interest)
            count += page.objects.count
            version = page.resourceVersion
        }
        await cluster.finishReplacing(interest, at: version)
        return count
    }

    // MARK: What Martlet's processes say of themselves

    /// The most status objects of a kind that a command reads.
    private static let statusLimit = 50_000

    private static func lookAtStatuses(
        _ client: APIClient, _ namespace: String, _ reading: inout ClusterReading
    ) async {
        func problems(
            _ resource: APIResource, _ take: ([UInt8]) throws(APIFailure) -> (Int, String?)
        ) async -> [Problem] {
            do throws(APIFailure) {
                guard try await bodies(of: resource, in: namespace, client, take) else {
                    return [
                        Problem(
                            .warning, object: "\(resource)",
                            rule: "there are more than \(statusLimit), and no more were read",
                            remedy: "ask the speakers themselves")
                    ]
                }
                return []
            } catch {
                return [error.problem("list", resource, namespace)]
            }
        }
        var found: [Problem] = []
        for (resource, place) in [
            (APIResource.serviceL2Statuses, \ClusterReading.answers),
            (.serviceBGPStatuses, \.routes),
        ] {
            found += await problems(resource) { body throws(APIFailure) in
                let page = try ServiceStatusReading(json: body)
                reading[keyPath: place] += page.records
                return (page.records.count, page.continueToken)
            }
        }
        found += await problems(.configurationStates) { body throws(APIFailure) in
            let page = try ConfigurationStateReading(json: body)
            reading.verdicts += page.verdicts
            return (page.verdicts.count, page.continueToken)
        }
        do throws(APIFailure) {
            let name = ObjectName(namespace: namespace, LeadershipKeeper.manager)
            let request = APIRequest(path: APIResource.leases.path(of: name))
            reading.lease = try LeaseRecord(json: try await client.send(request).body)
        } catch {
            // Before the first controller there is none.
            if error.code != 404 { found.append(error.problem("get", .leases, namespace)) }
        }
        reading.unread += found
        reading.state.speakers = ClusterReading.speakers(reading.answers, reading.state.snapshot)
    }

    /// Hands out a list page by page; false when it was not read to its end because it is too long.
    private static func bodies(
        of resource: APIResource, in namespace: String, _ client: APIClient,
        _ take: ([UInt8]) throws(APIFailure) -> (Int, String?)
    ) async throws(APIFailure) -> Bool {
        var (token, count): (String?, Int) = (nil, 0)
        repeat {
            let request = APIRequest(
                path: resource.path(namespace: namespace),
                query: [("limit", "500")] + (token.map { [("continue", $0)] } ?? []),
                timeout: .seconds(30))
            let page = try take(try await client.send(request).body)
            token = page.1
            count += page.0
        } while token != nil && count < statusLimit
        return token == nil
    }

    /// Who gives addresses, as far as this process takes part in the election of it.
    package var allocator: String? { settings.allocates ? permit.leader : nil }

    /// What was asked of the API server, and what came of it.
    package var tally: RequestTally.Counts { client.tally.counts }

    /// What is in the way of following the cluster, for one who waits for the first state.
    package var obstacle: Problem? { get async { await cluster.firstTrouble } }
}

extension APIFailure {
    /// What it means for somebody who runs a command.
    package func problem(
        _ verb: String, _ resource: APIResource, _ namespace: String?
    ) -> Problem {
        let place = namespace.map { " in namespace \($0)" } ?? ""
        return Problem(
            .warning, object: "\(resource)", rule: "cannot \(verb) them\(place): \(explanation)",
            remedy: wayOut(verb, resource, place))
    }

    private func wayOut(_ verb: String, _ resource: APIResource, _ place: String) -> String {
        switch self {
        case .credentials: "look at the token, certificate or exec plugin of the kubeconfig"
        case .transport: "is it the right server, and is it up?"
        case .timeout: "try again, and look at the API server and the network to it"
        case .malformed: "look for a proxy that cuts or changes answers"
        case .status(let status):
            switch status.code {
            case 401: "log in again, or choose another context"
            case 403: "ask for the verb \(verb) on \(resource)\(place), or choose another context"
            case 404 where resource.group == "metallb.io":
                "install the CustomResourceDefinitions of deploy/kubernetes"
            case 404: "the server must serve \(resource.apiVersion) \(resource.kind)"
            case 429: "the API server asks for patience; try again"
            default: "look at the log of the API server"
            }
        }
    }
}
