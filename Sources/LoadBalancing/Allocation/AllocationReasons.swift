public import NetworkTypes

/// The rule by which a Service came to its pool.
public enum PoolRule: Hashable, Sendable {
    /// The Service asked for the address.
    case requestedAddress
    /// The Service asked for the pool.
    case requestedPool
    /// The pool is kept for the Service, and no other such pool of lower priority could serve.
    case pinned(priority: Int)
    /// First by name of the pools that are open to everybody and could serve.
    case autoAssign
    /// The Service had the address before the pool was closed to automatic assignment.
    case heldBefore
    /// The address had been kept back for a Service of this name.
    case retained
}

/// Why a pool could not serve a request.
public enum PassOverReason: Error, Hashable, Sendable {
    /// The pool is given only to those who ask for it.
    case autoAssignOff
    /// The pool is kept for other Services.
    case pinnedToOthers
    /// The pool has no addresses of this family at all.
    case noAddresses(of: IPAddress.Family)
    /// Every address of this family is in use or reserved for a deleted Service.
    case exhausted(IPAddress.Family, assigned: Int, reserved: Int)
    /// The address asked for cannot be had.
    case addressUnavailable(IPAddress, AddressConflict)
}

/// Why an address that a pool holds cannot be had by a Service.
public enum AddressConflict: Hashable, Sendable {
    /// Another Service has it to itself.
    case held(by: ServiceName)
    /// Services that share it under this key have it, and the request does not share.
    case shared(key: String)
    /// It is shared under another key.
    case keyDiffers(theirs: String, ours: String)
    /// It is shared under the same key, but traffic policy Local needs the same backends.
    case backendsDiffer(key: String)
    /// A sharer already listens on this port.
    case portClash(ServicePort, with: ServiceName)
    /// It is kept back for a deleted Service of this name.
    case reserved(for: ServiceName)
}

/// Why a request as a whole cannot be met now.
public enum RefusalReason: Error, Hashable, Sendable {
    /// The Service wants no family at all.
    case noFamily
    /// An address asked for is of a family that the Service does not want.
    case wrongFamily(IPAddress, wanted: [IPAddress.Family])
    /// Two addresses of one family were asked for.
    case twoOfOneFamily(IPAddress, IPAddress)
    /// The addresses asked for lie in two pools.
    case twoPools(AssignedAddress, AssignedAddress)
    /// No pool holds the address asked for.
    case outsideEveryPool(IPAddress)
    /// The pool around the address asked for leaves .0 and .255 out.
    case avoidedAddress(IPAddress, pool: String)
    /// Address and pool were both asked for, and the address is in another pool.
    case notInRequestedPool(AssignedAddress, requested: String)
    /// The address asked for cannot be had.
    case addressUnavailable(IPAddress, AddressConflict)
    /// There is no pool of the name asked for.
    case unknownPool(String)
    /// The pool asked for, or that of the address asked for, is kept for other Services.
    case pinnedToOthers(pool: String)
    /// There are no pools.
    case noPools
    /// Every pool was passed over, each for its own reason.
    case noPoolServes
    /// The Service has one family and wants both; the pool cannot give the other now.
    case familyMissing(IPAddress.Family, pool: String)
}

/// Why a Service lost an address.
public enum MoveCause: Hashable, Sendable {
    /// The Service no longer wants the family.
    case familyNotWanted(IPAddress)
    /// The Service named more addresses of one family as its own than it can have.
    case surplus(IPAddress)
    /// No pool holds the address any more.
    case outsideEveryPool(IPAddress)
    /// The pool around it now leaves .0 and .255 out.
    case avoidedAddress(IPAddress, pool: String)
    /// The pool is now kept for other Services.
    case pinnedToOthers(IPAddress, pool: String)
    /// The Service cannot live there beside the others any more.
    case conflict(IPAddress, AddressConflict)
    /// The Service now asks for other addresses.
    case addressRequested([IPAddress])
    /// The Service now asks for another pool.
    case poolRequested(String)
    /// The Service needs both families, and only this pool can give them.
    case bothFamiliesRequired(pool: String)
}
