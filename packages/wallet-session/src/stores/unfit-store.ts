/**
 * A database that must not be worked with as it is, however often it is tried again: the message says what to do. Everything
 * else that goes wrong may go right the next time.
 */
export class UnfitStore extends Error {
  override readonly name: string = "UnfitStore";
}
