/// The configuration file of earlier days: peers and pools in one mapping, as a plain file or as
/// the text of a ConfigMap. It is read into the kinds of today by the readers of those kinds.
///
/// | older | kinds |
/// | --- | --- |
/// | `address-pools[]` | IPAddressPool of the same name |
/// | `protocol: layer2` | L2Advertisement of that pool, with the pool's name |
/// | `protocol: bgp` | one BGPAdvertisement for each of `bgp-advertisements`, at least one |
/// | `peers[]` | BGPPeer `peer-1`, `peer-2`, … in the order written |
/// | `bfd-profiles[]` | BFDProfile of the same name |
/// | `bgp-communities` | Community `bgp-communities` |
public enum LegacyConfiguration {
    private static let topFields = [
        "peers", "address-pools", "bgp-communities", "bfd-profiles", "peer-autodiscovery",
    ]

    /// Whether a mapping without kind is the older configuration.
    static func recognizes(_ fields: FieldReader) -> Bool {
        topFields.contains { fields.has($0) }
    }

    /// Reads the mapping as the kinds; one bad pool or peer harms only itself.
    static func read(
        _ fields: FieldReader
    ) -> (entries: [ConfigurationInput.Entry], refused: Set<ConfigurationObject.Reference>) {
        var reading = LegacyReading(log: fields.log)
        fields.report(
            .notice, nil, "is the older configuration format; accepted as it stands",
            remedy: "\"martlet convert \(fields.log.file.isEmpty ? "FILE" : fields.log.file)\""
                + " prints the kinds that replace it")
        if let communities = fields.reader("bgp-communities") {
            reading.readCommunities(communities)
        }
        for value in fields.list("bfd-profiles") { reading.readProfile(value) }
        for (index, value) in fields.list("peers").enumerated() {
            reading.readPeer(value, number: index + 1)
        }
        for value in fields.list("address-pools") { reading.readPool(value) }
        if fields.has("peer-autodiscovery") {
            fields.ignore("peer-autodiscovery")
            fields.fail(
                "peer-autodiscovery",
                "is not supported: it made peers from labels and annotations of nodes",
                remedy: "list the routers under peers, with node-selectors for those nodes")
        }
        fields.finish()
        return (reading.entries, reading.refused)
    }

    /// The kinds that say the same as the older configuration in `text`, which may be a plain file
    /// or hold the ConfigMap; and what is wrong with it. Entries with errors are left out.
    ///
    /// - Parameter namespace: where the objects are to live.
    public static func convert(
        _ text: String, file: String, namespace: String = "metallb-system"
    ) -> (objects: [ConfigurationObject], problems: [Problem]) {
        let manifest = ManifestReader.read(text, file: file)
        let objects = manifest.objects.compactMap { object -> ConfigurationObject? in
            guard case .configuration(let value) = object.value else { return nil }
            var metadata = value.metadata
            guard metadata.name.namespace.isEmpty else { return value }
            metadata.name = ObjectName(namespace: namespace, metadata.name.name)
            return value.with(metadata)
        }
        // Notices speak to those who go on using the file as it stands.
        var problems = manifest.problems.filter { $0.severity != .notice }
        if objects.isEmpty && problems.isEmpty {
            problems.append(
                Problem(
                    .error, file: file, rule: "holds no configuration",
                    remedy: "give the older file (peers, address-pools), or the ConfigMap with it"))
        }
        return (objects, problems)
    }
}
