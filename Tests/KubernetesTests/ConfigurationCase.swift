import Testing

@testable import Kubernetes

/// One object and what reading it must say: the body of `spec` begins on line 5.
struct ConfigurationCase: Sendable, CustomTestStringConvertible {
    var kind: String
    var version = "v1beta1"
    var spec: String
    /// Empty when the object is accepted.
    var field = ""
    var line: Int?
    var rule = ""
    var remedy = ""

    var testDescription: String {
        "\(kind) \(spec.split(separator: "\n").joined(separator: " | "))"
    }

    static func accepts(
        _ kind: String, _ spec: String, version: String = "v1beta1"
    ) -> ConfigurationCase {
        ConfigurationCase(kind: kind, version: version, spec: spec)
    }

    static func refuses(
        _ kind: String, _ spec: String, version: String = "v1beta1", at field: String,
        line: Int? = nil, _ rule: String, _ remedy: String
    ) -> ConfigurationCase {
        ConfigurationCase(
            kind: kind, version: version, spec: spec, field: field, line: line, rule: rule,
            remedy: remedy)
    }

    var manifest: String {
        """
        apiVersion: metallb.io/\(version)
        kind: \(kind)
        metadata: {name: subject, namespace: metallb-system}
        spec:

        """
            + spec.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "  \($0)\n" }.joined()
    }

    func check() {
        let file = ManifestReader.read(manifest, file: "subject.yaml")
        let errors = file.problems.filter { $0.severity == .error }
        guard !field.isEmpty else {
            #expect(errors.isEmpty, "\(errors)")
            #expect(file.objects.count == 1)
            return
        }
        #expect(file.objects.isEmpty, "an object with an error must not be used")
        #expect(file.refused.map(\.description) == ["\(kind) metallb-system/subject"])
        #expect(errors.count == 1, "\(errors)")
        guard let error = errors.first else { return }
        #expect(error.file == "subject.yaml")
        #expect(error.object == "\(kind) metallb-system/subject")
        #expect(error.field == field)
        #expect(error.line == line ?? 5, "\(error)")
        #expect(error.rule.contains(rule), "\(error)")
        #expect(error.remedy.contains(remedy), "\(error)")
    }
}

/// Objects of a manifest judged together.
func assembled(
    _ text: String, with assembler: inout SnapshotAssembler
) -> (configuration: Configuration, problems: [Problem]) {
    let snapshot = assembler.assemble([ManifestReader.read(text, file: "all.yaml")])
    return (snapshot.configuration, snapshot.problems)
}

func assembled(_ text: String) -> (configuration: Configuration, problems: [Problem]) {
    var assembler = SnapshotAssembler()
    return assembled(text, with: &assembler)
}

/// Documents of the configuration kinds, one line each: kind, name, spec in flow style.
func documents(_ objects: (kind: String, name: String, spec: String)...) -> String {
    objects.map { object in
        let version = object.kind == "BGPPeer" ? "v1beta2" : "v1beta1"
        return """
            ---
            apiVersion: metallb.io/\(version)
            kind: \(object.kind)
            metadata: {name: \(object.name)}
            spec: \(object.spec)

            """
    }
    .joined()
}

extension [Problem] {
    var errors: [Problem] { filter { $0.severity == .error } }
    var warnings: [Problem] { filter { $0.severity == .warning } }
    var notices: [Problem] { filter { $0.severity == .notice } }
}
