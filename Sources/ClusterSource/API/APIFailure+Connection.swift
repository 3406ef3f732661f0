import AsyncHTTPClient
import Kubernetes
import NIOCore
import NIOPosix
import NIOSSL

extension APIFailure {
    /// What went wrong with a connection to a server, and what the reader can do.
    init(connection error: any Error, to server: String) {
        self = .transport("\(server): \(Self.reason(error))")
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: reason(error)
        case let error as NIOSSLError: reason(error)
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "the server's certificate is for another name; use a name or address that is in it, or "
                + "give tls-server-name"
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first {
                reason(failure.error)
            } else {
                "the name \"\(error.host)\" has no address; is the name service reachable?"
            }
        case let error as IOError: error.localizedReason
        case let error as ChannelError where error == .connectTimeout(.seconds(0)): "no answer"
        case is CancellationError: "the request was cancelled"
        default: "\(error)"
        }
    }

    private static func reason(_ error: HTTPClientError) -> String {
        switch error {
        case .remoteConnectionClosed: "the server closed the connection"
        case .connectTimeout, .getConnectionFromPoolTimeout:
            "no connection came about in time; is the address right and a firewall open?"
        case .tlsHandshakeTimeout: "TLS did not come about in time; is it a TLS port?"
        case .cancelled, .requestStreamCancelled: "the request was cancelled"
        case .httpProxyHandshakeTimeout, .socksHandshakeTimeout: "the proxy did not answer"
        case .proxyAuthenticationRequired: "the proxy wants another user or password"
        case .invalidProxyResponse: "the proxy does not let us through"
        default: "\(error)"
        }
    }

    private static func reason(_ error: NIOSSLError) -> String {
        let text = "\(error)"
        guard text.contains("CERTIFICATE_VERIFY_FAILED") else {
            return text.contains("WRONG_VERSION_NUMBER")
                ? "the server does not speak TLS; is it http and not https?" : "TLS failed: \(text)"
        }
        return "the server's certificate is not one that the certificate authority vouches for, or "
            + "its time is over; give the right certificate authority"
    }
}

extension IOError {
    /// The system's words without the name of the call and the number.
    fileprivate var localizedReason: String {
        let text = description
        guard let colon = text.firstRange(of: ": ") else { return text }
        let words = text[colon.upperBound...]
        return String(words[..<(words.firstRange(of: ") (errno")?.lowerBound ?? words.endIndex)])
    }
}
