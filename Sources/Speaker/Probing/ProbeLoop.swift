import Kubernetes
import LinuxNetwork
import LoadBalancing
import NetworkTypes

/// What the thread of the ``EndpointProber`` does. No call waits but the poller's.
final class ProbeLoop {
    private struct Conversation {
        let target: EndpointHealth.Target
        let attempt: UInt64
        let talk: ProbeConversation
        var isWriting = true
    }

    /// Deadlines closer together than this are worked off together.
    private static let grain = Duration.milliseconds(5)
    private static let pause = Duration.seconds(5)
    /// What keeps this node from asking is told once in so long a time.
    private static let repetition = Duration.seconds(600)

    private let mailbox: Mailbox<EndpointProber.Mail>
    private let show: (EndpointProber.Report) -> Void
    private let tell: (EndpointProber.Event) -> Void
    private let countNotAsked: () -> Void
    private let buffer = StreamBuffer()
    private var health: EndpointHealth
    private var checks: [EndpointHealth.Target: ProbePlan.Check] = [:]
    private var poller: Poller?
    private var conversations: [UInt64: Conversation] = [:]
    private var tags: [EndpointHealth.Target: UInt64] = [:]
    private var datagrams: [IPAddress.Family: ProbeDatagrams] = [:]
    private var lastReport = EndpointProber.Report()
    /// When which number of `errno(3)` was told that kept us from asking.
    private var obstacles: [Int32: Instant] = [:]
    /// The first tags are those of the sockets for datagrams.
    private var nextTag: UInt64 = 16

    init(
        mailbox: Mailbox<EndpointProber.Mail>, seed: UInt64,
        show: @escaping (EndpointProber.Report) -> Void,
        tell: @escaping (EndpointProber.Event) -> Void, countNotAsked: @escaping () -> Void
    ) {
        self.mailbox = mailbox
        self.show = show
        self.tell = tell
        self.countNotAsked = countNotAsked
        health = EndpointHealth(seed: seed)
    }

    func run() {
        while true {
            do throws(SystemError) {
                if try turn() { return }
            } catch {
                // The poller itself failed: all is opened anew, after a pause in which only the end
                // is heard of. Questions that were under way are given up by their own time-outs.
                tell(.failed(error))
                reset()
                if mailbox.rest(for: Self.pause, isEnd: take) { return }
            }
        }
    }

    private func reset() {
        poller = nil
        for conversation in conversations.values { conversation.talk.abandon() }
        conversations = [:]
        tags = [:]
        datagrams = [:]
    }

    /// Waits for something and deals with it; true at the end.
    private func turn() throws(SystemError) -> Bool {
        let poller: Poller
        if let known = self.poller {
            poller = known
        } else {
            poller = try Poller(with: mailbox)
            self.poller = poller
        }
        let wakeUp = try poller.wait(until: nextDeadline)
        if wakeUp.isSignalled, take() { return true }
        for event in wakeUp.events { proceed(event.tag, poller) }
        let now = MonotonicClock.now()
        for socket in datagrams.values { answer(socket.consents(at: now)) }
        perform(health.deadlineReached(at: now), poller)
        report()
        return false
    }

    private var nextDeadline: Instant? {
        let times = [health.nextDeadline] + datagrams.values.map(\.nextDeadline)
        // Rounded up, so that many endpoints do not make as many wake-ups.
        return times.compactMap(\.self).min().map { $0 + Self.grain }
    }

    /// Reads the mail; true at the end.
    private func take() -> Bool {
        let mail = mailbox.take()
        if let wanted = mail.checks {
            for (target, check) in checks where wanted[target]?.method != check.method {
                end(target)
            }
            let now = MonotonicClock.now()
            // One that is asked in another way is another endpoint to us.
            let known = wanted.filter { target, check in
                checks[target].map { $0.method == check.method } ?? true
            }
            if known.count < wanted.count {
                health.update(known.mapValues(\.settings), at: now)
            }
            checks = wanted
            health.update(wanted.mapValues(\.settings), at: now)
            report()
        }
        return mail.isStopped
    }

    // MARK: Questions

