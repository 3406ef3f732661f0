extension ConfigurationDraft {
    /// What a password is for, as far as the rules for it differ.
    struct Secrecy {
        /// The path of the field that names a Secret.
        let field: String
        /// The most bytes that it may have.
        let limit: Int
        /// Why no more.
        let reason: String

        init(of peer: BGPPeer) {
            field = "spec.passwordSecret"
            limit = BGPPeer.passwordLimit
            reason = BGPPeer.passwordLimitReason
        }

        init(of authentication: BFDProfile.Authentication) {
            field = "spec.authentication.passwordSecret"
            limit = authentication.kind.passwordLimit
            reason = BFDProfile.passwordLimitReason
        }
    }

    mutating func admit(
        _ profile: BFDProfile, _ entry: Entry, _ isIncumbent: Bool
    ) -> [Problem] {
        var profile = profile
        let name = profile.metadata.name.name
        if var authentication = profile.authentication {
            let last = previous.bfdProfiles[name]?.authentication?.passwordBytes
            let refusal = resolve(
                authentication.password, into: &authentication.passwordBytes,
                Secrecy(of: authentication), entry, last: isIncumbent ? last : nil)
            guard refusal.isEmpty else { return refusal }
            profile.authentication = authentication
        }
        configuration.bfdProfiles[name] = profile
        return []
    }

    /// Fills in the bytes of a password, or says why there are none.
    ///
    /// - Parameter last: what an unchanged object had, to go on with when the Secret is broken.
    mutating func resolve(
        _ password: BGPPeer.Password?, into bytes: inout [UInt8], _ secrecy: Secrecy,
        _ entry: Entry, last: [UInt8]?
    ) -> [Problem] {
        switch password {
        case nil:
            return []
        case .text(let text):
            bytes = Array(text.utf8)
            return []
        case .secret(let given):
            let name = ObjectName(namespace: namespace, given.name)
            guard given.namespace.isEmpty || given.namespace == namespace else {
                return [
                    entry.problem(
                        .error, field: secrecy.field,
                        rule: "Secret \(given) is in another namespace than the configuration",
                        remedy: "put the Secret into \(namespace)")
                ]
            }
            guard let rule = broken(secrets[name], name, secrecy, &bytes) else { return [] }
            let problem = entry.problem(
                .error, field: secrecy.field, rule: rule.rule, remedy: rule.remedy)
            guard let last, !last.isEmpty else { return [problem] }
            bytes = last
            problems.append(problem)
            return []
        }
    }

    /// Fills in the password, or says what is wrong with the Secret.
    private func broken(
        _ secret: Secret?, _ name: ObjectName, _ secrecy: Secrecy, _ password: inout [UInt8]
    ) -> (rule: String, remedy: String)? {
        guard let secret else {
            let others = secrets.keys.filter { $0.namespace == namespace }.map(\.name)
            let near = NearestName.suggestion(for: name.name, among: others).map {
                "did you mean \($0)?"
            }
            return (
                "there is no Secret \(name)",
                near ?? "add it, of type kubernetes.io/basic-auth with the key password"
            )
        }
        guard secret.type == "kubernetes.io/basic-auth" else {
            return (
                "Secret \(name) is of type \(secret.type)",
                "make it of type kubernetes.io/basic-auth"
            )
        }
        guard let bytes = secret.values["password"], !bytes.isEmpty else {
            return ("Secret \(name) has no key password", "add the key password")
        }
        guard bytes.count <= secrecy.limit else {
            return (
                "the password of Secret \(name) has \(bytes.count) bytes",
                "use at most \(secrecy.limit), \(secrecy.reason)"
            )
        }
        guard !bytes.contains(where: { $0 == 10 || $0 == 13 }) else {
            return (
                "the password of Secret \(name) holds a line break",
                "encode it without one (echo -n)"
            )
        }
        password = bytes
        return nil
    }
}
