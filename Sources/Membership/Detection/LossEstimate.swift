/// Which share of beats gets lost on a link, as far as it matters for weighing silence: quick to
/// see that losses begin, slow to forget them.
///
/// Were it only a long average, silence at the onset of losses would weigh as on a clean link until
/// the average has caught up, which takes a second and would bury somebody.
struct LossEstimate: Sendable {
    /// Over some 64 beats. It begins with doubt.
    private var average = 0.2
    /// Over some 8 beats.
    private var recent = 0.0
    /// The highest of the latter, fading over some 5 s.
    private var peak = 0.0

    /// The share to reckon with, 0 to 1: half way to the worst that was lately seen.
    var share: Double { (average + max(average, peak)) / 2 }

    /// One beat was lost, or came.
    mutating func take(isLost: Bool) {
        let sample: Double = isLost ? 1 : 0
        average += (sample - average) / 64
        recent += (sample - recent) / 8
        peak = max(recent, peak - peak / 256)
    }
}