    private func perform(_ actions: [EndpointHealth.Action], _ poller: Poller) {
        for action in actions {
            switch action {
            case .ask(let target, let attempt): ask(target, attempt, poller)
            case .abandon(let target, _): end(target)
            case .changed: note([action])
            }
        }
    }

    private func ask(_ target: EndpointHealth.Target, _ attempt: UInt64, _ poller: Poller) {
        guard let check = checks[target] else { return }
        do throws(SystemError) {
            if case .udp(let sends, let expects) = check.method {
                let socket = try socket(target.address.family, poller)
                answer(
                    socket.ask(
                        target, attempt: attempt, sends: sends, expects: expects,
                        patience: check.settings.timeout, at: MonotonicClock.now()))
                return
            }
            let talk = try ProbeConversation(target, check.method)
            let tag = nextTag
            nextTag += 1
            do throws(SystemError) {
                try poller.add(talk.socket.descriptor, tag: tag, writing: true)
            } catch {
                talk.abandon()
                throw error
            }
            conversations[tag] = Conversation(target: target, attempt: attempt, talk: talk)
            tags[target] = tag
        } catch {
            answer([(target, attempt, ProbeAnswer(error))])
        }
    }

    private func socket(
        _ family: IPAddress.Family, _ poller: Poller
    ) throws(SystemError) -> ProbeDatagrams {
        if let socket = datagrams[family] { return socket }
        let made = try ProbeDatagrams(family)
        try poller.add(
            made.socket.descriptor, tag: UInt64(family.rawValue), writing: false)
        datagrams[family] = made
        return made
    }

    private func proceed(_ tag: UInt64, _ poller: Poller) {
        if let socket = datagrams.values.first(where: { UInt64($0.family.rawValue) == tag }) {
            do throws(SystemError) {
                answer(try socket.receive())
            } catch {
                // What was asked through it has no answer in time.
                tell(.failed(error))
                poller.remove(socket.socket.descriptor)
                datagrams[socket.family] = nil
            }
            return
        }
        guard var conversation = conversations[tag] else { return }
        guard let outcome = conversation.talk.proceed(buffer) else {
            guard conversation.isWriting != conversation.talk.isWriting else { return }
            conversation.isWriting = conversation.talk.isWriting
            conversations[tag] = conversation
            do throws(SystemError) {
                try poller.modify(
                    conversation.talk.socket.descriptor, tag: tag,
                    writing: conversation.isWriting)
            } catch {
                answer([(conversation.target, conversation.attempt, ProbeAnswer(error))])
            }
            return
        }
        answer([(conversation.target, conversation.attempt, outcome)])
    }

    private func answer(_ replies: [ProbeDatagrams.Reply]) {
        let now = MonotonicClock.now()
        for reply in replies {
            end(reply.target)
            if case .notAsked(let code) = reply.answer { noteObstacle(code, reply.target, now) }
            note(health.answered(reply.target, attempt: reply.attempt, reply.answer, at: now))
        }
    }

    /// Ends what is under way with a target.
    private func end(_ target: EndpointHealth.Target) {
        datagrams[target.address.family]?.forget(target)
        guard let tag = tags.removeValue(forKey: target),
            let conversation = conversations.removeValue(forKey: tag)
        else { return }
        poller?.remove(conversation.talk.socket.descriptor)
        conversation.talk.abandon()
    }

    // MARK: News

    private func note(_ actions: [EndpointHealth.Action]) {
        for case .changed(let target, let isUp, let answer) in actions {
            tell(.changed(target, isUp: isUp, because: answer))
        }
    }

    /// Counts a question that could not be asked, and says why unless it was said lately.
    private func noteObstacle(_ code: Int32, _ target: EndpointHealth.Target, _ now: Instant) {
        countNotAsked()
        if let told = obstacles[code], now - told < Self.repetition { return }
        obstacles[code] = now
        tell(.notAsked(target, ProbeAnswer.obstacle(code, to: target)))
    }

    private func report() {
        let report = EndpointProber.Report(
            excluded: health.excluded, failingOpen: health.failingOpen, unasked: health.unasked,
            demand: health.demand)
        guard report != lastReport else { return }
        lastReport = report
        show(report)
    }
}
