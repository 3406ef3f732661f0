import Kubernetes

/// Feeds arbitrary text to the reader of manifests, to the assembler after a good version of the
/// same file, and to the conversion of older configuration.
///
/// A text must be read or refused with a reason, twice in the same way, and what is converted
/// without complaint must read as the same objects.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzManifests(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: input, as: UTF8.self)
    let file = ManifestReader.read(text, file: name)
    let hasErrors = file.problems.contains { $0.severity == .error }
    precondition(file.isParsable || hasErrors, "not YAML, and nobody says why")
    precondition(file.refused.isEmpty || hasErrors, "refused without a reason")
    // As many as there are characters, because YAML knows more line breaks than one.
    let lineLimit = input.count + 2
    for problem in file.problems {
        precondition((problem.line ?? 1) > 0 && (problem.line ?? 1) <= lineLimit, "a foreign line")
        precondition(!problem.description.isEmpty, "a problem without words")
    }
    check(file)
    checkConversion(text)
    return 0
}

private let name = "a.yaml"

private let good = ManifestReader.read(
    """
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {type: LoadBalancer, ports: [{port: 80}]}
    ---
    apiVersion: metallb.io/v1beta1
    kind: IPAddressPool
    metadata: {name: lan, namespace: metallb-system}
    spec: {addresses: [192.0.2.0/24, "2001:db8::/120"]}
    """, file: name)

private func check(_ file: ManifestFile) {
    var assembler = SnapshotAssembler()
    precondition(assembler.assemble([good]).services.count == 1, "the good version is not read")
    var again = assembler
    let snapshot = assembler.assemble([file])
    precondition(again.assemble([file]) == snapshot, "the same files, and another snapshot")
    if !file.isParsable {
        precondition(snapshot.services.count == 1, "a broken file took a Service away")
        precondition(snapshot.configuration.pools["lan"] != nil, "a broken file took a pool away")
    }
}

private func checkConversion(_ text: String) {
    let (objects, problems) = LegacyConfiguration.convert(text, file: name)
    // A pool whose name no object can have is converted with a warning, and cannot be read again.
    guard !objects.isEmpty, problems.isEmpty else { return }
    do {
        let written = try ManifestWriter.text(objects)
        let file = ManifestReader.read(written, file: name)
        let again = file.objects.compactMap { object -> ConfigurationObject? in
            guard case .configuration(let value) = object.value else { return nil }
            return value
        }
        precondition(again == objects, "converted objects read as others:\n\(written)")
    } catch {
        preconditionFailure("objects that cannot be written: \(error)")
    }
}
