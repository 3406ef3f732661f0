/// One object as a server gave it.
public struct APIObject: Sendable {
    /// Kind and name.
    public var reference: ManifestObject.Reference
    /// The server's version of the object. Clients compare for equality; those of one resource that
    /// are decimal numbers also say which is younger.
    public var resourceVersion: String
    /// The object; `nil` when it cannot be used, and ``problems`` say why.
    public var value: ManifestObject.Value?
    /// What is wrong with it, or worth saying.
    public var problems: [Problem]
    /// What Martlet wrote into its status, as far as it is read back.
    public var status: APIObjectStatus
    /// The object as JSON on one line, without what is not used; `nil` unless the decoder keeps it.
    public var text: [UInt8]?

    /// Makes an object.
    public init(
        reference: ManifestObject.Reference, resourceVersion: String,
        value: ManifestObject.Value?, problems: [Problem] = [],
        status: APIObjectStatus = .none, text: [UInt8]? = nil
    ) {
        self.reference = reference
        self.resourceVersion = resourceVersion
        self.value = value
        self.problems = problems
        self.status = status
        self.text = text
    }
}

/// The parts of an object's status that Martlet writes and reads back.
public enum APIObjectStatus: Sendable, Hashable {
    /// A condition in the sense of `metav1.Condition`.
    public struct Condition: Sendable, Hashable {
        /// In one word.
        public var type: String
        /// `status` is "True".
        public var isTrue: Bool
        /// In one word.
        public var reason: String
        /// In a sentence.
        public var message: String
        /// RFC 3339; as it was read.
        public var lastTransitionTime: String

        /// Makes a condition.
        public init(
            type: String, isTrue: Bool, reason: String, message: String,
            lastTransitionTime: String = ""
        ) {
            self.type = type
            self.isTrue = isTrue
            self.reason = reason
            self.message = message
            self.lastTransitionTime = lastTransitionTime
        }
    }

    /// An address that a pool keeps back for a Service that is gone.
    public struct Reservation: Sendable, Hashable {
        /// The Service.
        public var service: ObjectName
        /// Its addresses, as text.
        public var addresses: [String]
        /// Until when, RFC 3339 in UTC.
        public var until: String

        /// Makes a reservation.
        public init(service: ObjectName, addresses: [String], until: String) {
            self.service = service
            self.addresses = addresses
            self.until = until
        }
    }

    /// Nothing of interest.
    case none
    /// Of a Service: the conditions whose types begin with `metallb.io/` or `martlet.dev/`.
    case service(conditions: [Condition])
    /// Of an IPAddressPool: `status.assignedIPv4` and so on, where present, and
    /// `status.reservations`.
    case pool(
        assignedIPv4: Int64?, assignedIPv6: Int64?, availableIPv4: Int64?, availableIPv6: Int64?,
        reservations: [Reservation])
}

/// A page of a list.
public struct ObjectPage: Sendable {
    /// The objects of the page.
    public var objects: [APIObject]
    /// The version of the collection: where a watch begins.
    public var resourceVersion: String
    /// What to ask the next page with; `nil` for the last page.
    public var continueToken: String?

    /// Makes a page.
    public init(objects: [APIObject], resourceVersion: String, continueToken: String? = nil) {
        self.objects = objects
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
    }
}

/// One line of a watch.
public enum WatchEvent: Sendable {
    /// ADDED or MODIFIED; which of them makes no difference to one who looks at levels.
    case changed(APIObject)
    /// DELETED, with the version that the deletion has.
    case deleted(ManifestObject.Reference, resourceVersion: String)
    /// BOOKMARK; `endsInitialEvents` when it bears `k8s.io/initial-events-end: "true"`.
    case bookmark(resourceVersion: String, endsInitialEvents: Bool)
    /// ERROR.
    case failed(APIStatus)
}

/// `metav1.Status`: how a server says that something did not work.
public struct APIStatus: Sendable, Hashable {
    /// The HTTP code.
    public var code: Int
    /// In one word, such as `NotFound`, `Expired`, `Conflict`; may be empty.
    public var reason: String
    /// In a sentence.
    public var message: String
    /// `details.retryAfterSeconds`, or the header `Retry-After`.
    public var retryAfterSeconds: Int?

    /// Makes a status.
    public init(code: Int, reason: String, message: String, retryAfterSeconds: Int? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
    }
}
