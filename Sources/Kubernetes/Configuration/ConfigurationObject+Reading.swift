extension ConfigurationObject {
    /// Reads `spec` of an object of the configuration kinds; the caller has read the rest and
    /// reports its unknown fields. Usable only when the log has no errors afterwards.
    static func read(
        _ kind: Kind, apiVersion: String, _ object: FieldReader, _ metadata: ObjectMeta
    ) -> ConfigurationObject? {
        object.ignore("status")
        let isFirst = kind == .bgpPeer && apiVersion.hasSuffix("/v1beta1")
        let reader = ConfigurationReader(dialect: isFirst ? .firstPeerVersion : .kinds)
        let needsSpec = [Kind.pool, .bgpPeer, .community].contains(kind)
        let spec = needsSpec ? object.requiredReader("spec") : object.reader("spec")
        let value = reader.object(kind, metadata, spec)
        spec?.finish()
        guard let value, !object.log.hasErrors else { return nil }
        return value
    }
}
