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

    /// The state of a cluster as it is, without following or writing anything: for commands that
    /// answer and end. Kinds that cannot be read are named in its problems.
    package static func read(
        access: ClusterAccess, userAgent: String, namespace: String, scope: ServiceScope
    ) async throws(APIFailure) -> ClusterState {
        // Nobody reads a log of a command that tells the problems itself.
        let logger = Logger(label: "martlet.source") { _ in SwiftLogNoOpLogHandler() }
        let client = APIClient(access: access, userAgent: userAgent, logger: logger)
        let result = await look(client, namespace: namespace, scope: scope)
        await client.shutdown()
        return try result.get()
    }

    private static func look(
        _ client: APIClient, namespace: String, scope: ServiceScope
    ) async -> Result<ClusterState, APIFailure> {
        let interests = ResourceInterest.all(
            allocates: true, announces: true, namespace: namespace)
        let cluster = ClusterMirror(
            settings: ClusterMirror.Settings(
                node: "", namespace: namespace, scope: scope, interests: interests,
                carriesTraffic: true),
            journal: nil, gossipKeys: { _ in })
        for interest in interests where interest != .gossipSecret(namespace) {
            let decoder = ObjectDecoder(
                resource: interest.resource, configurationNamespace: namespace)
            do throws(APIFailure) {
                await cluster.beginReplacing(interest)
                var version = ""
                try await pages(
                    of: interest.resource, in: interest.namespace, query: interest.listQuery,
                    client,
                    decoder
                ) { page in
                    await cluster.accept(page, of: interest)
                    version = page.resourceVersion
                }
                await cluster.finishReplacing(interest, at: version)
            } catch {
                if interest.resource == .services { return .failure(error) }
                await cluster.note(
                    APITrouble(
                        resource: interest.resource, namespace: interest.namespace, verb: "list",
                        failure: error), of: interest)
                await cluster.finishReplacing(interest, at: "")
            }
        }
        await cluster.finishReplacing(.gossipSecret(namespace), at: "")
        guard let state = await cluster.state() else {
            return .failure(.malformed("the cluster could not be put together"))
        }
        return .success(state)
    }
}
