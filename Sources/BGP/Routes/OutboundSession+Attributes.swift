extension OutboundSession {
    /// What the peer is told of a route: it is our own, so its path is empty within the AS and our
    /// AS number outside (RFC 4271 §5.1.2), and its origin is IGP.
    func attributes(of route: Route, _ family: RouteFamily) -> PathAttributes {
        let route = isGoingAway ? route.goingAway : route
        var attributes = PathAttributes()
        attributes.origin = .igp
        attributes.nextHop = nextHops[family]
        attributes.communities = route.communities
        attributes.largeCommunities = route.largeCommunities
        if parameters.isInternal {
            attributes.asPath = []
            // RFC 4271 §5.1.5: to internal peers always, to external ones never.
            attributes.localPreference = route.localPreference ?? 100
        } else {
            attributes.asPath = [PathAttributes.PathSegment(.sequence, [localAS])]
            attributes.onlyToCustomer = isMarkedForCustomers ? localAS : nil
        }
        return attributes
    }

    /// RFC 9234 §5, egress rule 1: what goes to a customer, a peer or a client of our route server
    /// is marked, so that it does not leak upwards from there. Roles are for external peers only.
    private var isMarkedForCustomers: Bool {
        switch role {
        case .provider, .peer, .routeServer: true
        case .customer, .routeServerClient, nil: false
        }
    }

    /// What attributes depend on when they are encoded.
    var context: DecodingContext {
        DecodingContext(
            hasFourOctetAS: parameters.hasFourOctetAS, families: parameters.families,
            isInternal: parameters.isInternal, maximumLength: parameters.maximumLength,
            extendedNextHop: parameters.extendedNextHop, role: role,
            remoteAS: parameters.remoteAS)
    }
}
