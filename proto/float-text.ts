/**
 * The digits that DuckDB prints for a 32-bit float: those of Grisu3 with a float's boundaries (Florian Loitsch,
 * "Printing floating-point numbers quickly and accurately with integers", 2010), which are the shortest that read back
 * as the same float; and where Grisu3 gives up, about one float in 150, the shortest digits of the same value as a
 * double. All arithmetic is on 64-bit words, here in bigints: some µs a value.
 */

/** Bits of a word; the significands of value and powers are normalised to it. */
const WORD = 64
const MASK = (1n << 64n) - 1n
/** The exponent that the scaled value shall have at least (alpha in the paper). */
const MIN_EXPONENT = -60
/** Powers of ten are taken from a table with these exponents. */
const FIRST_POWER = -348
const POWER_STEP = 8
const LOG10_2 = 0.30102999566398114

interface Scaled {
  /** The value, and the bounds between which everything reads back as it; one unit beyond either, to be safe. */
  readonly value: bigint
  readonly lower: bigint
  readonly upper: bigint
  /** All three times 2^exponent, -60 to -32. */
  readonly exponent: number
  /** What they were multiplied with: 10^power. */
  readonly power: number
}

/** 10^power as significand times 2^exponent. */
interface Power {
  readonly significand: bigint
  readonly exponent: number
}

const powers = new Map<number, Power>()

/** A decimal that prints as DuckDB prints the float; `value` is finite, not 0, and exactly a float. */
export function floatDecimal(value: number): number {
  const scaled = scale(Math.abs(value))
  const digits = shortest(scaled)
  if (digits === undefined) return value
  return Number(`${value < 0 ? '-' : ''}${digits.text}e${digits.exponent - scaled.power}`)
}

function scale(magnitude: number): Scaled {
  const bits = floatBits(magnitude)
  const fraction = bits & 0x7f_ffff
  const biased = bits >>> 23
  const whole = biased === 0 ? fraction : fraction | 0x80_0000
  const significand = BigInt(whole)
  const exponent = Math.max(1, biased) - 150
  // the float below a power of two is only half as far away as the one above
  const nearer = fraction === 0 && biased > 1
  const shift = WORD - (32 - Math.clz32(whole))
  const valueExponent = exponent - shift
  const upper = (significand * 2n + 1n) << BigInt(exponent - 1 - valueExponent)
  const lower = nearer
    ? (significand * 4n - 1n) << BigInt(exponent - 2 - valueExponent)
    : (significand * 2n - 1n) << BigInt(exponent - 1 - valueExponent)
  const least = Math.ceil((MIN_EXPONENT - (valueExponent + WORD) + WORD - 1) * LOG10_2)
  const power = FIRST_POWER + POWER_STEP * (Math.floor((least - FIRST_POWER - 1) / POWER_STEP) + 1)
  const cached = powerOfTen(power)
  return {
    value: multiply(significand << BigInt(shift), cached.significand),
    lower: multiply(lower, cached.significand) - 1n,
    upper: multiply(upper, cached.significand) + 1n,
    exponent: valueExponent + cached.exponent + WORD,
    power,
  }
}

const memory = new DataView(new ArrayBuffer(4))

function floatBits(value: number): number {
  memory.setFloat32(0, value)
  return memory.getUint32(0)
}

/** The upper word of the product, rounded. */
function multiply(a: bigint, b: bigint): bigint {
  return (a * b + (1n << 63n)) >> 64n
}

/** 10^power, its significand rounded to a word. */
function powerOfTen(power: number): Power {
  const known = powers.get(power) ?? computePower(power)
  powers.set(power, known)
  return known
}

function computePower(power: number): Power {
  // a fraction of so many bits that a word of it is exact but for the rounding
  const spare = 2048
  const ten = 10n ** BigInt(Math.abs(power))
  const whole = power >= 0 ? ten << BigInt(spare) : (1n << BigInt(2 * spare)) / ten
  const bits = whole.toString(2).length
  const half = 1n << BigInt(bits - WORD - 1)
  const significand = (whole + half) >> BigInt(bits - WORD)
  const exponent = bits - WORD - (power >= 0 ? spare : 2 * spare)
  return significand > MASK ? { significand: significand >> 1n, exponent: exponent + 1 } : { significand, exponent }
}

/** text * 10^exponent, the point after the last digit. */
interface Digits {
  readonly text: string
  readonly exponent: number
}

/** Undefined: Grisu3 cannot tell which digits are the nearest. */
function shortest({ value, lower, upper, exponent }: Scaled): Digits | undefined {
  const point = BigInt(-exponent)
  const one = 1n << point
  const wholeDigits = String(upper >> point)
  const fits = new Fit(upper - value)
  let error = upper - lower
  let text = ''
  for (let left = wholeDigits.length - 1; left >= 0; left--) {
    text += wholeDigits[wholeDigits.length - 1 - left]
    const divisor = 10n ** BigInt(left) << point
    const remainder = upper % divisor
    if (remainder < error) return fits.weed(text, { divisor, remainder, error, unit: 1n }, left)
  }
  let fraction = upper & (one - 1n)
  for (let left = -1, unit = 10n; ; left--, unit *= 10n) {
    fraction *= 10n
    error *= 10n
    text += String(fraction >> point)
    fraction &= one - 1n
    if (fraction < error) return fits.weed(text, { divisor: one, remainder: fraction, error, unit }, left)
  }
}

interface Rest {
  /** What one more in the last digit is worth. */
  readonly divisor: bigint
  /** How far the digits are below the upper bound, and how far they may be. */
  readonly remainder: bigint
  readonly error: bigint
  /** The imprecision of the scaled values. */
  readonly unit: bigint
}

/** Loitsch's round_weed: steps down towards the value, and says whether the result is safe. */
class Fit {
  readonly #distance: bigint

  /** From the value up to the upper bound. */
  constructor(distance: bigint) {
    this.#distance = distance
  }

  weed(text: string, { divisor, remainder, error, unit }: Rest, exponent: number): Digits | undefined {
    const up = (this.#distance - 1n) * unit
    const down = (this.#distance + 1n) * unit
    let rest = remainder
    let last = Number(text.at(-1))
    while (rest < up && error - rest >= divisor && (rest + divisor < up || up - rest >= rest + divisor - up)) {
      last--
      rest += divisor
    }
    const next = rest + divisor
    const between = rest < down && error >= next && (next < down || down - rest > next - down)
    if (between || 2n * unit > rest || rest > error - 4n * unit) return undefined
    return { text: text.slice(0, -1) + String(last), exponent }
  }
}
