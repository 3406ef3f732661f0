/// ln x for a positive, finite `x`: by the series of artanh over the significand, exact to 10⁻⁸.
/// The standard library has none, and this module imports no other.
func naturalLogarithm(_ x: Double) -> Double {
    precondition(x > 0 && x.isFinite, "no logarithm")
    let s = (x.significand - 1) / (x.significand + 1)
    let square = s * s
    var power = s
    var sum = 0.0
    var divisor = 1.0
    while divisor < 20 {
        sum += power / divisor
        power *= square
        divisor += 2
    }
    return 2 * sum + Double(x.exponent) * 0.693_147_180_559_945_3
}
