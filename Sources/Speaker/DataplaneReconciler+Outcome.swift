import Dataplane
import LinuxNetwork
import NetworkTypes

extension DataplaneReconciler {
    /// What one call did, and what its caller should tell people.
    package struct Outcome: Sendable {
        /// Whether anything was sent to the kernel.
        package var isChanged = false
        /// Whether this was the first look at what a former run left.
        package var isTakeover = false
        /// Whether the whole table was replaced.
        package var isReplaced = false
        /// Why it could not be repaired, when the table was replaced for that.
        package var replacementReason: String?
        /// Why a difference did not do, when the table was compared for that.
        package var refusal: SystemError?
        /// What was wrong with the kernel's table, when it was repaired by what differed.
        package var findings: TableComparison.Findings?
        /// Who changed the table, when that is why it was compared.
        package var author: NftablesChange?
        /// How many connections were forgotten because they led nowhere.
        package var forgottenFlows = 0
        /// Why connections that lead nowhere could not be ended. They end by their own time-out.
        package var flushFailure: SystemError?
        /// What was asked for and is not in the table.
        package var omissions: [ServiceChain.Identity: Ruleset.Omission] = [:]
        /// Entrances that several Service ports want.
        package var clashes: [SetElement.Key: Ruleset.Clash] = [:]
        /// How many kinds of connections there are beyond those that can be forgotten at once. They
        /// end by their own time-out.
        package var omittedFlushes = 0
        /// Families in which packets must be forwarded and are not, so that backends on other hosts
        /// or in other network namespaces are out of reach.
        package var familiesNotForwarded: [IPAddress.Family] = []

        /// What was wrong with the kernel's table, and what was done about it; `nil` when nothing
        /// was.
        package var repair: String? {
            guard isChanged else { return nil }
            if isReplaced {
                let reason = replacementReason ?? refusal?.description ?? "it could not be read"
                return "replaced as a whole: \(reason)"
            }
            return findings.map { "repaired: \($0)" }
        }

        /// What to set, for each family that is not forwarded: `sysctl -w …`.
        package var remedies: [String] {
            familiesNotForwarded.map { "sysctl -w \(NftablesForwarding.name($0))=1" }
        }
    }
}
