// P-256 in numbers, to make the signatures that no library makes. For tests: slow, and not in constant time.

export const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
export const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** Null: the point at infinity. */
export type Point = readonly [x: bigint, y: bigint] | null;
export const G: Point = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];

export const mod = (value: bigint, by: bigint): bigint => ((value % by) + by) % by;

function power(base: bigint, exponent: bigint, by: bigint): bigint {
  let result = 1n;
  for (
    let [square, left] = [mod(base, by), exponent];
    left > 0n;
    left >>= 1n, square = (square * square) % by
  ) {
    if (left & 1n) result = (result * square) % by;
  }
  return result;
}

export const inverse = (value: bigint, by: bigint): bigint => power(value, by - 2n, by);

export function add(a: Point, b: Point): Point {
  if (a === null) return b;
  if (b === null) return a;
  if (a[0] === b[0] && mod(a[1] + b[1], P) === 0n) return null;
  const slope =
    a[0] === b[0]
      ? (3n * a[0] ** 2n - 3n) * inverse(2n * a[1], P)
      : (b[1] - a[1]) * inverse(mod(b[0] - a[0], P), P);
  const x = mod(slope ** 2n - a[0] - b[0], P);
  return [x, mod(slope * (a[0] - x) - a[1], P)];
}

export function times(scalar: bigint, point: Point): Point {
  let sum: Point = null;
  for (let [left, double] = [mod(scalar, N), point]; left > 0n; left >>= 1n, double = add(double, double)) {
    if (left & 1n) sum = add(sum, double);
  }
  return sum;
}

/** The first point from this x on. */
export function pointFrom(start: bigint): readonly [x: bigint, y: bigint] {
  for (let x = start; ; x++) {
    const square = mod(x ** 3n - 3n * x + B, P);
    const y = power(square, (P + 1n) / 4n, P);
    if ((y * y) % P === square) return [x, y];
  }
}
